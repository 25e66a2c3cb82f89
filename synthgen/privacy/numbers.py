"""The distribution of a numeric column, released without telling of one row.

A histogram with noisy counts on a grid that is fixed beforehand, whose full bins are split and
counted again, a few times: in the manner of PrivTree (Zhang et al. 2016, arXiv 1601.03229), with
Gaussian noise. All edges are the grid's, so that none is a value of the data, and the range is
where counts can be told from noise: an extreme value alone in its bin is outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from synthgen.data.schema import RARE, Continuous, Datetime, Numeric
from synthgen.privacy.noise import Noise, noisy_counts

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

SPLITS = 3
"""So often bins are split."""
PARTS = 16
"""Into so many parts at most, and so few that a part's share can be told from noise."""
QUERIES = 1 + SPLITS
"""Gaussian mechanisms that a histogram spends."""
COVERED = 0.9
"""Neighbouring bins of the first grid are joined until those that can be told from noise hold such
a share of the rows."""
JOINS = 12
"""The first grid is looked at with its bins joined 1, 2, 4, ... 2048 at a time."""
FALSE = 0.01
"""How many empty bins are taken for full ones, on average, in all these looks together."""
EXPONENTS = (-64, 1024)
"""The grid of quantities has edges at powers of two; smaller magnitudes count as zero."""
ZERO = math.ldexp(1.0, EXPONENTS[0])
INTEGER_EXPONENTS = (0, 64)
PERIOD = 2.0**25
"""Seconds (388 days): the grid of points in time."""
PERIODS = 256
"""On either side of 1970: from 1698 to 2242."""


@dataclass(frozen=True)
class Grid:
    """Ascending ``edges`` (bins + 1,); bin i holds ``edges[i] <= x < edges[i + 1]``.
    ``family`` (bins,): bins are joined only within a family. ``step``: the distance of neighbouring
    values, 0 for full precision; no bin gets narrower. ``whole``: values are whole numbers, and
    edges midway between two of them."""

    edges: Floats
    family: Counts
    step: float
    whole: bool


@dataclass(frozen=True)
class Histogram:
    """Bin i, between ``left[i]`` and ``right[i]``, holds ``rows[i]`` > 0 rows or so. Between two
    bins there may be a gap; a bin of width 0 is a single value."""

    left: Floats
    right: Floats
    rows: Counts
    missing: int
    """Of missing cells; 0 where they cannot be told from none."""


def grid_of(column: Continuous, step: float, bounds: tuple[float, float] | None) -> Grid:
    """The first grid: equal parts of the ``bounds`` that somebody gave, else powers of two on both
    sides of zero, or equal periods of time."""
    whole = isinstance(column, Numeric) and step == 1
    if bounds is not None:
        edges: Floats = np.linspace(bounds[0], bounds[1] + whole, PARTS + 1)
        edges = np.unique(np.floor(edges)) - 0.5 if whole else edges
        return Grid(edges, np.zeros(len(edges) - 1, dtype=np.int64), step, whole)
    if isinstance(column, Datetime):
        edges = np.arange(-PERIODS, PERIODS + 1, dtype=np.float64) * PERIOD
        return Grid(edges, np.zeros(len(edges) - 1, dtype=np.int64), step, whole)
    first, last = INTEGER_EXPONENTS if whole else EXPONENTS
    powers = np.array([math.ldexp(1.0, e) for e in range(first, last)] + [_top(last)])
    powers = powers - 0.5 if whole else powers
    side = np.ones(len(powers) - 1, dtype=np.int64)
    edges = np.concatenate([-powers[::-1], powers])
    return Grid(edges, np.concatenate([-side, [0], side]), step, whole)


def _top(exponent: int) -> float:
    return float(np.finfo(np.float64).max) if exponent > 1023 else math.ldexp(1.0, exponent)


def private_histogram(numbers: Floats, grid: Grid, std: float, noise: Noise) -> Histogram | None:
    """Of ``numbers`` (n,), NaN where missing. None where no bin can be told from noise.

    Spends :data:`QUERIES` Gaussian mechanisms of noise ``std``.
    """
    values = np.clip(numbers[~np.isnan(numbers)], grid.edges[0], _below(grid.edges[-1]))
    absent = len(numbers) - len(values)
    exact = np.histogram(values, grid.edges)[0]
    counts = noisy_counts(np.append(exact, absent), std, noise)
    missing = int(counts[-1]) if counts[-1] >= RARE + std * float(norm.isf(1e-3)) else 0
    found = _told_from_noise(grid, counts[:-1], len(numbers) - missing, std)
    if found is None:
        return None
    left, right, rows = found
    for _ in range(SPLITS):
        left, right, rows = _split(values, left, right, rows, grid, std, noise)
    zero = (left < 0) & (right > 0) & (right <= ZERO)
    return Histogram(np.where(zero, 0.0, left), np.where(zero, 0.0, right), rows, missing)


def _below(edge: float) -> float:
    return float(np.nextafter(edge, -np.inf))


def _told_from_noise(
    grid: Grid, counts: Counts, present: int, std: float
) -> tuple[Floats, Floats, Counts] | None:
    """The bins whose counts cannot well be noise, joined 1, 2, 4, ... at a time until they hold
    most of the rows, or as many as they ever do."""
    found, most = None, 0
    start = np.flatnonzero(np.append(True, np.diff(grid.family) != 0))
    within = np.arange(len(counts)) - np.repeat(start, np.diff(np.append(start, len(counts))))
    # From zero outwards, so that small magnitudes are joined first on either side.
    mirrored = grid.family < 0
    within[mirrored] = within[mirrored][::-1]
    for doubling in range(JOINS):
        group = np.stack([grid.family, within >> doubling])
        begin = np.flatnonzero(np.append(True, (np.diff(group) != 0).any(axis=0)))
        size = np.diff(np.append(begin, len(counts)))
        joined = np.add.reduceat(counts, begin)
        kept = joined >= RARE + std * np.sqrt(size) * float(norm.isf(FALSE / (JOINS * len(begin))))
        held = int(joined[kept].sum())
        # Wider bins say less of where the rows are: only for clearly more rows.
        if held > 1.1 * most:
            most = held
            found = grid.edges[begin][kept], grid.edges[begin + size][kept], joined[kept]
        if held >= COVERED * present:
            break
    return found


def _split(
    values: Floats,
    left: Floats,
    right: Floats,
    rows: Counts,
    grid: Grid,
    std: float,
    noise: Noise,
) -> tuple[Floats, Floats, Counts]:
    """Split the bins with enough rows, and share their rows by noisy counts of the parts."""
    edges, parent = [], []
    for i, (low, high, held) in enumerate(zip(left, right, rows, strict=True)):
        most = min(PARTS, int(held / (2 * max(std, RARE))))
        parts = _parts(float(low), float(high), grid.step, most)
        edges.append(low / parts * np.arange(parts, 0, -1) + high / parts * np.arange(parts))
        parent.append(np.full(parts, i))
    starts, owner = np.concatenate(edges), np.concatenate(parent)
    if grid.whole:
        starts = np.floor(starts + 1) - 0.5
    last = np.append(owner[1:] != owner[:-1], True)
    ends = np.where(last, right[owner], np.append(starts[1:], 0.0))
    place = np.clip(np.searchsorted(starts, values, side="right") - 1, 0, len(starts) - 1)
    place = place[(values >= starts[place]) & (values < ends[place])]
    counts = noisy_counts(np.bincount(place, minlength=len(starts)), std, noise)
    # A part whose count is hardly above its noise is empty, unless all of them are.
    positive = np.where(counts >= RARE + 2 * std, counts, 0).astype(np.float64)
    total = np.bincount(owner, weights=positive, minlength=len(left))[owner]
    share = np.where(total > 0, positive / np.where(total > 0, total, 1.0), 0.0)
    share = np.where(total > 0, share, 1 / np.bincount(owner)[owner])
    shared = np.rint(share * rows[owner]).astype(np.int64)
    kept = shared > 0
    return starts[kept], ends[kept], shared[kept]


def _parts(low: float, high: float, step: float, most: int) -> int:
    """Into how many parts a bin is split: a power of two if not into its cells of ``step``, than
    which none is narrower; 1 where that is not possible."""
    if low < 0 < high <= ZERO:
        return 1
    cells = (high - low) / step if step else math.inf
    return int(cells) if 1 <= cells <= most else 1 << max(0, most.bit_length() - 1)


def private_precision(needed: Counts, levels: int, std: float, noise: Noise) -> int | None:
    """The first of ``levels`` precisions that does for (nearly) all rows, of which each needs at
    least ``needed`` (n,) or, where that is ``levels`` or more, has full precision. None: no level
    does, or the noise hides which.

    Spends one Gaussian mechanism of noise ``std``.
    """
    counts = np.bincount(np.minimum(needed, levels), minlength=levels + 1)
    noisy = noisy_counts(counts, std, noise)
    if noisy.sum() < 10 * std * math.sqrt(levels + 1):
        return None
    share = noisy.cumsum()[:-1] / noisy.sum()
    found = np.flatnonzero(share >= 0.98)
    return int(found[0]) if len(found) else None
