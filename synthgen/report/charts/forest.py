"""Forest plot: one difference with its interval per row, on one common axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from synthgen.report.charts.scale import Linear, ticks


@dataclass(frozen=True)
class Whisker:
    """Positions in percent of the width."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Forest:
    """``band`` is where differences are too small to matter; ``ticks`` are (position, value)."""

    zero: float
    band: tuple[float, float]
    ticks: tuple[tuple[float, float], ...]
    whiskers: tuple[Whisker | None, ...]
    """In the order of the rows; None where a row's numbers are not finite."""


def forest(rows: Sequence[tuple[float, float, float]], minimum_effect: float) -> Forest:
    """``rows`` are (low, mean, high) of each difference, in the unit of the axis.

    The axis holds every interval, zero, and the band of ±``minimum_effect``, with a margin of one
    twentieth on both sides.
    """
    drawn = [row for row in rows if all(map(math.isfinite, row))]
    values = [value for row in drawn for value in row] + [-minimum_effect, minimum_effect, 0.0]
    low, high = min(values), max(values)
    if low == high:
        low, high = -1.0, 1.0
    margin = (high - low) / 20
    axis = Linear(low - margin, high + margin)
    return Forest(
        zero=axis(0.0),
        band=(axis(-minimum_effect), axis(minimum_effect)),
        ticks=tuple((axis(t), t) for t in ticks(axis.low, axis.high, most=7)),
        whiskers=tuple(
            Whisker(*map(axis, row)) if all(map(math.isfinite, row)) else None for row in rows
        ),
    )
