"""The ladder of arms: what can be done about a training set before a learner sees it.

There are three kinds: ``plain`` leaves the rows as they are, ``weighted`` gives every class the
same total weight, ``synthetic`` adds rows drawn from a generator that was fitted on training
rows. Random oversampling and SMOTE are of the third kind: their generators (duplicated rows,
interpolated rows) fill every class up to the largest one.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict

from synthgen.benchmark.settings import CheapArm, DecideSettings, Ratio
from synthgen.data.schema import Value
from synthgen.data.table import Table
from synthgen.errors import ShortfallWarning
from synthgen.training.context import Context

Kind: TypeAlias = Literal["plain", "weighted", "synthetic"]


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
    """``ratios`` are what a synthetic arm is tried at; the other kinds have none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    ratios: tuple[Ratio, ...] = ()


CHEAP: dict[CheapArm, Arm] = {
    "nothing": Arm(name="nothing", kind="plain"),
    "class_weights": Arm(name="class_weights", kind="weighted"),
    "oversample": Arm(name="oversample", kind="synthetic", ratios=("balanced",)),
    "smote": Arm(name="smote", kind="synthetic", ratios=("balanced",)),
}


def ladder(settings: DecideSettings, generators: Sequence[str]) -> tuple[Arm, ...]:
    """The cheap arms of the settings, then one arm per generator at the settings' ratios.

    A generator that has the name of a cheap arm takes its place.
    """
    cheap = [CHEAP[name] for name in settings.arms if name not in generators]
    asked = [Arm(name=name, kind="synthetic", ratios=settings.ratios) for name in generators]
    return (*cheap, *asked)


@dataclass(frozen=True)
class Drawn:
    """``rows`` that came, of the ``wanted`` number."""

    rows: Table
    wanted: int


def draw(sampler: Sampler, train: Table, ratio: Ratio, *, seed: int) -> Drawn:
    """The synthetic rows that ``ratio`` adds to ``train``.

    A number draws that many rows per training row, in the proportions that the generator gives;
    ``balanced`` draws per class what it lacks to the largest one. A shortfall is not warned of:
    compare the numbers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortfallWarning)
        if ratio != "balanced":
            wanted = round(ratio * len(train))
            return Drawn(sampler.sample(wanted, seed=seed), wanted)
        target = next(c for c in train.schema.discrete if c.name == train.schema.target)
        labels = train.labels
        counts = np.bincount(labels[labels >= 0], minlength=len(target.values))
        rows = train.take(np.arange(0))
        wanted = 0
        for code, count in enumerate(counts.tolist()):
            lack = int(counts.max()) - count
            if lack == 0 or count == 0:  # a class without a single row cannot be learned
                continue
            own = int(np.random.SeedSequence([seed, code]).generate_state(1)[0] >> 1)
            where = {target.name: target.values[code]}
            rows = rows.concat(sampler.sample(lack, seed=own, where=where))
            wanted += lack
        return Drawn(rows, wanted)
