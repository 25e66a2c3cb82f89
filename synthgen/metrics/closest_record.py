"""Do synthetic rows crowd around training rows more than around rows never seen?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from synthgen.data.table import Table
from synthgen.metrics.base import NotComputable, Trio, metric
from synthgen.metrics.levels import distinct, levels
from synthgen.metrics.reference import subsample
from synthgen.results import Reading

QUERIES = 4_000
"""Rows at most whose nearest neighbours are looked for; a seeded subsample beyond."""
RECORDS = 20_000
"""Training rows at most that are searched; a seeded subsample beyond."""
LEAST = 10
"""Fewer distinct rows than this on a side say nothing."""
_CELLS = 4_000_000
"""Distances held in memory at once (32 MB)."""


@metric(title="Distance to closest record", pillar="privacy", goal="target")
def closest_record(trio: Trio) -> Reading:
    """Share of synthetic rows that lie nearer to a training row than to any held-out row, among
    equal numbers of distinct training and held-out rows; ties count half. 0.5 is ideal, towards 1
    the generator repeats what it was trained on.

    Gower's distance (1971), summed over the columns: a continuous column adds the difference of
    the two values' ranks among the real rows as shares (0 to 1; heavy tails do not matter), a
    discrete one 0 if equal and 1 if not. A missing cell is a level of its own, further from any
    value than values are from each other on average (1 + |rank - 0.5|). Neighbours are exact.

    ``detail``: the 5th percentile and median of the distance to the closest of all training rows,
    of synthetic rows divided by that of held-out rows (1 is ideal, 0 means copies; left out where
    the held-out rows' own is 0), and the distances themselves.
    """
    rng = np.random.default_rng(trio.seed)
    train = subsample(trio.train.take(distinct(trio.train)), RECORDS, rng)
    holdout = subsample(trio.holdout.take(distinct(trio.holdout)), len(train), rng)
    # In random order, so that any leading part is a random sample.
    train, holdout = (table.take(rng.permutation(len(table))) for table in (train, holdout))
    synthetic = subsample(trio.synthetic, QUERIES, rng)
    if min(len(train), len(holdout)) < LEAST or len(synthetic) == 0:
        raise NotComputable(
            f"it needs a synthetic row and {LEAST} distinct training and held-out rows"
        )
    known, fresh, drawn = _points(train, holdout, synthetic)
    equal = len(fresh.ranks)
    drawn_to_equal, drawn_to_known = _nearest(drawn, known, equal)
    drawn_to_fresh, _ = _nearest(drawn, fresh, equal)
    _, fresh_to_known = _nearest(fresh.head(QUERIES), known, equal)

    nearer = (drawn_to_equal < drawn_to_fresh) + 0.5 * (drawn_to_equal == drawn_to_fresh)
    detail: dict[str, float | int] = {}
    for label, share in (("5th_percentile", 0.05), ("median", 0.5)):
        ours, theirs = (float(np.quantile(d, share)) for d in (drawn_to_known, fresh_to_known))
        if theirs > 0:
            detail[f"{label}_ratio"] = ours / theirs
        detail[f"{label}_synthetic"] = ours
        detail[f"{label}_holdout"] = theirs
    detail |= {"queries": len(synthetic), "searched": len(fresh.ranks)}
    return Reading(value=float(nearer.mean()), detail=detail)


@dataclass(frozen=True)
class _Points:
    """``ranks`` in [0, 1] of shape (n, continuous); ``codes`` of shape (n, discrete)."""

    ranks: NDArray[np.float64]
    codes: NDArray[np.float64]

    def head(self, n: int) -> _Points:
        return _Points(self.ranks[:n], self.codes[:n])


def _points(train: Table, holdout: Table, synthetic: Table) -> list[_Points]:
    """The tables in one space, whose ranks are those of all real rows."""
    tables = (train, holdout, synthetic)
    ranks: list[list[NDArray[np.float64]]] = [[] for _ in tables]
    codes: list[list[NDArray[np.float64]]] = [[] for _ in tables]
    for column in train.schema.continuous:
        numbers = [table.numbers(column.name) for table in tables]
        missing = [np.isnan(values) for values in numbers]
        for place, values in enumerate(_ranks(numbers)):
            ranks[place].append(values)
        if any(absent.any() for absent in missing):
            for place, absent in enumerate(missing):
                codes[place].append(absent.astype(float))
    for code in train.schema.discrete:
        for place, level in enumerate(levels(code, *tables)):
            codes[place].append(level.astype(float))
    return [
        _Points(_stack(r, len(table)), _stack(c, len(table)))
        for r, c, table in zip(ranks, codes, tables, strict=True)
    ]


def _ranks(numbers: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Mid-ranks as shares of the real values (all but the last array), linear between them; 0.5
    where missing."""
    real = np.concatenate(numbers[:-1])
    values, counts = np.unique(real[~np.isnan(real)], return_counts=True)
    if len(values) == 0:
        return [np.full(len(part), 0.5) for part in numbers]
    middle = (np.cumsum(counts) - counts / 2) / counts.sum()
    return [np.where(np.isnan(part), 0.5, np.interp(part, values, middle)) for part in numbers]


def _stack(columns: list[NDArray[np.float64]], rows: int) -> NDArray[np.float64]:
    return np.stack(columns, axis=1) if columns else np.zeros((rows, 0))


def _nearest(
    queries: _Points, records: _Points, lead: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance to the nearest of the first ``lead`` records, and to the nearest of all; (n,)."""
    count = len(queries.ranks)
    chunk = max(1, _CELLS // len(records.ranks))
    leading, overall = np.empty(count), np.empty(count)
    for start in range(0, count, chunk):
        rows = slice(start, start + chunk)
        distance = np.zeros((len(queries.ranks[rows]), len(records.ranks)))
        if records.ranks.shape[1]:
            distance += cdist(queries.ranks[rows], records.ranks, "cityblock")
        if records.codes.shape[1]:
            distance += (
                cdist(queries.codes[rows], records.codes, "hamming") * (records.codes.shape[1])
            )
        leading[rows] = distance[:, :lead].min(axis=1)
        overall[rows] = distance.min(axis=1)
    return leading, overall
