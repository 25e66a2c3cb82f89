"""Marginals: real shares beside synthetic ones, per bin (histogram) or per category."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

OTHERS = 15
"""Categories drawn one by one; a longer list sums the smaller ones up."""


@dataclass(frozen=True)
class Histogram:
    """Heights in percent of the drawing's height, 100 for the largest share of the two series.

    Bins are drawn equally wide whatever their edges, so that a height is a share of the rows.
    """

    width: float
    """Of one bin, in percent of the drawing's width."""
    real: tuple[float, ...]
    synthetic: tuple[float, ...]
    top: float
    """The share that 100 stands for."""


@dataclass(frozen=True)
class Bar:
    """One category: its shares, and its bars' lengths in percent of the drawing's width."""

    label: str
    real: float
    synthetic: float
    real_length: float
    synthetic_length: float


def histogram(real: Sequence[float], synthetic: Sequence[float]) -> Histogram:
    """Both series have one share per bin."""
    top = _largest(real, synthetic)
    return Histogram(
        width=100 / max(1, len(real)),
        real=tuple(100 * _finite(share) / top for share in real),
        synthetic=tuple(100 * _finite(share) / top for share in synthetic),
        top=top,
    )


def bars(
    labels: Sequence[str], real: Sequence[float], synthetic: Sequence[float]
) -> tuple[Bar, ...]:
    """The most frequent categories in the order given, then the sum of the others.

    The longest bar takes the whole width.
    """
    rows = [
        (label, _finite(r), _finite(s)) for label, r, s in zip(labels, real, synthetic, strict=True)
    ]
    if len(rows) > OTHERS + 1:
        frequent = sorted(range(len(rows)), key=lambda i: (-max(rows[i][1:]), i))[:OTHERS]
        rest = [row for i, row in enumerate(rows) if i not in frequent]
        others = (f"{len(rest)} others", sum(r for _, r, _ in rest), sum(s for *_, s in rest))
        rows = [rows[i] for i in sorted(frequent)] + [others]
    top = _largest([r for _, r, _ in rows], [s for *_, s in rows])
    return tuple(Bar(label, r, s, 100 * r / top, 100 * s / top) for label, r, s in rows)


def _largest(real: Sequence[float], synthetic: Sequence[float]) -> float:
    return max((_finite(share) for share in (*real, *synthetic)), default=0.0) or 1.0


def _finite(share: float) -> float:
    return share if math.isfinite(share) else 0.0
