"""Learning curve: scores over numbers of real rows, and where it meets a score to be reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from synthgen.report.charts.scale import Linear, Log, ticks

SPACE = 15.0
"""Least distance of two labels on the axis of rows, in percent of the width."""


@dataclass(frozen=True)
class Growth:
    """Points, lines and ticks in percent of the drawing, (0, 0) at its upper left. Rows are on a
    logarithmic axis."""

    measured: tuple[tuple[float, float], ...]
    ahead: tuple[tuple[float, float], ...]
    """The line from the last measured point to where the score is met; empty if that is nearer."""
    goal: float
    """Height of the score to be reached."""
    meeting: float | None
    """Where the curve meets it; None where it is not known to."""
    reach: tuple[float, float] | None
    """The interval of that, cut off where the axis ends."""
    scores: tuple[tuple[float, float], ...]
    """(position, value) of the ticks."""
    rows: tuple[tuple[float, int], ...]
    """The same: measured numbers of rows, those left out whose labels would touch."""


def growth(
    points: Sequence[tuple[int, float]],
    gain: float,
    more: int | None,
    interval: tuple[int, int] | None,
) -> Growth | None:
    """``points`` are (rows, score), rows ascending; the last is what ``gain`` is added to, and
    the curve meets that score with ``more`` rows. None with fewer than two points or where a
    number is not finite."""
    if len(points) < 2 or not all(map(math.isfinite, [gain, *(score for _, score in points)])):
        return None
    first, last = points[0][0], points[-1][0]
    if not 0 < first < last:
        return None
    goal = points[-1][1] + gain
    met = None if more is None else max(1, last + more)
    far = max(last, met or 0)
    if interval is not None:
        far = max(far, last + min(interval[1], 2 * last))
    near = min(first, met or first)
    # An eighth of the axis to either side of the points, so that labels have room.
    margin = (far / near) ** 0.12
    x = Log(near / margin, far * margin)
    low = min(goal, *(score for _, score in points))
    high = max(goal, *(score for _, score in points))
    room = (high - low) / 6 or max(abs(high), 1.0) / 10
    y = Linear(low - room, high + room, start=100.0, stop=0.0)
    measured = tuple((x(rows), y(score)) for rows, score in points)
    return Growth(
        measured=measured,
        ahead=(measured[-1], (x(met), y(goal))) if met is not None and met > last else (),
        goal=y(goal),
        meeting=None if met is None else x(met),
        reach=None if interval is None else _reach(interval, last, x),
        scores=tuple((y(mark), mark) for mark in ticks(low - room, high + room, most=5)),
        rows=_spaced([(x(rows), rows) for rows, _ in points]),
    )


def _reach(interval: tuple[int, int], last: int, x: Log) -> tuple[float, float]:
    low, high = (min(max(x(max(1, last + rows)), 0.0), 100.0) for rows in interval)
    return low, high


def _spaced(marks: Sequence[tuple[float, int]]) -> tuple[tuple[float, int], ...]:
    """From the last one down, so that this is always named."""
    kept: list[tuple[float, int]] = []
    for position, rows in reversed(marks):
        if not kept or kept[-1][0] - position >= SPACE:
            kept.append((position, rows))
    return tuple(reversed(kept))
