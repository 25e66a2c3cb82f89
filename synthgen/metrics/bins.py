"""Bins of a continuous column that a reader understands and that give no single row away.

Edges are round numbers, protected bounds or spikes of the schema; never another value of a row.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.schema import Continuous, Datetime, Numeric, Timedelta

BODY = 12
"""Bins for the body of the column, from its 1 % to its 99 % quantile."""
EACH = 16
"""Values on a grid (integers, say) that get a bin each."""
SPIKES = 3
_DAY = 86_400.0
_SPANS = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0),
    *(3600.0, 7200.0, 10800.0, 21600.0, 43200.0),
    *(_DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY, 91 * _DAY, 182 * _DAY, 365 * _DAY),
)
"""Round spans of time in seconds."""


@dataclass(frozen=True)
class Bins:
    """``edges`` ascending, one more than ``labels``; a bin holds its lower edge, not its upper."""

    edges: NDArray[np.float64]
    labels: list[str]


def bins(column: Continuous, known: NDArray[np.float64]) -> Bins:
    """At most 21 bins for these training values (no NaN): equal ones for the body, one for each
    tail, and a narrow one for each of the three largest spikes; one per value if there are few."""
    low, high = float(column.low), float(column.high)
    unit = _unit(column)
    if unit and (high - low) / unit < EACH:
        count = round((high - low) / unit) + 1
        edges = np.array([low + unit * i for i in range(count + 1)])
        return Bins(edges, [_text(edge, unit, column) for edge in edges[:-1]])

    body = np.clip(np.quantile(known, [0.01, 0.99]), low, high) if len(known) else (low, high)
    if body[0] == body[1]:
        body = (low, high)
    step = max(_round_up((body[1] - body[0]) / BODY, column), unit)
    start = math.floor(body[0] / step) * step
    count = max(1, math.ceil(round((body[1] - start) / step, 9)))
    points = {_tidy(start + step * i, step) for i in range(count + 1)}
    points = {min(max(point, low), high + unit) for point in points}
    first, last = min(points), max(points)
    # On a grid the largest value needs a bin to lie in, since bins leave their upper edge out.
    tails = ({low} if low < first else set()) | ({high + unit} if high + unit > last else set())
    single = _spikes(column)
    slivers = {spike + unit if unit else math.nextafter(spike, math.inf) for spike in single}
    edges = np.array(sorted(points | tails | single | slivers))
    labels = []
    for a, b in pairwise(edges):
        if a in single:
            labels.append(_text(a, step, column))
        elif b <= first:
            labels.append(f"< {_text(b, step, column)}")
        elif a >= last:
            labels.append(f"≥ {_text(a, step, column)}")
        elif unit and b - a <= unit * 1.5:
            labels.append(_text(a, step, column))
        else:
            labels.append(f"{_text(a, step, column)}–{_text(b - unit, step, column)}")
    return Bins(edges, labels)


def _unit(column: Continuous) -> float:
    """What all values are a multiple of; 0 where they have full precision."""
    if not isinstance(column, Numeric):
        return column.resolution
    if column.integer:
        return 1.0
    return 0.0 if column.decimals is None else float(10.0**-column.decimals)


def _spikes(column: Continuous) -> set[float]:
    spikes = column.spikes[:SPIKES] if isinstance(column, Numeric) else ()
    return {float(spike) for spike in spikes if column.low <= spike <= column.high}


def _round_up(width: float, column: Continuous) -> float:
    """The next round number: 1, 2 or 5 times a power of ten, or a common span of time."""
    if not isinstance(column, Numeric) and 1 <= width <= _SPANS[-1]:
        return _SPANS[bisect_left(_SPANS, width)]
    if not isinstance(column, Numeric) and width > _SPANS[-1]:
        return 365 * _DAY * math.ceil(width / (365 * _DAY))
    power = float(10.0 ** math.floor(math.log10(width)))
    return next((power * k for k in (1, 2, 5) if power * k >= width * (1 - 1e-9)), power * 10)


def _tidy(edge: float, step: float) -> float:
    """Without the dust of floating-point sums: 0.3, not 0.30000000000000004."""
    return round(edge, max(0, 1 - math.floor(math.log10(step))))


def _text(edge: float, step: float, column: Continuous) -> str:
    match column:
        case Datetime():
            moment = np.datetime64(round(edge * 1e6), "us")
            if column.zone is not None:
                local = pd.Timestamp(moment).tz_localize("UTC").tz_convert(column.zone)
                moment = local.tz_localize(None).to_datetime64()
            digits: Literal["D", "m", "s"] = "D" if step % _DAY == 0 else "m" if step >= 60 else "s"
            return str(np.datetime_as_string(moment, unit=digits)).replace("T", " ")
        case Timedelta():
            return str(timedelta(seconds=edge))
        case Numeric():
            tidy = _tidy(edge, step / 10)
            return str(int(tidy)) if tidy == int(tidy) and abs(tidy) < 1e15 else f"{tidy:.6g}"
