"""The protocol of every generator. A generator *is* its hyper-parameters; ``fit`` returns a
sampler, which is a fitted model. There is no unfitted state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from synthgen.data.schema import Schema, Value
from synthgen.data.table import Columnar, Table
from synthgen.results import Choice, Privacy
from synthgen.training.context import Context

Where = Mapping[str, Value]
"""Conditions on discrete columns, for example ``{"income": ">50K", "sex": "Female"}``."""


class Sampler(Protocol):
    """A fitted model."""

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """``n`` fresh rows in the training table's schema and dtypes (but see
        :class:`PrivateSampler`).

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
class PrivateSampler(Protocol):
    """What a differentially private model is beside a :class:`Sampler`.

    Its rows come in a schema of its own: columns, kinds and dtypes are the training table's, but
    not categories, bounds and what else a schema tells of rows. Whoever mixes them with training
    rows sees them in the training table's schema: ``Table(rows.frame, train.schema)``.
    """

    @property
    def privacy(self) -> Privacy: ...

    @property
    def schema(self) -> Schema: ...


def released(sampler: object, column: str, value: Value) -> bool:
    """Whether rows of the sampler can have this value of a discrete column: of a private model only
    if its schema, made from noisy counts, lists it."""
    if not isinstance(sampler, PrivateSampler):
        return True
    known = (c.values for c in sampler.schema.discrete if c.name == column)
    return any(value in values for values in known)


@runtime_checkable
class Chosen(Protocol):
    """A sampler of a generator that was chosen among several."""

    @property
    def choice(self) -> Choice:
        """Which one, and by which scores."""
        ...


class Generator(BaseModel):
    """Base of the configuration union; subclasses add ``name: Literal[...]`` and their fields."""

    parallel: ClassVar[bool] = False
    """Whether several processes can train it together (:mod:`synthgen.training.parallel`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str

    def fit(self, train: Columnar, context: Context) -> Sampler:
        """Train on these rows only. Raises :class:`~synthgen.errors.TrainingError`."""
        raise TypeError(f"{type(self).__name__} is not a generator")

    def load(self, path: Path) -> Sampler:
        """Read what ``Sampler.save`` wrote."""
        raise TypeError(f"{type(self).__name__} is not a generator")
