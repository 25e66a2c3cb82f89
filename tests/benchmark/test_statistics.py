from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from synthgen.benchmark.statistics import corrected, detectable_effect, holm


def test_without_correction_it_is_the_paired_t_test() -> None:
    differences = [0.3, -0.1, 0.5, 0.2, 0.05]
    plain = stats.ttest_1samp(differences, 0.0)
    interval = plain.confidence_interval(0.9)
    estimate = corrected(differences, 0.0, 0.9)
    assert estimate.p_value == pytest.approx(plain.pvalue)
    assert (estimate.low, estimate.high) == pytest.approx((interval.low, interval.high))
    assert estimate.n == 5


def test_the_interval_of_three_differences_by_hand() -> None:
    # mean 2, s = 1, error = sqrt(1/3 + 1/3); t(0.975, 2 df) = 4.302653 by the tables.
    estimate = corrected([1.0, 2.0, 3.0], 1 / 3, 0.95)
    error = math.sqrt(2 / 3)
    assert estimate.mean == 2.0
    assert estimate.error == pytest.approx(error)
    assert estimate.low == pytest.approx(2 - 4.302653 * error, abs=1e-5)
    assert estimate.high == pytest.approx(2 + 4.302653 * error, abs=1e-5)
    # With 2 degrees of freedom the t distribution has the closed form 1 - t / sqrt(2 + t^2).
    t = 2 / error
    assert estimate.p_value == pytest.approx(1 - t / math.sqrt(2 + t**2))


def test_interval_and_p_value_agree() -> None:
    estimate = corrected([0.1, 0.4, -0.2, 0.3], 0.25, 0.95)
    edge = corrected([0.1, 0.4, -0.2, 0.3], 0.25, 1 - estimate.p_value)
    assert edge.low == pytest.approx(0.0, abs=1e-12)


def test_differences_without_spread() -> None:
    assert corrected([0.0, 0.0, 0.0], 0.3, 0.95).p_value == 1.0
    same = corrected([0.2, 0.2, 0.2 + 1e-17], 0.3, 0.95)
    assert (same.low, same.high) == pytest.approx((0.2, 0.2))
    assert same.p_value == 0.0


def test_a_score_that_counts_rows_varies_by_what_counting_must() -> None:
    # Five times one row of twenty: a variance of q |mean| = 1/400, error = sqrt(1/400 (1/5 + 1/3)).
    same = corrected([0.05] * 5, 1 / 3, 0.95, step=0.05)
    assert same.error == pytest.approx(0.05 * math.sqrt(1 / 5 + 1 / 3))
    assert same.high == pytest.approx(0.05 + 1.959964 * same.error)
    assert same.p_value == pytest.approx(2 * stats.norm.sf(0.05 / same.error))
    # Nothing seen at all: as if one row had made a difference.
    assert corrected([0.0] * 5, 1 / 3, 0.95, step=0.05).error == pytest.approx(same.error)
    # A spread that is larger already is left as it is.
    wide = [0.2, -0.1, 0.0, 0.3, -0.2]
    assert corrected(wide, 1 / 3, 0.95, step=0.05) == corrected(wide, 1 / 3, 0.95)


@pytest.mark.parametrize("rows", [10, 20, 50])
@pytest.mark.parametrize(("better", "worse"), [(0.0, 0.02), (0.005, 0.03), (0.03, 0.03)])
def test_few_test_rows_are_covered_where_their_differences_are_equal(
    rows: int, better: float, worse: float
) -> None:
    """Arms that differ in a row with these chances, on five independent sets of a few rows."""
    rng = np.random.default_rng(rows)
    repetitions = 2000
    counts = rng.multinomial(rows, [better, worse, 1 - better - worse], (repetitions, 5))
    differences = (counts[..., 0] - counts[..., 1]) / rows
    found = [corrected(d, 0.0, 0.95, step=1 / rows) for d in differences.tolist()]
    covered = np.mean([e.low <= better - worse <= e.high for e in found])
    assert covered >= 0.935  # 0.95 less three standard errors
    plain = [corrected(d, 0.0, 0.95) for d in differences.tolist()]
    assert np.mean([e.low <= better - worse <= e.high for e in plain]) < covered


def test_one_difference_has_no_interval() -> None:
    with pytest.raises(ValueError, match="two"):
        corrected([0.1], 0.3, 0.95)


def test_holm_by_hand() -> None:
    # Sorted: 0.005*4 = 0.02, 0.01*3 = 0.03, 0.03*2 = 0.06, then 0.04*1 raised to 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.7, 0.6]) == [1.0, 1.0]
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


def test_detectable_effect_nears_the_normal_formula() -> None:
    # (z_0.975 + z_0.8) standard errors.
    assert detectable_effect(0.01, 100_000, 0.05) == pytest.approx(0.01 * 2.80158, rel=1e-4)


def test_detectable_effect_with_two_degrees_of_freedom_is_detected_in_four_of_five() -> None:
    rng = np.random.default_rng(0)
    n, repetitions = 3, 200_000
    effect = detectable_effect(1 / math.sqrt(n), n, 0.05)
    draws = rng.normal(effect, 1.0, (repetitions, n))
    t = draws.mean(1) / (draws.std(1, ddof=1) / math.sqrt(n))
    # The error is fixed at its true value above, so the t statistic has that noncentrality.
    found = (t > stats.t.isf(0.025, n - 1)).mean()
    assert found == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / repetitions))


def test_detectable_effect_grows_with_a_stricter_level() -> None:
    assert detectable_effect(1.0, 5, 0.01) > detectable_effect(1.0, 5, 0.05)
    assert detectable_effect(0.0, 5, 0.05) == 0.0


def _correlated(
    rng: np.random.Generator, repetitions: int, n: int, ratio: float
) -> NDArray[np.float64]:
    """Equally correlated normal differences of mean 0 and variance 1: the model of the paper."""
    rho = ratio / (1 + ratio)
    shared = rng.normal(0, math.sqrt(rho), (repetitions, 1))
    return shared + rng.normal(0, math.sqrt(1 - rho), (repetitions, n))


def test_under_its_model_the_corrected_test_is_exact() -> None:
    repetitions, n, ratio = 4000, 10, 1 / 3
    rows = _correlated(np.random.default_rng(1), repetitions, n, ratio).tolist()
    false = np.mean([corrected(row, ratio, 0.95).p_value < 0.05 for row in rows])
    assert false == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / repetitions))


def test_real_splits_the_naive_test_lies_and_the_corrected_one_does_not() -> None:
    """Two learners that are equally good by symmetry, on random splits of one small table.

    The learners are nearest-mean classifiers on two exchangeable halves of the columns, so every
    'significant' difference is false. Nominal: one in twenty.
    """
    rng = np.random.default_rng(2)
    repetitions, resamples, rows, columns = 400, 12, 160, 6
    test = rows // 4
    ratio = test / (rows - test)
    naive = honest = 0
    for _ in range(repetitions):
        labels = rng.permutation(np.arange(rows) % 2)
        values = rng.normal(0.35 * labels[:, None], 1.0, (rows, 2 * columns))
        differences = []
        for _ in range(resamples):
            order = rng.permutation(rows)
            inside, outside = order[test:], order[:test]
            scores = [
                _accuracy(values[:, half], labels, inside, outside)
                for half in (slice(0, columns), slice(columns, None))
            ]
            differences.append(scores[0] - scores[1])
        naive += corrected(differences, 0.0, 0.95).p_value < 0.05
        honest += corrected(differences, ratio, 0.95).p_value < 0.05
    assert naive / repetitions > 0.2
    assert honest / repetitions < 0.09
    assert honest > 0


def _accuracy(
    values: NDArray[np.float64],
    labels: NDArray[np.int64],
    inside: NDArray[np.int64],
    outside: NDArray[np.int64],
) -> float:
    ones, zeros = (values[inside][labels[inside] == k].mean(0) for k in (1, 0))
    side = (values[outside] - (ones + zeros) / 2) @ (ones - zeros) > 0
    return float(np.mean(side == (labels[outside] == 1)))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 1.0])
def test_what_is_drawn_anew_needs_no_correction_and_the_interval_keeps_its_level(
    share: float,
) -> None:
    """The model of Nadeau and Bengio for one part of the variance, independent draws, measured
    twice per resample, for the other."""
    rng = np.random.default_rng(3)
    runs, n, rho = 3000, 10, 0.25
    common = rng.normal(size=(runs, 1)) * np.sqrt(rho)
    split = (common + rng.normal(size=(runs, n)) * np.sqrt(1 - rho)) * np.sqrt(1 - share)
    first, second = rng.normal(size=(2, runs, n)) * np.sqrt(2 * share)
    differences = split + (first + second) / 2
    anew = ((first - second) ** 2).mean(axis=1) / 4
    found = [
        corrected(list(d), rho / (1 - rho), 0.95, w) for d, w in zip(differences, anew, strict=True)
    ]
    covered = np.mean([one.low <= 0 <= one.high for one in found])
    assert 0.925 <= covered <= 0.99
    plain = [corrected(list(d), rho / (1 - rho), 0.95) for d in differences]
    narrower = np.median([one.error for one in found]) / np.median([p.error for p in plain])
    assert narrower == pytest.approx(1.0) if share == 0 else narrower < 1 - 0.2 * share
