"""Bounds that protect extremes, decimals, spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthgen.data.quantities import bounds, decimals, spikes
from synthgen.data.schema import RARE

quick = settings(deadline=None, max_examples=60, derandomize=True)


@quick
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2 * RARE, max_size=60))
def test_bounds_are_the_fifth_values_from_either_end(cells: list[int]) -> None:
    ordered = sorted(cells)
    assume(ordered[RARE - 1] < ordered[-RARE])
    assert bounds(np.array(cells)) == (ordered[RARE - 1], ordered[-RARE])


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float64", "float32"])
def test_bounds_are_exact_python_numbers(dtype: str) -> None:
    numbers = np.arange(20, dtype=dtype)
    low, high = bounds(numbers)
    assert (low, high) == (4, 15)
    assert type(low) is (float if "float" in dtype else int)
    assert bounds(np.arange(2**63, 2**63 + 20, dtype="uint64")) == (2**63 + 4, 2**63 + 15)


def test_bounds_never_meet() -> None:
    low, high = bounds(np.array([0] * 100 + [7, 8, 9]))
    assert low == 0 < high


@quick
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=2 * RARE - 1))
def test_bounds_of_few_numbers_come_from_mean_and_spread(cells: list[float]) -> None:
    numbers = np.array(cells)
    low, high = bounds(numbers)
    assert low < high
    expected = numbers.mean() - 2 * numbers.std()
    assert low == pytest.approx(max(expected, 0) if (numbers >= 0).all() else expected)
    if (numbers >= 0).all():
        assert bounds(numbers.astype(int))[0] >= 0


@pytest.mark.parametrize(
    ("numbers", "places"),
    [
        ([1.0, 20000.0], 0),
        ([0.1, 0.25], 2),
        ([1e-12, 1.0], 12),
        ([1e-13, 1.0], None),
        ([1 / 3, 0.5], None),
        ([0.23001961, 5.0725783], 8),
        ([1e300, 2.0], 0),
        ([123456789.12, 0.01], 2),
    ],
)
def test_decimals(numbers: list[float], places: int | None) -> None:
    assert decimals(np.array(numbers)) == places


def test_decimals_of_single_precision() -> None:
    assert decimals(np.array([0.1, 0.25, 98.76], dtype="float32")) == 2


def test_one_odd_number_among_many_counts() -> None:
    numbers = np.round(np.random.default_rng(0).normal(size=5000), 2)
    assert decimals(numbers) == 2
    numbers[4321] = 0.12345
    assert decimals(numbers) == 5


@quick
@given(st.integers(0, 12), st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=50))
def test_decimals_are_found_whatever_they_are(places: int, cells: list[int]) -> None:
    found = decimals(np.array(cells) / 10.0**places)
    assert found is not None
    assert found <= places


def column(spike_counts: dict[float, int], spread: int = 10_000) -> NDArray[Any]:
    rng = np.random.default_rng(0)
    parts = [np.full(count, value) for value, count in spike_counts.items()]
    return np.concatenate([rng.lognormal(3, 1, spread), *parts])


def test_spikes_stand_out_of_their_neighbours() -> None:
    assert spikes(column({})) == ()
    assert spikes(column({0.0: 5000, 100.0: 500, 7.0: 50})) == (0.0, 100.0)


def test_smooth_counts_are_no_spikes() -> None:
    counts = np.random.default_rng(0).poisson(4, 20_000)
    assert spikes(counts) == ()


def test_spikes_are_never_held_by_few_rows() -> None:
    assert spikes(np.array([*range(50), 7, 7, 7])) == ()


def test_not_more_spikes_than_twenty() -> None:
    many = {float(1000 + i): 200 for i in range(40)}
    assert len(spikes(column(many, 1000))) <= 20
