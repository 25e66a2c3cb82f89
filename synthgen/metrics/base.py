"""What a metric sees and how it is declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synthgen.data.table import Table
from synthgen.results import Goal, Pillar, Reading


@dataclass(frozen=True)
class Trio:
    """Three tables of one schema; ``seed`` fixes what a metric draws at random."""

    train: Table
    holdout: Table
    synthetic: Table
    seed: int = 0


class NotComputable(Exception):  # noqa: N818 - an outcome, not an error
    """The tables do not allow this metric; the message says why and names no value."""


@dataclass(frozen=True)
class Metric:
    """A pure function with its name, title, pillar and direction.

    ``compute`` raises :class:`NotComputable` rather than return a made-up number; what it returns
    is finite. ``reference`` is for the metric whose reference is not the usual one of its pillar
    (:mod:`synthgen.metrics.reference`).
    """

    name: str
    title: str
    pillar: Pillar
    goal: Goal
    compute: Callable[[Trio], Reading]
    reference: Callable[[Trio], float] | None = None

    def __call__(self, trio: Trio) -> Reading:
        return self.compute(trio)


def metric(
    *,
    title: str,
    pillar: Pillar,
    goal: Goal,
    name: str | None = None,
    reference: Callable[[Trio], float] | None = None,
) -> Callable[[Callable[[Trio], Reading]], Metric]:
    """Declare a function of a :class:`Trio` as a metric, by default under the function's name."""

    def declare(compute: Callable[[Trio], Reading]) -> Metric:
        return Metric(name or compute.__name__, title, pillar, goal, compute, reference)

    return declare
