"""The ladder of arms: what can be done about a training set, and about what a learner predicts.

An arm belongs to a *source* of rows, which is fitted once per resample whatever is done with it:
the training rows themselves, a cheap generator (duplicated or interpolated rows), or a generator in
question. What an arm does with its source is its *treatment*:

=========  =========================================================================================
plain      the training rows as they are
balanced   sample weights that give every class the same total (regression: every part of the range)
threshold  predicted classes by a decision threshold that is tuned on inner rows
raw        synthetic rows are added, at one of several ratios
filtered   the same, selected from twice as many
weighted   the same, with a sample weight below 1
mixed      the best of these three, together with balanced weights or, where the metric depends on
           predicted classes, a tuned threshold
=========  =========================================================================================

Images have three more, ``flips_crops``, ``randaugment`` and ``mixup``, and no threshold: see
:mod:`synthgen.benchmark.images.arms`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from synthgen.benchmark.settings import CheapArm, DecideSettings, Ratio
from synthgen.data.schema import Task, Value
from synthgen.data.table import Table
from synthgen.errors import ShortfallWarning
from synthgen.generators.base import released
from synthgen.generators.resample import Resample
from synthgen.generators.smote import Smote
from synthgen.training.context import Context

Treatment: TypeAlias = Literal[
    "plain",
    "balanced",
    "threshold",
    "flips_crops",
    "randaugment",
    "mixup",
    "raw",
    "filtered",
    "weighted",
    "mixed",
]
ROWS = "rows"
"""The name of the source that adds no rows."""


class Sampler(Protocol):
    """What the benchmark needs of a fitted generator."""

    def sample(self, n: int, *, seed: int, where: Mapping[str, Value] | None = None) -> Table:
        """At most ``n`` fresh rows (fewer only if too few draws met the conditions)."""
        ...


class Generator(Protocol):
    """What the benchmark needs of a generator."""

    def fit(self, train: Table, context: Context) -> Sampler:
        """Train on these rows only."""
        ...


class Arm(BaseModel):
    """Known by its name everywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    treatment: Treatment


class Source(BaseModel):
    """``ratios`` are what its rows are tried at. ``candidate``: a generator in question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    arms: tuple[Arm, ...]
    ratios: tuple[Ratio, ...] = ()
    candidate: bool = False


_PLAIN: dict[CheapArm, Treatment] = {
    "nothing": "plain",
    "class_weights": "balanced",
    "density_weights": "balanced",
    "threshold": "threshold",
}
G = TypeVar("G")


def generator_of(source: Source, asked: G, name: str, cheap: Mapping[str, G]) -> G | None:
    """What makes the rows of a source: nothing the training rows, ``asked`` those under its own
    ``name``, else one of the ``cheap`` ones."""
    if source.name == ROWS:
        return None
    return asked if source.name == name else cheap[source.name]


CHEAP_GENERATORS: dict[str, Generator] = {
    "oversample": Resample(),
    "smote": Smote(),
    "placebo": Resample(),
}
"""Oversampling, SMOTE and the placebo are generators too. The first two fill every class up to the
largest one; the placebo duplicates as many rows as there are, whatever their class."""


def ladder(
    settings: DecideSettings, generators: Sequence[str], task: Task = "classification"
) -> tuple[Source, ...]:
    """The training rows, the cheap generators of the settings, then the generators in question.

    A generator that has the name of a cheap arm takes its place.
    """
    kept = [name for name in settings.arms if name not in generators]
    plain = tuple(Arm(name=name, treatment=_PLAIN[name]) for name in kept if name in _PLAIN)
    cheap = [_cheap(name, task) for name in kept if name in CHEAP_GENERATORS]
    asked = [
        Source(
            name=name, arms=variants(name, settings, task), ratios=settings.ratios, candidate=True
        )
        for name in generators
    ]
    return (Source(name=ROWS, arms=plain), *cheap, *asked)


def _cheap(name: str, task: Task) -> Source:
    filling = name != "placebo" and task == "classification"
    ratios: tuple[Ratio, ...] = ("balanced",) if filling else (1.0,)
    return Source(name=name, arms=(Arm(name=name, treatment="raw"),), ratios=ratios)


def variants(name: str, settings: DecideSettings, task: Task) -> tuple[Arm, ...]:
    """The arms of one generator: its rows as they come, and what else may be done with them."""
    asked: dict[Treatment, bool] = {
        "filtered": bool(settings.filters),
        "weighted": bool(settings.weights),
        "mixed": settings.mixed,
    }
    more = [Arm(name=f"{name}-{kind}", treatment=kind) for kind, wanted in asked.items() if wanted]
    return (Arm(name=name, treatment="raw"), *more)


@dataclass(frozen=True)
class Drawn:
    """``rows`` that came, of the ``wanted`` number."""

    rows: Table
    wanted: int


def draw(sampler: Sampler, train: Table, ratio: Ratio, *, seed: int, times: int = 1) -> Drawn:
    """``times`` the synthetic rows that ``ratio`` adds to ``train``.

    A number draws that many rows per training row, in the proportions that the generator gives;
    ``balanced`` draws per class what it lacks to the largest one. A shortfall is not warned of:
    compare the numbers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortfallWarning)
        if ratio != "balanced":
            wanted = times * round(ratio * len(train))
            # A private model has a schema of its own.
            drawn = sampler.sample(wanted, seed=seed)
            return Drawn(Table(drawn.frame, train.schema), wanted)
        target = next(c for c in train.schema.discrete if c.name == train.schema.target)
        rows = train.take(np.arange(0))
        wanted = 0
        for code, lack in lacking(train).items():
            own = int(np.random.SeedSequence([seed, code]).generate_state(1)[0] >> 1)
            where = {target.name: target.values[code]}
            wanted += times * lack
            if released(sampler, target.name, target.values[code]):
                rows = rows.concat(sampler.sample(times * lack, seed=own, where=where))
        return Drawn(rows, wanted)


def lacking(train: Table) -> dict[int, int]:
    """Rows that each class (by code) lacks to the largest one. Full classes are left out, and
    those without a single row, which cannot be learned."""
    return lacking_counts(np.bincount(train.labels[train.labels >= 0]))


def lacking_counts(counts: NDArray[np.int64]) -> dict[int, int]:
    """The same of classes that have so many rows, shape (classes,)."""
    return {
        code: int(counts.max() - count)
        for code, count in enumerate(counts.tolist())
        if 0 < count < counts.max()
    }
