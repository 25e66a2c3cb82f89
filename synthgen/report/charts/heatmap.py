"""Heat map of pair trends: the lower triangle of a symmetric matrix, worst columns only."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

STEPS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Where one shade ends and the next begins; shade 0 is the worst."""


@dataclass(frozen=True)
class Pair:
    """Two columns by their positions in the matrix that was given."""

    row: int
    column: int
    score: float


@dataclass(frozen=True)
class Cell:
    """In units of one cell; ``shade`` 0 to len(STEPS), None where the score is undefined."""

    x: int
    y: int
    score: float | None
    shade: int | None


@dataclass(frozen=True)
class Heatmap:
    """``order``: the positions of the drawn columns, in the order given."""

    order: tuple[int, ...]
    cells: tuple[Cell, ...]


def heatmap(score: Sequence[Sequence[float | None]], most: int) -> Heatmap:
    """At most ``most`` columns: those of the worst pairs, then those that agree least."""
    listed = [i for pair in worst(score, most // 2) for i in (pair.row, pair.column)]
    by_mean = sorted(range(len(score)), key=lambda i: (_mean(score[i], i), i))
    order = sorted(list(dict.fromkeys(listed + by_mean))[:most])
    cells = [
        Cell(x, y, value, None if value is None else bisect_right(STEPS, value))
        for y, row in enumerate(order)
        for x, column in enumerate(order[:y])
        for value in (_defined(score[row][column]),)
    ]
    return Heatmap(tuple(order), tuple(cells))


def worst(score: Sequence[Sequence[float | None]], most: int) -> list[Pair]:
    """The pairs that agree least, worst first."""
    pairs = [
        Pair(row, column, value)
        for row in range(len(score))
        for column in range(row)
        if (value := _defined(score[row][column])) is not None
    ]
    return sorted(pairs, key=lambda pair: (pair.score, pair.row, pair.column))[:most]


def _mean(row: Sequence[float | None], own: int) -> float:
    known = [v for i, value in enumerate(row) if i != own and (v := _defined(value)) is not None]
    return sum(known) / len(known) if known else 1.0


def _defined(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
