"""Quantile encoding: exact where it claims to be, uniform, and silent about single rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthgen.data.schema import RARE, Continuous, Datetime, Numeric
from synthgen.encoding.quantiles import BINS, Quantiles

Numbers = NDArray[np.float64]


def column(
    numbers: Numbers,
    *,
    integer: bool = False,
    decimals: int | None = None,
    spikes: tuple[float, ...] = (),
) -> Numeric:
    """A column with the true extremes for bounds, so that every value can come back."""
    present = numbers[~np.isnan(numbers)]
    return Numeric(
        name="x",
        dtype="float64",
        missing=bool(np.isnan(numbers).any()),
        integer=integer,
        low=float(present.min()) if len(present) else 0.0,
        high=float(present.max()) if len(present) else 0.0,
        decimals=decimals,
        spikes=spikes,
    )


def there_and_back(numbers: Numbers, described: Continuous, seed: int = 0) -> Numbers:
    quantiles = Quantiles.fit(numbers, described)
    codes, scalars = quantiles.encode(numbers, np.random.default_rng(seed))
    assert (codes >= 0).all()
    assert (codes < quantiles.size).all()
    assert (np.abs(scalars) <= 1).all()
    assert scalars.dtype == np.float32
    return quantiles.decode(codes.astype(np.int16), scalars)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.one_of(st.none(), st.integers(-300, 300)), max_size=400),
    st.sets(st.integers(-300, 300), max_size=3),
    st.integers(-5, 5),
)
def test_integers_spikes_and_missing_cells_come_back_exactly(
    values: list[int | None], spikes: set[int], shift: int
) -> None:
    numbers = np.array([np.nan if v is None else v + 1000 * shift for v in values], dtype=float)
    described = column(numbers, integer=True, spikes=tuple(s + 1000 * shift for s in spikes))
    np.testing.assert_array_equal(np.rint(there_and_back(numbers, described)), numbers)


@pytest.mark.parametrize("n", [20, 1_000, 300_000])
def test_integers_of_a_long_tail_come_back_exactly(n: int) -> None:
    numbers = np.minimum(np.floor(np.random.default_rng(0).lognormal(3, 1, n)), 2000)
    described = column(numbers, integer=True)
    np.testing.assert_array_equal(np.rint(there_and_back(numbers, described)), numbers)


def test_decimals_come_back_exactly() -> None:
    numbers = np.round(np.random.default_rng(0).normal(0, 3, 20_000), 2)
    back = np.round(there_and_back(numbers, column(numbers, decimals=2)), 2)
    np.testing.assert_array_equal(back, numbers)


def test_dates_come_back_exactly() -> None:
    days = np.random.default_rng(0).integers(0, 9_000, 5_000)
    seconds = days * 86_400.0
    described = Datetime(
        name="day", dtype="datetime64[us]", low=0.0, high=9_000 * 86_400.0, resolution=86_400.0
    )
    back = there_and_back(seconds, described)
    np.testing.assert_array_equal(np.rint(back / 86_400), days)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.floats(-1.7e308, 1.7e308),
            st.floats(-1e-300, 1e-300),
            st.integers(-(2**63), 2**63).map(float),
            st.just(0.0),
            st.just(float("nan")),
        ),
        max_size=120,
    )
)
def test_any_column_survives(values: list[float]) -> None:
    numbers = np.array(values)
    described = column(numbers)
    back = there_and_back(numbers, described)
    assert (np.isnan(back) == np.isnan(numbers)).all()
    present = ~np.isnan(numbers)
    assert (np.abs(back[present] / 2 - numbers[present] / 2) <= resolution(numbers)).all()


def resolution(numbers: Numbers) -> float:
    """Half of what float32 positions cannot tell apart in the widest bin of the fitted column."""
    quantiles = Quantiles.fit(numbers, column(numbers))
    widest = (np.array(quantiles.right) / 2 - np.array(quantiles.left) / 2).max()
    lightest = min(quantiles.rows) / sum(quantiles.rows)
    return float(widest * (2.0**-24 / lightest + 1e-15))


def test_full_precision_comes_back_up_to_float32() -> None:
    numbers = np.random.default_rng(0).normal(size=50_000)
    back = there_and_back(numbers, column(numbers))
    np.testing.assert_allclose(back / 2, numbers / 2, rtol=0, atol=resolution(numbers))
    assert resolution(numbers) < 1e-4


@pytest.mark.parametrize(
    ("values", "spikes"),
    [
        ([7.0] * 100, ()),
        ([7.0] * 100, (7.0,)),
        ([0.0, 1.0] * 50, ()),
        ([0.0, 1.0] * 50, (0.0,)),
        ([0.0, 1.0] * 50, (0.0, 1.0)),
        ([0.0] * 96 + [1e9, 2e9, 3e9, np.nan], (0.0,)),
        ([np.nan] * 20 + [2.5], ()),
        ([np.nan] * 20, ()),
        ([4.0], ()),
        ([-1.7e308, 1.7e308] * 10, ()),
        ([2.0**63 - 1024, -(2.0**63)] * 10, ()),
    ],
)
def test_sparse_columns_come_back(values: list[float], spikes: tuple[float, ...]) -> None:
    numbers = np.array(values)
    np.testing.assert_allclose(
        there_and_back(numbers, column(numbers, spikes=spikes)), numbers, rtol=1e-6
    )


def test_codes_are_regular_missing_then_spikes() -> None:
    numbers = np.array([3.0, np.nan, 0.0, -1.0, 4.0])
    quantiles = Quantiles.fit(numbers, column(numbers, spikes=(0.0, -1.0)))
    codes, scalars = quantiles.encode(numbers, np.random.default_rng(0))
    assert quantiles.size == 4
    assert codes.tolist() == [0, 1, 2, 3, 0]
    assert scalars[1:4].tolist() == [0, 0, 0]


def heavy_sample(kind: str) -> Numbers:
    rng = np.random.default_rng(2)
    match kind:
        case "smooth":
            return rng.lognormal(size=20_000)
        case "integers":
            return rng.binomial(40, 0.3, 20_000).astype(float)
        case _:
            ties = rng.choice([0.1234, 5.4321, 9.8765], size=20_000)
            return np.where(rng.random(20_000) < 0.3, ties, rng.uniform(0, 10, 20_000))


@pytest.mark.parametrize("kind", ["smooth", "integers", "ties"])
def test_scalars_are_uniform_over_the_training_rows(kind: str) -> None:
    numbers = heavy_sample(kind)
    quantiles = Quantiles.fit(numbers, column(numbers, integer=kind == "integers"))
    _, scalars = quantiles.encode(numbers, np.random.default_rng(0))
    ordered = np.sort(scalars)
    gap = np.abs(ordered - np.linspace(-1, 1, len(ordered))).max()
    assert gap < 2 * 1.95 / np.sqrt(len(ordered)) + 0.01  # Kolmogorov's bound at 0.1 %


@pytest.mark.parametrize("kind", ["smooth", "integers", "ties"])
def test_uniform_scalars_give_the_training_distribution(kind: str) -> None:
    numbers = heavy_sample(kind)
    quantiles = Quantiles.fit(numbers, column(numbers, integer=kind == "integers"))
    even = np.linspace(-1, 1, 100_001)
    drawn = quantiles.decode(np.zeros(len(even), np.int16), even)
    if kind == "integers":
        drawn = np.rint(drawn)
    for point in np.unique(np.concatenate([np.quantile(numbers, np.linspace(0, 1, 50))])):
        below, at = (numbers < point).mean(), (numbers == point).mean()
        assert (drawn < point).mean() == pytest.approx(below, abs=2 / BINS)
        if at > 2 / BINS:
            assert (drawn == point).mean() == pytest.approx(at, abs=2 / BINS)


@pytest.mark.parametrize("n", [30, 700, 40_000])
def test_no_edge_is_a_value_of_few_rows_and_no_bin_holds_few(n: int) -> None:
    rng = np.random.default_rng(4)
    numbers = np.where(rng.random(n) < 0.2, rng.integers(0, 9, n), rng.normal(0, 5, n))
    ordered = np.sort(numbers)
    described = column(numbers).model_copy(
        update={"low": ordered[RARE - 1], "high": ordered[-RARE]}
    )
    numbers = np.clip(numbers, described.low, described.high)
    quantiles = Quantiles.fit(numbers, described)
    distinct, counts = np.unique(numbers, return_counts=True)
    single = set(distinct[counts < RARE].tolist())
    assert not single & {*quantiles.left, *quantiles.right}
    assert min(quantiles.rows) >= RARE
    assert len(quantiles.rows) <= 2 * BINS + 1
    assert (np.diff(quantiles.left) >= 0).all()
    assert (np.array(quantiles.left) <= np.array(quantiles.right)).all()
    assert (np.array(quantiles.right[:-1]) <= np.array(quantiles.left[1:])).all()


def test_few_rows_between_two_frequent_values_keep_a_bin_of_five() -> None:
    numbers = np.array([1.0] * 50 + [2.0, 3.0] + [9.0] * 50)
    quantiles = Quantiles.fit(numbers, column(numbers))
    assert quantiles.left == (1.0, 1.0, 9.0)
    assert quantiles.right == (1.0, 9.0, 9.0)
    assert quantiles.rows == (50, RARE, 50)


def test_unseen_values_and_missing_cells_have_a_place() -> None:
    numbers = np.array([1.0] * 50 + [9.0] * 50)
    quantiles = Quantiles.fit(numbers, column(numbers))
    codes, scalars = quantiles.encode(np.array([4.0, np.nan]), np.random.default_rng(0))
    assert codes.tolist() == [0, 0]
    assert scalars[1] == 0  # the median
    assert set(quantiles.decode(codes, scalars).tolist()) <= {1.0, 9.0}


def test_scalars_beyond_one_are_clipped_when_decoding() -> None:
    numbers = np.arange(1000.0)
    quantiles = Quantiles.fit(numbers, column(numbers))
    decoded = quantiles.decode(np.zeros(2, np.int16), np.array([-3.0, 3.0], np.float32))
    assert decoded.tolist() == [0.0, 999.0]


def test_the_seed_fixes_the_draws() -> None:
    numbers = heavy_sample("integers")
    quantiles = Quantiles.fit(numbers, column(numbers, integer=True))
    first, second, other = (
        quantiles.encode(numbers, np.random.default_rng(seed))[1] for seed in (1, 1, 2)
    )
    assert (first == second).all()
    assert (first != other).any()
