"""Mode-specific normalisation, against the reference's package and closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthgen.encoding.modes import LIGHT, MODES, Modes


def mixture(n: int, scale: float = 1.0) -> NDArray[np.float64]:
    """Three normals: 50 % at -20 +- 0.5, 30 % at 0 +- 1, 20 % at 30 +- 2 (times the scale)."""
    rng = np.random.default_rng(0)
    part = np.repeat([0, 1, 2], [n // 2, n * 3 // 10, n - n // 2 - n * 3 // 10])
    means, stds = np.array([-20.0, 0.0, 30.0]), np.array([0.5, 1.0, 2.0])
    return rng.permutation(scale * rng.normal(means[part], stds[part]))


def fit(values: object, *, missing: bool = False, seed: int = 0) -> Modes:
    return Modes.fit(np.asarray(values, dtype=np.float64), missing=missing, seed=seed)


def moments(modes: Modes) -> NDArray[np.float64]:
    """Of the whole mixture within each of the three true parts: (weight, mean, std) rows.

    A part may be covered by several modes; what they amount to together is comparable.
    """
    weights, means = np.array(modes.weights), modes.unit * np.array(modes.means)
    stds = modes.unit * np.array(modes.stds)
    rows = []
    for inside in (means < -10, abs(means) <= 10, means > 10):
        share = weights[inside].sum()
        mean = (weights * means)[inside].sum() / share
        square = (weights * (stds**2 + means**2))[inside].sum() / share
        rows.append([share, mean, np.sqrt(square - mean**2)])
    return np.array(rows)


@pytest.mark.parametrize("n", [3_000, 10_000])
def test_separated_modes_are_those_that_the_reference_finds(n: int) -> None:
    rdt = pytest.importorskip("rdt.transformers")
    values = mixture(n)
    reference = rdt.ClusterBasedNormalizer()
    reference.fit(pd.DataFrame({"x": values}), "x")
    kept = reference.valid_component_indicator
    found = reference._bgm_transformer
    theirs = Modes(
        unit=1.0,
        weights=tuple(found.weights_[kept] / found.weights_[kept].sum()),
        means=tuple(found.means_[kept, 0]),
        stds=tuple(np.sqrt(found.covariances_[kept, 0, 0])),
        missing=False,
    )
    np.testing.assert_allclose(moments(fit(values)), moments(theirs), rtol=0.01, atol=0.01)


def test_separated_modes_are_the_true_ones() -> None:
    truth = np.array([[0.5, -20, 0.5], [0.3, 0, 1], [0.2, 30, 2]])
    np.testing.assert_allclose(moments(fit(mixture(20_000))), truth, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-20, 2.0**20, 2.0**900])
def test_modes_scale_with_the_values(scale: float) -> None:
    plain, scaled = fit(mixture(2_000)), fit(mixture(2_000, scale))
    assert scaled.unit == plain.unit * scale
    np.testing.assert_allclose(scaled.weights, plain.weights, rtol=1e-3)
    np.testing.assert_allclose(scaled.means, plain.means, rtol=1e-3)
    np.testing.assert_allclose(scaled.stds, plain.stds, rtol=1e-3)


def test_the_priors_are_those_of_all_rows_not_of_the_fitted_ones() -> None:
    """A spike's width comes from the priors alone: of ``W0 + (mean0 - spike)^2`` per row, with
    the column's variance for ``W0`` and its mean for ``mean0``."""
    n = 100_000
    values = np.where(np.arange(n) < n // 2, 0.0, np.linspace(900, 1100, n))
    modes = fit(values)
    spike = int(np.argmin(np.abs(modes.means)))
    expected = np.sqrt((values.var() + values.mean() ** 2) / (n // 2))
    assert modes.stds[spike] * modes.unit == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("value", [-1.0, 0.5, 0.9, 3.0])
def test_the_mode_is_drawn_from_its_posterior(value: float) -> None:
    """0.6 N(0, 1) + 0.4 N(1, 1), where p(first | x) = 1 / (1 + 2/3 exp(x - 1/2))."""
    modes = Modes(unit=1.0, weights=(0.6, 0.4), means=(0, 1), stds=(1, 1), missing=False)
    n = 200_000
    codes, _ = modes.encode(np.full(n, value), np.random.default_rng(0))
    expected = 1 / (1 + 2 / 3 * np.exp(value - 0.5))
    assert (codes == 0).mean() == pytest.approx(expected, abs=5 * 0.5 / np.sqrt(n))


def test_alpha_is_the_place_within_four_deviations() -> None:
    modes = Modes(unit=2.0, weights=(0.5, 0.5), means=(0, 500), stds=(1, 10), missing=True)
    numbers = np.array([0.0, 2.0, -8.0, 7.0, 900.0, 1000.0, 1060.0, np.nan])
    codes, scalars = modes.encode(numbers, np.random.default_rng(0))
    assert codes.tolist() == [0, 0, 0, 0, 1, 1, 1, 2]
    # The value 900 lies 5 deviations below the second mode: it is clipped.
    np.testing.assert_allclose(scalars, [0, 0.25, -0.99, 0.875, -0.99, 0, 0.75, 0], rtol=1e-6)
    assert scalars.dtype == np.float32
    decoded = modes.decode(codes, scalars)
    np.testing.assert_allclose(decoded, [0, 2, -7.92, 7, 920.8, 1000, 1060, np.nan], rtol=1e-6)


def test_scalars_beyond_one_are_clipped_when_decoding() -> None:
    modes = Modes(unit=1.0, weights=(1.0,), means=(5,), stds=(1,), missing=False)
    decoded = modes.decode(np.zeros(2, np.int16), np.array([-7.0, 7.0], np.float32))
    assert decoded.tolist() == [1.0, 9.0]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.one_of(
            st.floats(-1e308, 1e308),
            st.floats(-10, 10),
            st.integers(-(2**63), 2**63).map(float),
            st.just(float("nan")),
        ),
        max_size=40,
    ),
    st.booleans(),
)
def test_any_column_survives(values: list[float], missing: bool) -> None:
    numbers = np.array(values)
    modes = fit(numbers, missing=missing)
    assert 1 <= len(modes.weights) <= MODES
    assert modes.size == len(modes.weights) + missing
    assert min(modes.weights) > LIGHT
    assert min(modes.stds) > 0
    codes, scalars = modes.encode(numbers, np.random.default_rng(0))
    assert (codes >= 0).all()
    assert (codes < modes.size).all()
    assert (np.abs(scalars) <= 0.99).all()
    decoded = modes.decode(codes, scalars)
    absent = np.isnan(numbers)
    assert (np.isnan(decoded) == (absent & missing)).all()
    # Within its mode's reach a value comes back; beyond it, the end of the reach does.
    present = ~absent
    means, stds = np.array(modes.means)[codes[present]], np.array(modes.stds)[codes[present]]
    wanted = np.clip(numbers[present] / modes.unit, means - 3.96 * stds, means + 3.96 * stds)
    close = 1e-6 * stds + 1e-15 * np.abs(means)
    assert (np.abs(decoded[present] / modes.unit - wanted) <= close).all()


@pytest.mark.parametrize(
    "values",
    [
        [5.0] * 100,
        [0.0] * 100,
        [1e300] * 100,
        [0.0, 1.0] * 50,
        [1e-300, 3e-300] * 50,
        [-1.7e308, 1.7e308] * 50,
        [-(2.0**63), 2.0**63] * 50,
        [3.0],
        [3.0, 4.0],
    ],
)
def test_columns_of_one_or_two_values_come_back(values: list[float]) -> None:
    modes = fit(values)
    numbers = np.array(values)
    decoded = modes.decode(*modes.encode(numbers, np.random.default_rng(0)))
    reach = max(np.ptp(numbers / 4) * 4e-6, np.abs(numbers).max() * 1e-9)
    assert (np.abs(decoded / 2 - numbers / 2) <= reach).all()


def test_a_column_without_any_value_has_a_code_for_missing() -> None:
    modes = fit([np.nan] * 10, missing=True)
    codes, scalars = modes.encode(np.full(10, np.nan), np.random.default_rng(0))
    assert np.isnan(modes.decode(codes, scalars)).all()


def test_a_missing_cell_where_training_had_none_becomes_the_middle() -> None:
    modes = Modes(unit=1.0, weights=(0.25, 0.75), means=(0, 8), stds=(3, 3), missing=False)
    codes, scalars = modes.encode(np.array([np.nan]), np.random.default_rng(0))
    assert modes.decode(codes, scalars)[0] == pytest.approx(6.0)


def test_the_seed_fixes_fit_and_draws() -> None:
    values = np.random.default_rng(1).lognormal(size=3_000)
    assert fit(values, seed=3) == fit(values, seed=3)
    modes = fit(values)
    same = [modes.encode(values, np.random.default_rng(5))[0] for _ in range(2)]
    other, _ = modes.encode(values, np.random.default_rng(6))
    assert (same[0] == same[1]).all()
    assert (same[0] != other).any()


def test_many_rows_are_drawn_for_in_chunks_without_a_seam() -> None:
    modes = Modes(unit=1.0, weights=(0.5, 0.5), means=(0, 1), stds=(1, 1), missing=False)
    codes, scalars = modes.encode(np.full(200_000, 0.5), np.random.default_rng(0))
    blocks = codes.reshape(-1, 20_000).mean(axis=1)
    assert (abs(blocks - 0.5) < 0.02).all()
    assert (np.abs(scalars) == np.float32(0.125)).all()
