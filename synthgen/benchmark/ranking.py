"""Methods compared over many data sets: ranks, critical differences, wins.

Demsar ("Statistical comparisons of classifiers over multiple data sets", Journal of Machine
Learning Research 7, 2006) recommends it so: methods are ranked on every data set; the Friedman test
says whether their mean ranks differ at all, and the Nemenyi test which of them do; two methods are
compared by the Wilcoxon signed-rank test, whose p-values over all pairs are adjusted by Holm's
method. Each data set counts once, however many seeds it was run with.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synthgen.benchmark.statistics import holm

Array = NDArray[np.float64]

ALPHA = 0.05
MINIMUM = 0.005
"""The useful effect unless another is configured: half a point."""
_DIGITS = 12
"""Decimals to which scores are told apart: what is beyond is rounding."""


@dataclass(frozen=True)
class ScoreTable:
    """``scores`` (n data sets, k methods): higher is better, NaN where there is none."""

    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    scores: Array

    def complete(self) -> NDArray[np.bool_]:
        """Shape (n,): the data sets on which every method has a score."""
        found: NDArray[np.bool_] = np.all(np.isfinite(self.scores), axis=1)
        return found


@dataclass(frozen=True)
class Ranking:
    """Mean ranks over the data sets that every method has a score on; 1 is best."""

    methods: tuple[str, ...]
    """By mean rank; methods with the same one in the order given."""
    mean_ranks: tuple[float, ...]
    datasets: tuple[str, ...]
    friedman: float | None
    """The Friedman test's p-value; None for fewer than three methods or two data sets."""
    critical_difference: float | None
    """Mean ranks at least so far apart differ (Nemenyi); None for fewer than two data sets."""
    groups: tuple[tuple[str, ...], ...]
    """The largest sets of neighbouring methods that are not told apart, two methods at least."""


@dataclass(frozen=True)
class Pair:
    """``first`` against ``second`` over the data sets on which both have a score."""

    first: str
    second: str
    wins: int
    ties: int
    losses: int
    p_value: float
    """Of the Wilcoxon signed-rank test, two-sided; zero differences are split between the signs."""
    adjusted: float
    """The same, adjusted by Holm's method over all pairs of the table."""


def over_seeds(scores: Array, baseline: int) -> Array:
    """One score per data set and method, (n, k), from those of every seed, (n, s, k).

    A method's mean difference to the baseline (the method at that position) is added to the
    baseline's own mean. Where every seed has every score that is the plain mean; where a method
    lacks some seeds, it is not judged by how hard the others are. NaN without any seed.
    """
    reference = scores[:, :, [baseline]]
    return _means(reference) + _means(scores - reference)


def _means(values: Array) -> Array:
    """Over the second axis, of the finite values; NaN where there is none."""
    known = np.isfinite(values)
    counts = known.sum(axis=1)
    sums = np.where(known, values, 0.0).sum(axis=1)
    means: Array = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return means


def critical_difference(methods: int, datasets: int, alpha: float = ALPHA) -> float:
    """Of mean ranks, by the Nemenyi test: q sqrt(k (k + 1) / 6n), where q is the upper ``alpha``
    point of the studentized range for k groups and infinite degrees of freedom over sqrt 2."""
    q = float(stats.studentized_range.isf(alpha, methods, np.inf)) / math.sqrt(2)
    return q * math.sqrt(methods * (methods + 1) / (6 * datasets))


def rank(table: ScoreTable, alpha: float = ALPHA) -> Ranking | None:
    """Ranks on the complete data sets, equal scores sharing their mean rank. None without any."""
    kept = table.complete()
    count, k = int(kept.sum()), len(table.methods)
    if count == 0 or k == 0:
        return None
    ranks = stats.rankdata(-table.scores[kept].round(_DIGITS), axis=1)
    means = ranks.mean(axis=0)
    order = np.argsort(means, kind="stable")
    names = tuple(table.methods[i] for i in order)
    sorted_means = tuple(float(means[i]) for i in order)
    reach = critical_difference(k, count, alpha) if count > 1 and k > 1 else None
    return Ranking(
        methods=names,
        mean_ranks=sorted_means,
        datasets=tuple(name for name, whole in zip(table.datasets, kept, strict=True) if whole),
        friedman=_friedman(ranks) if count > 1 and k > 2 else None,
        critical_difference=reach,
        groups=() if reach is None else _groups(names, sorted_means, reach),
    )


def _friedman(ranks: Array) -> float:
    if (ranks == ranks[0, 0]).all():
        return 1.0  # The statistic of nothing but ties is 0 / 0.
    return float(stats.friedmanchisquare(*ranks.T).pvalue)


def _groups(
    names: tuple[str, ...], means: tuple[float, ...], reach: float
) -> tuple[tuple[str, ...], ...]:
    found = []
    covered = 0
    for first, mean in enumerate(means):
        after = max(i for i, other in enumerate(means) if other - mean < reach) + 1
        if after > covered and after - first > 1:
            found.append(names[first:after])
            covered = after
    return tuple(found)


def pairs(table: ScoreTable, minimum: Sequence[float] | float = MINIMUM) -> tuple[Pair, ...]:
    """Every two methods, in the order of the table. ``minimum`` is the useful effect, one number
    or one per data set; a smaller difference is a tie. Pairs without a common data set are left
    out."""
    useful = np.broadcast_to(np.asarray(minimum, dtype=float), (len(table.datasets),))
    found = []
    for one, two in itertools.combinations(range(len(table.methods)), 2):
        apart = (table.scores[:, one] - table.scores[:, two]).round(_DIGITS)
        both = np.isfinite(apart)
        if not both.any():
            continue
        gaps, least = apart[both], useful[both]
        wins = int(((gaps >= least) & (gaps > 0)).sum())
        losses = int(((gaps <= -least) & (gaps < 0)).sum())
        found.append((one, two, wins, len(gaps) - wins - losses, losses, _wilcoxon(gaps)))
    adjusted = holm([p for *_, p in found])
    return tuple(
        Pair(table.methods[one], table.methods[two], wins, ties, losses, p, holms)
        for (one, two, wins, ties, losses, p), holms in zip(found, adjusted, strict=True)
    )


def _wilcoxon(gaps: Array) -> float:
    if len(gaps) == 1:
        return 1.0  # Either sign was as likely; scipy permutes two or more.
    return float(stats.wilcoxon(gaps, zero_method="zsplit").pvalue)
