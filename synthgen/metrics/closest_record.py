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
"""Rows at most whose closest record is looked for; a seeded subsample beyond."""
RECORDS = 20_000
"""Rows at most that are searched on a side; a seeded subsample beyond."""
LEAST = 10
"""Fewer distinct rows than this on a side say nothing."""
_CELLS = 4_000_000
"""Distances held in memory at once (32 MB)."""


@metric(title="Distance to closest record", pillar="privacy", goal="target")
def closest_record(trio: Trio) -> Reading:
    """Share of synthetic rows whose closest real record is a training row rather than a held-out
    one, per record searched; 0 to 1. 0.5 is ideal, 1 means that the generator only repeats what
    it was trained on.

    With p the plain share among n distinct training and h distinct held-out rows, it is
    (p / n) / (p / n + (1 - p) / h). A row that owes nothing to the training rows has p = n / (n +
    h), hence 0.5, as if both sides had been equally many; but no training row is left out of the
    search, which would let most copies escape. Where records of both sides are equally close, the
    row counts in proportion to their numbers.

    Gower's distance (1971), summed over the columns: a continuous column adds the difference of
    the two values' ranks among the real rows as shares (0 to 1; heavy tails do not matter), a
    discrete one 0 if equal and 1 if not. A missing cell is a level of its own, further from any
    value than values are from each other on average (1 + |rank - 0.5|). Neighbours are exact.

    ``detail``: median and 5th percentile of the distance to the closest training row, those of
    synthetic rows divided by those of held-out rows (1 is ideal, 0 means copies; left out where
    the held-out rows' own is 0), and the distances themselves; and the value's standard error, as
    far as it stems from the draw of the synthetic rows.
    """
    rng = np.random.default_rng(trio.seed)
    train, holdout = (
        subsample(table.take(distinct(table)), RECORDS, rng) for table in (trio.train, trio.holdout)
    )
    synthetic = subsample(trio.synthetic, QUERIES, rng)
    if min(len(train), len(holdout)) < LEAST or len(synthetic) == 0:
        raise NotComputable(
            f"it needs a synthetic row and {LEAST} distinct training and held-out rows"
        )
    known, fresh, drawn = _points(train, holdout, synthetic)
    to_known, of_known = _nearest(drawn, known)
    to_fresh, of_fresh = _nearest(drawn, fresh)
    tied = of_known / (of_known + of_fresh)
    nearer = np.where(to_known == to_fresh, tied, to_known < to_fresh)
    share = float(nearer.mean())
    odds = share / len(train), (1 - share) / len(holdout)
    value = odds[0] / sum(odds)
    # Of logit(value) = logit(share) - log(n / h), hence value' = value (1 - value) / (p (1 - p)).
    slope = value * (1 - value) / (share * (1 - share)) if 0 < share < 1 else 0.0

    some = rng.permutation(len(holdout))[:QUERIES]
    usual, _ = _nearest(fresh.take(some), known)
    ratios: dict[str, float] = {}
    distances: dict[str, float] = {}
    for label, level in (("median", 0.5), ("5th_percentile", 0.05)):
        ours, theirs = (float(np.quantile(distance, level)) for distance in (to_known, usual))
        if theirs > 0:
            ratios[f"{label}_ratio"] = ours / theirs
        distances |= {f"{label}_synthetic": ours, f"{label}_holdout": theirs}
    detail = {
        **ratios,
        "standard_error": slope * float(nearer.std()) / float(np.sqrt(len(synthetic))),
        **distances,
        "queries": len(synthetic),
        "train_searched": len(train),
        "holdout_searched": len(holdout),
    }
    return Reading(value=value, detail=detail)


@dataclass(frozen=True)
class _Points:
    """``ranks`` in [0, 1] of shape (n, continuous); ``codes`` of shape (n, discrete)."""

    ranks: NDArray[np.float64]
    codes: NDArray[np.float64]

    def take(self, rows: NDArray[np.int64]) -> _Points:
        return _Points(self.ranks[rows], self.codes[rows])


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


def _nearest(queries: _Points, records: _Points) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distance to the closest record, and how many records are that close; shapes (n,)."""
    count, width = len(queries.ranks), records.codes.shape[1]
    chunk = max(1, _CELLS // len(records.ranks))
    closest, ties = np.empty(count), np.empty(count, dtype=np.int64)
    for start in range(0, count, chunk):
        rows = slice(start, start + chunk)
        distance = np.zeros((len(queries.ranks[rows]), len(records.ranks)))
        if records.ranks.shape[1]:
            distance += cdist(queries.ranks[rows], records.ranks, "cityblock")
        if width:
            distance += cdist(queries.codes[rows], records.codes, "hamming") * width
        closest[rows] = distance.min(axis=1)
        ties[rows] = (distance == closest[rows, None]).sum(axis=1)
    return closest, ties
