"""Relations between two columns that hold in all training rows, and the rows that break them.

A relation counts only if it is unlikely to hold by accident: were the two columns independent, it
would be broken often. That also leaves out what already follows from each column's own range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from synthgen.metrics.levels import Codes

Mask = NDArray[np.bool_]
Relation = tuple[str, str, Mask]
"""Two column names, and which synthetic rows break the relation."""

LEAST_ROWS = 300
"""Training rows at least that have to hold a relation."""
LEAST_BREACHES = 0.05
"""Share of rows that would break ``a <= b`` if the columns were independent, at least."""
LEAST_SUPPORT = 20
"""Rows of a level from which its counterpart is learnt."""
COVERED = 0.9
"""Share of rows at least whose level is supported."""
COINCIDENCE = 1e-9
"""Probability at most that a dependency holds although the columns are independent."""
_SCREEN = 500


def orderings(
    real: Mapping[str, NDArray[np.float64]], synthetic: Mapping[str, NDArray[np.float64]]
) -> Iterator[Relation]:
    """``first <= second`` between columns of one unit (the caller's choice), where both are
    present."""
    names = list(real)
    screen = {name: values[:_SCREEN] for name, values in real.items()}
    for first, second in permutations(names, 2):
        if (screen[first] > screen[second]).any():  # cheap, and settles almost all pairs
            continue
        a, b = real[first], real[second]
        both = ~np.isnan(a) & ~np.isnan(b)
        if both.sum() < LEAST_ROWS or (a > b).any():
            continue
        if _independent_breaches(a[both], b[both]) < LEAST_BREACHES:
            continue
        yield first, second, synthetic[first] > synthetic[second]


def _independent_breaches(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """P(a > b) of the two margins, as if independent."""
    return float(np.searchsorted(np.sort(b), a, side="left").mean() / len(b))


def dependencies(real: Mapping[str, Codes], synthetic: Mapping[str, Codes]) -> Iterator[Relation]:
    """``first`` determines ``second``: every level of the first (a missing cell is one) goes with
    one level of the second. Only levels that :data:`LEAST_SUPPORT` training rows hold are checked
    in the synthetic rows."""
    for first, second in permutations(real, 2):
        a, b = real[first], real[second]
        if len(a) < LEAST_ROWS:
            continue
        counterpart = _determined(a, b)
        if counterpart is None:
            continue
        expected = np.full(int(max(a.max(), synthetic[first].max(initial=0))) + 1, -1)
        expected[: len(counterpart)] = counterpart
        wanted = expected[synthetic[first]]
        yield first, second, (wanted >= 0) & (wanted != synthetic[second])


def _determined(a: Codes, b: Codes) -> Codes | None:
    """The level of ``b`` per level of ``a``, -1 for levels of too few rows; None if ``a`` does not
    determine ``b``, or does so no more than chance would have it."""
    width = int(b.max()) + 1
    cells = np.flatnonzero(np.bincount(a * width + b))
    held = np.bincount(a)
    if len(cells) != np.count_nonzero(held):
        return None
    level, partner = np.divmod(cells, width)
    supported = held[level] >= LEAST_SUPPORT
    rows = held[level[supported]]
    if rows.sum() < COVERED * len(a) or len(np.unique(partner[supported])) < 2:
        return None
    shares = np.bincount(b) / len(b)
    shares = shares[shares > 0]
    # One level's rows all go with one partner by chance with probability sum(share ** rows).
    log_chance = np.log((shares[None, :] ** rows[:, None]).sum(axis=1) + 1e-300).sum()
    if log_chance > np.log(COINCIDENCE):
        return None
    counterpart = np.full(len(held), -1, dtype=np.int64)
    counterpart[level[supported]] = partner[supported]
    return counterpart
