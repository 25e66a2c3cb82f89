"""One score and its reference: two marks on one axis."""

from __future__ import annotations

import math
from dataclasses import dataclass

from synthgen.report.charts.scale import Linear


@dataclass(frozen=True)
class Bullet:
    """Positions in percent of the width, None where there is no number; the axis's two ends."""

    value: float | None
    reference: float | None
    low: float
    high: float


def bullet(value: float, reference: float | None, axis: tuple[float, float] | None) -> Bullet:
    """``axis`` is (low, high); None starts at zero and ends at the larger of the two.

    A value beyond the axis is drawn at its end.
    """
    known = [v for v in (value, reference) if v is not None and math.isfinite(v)]
    low, high = axis if axis is not None else (0.0, max([0.0, *known]) or 1.0)
    scale = Linear(low, high)
    return Bullet(_place(value, scale), _place(reference, scale), low, high)


def _place(value: float | None, scale: Linear) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return min(max(scale(value), 0.0), 100.0)
