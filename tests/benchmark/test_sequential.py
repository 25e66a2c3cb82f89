from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from synthgen.benchmark.sequential import SPEND, clear_loser, looks, rows_needed
from synthgen.benchmark.statistics import holm

RATIO = 1 / 3


def test_looks_of_the_budgets() -> None:
    assert looks(5) == (3,)
    assert looks(10) == (4, 7)
    assert looks(20) == (5, 10, 15)


@pytest.mark.parametrize("resamples", range(60))
def test_looks_have_something_to_see_and_something_to_save(resamples: int) -> None:
    found = looks(resamples)
    assert (found == ()) == (resamples < 4)
    assert all(3 <= look < resamples for look in found)
    assert list(found) == sorted(set(found))


def test_the_level_by_hand() -> None:
    """Three differences with mean m and s = 1 at the one look of five resamples: t(2 df) has the
    closed quantile t = (2p - 1) / sqrt(2 p (1 - p))."""
    p = 1 - SPEND
    critical = (2 * p - 1) / math.sqrt(2 * p * (1 - p))
    edge = 0.5 - critical * math.sqrt(1 / 3 + RATIO)
    for shift, dropped in ((-1e-6, True), (1e-6, False)):
        mean = edge + shift
        assert clear_loser([mean - 1, mean, mean + 1], 5, RATIO, 0.5) is dropped


def test_several_looks_share_the_level() -> None:
    d = [-1.0, -1.2, -0.8, -1.1, -0.9]
    error = float(np.std(d, ddof=1)) * math.sqrt(1 / 5 + RATIO)
    p_value = float(stats.t.cdf(-1.0 / error, 4))
    assert clear_loser(d, 20, RATIO, 0.0, spend=3.001 * p_value)
    assert not clear_loser(d, 20, RATIO, 0.0, spend=2.999 * p_value)


def test_only_a_loss_is_dropped() -> None:
    """A small gain may be known not to be useful; it is measured to the end all the same."""
    d = [0.1001, 0.1, 0.0999]
    assert not clear_loser(d, 5, RATIO, 5.0)
    assert clear_loser([x - 0.2 for x in d], 5, RATIO, 5.0)


def test_too_little_to_judge_keeps_the_arm() -> None:
    assert not clear_loser([], 5, RATIO, 0.005)
    assert not clear_loser([-0.5, -0.500001], 10, RATIO, 0.005)
    assert not clear_loser([-0.5, -0.5, -0.5], 5, RATIO, 0.005)
    assert not clear_loser([-0.5, -0.500001, -0.5], 3, RATIO, 0.005)


def test_more_differences_than_planned() -> None:
    with pytest.raises(ValueError, match="4 differences, but 3"):
        clear_loser([0.1, 0.2, 0.3, 0.4], 3, RATIO, 0.005)


def _differences(
    rng: np.random.Generator, repetitions: int, planned: int, gain: float
) -> NDArray[np.float64]:
    """Normal, variance 1, equally correlated as Nadeau and Bengio assume."""
    rho = RATIO / (1 + RATIO)
    shared = rng.normal(gain, math.sqrt(rho), (repetitions, 1))
    return shared + rng.normal(0, math.sqrt(1 - rho), (repetitions, planned))


def _dropped(rows: NDArray[np.float64], minimum: float, spend: float) -> NDArray[np.bool_]:
    """Shape (repetitions,): whether any look drops."""
    planned = rows.shape[1]
    found = [
        any(clear_loser(row[:look], planned, RATIO, minimum, spend) for look in looks(planned))
        for row in rows.tolist()
    ]
    return np.array(found)


@pytest.mark.parametrize("planned", [5, 10, 20])
def test_a_useful_arm_is_dropped_at_most_as_often_as_may_be_spent(planned: int) -> None:
    """At 0.1, where a short simulation has something to count. The true gain is just useful and
    almost nothing beside the spread, so that the condition of a loss does little to help."""
    repetitions, spend, minimum = 1500, 0.1, 0.01
    rows = _differences(np.random.default_rng(planned), repetitions, planned, minimum)
    rate = _dropped(rows, minimum, spend).mean()
    assert rate <= spend + 4 * math.sqrt(spend * (1 - spend) / repetitions)
    assert rate > spend / 4


@pytest.mark.parametrize("planned", [5, 10, 20])
def test_at_its_own_level_dropping_a_useful_arm_is_rare(planned: int) -> None:
    repetitions = 1500
    rows = _differences(np.random.default_rng(planned + 1), repetitions, planned, 0.01)
    rate = _dropped(rows, 0.01, SPEND).mean()
    assert rate <= SPEND + 4 * math.sqrt(SPEND * (1 - SPEND) / repetitions)


@pytest.mark.parametrize(("planned", "errors"), [(5, 20), (10, 8), (20, 6)])
def test_a_clear_loser_is_mostly_dropped(planned: int, errors: float) -> None:
    """``errors``: the loss in standard errors of the mean of all planned resamples. With few
    differences the spread itself is hardly known, so the loss must be larger."""
    loss = -errors * math.sqrt(1 / planned + RATIO)
    rows = _differences(np.random.default_rng(3), 300, planned, loss)
    assert _dropped(rows, 0.1, SPEND).mean() > 0.7


def test_dropping_removes_arms_shown_to_help_and_adds_none() -> None:
    """What the docstring claims about Holm's family of planned size."""
    rng = np.random.default_rng(4)
    for _ in range(300):
        p = rng.uniform(0, 0.1, 4)
        gone = rng.random(4) < 0.4
        before = np.array(holm(p.tolist()))
        after = np.array(holm(np.where(gone, 1.0, p).tolist()))
        assert (after >= before - 1e-15).all()


def test_rows_needed_by_hand() -> None:
    assert rows_needed(0.02, 0.01, 1000) == 4000
    assert rows_needed(0.011, 0.005, 5634) == 28_000  # 5634 * 4.84 = 27,268.6
    assert rows_needed(0.07, 0.01, 100) == 4900  # 0.07 / 0.01 is 7.000000000000001
    assert rows_needed(0.01, 0.01, 1234) == 1300
    assert rows_needed(0.01, 0.02, 10) == 3
    assert rows_needed(0.0, 0.01, 500) == 0


@pytest.mark.parametrize("wanted", [0.0, -0.01])
def test_no_rows_detect_nothing(wanted: float) -> None:
    with pytest.raises(ValueError, match="detectable"):
        rows_needed(0.01, wanted, 100)
