"""Ranks over data sets, against the worked example and the tables of Demsar (JMLR 7, 2006)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from synthgen.benchmark.ranking import (
    ScoreTable,
    critical_difference,
    over_seeds,
    pairs,
    rank,
)

# AUC of C4.5 with its default and with one or two parameters tuned, 14 data sets: his Table 6.
# (The 0.975 that voting shows twice were not equal: their ranks there are 2 and 3.)
AUC = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
METHODS = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")


def table(scores: NDArray[np.float64], methods: tuple[str, ...] | None = None) -> ScoreTable:
    n, k = scores.shape
    names = methods or tuple("abcdefghij"[:k])
    return ScoreTable(tuple(f"set {i}" for i in range(n)), names, scores)


def test_demsars_example() -> None:
    found = rank(table(AUC, METHODS))
    assert found is not None
    assert found.methods == ("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")
    assert found.mean_ranks == pytest.approx((1.964, 2.0, 2.893, 3.143), abs=5e-4)
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, alpha=0.1) == pytest.approx(1.12, abs=0.005)
    # He finds, at 0.1, that C4.5 is worse than both with m; at 0.05 nobody is told apart.
    assert found.groups == (found.methods,)
    weaker = rank(table(AUC, METHODS), alpha=0.1)
    assert weaker is not None
    assert weaker.groups == (("C4.5+m+cf", "C4.5+m", "C4.5+cf"), ("C4.5+cf", "C4.5"))


def test_the_friedman_test_of_the_example() -> None:
    found = rank(table(AUC, METHODS))
    assert found is not None
    ranks = stats.rankdata(-AUC, axis=1)
    # His formula (6) gives 9.28 and takes no account of ties, which make the statistic larger.
    plain = 12 * 14 / (4 * 5) * (np.sum(ranks.mean(axis=0) ** 2) - 4 * 25 / 4)
    assert plain == pytest.approx(9.28, abs=0.005)
    ties = sum(int(t) ** 3 - int(t) for row in ranks for t in np.unique(row, return_counts=True)[1])
    statistic = plain / (1 - ties / (14 * (4**3 - 4)))
    assert found.friedman == pytest.approx(stats.chi2.sf(statistic, 3))


@pytest.mark.parametrize(
    ("methods", "alpha", "q"),
    # His Table 5 (a).
    [
        (2, 0.05, 1.960),
        (3, 0.05, 2.343),
        (4, 0.05, 2.569),
        (7, 0.05, 2.949),
        (10, 0.05, 3.164),
        (2, 0.1, 1.645),
        (4, 0.1, 2.291),
        (10, 0.1, 2.920),
    ],
)
def test_critical_values(methods: int, alpha: float, q: float) -> None:
    scale = np.sqrt(methods * (methods + 1) / (6 * 25))
    assert critical_difference(methods, 25, alpha) / scale == pytest.approx(q, abs=1e-3)


def test_the_signed_rank_test_of_the_example() -> None:
    found = {(p.first, p.second): p for p in pairs(table(AUC, METHODS))}
    pair = found["C4.5", "C4.5+m"]
    # He has rank sums of 12 and 93, the zeros split, which is significant at 0.05.
    z = (12 - 14 * 15 / 4) / np.sqrt(14 * 15 * 29 / 24)
    assert pair.p_value == pytest.approx(2 * stats.norm.cdf(z), abs=5e-4)
    assert (pair.wins, pair.ties, pair.losses) == (2, 2, 10)


def test_small_tables_have_exact_p_values() -> None:
    scores = np.array([[0.9, 0.8], [0.8, 0.6], [0.7, 0.4], [0.6, 0.65], [0.9, 0.5]])
    (pair,) = pairs(table(scores))
    gaps = scores[:, 0] - scores[:, 1]
    ranks = stats.rankdata(np.abs(gaps))
    seen = ranks[gaps > 0].sum()
    sums = [np.dot(ranks, [s > 0 for s in signs]) for signs in itertools.product((-1, 1), repeat=5)]
    expected = 2 * np.mean(np.array(sums) >= seen)
    assert pair.p_value == pytest.approx(expected)


def test_p_values_are_adjusted_over_all_pairs() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(12, 4)) + np.array([0.0, 0.5, 1.5, 1.6])
    found = pairs(table(scores))
    ordered = sorted(found, key=lambda pair: pair.p_value)
    assert len(found) == 6
    largest = 0.0
    for place, pair in enumerate(ordered):
        largest = max(largest, min(1.0, (6 - place) * pair.p_value))
        assert pair.adjusted == pytest.approx(largest)


def test_a_tie_is_less_than_the_useful_effect() -> None:
    scores = np.array([[0.705, 0.7], [0.7049, 0.7], [0.7, 0.7], [0.7, 0.705], [0.69, 0.8]])
    (pair,) = pairs(table(scores))
    assert (pair.wins, pair.ties, pair.losses) == (1, 2, 2)
    (pair,) = pairs(table(scores), [0.01, 0.001, 0.01, 0.01, 0.2])
    assert (pair.wins, pair.ties, pair.losses) == (1, 4, 0)
    (pair,) = pairs(table(scores), 0.0)
    assert (pair.wins, pair.ties, pair.losses) == (2, 1, 2)


def test_rounding_makes_no_ranks() -> None:
    scores = np.array([[0.1 + 0.2, 0.3, 0.2], [0.3, 0.1 + 0.2, 0.2]])
    found = rank(table(scores))
    assert found is not None
    assert found.mean_ranks == (1.5, 1.5, 3.0)
    (pair, *_) = pairs(table(scores), 0.0)
    assert (pair.wins, pair.ties, pair.losses, pair.p_value) == (0, 2, 0, 1.0)


def test_data_sets_that_lack_a_method_are_left_out_of_the_ranks_only() -> None:
    nan = np.nan
    scores = np.array([[0.9, 0.8, 0.7], [0.9, nan, 0.7], [0.5, 0.6, 0.7], [nan, nan, 0.1]])
    found = rank(table(scores))
    assert found is not None
    assert found.datasets == ("set 0", "set 2")
    assert found.mean_ranks == (2.0, 2.0, 2.0)
    first, second, third = pairs(table(scores))
    assert [p.wins + p.ties + p.losses for p in (first, second, third)] == [2, 3, 2]
    assert rank(table(scores[1:2])) is None
    assert pairs(table(scores[3:])) == ()


def test_nothing_but_ties() -> None:
    found = rank(table(np.full((5, 3), 0.5)))
    assert found is not None
    assert (found.mean_ranks, found.friedman) == ((2.0, 2.0, 2.0), 1.0)
    assert found.groups == (("a", "b", "c"),)


def test_one_data_set_ranks_and_tests_nothing() -> None:
    found = rank(table(np.array([[0.2, 0.9, 0.4]])))
    assert found is not None
    assert (found.methods, found.mean_ranks) == (("b", "c", "a"), (1.0, 2.0, 3.0))
    assert (found.friedman, found.critical_difference, found.groups) == (None, None, ())


@pytest.mark.parametrize("count", [1, 2, 13, 14, 51])
@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_the_signed_rank_test_holds_for_any_number_of_data_sets(count: int, gap: float) -> None:
    (pair,) = pairs(table(np.tile([0.5, 0.5 + gap], (count, 1))))
    if gap == 0:
        assert pair.p_value == 1.0
    elif count <= 13:  # Exact: all differences of one sign.
        assert pair.p_value == pytest.approx(2.0 ** (1 - count))
    else:
        assert pair.p_value < 0.001


def test_two_methods_have_no_friedman_test() -> None:
    found = rank(table(np.tile([0.9, 0.1], (30, 1))))
    assert found is not None
    assert found.friedman is None
    assert found.critical_difference == pytest.approx(1.96 * np.sqrt(2 * 3 / 6 / 30), abs=1e-3)
    assert found.groups == ()


def test_a_far_off_method_ends_a_group() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(60, 5)) * 0.01 + np.array([0.9, 0.9, 0.5, 0.5, 0.1])
    found = rank(table(scores))
    assert found is not None
    assert [set(group) for group in found.groups] == [{"a", "b"}, {"c", "d"}]


def test_seeds_are_averaged_first() -> None:
    rng = np.random.default_rng(5)
    scores = rng.random((4, 3, 5))
    assert over_seeds(scores, 0) == pytest.approx(scores.mean(axis=1))


def test_a_method_that_lacks_a_seed_is_not_judged_by_how_hard_it_is() -> None:
    scores = np.array([[[0.9, 0.95], [0.5, np.nan]], [[np.nan, np.nan], [0.5, np.nan]]])
    found = over_seeds(scores, 0)
    assert found[0] == pytest.approx([0.7, 0.75])
    assert found[1, 0] == 0.5
    assert np.isnan(found[1, 1])
