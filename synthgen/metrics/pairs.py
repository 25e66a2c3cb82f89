"""Agreement of every two columns' association, all pairs at once.

The numbers are those of SDMetrics 0.32 (``ColumnPairTrends``), computed on integer codes: each
column is coded once, a pair is one ``bincount`` of combined codes per table, and all correlations
of complete columns are one matrix product. 25 columns by 30,000 rows take well under a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthgen.data.schema import Continuous, Numeric
from synthgen.data.table import Table
from synthgen.metrics.base import NotComputable
from synthgen.metrics.levels import Codes, levels

BINS = 10
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class PairScores:
    """Symmetric matrices of shape (columns, columns); NaN where undefined and on the diagonal.

    ``score``: 0 to 1, 1 is best. ``correlation`` and ``association``: Pearson's r of two
    continuous columns and Cramér's V of any other two, in the real table.
    """

    columns: tuple[str, ...]
    score: Matrix
    correlation: Matrix
    association: Matrix


def pair_scores(real: Table, synthetic: Table) -> PairScores:
    """Two continuous columns: 1 - |r - r'| / 2 over the rows that have both. Any other two: 1 -
    total variation distance of the joint shares, a missing cell being a level of its own.

    A continuous column beside a discrete one is cut into :data:`BINS` equal bins between its
    extremes, *each table at its own extremes*, the maximum and missing cells sharing one more bin.
    That is what SDMetrics' report does (a shifted column costs nothing here); column shapes and
    the two-sample test see what this leaves out.

    Undefined: correlations of a column that is constant or of fewer than two rows, and with them
    the score; the association with a column of one level. Raises NotComputable without rows.
    """
    if not len(real) or not len(synthetic):
        raise NotComputable("there are no rows to compare")
    tables = (real, synthetic)
    columns = real.schema.modelled
    size = len(columns)
    score, correlation, association = (np.full((size, size), np.nan) for _ in range(3))

    numeric = {c.name for c in real.schema.continuous}
    continuous = np.array([i for i, c in enumerate(columns) if c.name in numeric], dtype=int)
    if len(continuous) > 1:
        names = [columns[i].name for i in continuous]
        r, s = (
            _correlations(np.stack([table.numbers(name) for name in names], axis=1))
            for table in tables
        )
        block = np.ix_(continuous, continuous)
        correlation[block] = r
        score[block] = 1 - np.abs(r - s) / 2

    binned = {c.name: [_bins(c, table) for table in tables] for c in real.schema.continuous}
    coded = [binned.get(c.name) or levels(c, *tables) for c in columns]
    for i in range(size):
        for j in range(i):
            if columns[i].name in numeric and columns[j].name in numeric:
                continue
            agreement, strength = _contingency(coded[i], coded[j])
            score[i, j] = score[j, i] = agreement
            association[i, j] = association[j, i] = strength
    for matrix in (score, correlation, association):
        np.fill_diagonal(matrix, np.nan)
    return PairScores(tuple(c.name for c in columns), score, correlation, association)


def _correlations(numbers: Matrix) -> Matrix:
    """Pearson's r of every two columns over the rows that have both; (n, q) to (q, q)."""
    complete = ~np.isnan(numbers).any(axis=0)
    result = np.full((numbers.shape[1],) * 2, np.nan)
    whole = _unit(numbers[:, complete])
    result[np.ix_(complete, complete)] = np.clip(whole.T @ whole, -1, 1)
    for i in np.flatnonzero(~complete):
        for j in range(numbers.shape[1]):
            both = numbers[:, np.array([i, j])]
            both = both[~np.isnan(both).any(axis=1)]
            if not len(both):
                continue
            x, y = _unit(both).T
            result[i, j] = result[j, i] = np.clip(x @ y, -1, 1)
    return result


def _unit(numbers: Matrix) -> Matrix:
    """Columns centred and scaled to length 1; NaN where constant or of fewer than two rows."""
    if len(numbers) < 2:
        return np.full_like(numbers, np.nan)
    constant = np.ptp(numbers, axis=0) == 0
    centred = numbers - numbers.mean(axis=0)
    centred /= np.where(constant, np.nan, np.abs(centred).max(axis=0))
    unit: Matrix = centred / np.sqrt((centred**2).sum(axis=0))
    return unit


def _bins(column: Continuous, table: Table) -> Codes:
    """Bins 1 to 10, and 11 for the maximum and missing cells."""
    numbers = table.numbers(column.name)
    if not isinstance(column, Numeric):
        # Whole microseconds: edges between dates are exact then, as in integer nanoseconds.
        numbers = np.rint(numbers * 1e6)
    known = numbers[~np.isnan(numbers)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.digitize(numbers, np.linspace(low, high, BINS + 1)).astype(np.int64)


def _contingency(first: list[Codes], second: list[Codes]) -> tuple[float, float]:
    """Agreement of the joint shares, and Cramér's V in the real table; codes as (real, synthetic).

    V after Cramér (1946), without bias correction: sqrt(chi2 / n / min(levels - 1)).
    """
    width = 1 + int(max(codes.max(initial=0) for codes in second))
    real, synthetic = (a * width + b for a, b in zip(first, second, strict=True))
    cells = np.arange(width * (1 + int(max(codes.max(initial=0) for codes in first))))
    if len(cells) > 4 * (len(real) + len(synthetic)):
        # Many levels, few rows: only the cells that occur.
        cells, places = np.unique(np.concatenate([real, synthetic]), return_inverse=True)
        real, synthetic = places[: len(real)], places[len(real) :]
    joint = np.bincount(real, minlength=len(cells))
    other = np.bincount(synthetic, minlength=len(cells))
    agreement = 1 - float(np.abs(joint / len(real) - other / len(synthetic)).sum() / 2)

    rows, columns = np.bincount(first[0]), np.bincount(second[0])
    least = min(np.count_nonzero(rows), np.count_nonzero(columns)) - 1
    if least < 1:
        return agreement, np.nan
    held = np.flatnonzero(joint)
    a, b = np.divmod(cells[held], width)
    mean_square = float((joint[held] ** 2 / (rows[a] * columns[b])).sum()) - 1
    return agreement, float(np.sqrt(max(mean_square, 0) / least))
