"""How well the association of every two columns is matched."""

from __future__ import annotations

import numpy as np

from synthgen.metrics.base import NotComputable, Trio, metric
from synthgen.metrics.pairs import pair_scores
from synthgen.results import PairTrends, Reading

LEAST_CORRELATION = 0.5
LEAST_ASSOCIATION = 0.3
"""Pairs count whose real |r| or Cramér's V is above: the defaults of SDMetrics' QualityReport."""
LISTED = 10


@metric(name="pair_trends", title="Column pair trends", pillar="fidelity", goal="max")
def mean_pair_trend(trio: Trio) -> Reading:
    """Mean of :func:`~synthgen.metrics.pairs.pair_scores` over the pairs that are associated in
    the training rows; 0 to 1.

    Equal to "Column Pair Trends" of SDMetrics' QualityReport (0.32) with its default thresholds
    up to 50,000 rows; beyond that SDMetrics draws an unseeded subsample for every discrete pair,
    and here all rows count. ``detail.all_pairs`` is the mean over all pairs, associated or not
    (what SDMetrics gives with both thresholds at 0).
    """
    pairs = pair_scores(trio.train, trio.synthetic)
    first, second = np.tril_indices(len(pairs.columns), -1)
    score = pairs.score[first, second]
    with np.errstate(invalid="ignore"):
        associated = (np.abs(pairs.correlation[first, second]) > LEAST_CORRELATION) | (
            pairs.association[first, second] > LEAST_ASSOCIATION
        )
    counted = associated & ~np.isnan(score)
    if not counted.any():
        raise NotComputable(
            f"no two columns are associated (|r| above {LEAST_CORRELATION} or "
            f"Cramér's V above {LEAST_ASSOCIATION})"
        )
    worst = np.flatnonzero(counted)[np.argsort(score[counted], kind="stable")[:LISTED]]
    return Reading(
        value=float(score[counted].mean()),
        detail={
            "associated_pairs": int(counted.sum()),
            "pairs": len(score),
            "all_pairs": float(np.nanmean(score)),
            "worst_pairs": [
                {
                    "columns": [pairs.columns[second[i]], pairs.columns[first[i]]],
                    "score": float(score[i]),
                }
                for i in worst
            ],
        },
    )


def pair_trends(trio: Trio) -> PairTrends | None:
    """All pairs for the report, associated or not; None with fewer than two columns or no rows."""
    if len(trio.train.schema.modelled) < 2 or not len(trio.synthetic):
        return None
    pairs = pair_scores(trio.train, trio.synthetic)
    return PairTrends(
        columns=list(pairs.columns),
        score=[[None if np.isnan(s) else float(s) for s in row] for row in pairs.score],
    )
