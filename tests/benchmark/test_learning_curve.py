from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize

from synthgen.benchmark.learning_curve import RealEquivalents, real_equivalents, rows_for
from synthgen.benchmark.statistics import corrected

ROWS = np.array([500, 1000, 2000])
RATIO = 1 / 3


def _of(
    scores: NDArray[np.float64], gain: float, rows: NDArray[np.int64] = ROWS
) -> RealEquivalents:
    """Of one exact curve (m,), the same in three resamples."""
    return rows_for(gain, np.tile(scores, (3, 1)), rows, test_ratio=RATIO, confidence=0.95)


@pytest.mark.parametrize("exponent", [0.05, 0.333, 0.5, 1.0, 1.777])
@pytest.mark.parametrize("multiple", [0.2, 0.7, 1.5, 2.0, 6.0])
@pytest.mark.parametrize("rows", [ROWS, np.array([300, 500, 800, 1600, 2000])])
def test_an_exact_power_law_is_inverted(
    exponent: float, multiple: float, rows: NDArray[np.int64]
) -> None:
    def score(n: NDArray[np.float64]) -> NDArray[np.float64]:
        return 0.9 - 0.7 * n**-exponent

    gain = float(score(np.array(2000 * multiple)) - score(np.array(2000.0)))
    found = _of(score(rows.astype(float)), gain, rows)
    expected = 2000 * (multiple - 1)
    assert found.rows == pytest.approx(expected, rel=0.005, abs=1)
    assert found.low == pytest.approx(expected, rel=0.005, abs=1)
    assert found.high == pytest.approx(expected, rel=0.005, abs=1)


@pytest.mark.parametrize("multiple", [0.2, 0.7, 1.5, 9.0])
def test_a_curve_that_does_not_level_off_is_a_line_in_log_n(multiple: float) -> None:
    found = _of(0.5 + 0.02 * np.log(ROWS), 0.02 * math.log(multiple))
    assert found.rows == pytest.approx(2000 * (multiple - 1), rel=0.005, abs=1)


def test_an_accelerating_curve_becomes_the_least_squares_line() -> None:
    scores = np.array([0.70, 0.71, 0.75])
    slope = np.polyfit(np.log(ROWS), scores, 1)[0]
    assert _of(scores, 0.01).rows == round(2000 * (math.exp(0.01 / slope) - 1))


def test_two_points_are_a_line_in_log_n() -> None:
    found = _of(np.array([0.7, 0.8]), 0.05, np.array([1000, 2000]))
    assert found.rows == round(2000 * (math.sqrt(2) - 1))


def test_an_inexact_curve_agrees_with_nonlinear_least_squares() -> None:
    rows = np.array([250, 500, 1000, 2000, 4000])
    scores = np.array([0.701, 0.752, 0.779, 0.797, 0.803])

    def law(n: NDArray[np.float64], a: float, b: float, c: float) -> NDArray[np.float64]:
        return a - b * n**-c

    (a, b, c), _ = optimize.curve_fit(law, rows.astype(float), scores, p0=[0.82, 10.0, 0.8])
    end = law(np.array(4000.0), a, b, c) + 0.005
    assert _of(scores, 0.005, rows).rows == pytest.approx(((a - end) / b) ** (-1 / c) - 4000, abs=3)


def test_nothing_gained_is_worth_nothing() -> None:
    assert _of(np.array([0.7, 0.75, 0.78]), 0.0) == RealEquivalents(0, 0, 0, 18_000, -1_800)


def test_no_extrapolation_beyond_the_limits() -> None:
    line = 0.5 + 0.02 * np.log(ROWS)
    assert _of(line, 0.02 * math.log(11)).rows == 18_000
    assert _of(line, -0.02 * math.log(11)).rows == -1_800
    # The curve ends at 0.9, which lies 0.05 above its value at n.
    ending = 0.9 - 100 / ROWS
    assert _of(ending, 0.06).rows == 18_000
    assert _of(ending, 1e6).rows == 18_000
    assert _of(ending, -1e6).rows == -1_800


@pytest.mark.parametrize("scores", [[0.8, 0.8, 0.8], [0.8, 0.79, 0.78], [0.9, 0.7, 0.8]])
@pytest.mark.parametrize("gain", [0.01, 0.0, -0.01])
def test_a_flat_or_falling_curve_says_nothing(scores: list[float], gain: float) -> None:
    assert _of(np.array(scores), gain) == RealEquivalents(None, None, None, 18_000, -1_800)


def test_on_a_known_curve_the_interval_is_the_corrected_one() -> None:
    """Carried from the scale of scores to that of rows."""
    gains = np.array([0.004, 0.007, 0.005, 0.009, 0.006])
    scores = np.tile(0.5 + 0.02 * np.log(ROWS), (5, 1))
    found = real_equivalents(scores, ROWS, gains, test_ratio=RATIO, confidence=0.9)
    expected = corrected(gains.tolist(), RATIO, 0.9)
    got = [found.rows, found.low, found.high]
    for value, gain in zip(got, [expected.mean, expected.low, expected.high], strict=True):
        assert value is not None
        # 2,000 draws give the 5 % and 95 % points with an error of about 0.08 standard errors.
        assert 0.02 * math.log(value / 2000 + 1) == pytest.approx(gain, abs=0.25 * expected.error)


def test_an_uncertain_curve_widens_the_interval() -> None:
    rng = np.random.default_rng(0)
    steady = np.tile(0.9 - 100 / ROWS, (8, 1))
    loose = steady + rng.normal(0, 0.01, steady.shape)
    sure = rows_for(0.01, steady, ROWS, test_ratio=RATIO, confidence=0.95)
    unsure = rows_for(0.01, loose, ROWS, test_ratio=RATIO, confidence=0.95)
    assert sure.low == sure.high == sure.rows == 500
    assert unsure.low is not None
    assert unsure.rows is not None
    assert unsure.high is not None
    assert unsure.low <= unsure.rows <= unsure.high
    assert unsure.high - unsure.low > 100


def test_a_curve_that_may_be_flat_leaves_the_end_open() -> None:
    scores = np.array([[0.80, 0.81, 0.80], [0.80, 0.79, 0.82], [0.80, 0.80, 0.80]])
    found = rows_for(0.01, scores, ROWS, test_ratio=RATIO, confidence=0.95)
    assert found.high == found.ceiling
    found = rows_for(-0.01, scores, ROWS, test_ratio=RATIO, confidence=0.95)
    assert found.low == found.floor


def test_what_all_sizes_of_a_resample_share_does_not_matter() -> None:
    """An easy test part lifts all scores of its resample alike: the curve's shape is the same."""
    scores = np.tile(0.9 - 100 / ROWS, (4, 1)) + np.array([[0.05], [-0.03], [0.0], [0.01]])
    found = rows_for(0.01, scores, ROWS, test_ratio=RATIO, confidence=0.95)
    assert found.low == found.high == found.rows == 500


def test_one_resample_has_no_interval() -> None:
    found = rows_for(0.01, (0.9 - 100 / ROWS)[None], ROWS, test_ratio=RATIO, confidence=0.95)
    assert found == RealEquivalents(500, None, None, 18_000, -1_800)


def test_the_same_input_gives_the_same_interval() -> None:
    scores = np.random.default_rng(1).normal([0.7, 0.75, 0.78], 0.01, (5, 3))
    first, second = (
        rows_for(0.01, scores, ROWS, test_ratio=RATIO, confidence=0.95) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(("spread", "multiple"), [(0.001, 1.5), (0.005, 0.7), (0.005, 1.5)])
def test_intervals_cover_the_truth_as_often_as_they_say(spread: float, multiple: float) -> None:
    """Eight equally correlated resamples of a power law; the arm is worth real rows exactly, and
    its gain is measured against the noisy score at n."""
    rng = np.random.default_rng(7)
    repetitions, resamples, exponent = 250, 8, 0.5
    rho = RATIO / (1 + RATIO)
    shares = np.array([0.25, 0.5, 1.0, multiple])
    truth = 0.85 - 0.05 * shares**-exponent
    covered = 0
    for _ in range(repetitions):
        shared = rng.normal(0, math.sqrt(rho), (1, 4))
        noise = shared + rng.normal(0, math.sqrt(1 - rho), (resamples, 4))
        scores = truth + spread * noise + rng.normal(0, 0.01, (resamples, 1))
        gains = scores[:, 3] - scores[:, 2]
        found = real_equivalents(scores[:, :3], ROWS, gains, test_ratio=RATIO, confidence=0.9)
        if found.low is not None and found.high is not None:
            covered += found.low <= 2000 * (multiple - 1) <= found.high
    assert covered / repetitions == pytest.approx(0.9, abs=4 * math.sqrt(0.09 / repetitions))


@pytest.mark.parametrize(
    ("scores", "rows", "gains", "message"),
    [
        (np.ones((2, 3)), [1, 2], np.ones(2), "scores must be"),
        (np.ones((2, 3)), [1, 2, 3], np.ones(3), "scores must be"),
        (np.ones(3), [1, 2, 3], np.ones(1), "scores must be"),
        (np.ones((0, 3)), [1, 2, 3], np.ones(0), "a resample"),
        (np.ones((2, 1)), [5], np.ones(2), "two numbers"),
        (np.ones((2, 2)), [5, 5], np.ones(2), "ascend"),
        (np.ones((2, 2)), [0, 5], np.ones(2), "ascend"),
        (np.array([[1.0, np.nan]]), [1, 5], np.ones(1), "finite"),
        (np.ones((1, 2)), [1, 5], np.array([np.inf]), "finite"),
    ],
)
def test_bad_input(
    scores: NDArray[np.float64], rows: list[int], gains: NDArray[np.float64], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        real_equivalents(scores, np.array(rows), gains, test_ratio=RATIO, confidence=0.95)
