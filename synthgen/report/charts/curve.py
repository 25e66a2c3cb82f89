"""Training curve: one series over the steps, on a linear or a logarithmic axis as fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from synthgen.report.charts.scale import Linear, Log, decades, ticks

POINTS = 300
"""Points drawn at most."""
SPREAD = 100.0
"""Ratio of the largest to the smallest value from which the axis is logarithmic."""


@dataclass(frozen=True)
class Curve:
    """Points and ticks in percent of the drawing, (0, 0) at its upper left."""

    points: tuple[tuple[float, float], ...]
    ticks: tuple[tuple[float, float], ...]
    """(position, value) on the vertical axis."""
    logarithmic: bool
    first_step: int
    last_step: int
    last: float
    low: float
    high: float


def curve(steps: Sequence[int], values: Sequence[float]) -> Curve | None:
    """None where fewer than two values are finite."""
    known = [(s, v) for s, v in zip(steps, values, strict=True) if math.isfinite(v)]
    if len(known) < 2:
        return None
    low, high = min(v for _, v in known), max(v for _, v in known)
    logarithmic = low > 0 and high / low >= SPREAD
    # A quarter of a decade, or a tenth of the range, keeps the line off the frame.
    if logarithmic:
        bottom, top = low / 10**0.25, high * 10**0.25
    else:
        margin = (high - low) / 10 or max(abs(high), 1.0) / 10
        bottom, top = low - margin, high + margin
    y = (Log if logarithmic else Linear)(bottom, top, start=100.0, stop=0.0)
    x = Linear(known[0][0], known[-1][0])
    marks = decades(bottom, top, most=4) if logarithmic else ticks(bottom, top, most=4)
    return Curve(
        points=tuple((x(s), y(v)) for s, v in thin(known, POINTS)),
        ticks=tuple((y(mark), mark) for mark in marks),
        logarithmic=logarithmic,
        first_step=known[0][0],
        last_step=known[-1][0],
        last=known[-1][1],
        low=low,
        high=high,
    )


def thin(points: Sequence[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """At most ``most`` points in their order: the extremes of each stretch, so no peak is lost."""
    if len(points) <= most:
        return list(points)
    stretches = (most - 2) // 2
    inner = range(1, len(points) - 1)
    kept = {0, len(points) - 1}
    for i in range(stretches):
        part = inner[i * len(inner) // stretches : (i + 1) * len(inner) // stretches]
        kept.add(min(part, key=lambda p: points[p][1]))
        kept.add(max(part, key=lambda p: points[p][1]))
    return [points[p] for p in sorted(kept)]
