"""Private histograms: near the data where counts allow it, and silent about single rows."""

from __future__ import annotations

import numpy as np
import pytest

from synthgen.data.schema import Datetime, Numeric
from synthgen.privacy.noise import SeededNoise
from synthgen.privacy.numbers import (
    QUERIES,
    Histogram,
    grid_of,
    private_histogram,
    private_precision,
)

RNG = np.random.default_rng(0)


def column(*, integer: bool) -> Numeric:
    return Numeric(name="x", dtype="float64", integer=integer, low=0, high=1)


def histogram(
    numbers: np.ndarray,
    *,
    std: float = 5.0,
    integer: bool = False,
    bounds: tuple[float, float] | None = None,
    noise: object = None,
) -> Histogram | None:
    grid = grid_of(column(integer=integer), float(integer), bounds)
    source = noise or SeededNoise(1)
    return private_histogram(numbers.astype(float), grid, std, source)  # type: ignore[arg-type]


def cdf(found: Histogram, x: np.ndarray) -> np.ndarray:
    inside = (x[:, None] - found.left) / np.maximum(found.right - found.left, 1e-300)
    return np.clip(inside, 0, 1) @ found.rows / found.rows.sum()


@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("centre", [-30.0, 0.0, 1e4])
def test_the_distribution_comes_out(integer: bool, centre: float) -> None:
    numbers = centre + 100 * RNG.normal(size=20_000)
    numbers = numbers.round() if integer else numbers
    found = histogram(numbers, integer=integer)
    assert found is not None
    assert (np.diff(found.left) > 0).all()
    assert (found.right[:-1] <= found.left[1:]).all()
    at = np.quantile(numbers, [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98]) + 0.5 * integer
    wanted = (numbers[:, None] < at).mean(0)
    np.testing.assert_allclose(cdf(found, at), wanted, atol=0.04)


def test_without_noise_single_integers_have_their_counts() -> None:
    numbers = RNG.choice([3, 4, 5, 40], 4000, p=[0.1, 0.2, 0.3, 0.4])
    found = histogram(numbers, std=1e-6, integer=True)
    assert found is not None
    middles = (found.left + found.right) / 2
    assert middles.tolist() == [3, 4, 5, 40]
    np.testing.assert_allclose(found.rows, np.bincount(numbers)[[3, 4, 5, 40]], atol=2)


@pytest.mark.parametrize("std", [1e-6, 5.0, 60.0])
def test_no_edge_is_an_extreme_value_and_one_row_moves_none(std: float) -> None:
    numbers = np.append(RNG.lognormal(3, 1, 5000), [9.87654e9, -5.4321e7])
    for integer in (False, True):
        values = np.rint(numbers) if integer else numbers
        found = histogram(values, std=std, integer=integer)
        assert found is not None
        assert found.right[-1] < 1e6
        assert found.left[0] >= -1
        assert not np.isin(np.concatenate([found.left, found.right]), values[values != 0]).any()


def test_with_the_same_noise_one_row_changes_counts_by_one() -> None:
    """What the accounting rests on: sensitivity 1 of the first histogram, of which all follows."""
    numbers = RNG.normal(50, 10, 3000)
    exact = [
        np.histogram(part, grid_of(column(integer=False), 0.0, None).edges)[0]
        for part in (numbers, numbers[1:])
    ]
    assert np.abs(exact[0] - exact[1]).sum() == 1


def test_each_query_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    from synthgen.privacy import numbers as module

    original = module.noisy_counts

    def counting(counts: np.ndarray, std: float, noise: object) -> np.ndarray:
        asked.append(std)
        return original(counts, std, noise)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "noisy_counts", counting)
    histogram(RNG.normal(size=2000))
    assert asked == [5.0] * QUERIES


def test_zeros_are_a_point() -> None:
    numbers = np.where(RNG.random(5000) < 0.7, 0.0, RNG.exponential(20, 5000))
    found = histogram(numbers)
    assert found is not None
    place = np.flatnonzero((found.left == 0) & (found.right == 0))
    assert len(place) == 1
    assert found.rows[place[0]] == pytest.approx((numbers == 0).sum(), abs=40)


def test_bounds_that_are_given_are_kept() -> None:
    found = histogram(RNG.normal(50, 20, 5000), bounds=(0, 100))
    assert found is not None
    assert found.left[0] >= 0
    assert found.right[-1] <= 100


def test_missing_cells_are_counted() -> None:
    numbers = RNG.normal(size=3000)
    numbers[:700] = np.nan
    found = histogram(numbers)
    assert found is not None
    assert found.missing == pytest.approx(700, abs=30)
    complete = histogram(numbers[700:])
    assert complete is not None
    assert complete.missing == 0


def test_where_noise_drowns_all_there_is_none() -> None:
    numbers = RNG.normal(size=100)
    found = [histogram(numbers, std=1000.0, noise=SeededNoise(seed)) for seed in range(300)]
    # Three of 300 are what is allowed on average; more than eight have a probability of 0.4 %.
    assert sum(one is not None for one in found) <= 8


def test_times_have_a_grid_of_their_own() -> None:
    born = Datetime(name="t", dtype="datetime64[ns]", low=0, high=1, resolution=1)
    seconds = RNG.uniform(1.5e9, 1.6e9, 5000)
    found = private_histogram(seconds, grid_of(born, 86400.0, None), 5.0, SeededNoise(1))
    assert found is not None
    assert found.left[0] == pytest.approx(1.5e9, abs=4e6)
    assert found.right[-1] == pytest.approx(1.6e9, abs=4e6)


def test_precision_is_what_nearly_all_rows_need() -> None:
    needed = np.append(np.full(5000, 2), [13] * 3)
    assert private_precision(needed, 13, 5.0, SeededNoise(1)) == 2
    assert private_precision(np.full(5000, 13), 13, 5.0, SeededNoise(1)) is None
    assert private_precision(needed[:20], 13, 50.0, SeededNoise(1)) is None
