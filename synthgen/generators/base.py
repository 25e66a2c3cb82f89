"""The protocol of every generator. A generator *is* its hyper-parameters; ``fit`` returns a
sampler, which is a fitted model. There is no unfitted state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from synthgen.data.schema import Value
from synthgen.data.table import Table
from synthgen.results import Choice
from synthgen.training.context import Context

Where = Mapping[str, Value]
"""Conditions on discrete columns, for example ``{"income": ">50K", "sex": "Female"}``."""


class Sampler(Protocol):
    """A fitted model."""

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """``n`` fresh rows in the training table's schema and dtypes.

        With ``where`` every returned row satisfies all conditions; if a bounded number of tries
        does not find ``n`` of them, fewer rows come back with a
        :class:`~synthgen.errors.ShortfallWarning`. Unknown columns or values raise
        :class:`~synthgen.errors.ConfigError`.
        """
        ...

    def save(self, path: Path) -> None:
        """Write the model into the (existing, empty) directory ``path``."""
        ...


@runtime_checkable
class Chosen(Protocol):
    """A sampler of a generator that was chosen among several."""

    @property
    def choice(self) -> Choice:
        """Which one, and by which scores."""
        ...


class Generator(BaseModel):
    """Base of the configuration union; subclasses add ``name: Literal[...]`` and their fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def fit(self, train: Table, context: Context) -> Sampler:
        """Train on these rows only. Raises :class:`~synthgen.errors.TrainingError`."""
        raise TypeError(f"{type(self).__name__} is not a generator")

    def load(self, path: Path) -> Sampler:
        """Read what ``Sampler.save`` wrote."""
        raise TypeError(f"{type(self).__name__} is not a generator")
