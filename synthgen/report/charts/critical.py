"""Critical-difference diagram (Demsar, JMLR 7, 2006): methods on an axis of mean ranks, and bars
that join those which are not told apart.

Unlike the other drawings it has a width of its own, in pixels: its labels stand beside the axis,
and a narrow screen scrolls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthgen.report.charts.scale import Linear, ticks

WIDTH = 720
SIDE = 220
"""Width of either margin, where the labels stand."""
ROW = 24
_AXIS = 52
_BAR = 9


@dataclass(frozen=True)
class Label:
    """A method: the place of its mean rank on the axis, and where its name stands."""

    x: float
    y: float
    left: bool


@dataclass(frozen=True)
class Diagram:
    """In pixels, (0, 0) at the upper left. ``labels`` are in the order of the ranks given."""

    height: float
    start: float
    stop: float
    axis: float
    ticks: tuple[tuple[float, int], ...]
    labels: tuple[Label, ...]
    bars: tuple[tuple[float, float, float], ...]
    """(x1, x2, y) of each group."""
    span: tuple[float, float] | None
    """(x1, x2) of the critical difference; None where it is longer than the axis."""


def diagram(
    mean_ranks: Sequence[float],
    groups: Sequence[tuple[int, int]],
    critical_difference: float | None,
) -> Diagram:
    """``mean_ranks`` ascend; a group is the positions of its first and last method.

    Of two methods or more, the better half is labelled on the left, best on top, the other half on
    the right, worst on top: so no two leaders cross.
    """
    count = len(mean_ranks)
    place = Linear(1, count, SIDE, WIDTH - SIDE)
    first = _AXIS + 14 + _BAR * len(groups) + ROW / 2
    half = (count + 1) // 2
    reach = None
    if critical_difference is not None and critical_difference <= count - 1:
        reach = (place(1), place(1 + critical_difference))
    return Diagram(
        height=first + ROW * (half - 1) + ROW / 2,
        start=place(1),
        stop=place(count),
        axis=_AXIS,
        ticks=tuple((place(t), int(t)) for t in ticks(1, count, most=12) if t == int(t)),
        labels=tuple(
            Label(place(r), first + ROW * (i if i < half else count - 1 - i), i < half)
            for i, r in enumerate(mean_ranks)
        ),
        bars=tuple(
            (place(mean_ranks[a]) - 3, place(mean_ranks[b]) + 3, _AXIS + 12 + _BAR * i)
            for i, (a, b) in enumerate(groups)
        ),
        span=reach,
    )
