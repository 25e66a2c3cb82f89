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


@dataclass(frozen=True)
class Metric:
    """A pure function with its name (the function's), title, pillar and direction."""

    name: str
    title: str
    pillar: Pillar
    goal: Goal
    compute: Callable[[Trio], Reading]

    def __call__(self, trio: Trio) -> Reading:
        return self.compute(trio)


def metric(
    *, title: str, pillar: Pillar, goal: Goal
) -> Callable[[Callable[[Trio], Reading]], Metric]:
    """Declare a function of a :class:`Trio` as a metric."""

    def declare(compute: Callable[[Trio], Reading]) -> Metric:
        return Metric(compute.__name__, title, pillar, goal, compute)

    return declare
