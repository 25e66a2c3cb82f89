"""Epsilon against Opacus' other accountant, closed forms, and the exact Gaussian mechanism."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from synthgen.errors import ConfigError, TrainingError
from synthgen.privacy.accounting import (
    Ledger,
    calibrated,
    epsilon_of,
    usual_delta,
)

opacus = pytest.importorskip("opacus")
DELTA = 1e-5


def exact_gaussian(multiplier: float, delta: float) -> float:
    """Balle and Wang 2018, arXiv 1805.06530, theorem 8: the epsilon of one Gaussian mechanism."""

    def excess(epsilon: float) -> float:
        a, b = 1 / (2 * multiplier), epsilon * multiplier
        return float(norm.cdf(a - b) - math.exp(epsilon) * norm.cdf(-a - b) - delta)

    return float(brentq(excess, 0, 200))


def renyi_gaussian(multiplier: float, times: int, delta: float) -> float:
    """Order alpha of Gaussian mechanisms is alpha / (2 sigma^2) each (Mironov 2017, proposition 7);
    into epsilon by Balle et al. 2020, theorem 21, over a fine grid of orders."""
    order = np.linspace(1.001, 400, 200_000)
    spent = times * order / (2 * multiplier**2)
    turned = spent + np.log1p(-1 / order) - (math.log(delta) + np.log(order)) / (order - 1)
    return float(turned.min())


@pytest.mark.parametrize("multiplier", [0.7, 1.0, 3.0, 10.0, 40.0])
@pytest.mark.parametrize("times", [1, 20])
def test_without_sampling_epsilon_is_the_closed_form(multiplier: float, times: int) -> None:
    found = epsilon_of([(multiplier, 1.0, times)], DELTA)
    best = renyi_gaussian(multiplier, times, DELTA)
    # The accountant's orders are fewer: never below, and hardly above.
    assert best - 1e-9 <= found <= 1.03 * best + 1e-3
    # Composed Gaussian mechanisms are one with less noise: the exact epsilon is a lower bound.
    assert found >= exact_gaussian(multiplier / math.sqrt(times), DELTA)


@pytest.mark.parametrize(
    "history",
    [
        [(1.0, 0.05, 1000)],
        [(12.0, 1.0, 1), (1.3, 0.05, 500)],
        [(4.0, 1.0, 1), (2.0, 0.2, 200)],
    ],
)
def test_the_other_accountant_agrees(history: list[tuple[float, float, int]]) -> None:
    other = opacus.accountants.PRVAccountant()
    other.history = history
    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Optimal order is the")
        tight = other.get_epsilon(DELTA, eps_error=0.02)
    assert tight - 0.05 <= epsilon_of(history, DELTA) <= 1.2 * tight


def test_one_step_of_sampling_against_the_definition() -> None:
    """Of N(0, s^2) and (1 - q) N(0, s^2) + q N(1, s^2), by numerical integration."""
    q, multiplier = 0.1, 1.0
    epsilon = epsilon_of([(multiplier, q, 1)], DELTA)
    x = np.linspace(-20, 21, 400_001)
    without = norm.pdf(x, 0, multiplier)
    with_row = (1 - q) * without + q * norm.pdf(x, 1, multiplier)
    step = x[1] - x[0]
    for p, r in ((with_row, without), (without, with_row)):
        delta = np.maximum(p - math.exp(epsilon) * r, 0).sum() * step
        assert delta <= DELTA


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 10.0, 1000.0])
def test_the_noise_spends_the_budget_and_no_more(epsilon: float) -> None:
    before = calibrated(0.3 * epsilon, DELTA, 1.0, 1)
    multiplier = calibrated(epsilon, DELTA, 0.05, 300, ((before, 1.0, 1),))
    spent = epsilon_of([(before, 1.0, 1), (multiplier, 0.05, 300)], DELTA)
    assert 0.998 * epsilon < spent <= epsilon


def test_more_of_anything_costs_more() -> None:
    base = epsilon_of([(1.0, 0.05, 300)], DELTA)
    assert epsilon_of([(1.0, 0.05, 301)], DELTA) > base
    assert epsilon_of([(1.0, 0.06, 300)], DELTA) > base
    assert epsilon_of([(0.9, 0.05, 300)], DELTA) > base
    assert epsilon_of([(1.0, 0.05, 300)], DELTA / 10) > base
    assert epsilon_of([], DELTA) == 0


def test_an_epsilon_that_no_noise_reaches_is_refused() -> None:
    with pytest.raises(ConfigError, match="too small") as raised:
        calibrated(1e-6, 1e-12, 1.0, 1000)
    assert "generator.epsilon" in raised.value.remedy


def test_the_usual_delta_is_far_below_one_row() -> None:
    assert usual_delta(1_000_000) == pytest.approx(1e-7)
    assert usual_delta(300) == 1e-5


def test_a_ledger_goes_on_where_it_was_saved() -> None:
    ledger = Ledger([(9.0, 1.0, 1)])
    for _ in range(7):
        ledger.add(1.1, 0.2)
    assert ledger.history == [(9.0, 1.0, 1), (1.1, 0.2, 7)]
    again = Ledger([(9.0, 1.0, 1)])
    again.load_state_dict(ledger.state_dict())
    assert again.history == ledger.history
    again.add(1.1, 0.2)
    assert again.history[-1] == (1.1, 0.2, 8)


def test_a_ledger_takes_nothing_back() -> None:
    ledger = Ledger([(9.0, 1.0, 1)])
    ledger.add(1.1, 0.2)
    saved = ledger.state_dict()
    ledger.load_state_dict(saved)
    ledger.add(1.1, 0.2)
    with pytest.raises(TrainingError, match="second time"):
        ledger.load_state_dict(saved)
