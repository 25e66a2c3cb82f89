"""Forest plot: one difference with its interval per row, on one common axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from synthgen.report.charts.scale import Linear, ticks


@dataclass(frozen=True)
class Whisker:
    """Positions in percent of the width, the ends cut off where the axis ends.

    ``middle`` is None where it lies beyond; ``cut`` says which ends (lower, upper) were cut off,
    ``outside`` whether all of it was.
    """

    low: float
    middle: float | None
    high: float
    cut: tuple[bool, bool]

    @property
    def outside(self) -> bool:
        return self.middle is None and self.low == self.high


@dataclass(frozen=True)
class Forest:
    """``band`` is where differences are too small to matter; ``ticks`` are (position, value)."""

    zero: float
    band: tuple[float, float]
    ticks: tuple[tuple[float, float], ...]
    whiskers: tuple[Whisker | None, ...]
    """In the order of the rows; None where a row's numbers are not finite."""


def forest(
    rows: Sequence[tuple[float, float, float]],
    minimum_effect: float,
    framing: Sequence[bool] | None = None,
) -> Forest:
    """``rows`` are (low, mean, high) of each difference, in the unit of the axis.

    The axis holds every interval, zero, and the band of ±``minimum_effect``, with a margin of one
    twentieth on both sides. ``framing`` marks the rows that it holds; the others are cut off where
    it ends. (All frame it if none is marked.)
    """
    finite = [all(map(math.isfinite, row)) for row in rows]
    drawn = [row for row, is_finite in zip(rows, finite, strict=True) if is_finite]
    if framing is not None and any(framing):
        drawn = [r for r, f, k in zip(rows, framing, finite, strict=True) if f and k] or drawn
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
            _whisker(*map(axis, row)) if is_finite else None
            for row, is_finite in zip(rows, finite, strict=True)
        ),
    )


def _whisker(low: float, middle: float, high: float) -> Whisker:
    return Whisker(
        low=min(max(low, 0.0), 100.0),
        middle=middle if 0 <= middle <= 100 else None,
        high=min(max(high, 0.0), 100.0),
        cut=(low < 0, high > 100),
    )
