"""Cells to canonical numbers and codes, and back: dtypes x kinds x missing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.data.dtypes import dtype_name
from synthgen.data.schema import Boolean, Categorical, Datetime, Numeric, Ordered, Timedelta
from synthgen.data.values import (
    MISSING,
    UNLISTED,
    from_codes,
    from_numbers,
    to_codes,
    to_numbers,
)

quick = settings(deadline=None, max_examples=20, derandomize=True)

INTEGERS = {
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**53), 2**53),
    "uint64": (0, 2**53),
    "Int16": (-(2**15), 2**15 - 1),
    "Int64": (-(2**53), 2**53),
    "UInt64": (0, 2**53),
    "int64[pyarrow]": (-(2**53), 2**53),
    "uint64[pyarrow]": (0, 2**53),
    "object[int]": (-(2**53), 2**53),
    "float64": (-(2**53), 2**53),
}


def integers(dtype: str, low: int, high: int) -> Numeric:
    return Numeric(name="x", dtype=dtype, integer=True, low=low, high=high)


def holds_missing(dtype: str) -> bool:
    return not dtype.startswith(("int8", "uint8", "int32", "bool")) and dtype not in (
        "int64",
        "uint64",
    )


def series_of(cells: list[Any], dtype: str) -> pd.Series[Any]:
    pandas = "object" if dtype.startswith("object") else dtype
    return pd.Series(cells, dtype=pandas, name="x")


@pytest.mark.parametrize("dtype", INTEGERS)
@quick
@given(data=st.data())
def test_integers_return_in_their_dtype(dtype: str, data: st.DataObject) -> None:
    low, high = INTEGERS[dtype]
    cell: st.SearchStrategy[Any] = st.integers(low, high)
    if holds_missing(dtype):
        cell = cell | st.none()
    cells = data.draw(st.lists(cell, min_size=1, max_size=30).filter(any))
    series = series_of(cells, dtype)
    column = integers(dtype_name(series), low, high)
    numbers = to_numbers(series, column)
    assert numbers.dtype == np.float64
    again = from_numbers(numbers, column)
    pd.testing.assert_series_equal(again, series)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("int64", -(2**63), 2**63 - 1),
        ("int64", 2**53 + 1, 2**53 + 3),
        ("Int64", 2**62 + 1, 2**63 - 1),
        ("uint64", 0, 2**64 - 1),
        ("UInt64", 2**64 - 3, 2**64 - 1),
        ("uint64[pyarrow]", 2**63, 2**64 - 1),
    ],
)
@quick
@given(data=st.data())
def test_integers_beyond_doubles_stay_in_their_bounds(
    dtype: str, low: int, high: int, data: st.DataObject
) -> None:
    numbers = np.array(data.draw(st.lists(st.floats(-1e25, 1e25), min_size=1, max_size=20)))
    cells = [int(v) for v in from_numbers(numbers, integers(dtype, low, high))]
    for cell, number in zip(cells, numbers, strict=True):
        assert low <= cell <= high
        exact = min(max(round(number), low), high)
        assert abs(cell - exact) <= max(1, abs(exact)) * 2**-52


def test_rounding_is_to_even_and_missing_needs_a_place() -> None:
    column = integers("Int64", -10, 10)
    values = from_numbers(np.array([0.5, 1.5, -0.4, np.nan, 99.0]), column)
    assert values.tolist() == [0, 2, 0, pd.NA, 10]
    with pytest.raises(ValueError, match="NA"):
        from_numbers(np.array([np.nan]), integers("int64", 0, 1))


@pytest.mark.parametrize(
    "dtype", ["float64", "Float64", "float32", "double[pyarrow]", "object[float]"]
)
@quick
@given(data=st.data())
def test_reals_return_exactly(dtype: str, data: st.DataObject) -> None:
    width = 32 if dtype == "float32" else 64
    cell = st.floats(allow_nan=False, allow_infinity=False, width=width) | st.none()
    cells = data.draw(st.lists(cell, min_size=1, max_size=30).filter(lambda c: c[0] is not None))
    series = series_of(cells, dtype)
    if dtype == "double[pyarrow]":
        series = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(cells, pa.float64())), name="x")
    column = Numeric(name="x", dtype=dtype, integer=False, low=-1.8e308, high=1.7e308)
    column = column.model_copy(update={"low": -np.finfo(float).max, "high": np.finfo(float).max})
    again = from_numbers(to_numbers(series, column), column)
    pd.testing.assert_series_equal(again, series, check_exact=True)


def test_decimals_round_and_bounds_clip() -> None:
    column = Numeric(name="x", dtype="float64", integer=False, low=-1.25, high=2.5, decimals=2)
    values = from_numbers(np.array([0.12345, -9.0, 9.0, np.nan]), column)
    assert values.tolist()[:3] == [0.12, -1.25, 2.5]
    assert np.isnan(values[3])


@pytest.mark.parametrize("dtype", ["object[decimal]", "arrow[decimal128(10, 2)]"])
def test_decimal_cells(dtype: str) -> None:
    cells = [Decimal("1.10"), None, Decimal("-7.05")]
    series = pd.Series(cells, dtype=object, name="x")
    if dtype.startswith("arrow"):
        array = pa.array(cells, pa.decimal128(10, 2))
        series = pd.Series(pd.arrays.ArrowExtensionArray(array), name="x")
    column = Numeric(name="x", dtype=dtype, integer=False, low=-100, high=100, decimals=2)
    numbers = to_numbers(series, column)
    np.testing.assert_array_equal(numbers, [1.1, np.nan, -7.05])
    pd.testing.assert_series_equal(from_numbers(numbers, column), series)


# ---- times --------------------------------------------------------------------------------------

EARLY, LATE = dt.datetime(1700, 1, 1), dt.datetime(2240, 1, 1)
SECONDS = {"low": -9e9, "high": 9e9, "resolution": 1e-6}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@quick
@given(data=st.data())
def test_naive_times_return_to_their_unit(unit: str, data: st.DataObject) -> None:
    cell = st.datetimes(EARLY, LATE) | st.none()
    cells = data.draw(st.lists(cell, min_size=1, max_size=20))
    series = pd.Series(np.array(cells, dtype="datetime64[us]"), name="x").dt.as_unit(unit)
    column = Datetime(name="x", dtype=f"datetime64[{unit}]", **SECONDS)
    pd.testing.assert_series_equal(from_numbers(to_numbers(series, column), column), series)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
@pytest.mark.parametrize("arrow", [False, True])
@quick
@given(data=st.data())
def test_zoned_times_return_through_clock_changes(
    zone: str, arrow: bool, data: st.DataObject
) -> None:
    near = st.datetimes(dt.datetime(2024, 10, 26), dt.datetime(2024, 11, 4))
    cells = data.draw(st.lists(near | st.datetimes(EARLY, LATE) | st.none(), max_size=20))
    utc = pd.Series(np.array([*cells, EARLY], dtype="datetime64[us]"), name="x")
    series = utc.dt.tz_localize("UTC").dt.tz_convert(zone)
    if arrow:
        series = series.astype(pd.ArrowDtype(pa.timestamp("us", zone)))
    column = Datetime(name="x", dtype=dtype_name(series), zone=zone, **SECONDS)
    numbers = to_numbers(series, column)
    expected = [
        np.nan if cell is None else cell.replace(tzinfo=dt.UTC).timestamp()
        for cell in [*cells, EARLY]
    ]
    np.testing.assert_allclose(numbers, expected, rtol=0, atol=1e-6)
    pd.testing.assert_series_equal(from_numbers(numbers, column), series)


def test_whole_days_of_a_zone_stay_midnights() -> None:
    zone = ZoneInfo("Europe/Berlin")
    days = pd.date_range("2024-03-25", "2024-11-05", freq="D", tz=zone).to_series(name="x")
    days = days.dt.tz_convert("Europe/Berlin").reset_index(drop=True)
    column = Datetime(
        name="x", dtype=dtype_name(days), zone="Europe/Berlin", **SECONDS | {"resolution": 86400.0}
    )
    numbers = to_numbers(days, column)
    shifted = from_numbers(numbers + 3000.0, column)
    pd.testing.assert_series_equal(shifted, days)
    assert (shifted.dt.hour == 0).all()


def test_missing_hour_and_double_hour_of_a_zone_that_only_the_user_knows() -> None:
    wall = pd.Series(pd.to_datetime(["2024-03-31 02:30", "2024-10-27 02:30"]), name="x")
    column = Datetime(name="x", dtype="datetime64[ns]", zone="Europe/Berlin", **SECONDS)
    numbers = to_numbers(wall, column)
    # Clocks go on at 1:00 UTC in spring; in autumn 2:30 standard time is 1:30 UTC.
    expected = [dt.datetime(2024, 3, 31, 1), dt.datetime(2024, 10, 27, 1, 30)]
    assert [dt.datetime.fromtimestamp(v, dt.UTC).replace(tzinfo=None) for v in numbers] == expected
    again = from_numbers(numbers, column)
    assert again.tolist() == [pd.Timestamp("2024-03-31 03:00"), pd.Timestamp("2024-10-27 02:30")]
    assert again.dtype == wall.dtype


@pytest.mark.parametrize("dtype", ["object[date]", "date32[day][pyarrow]"])
def test_dates(dtype: str) -> None:
    cells = [dt.date(2024, 2, 29), None, dt.date(1970, 1, 1), dt.date(2262, 12, 31)]
    series = pd.Series(cells, dtype=object, name="x")
    if dtype.startswith("date32"):
        series = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(cells, pa.date32())), name="x")
    column = Datetime(name="x", dtype=dtype, **SECONDS | {"high": 1e10, "resolution": 86400.0})
    numbers = to_numbers(series, column)
    assert numbers[2] == 0
    pd.testing.assert_series_equal(from_numbers(numbers + 100.0, column), series)


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        ("%Y-%m-%d", ["2024-02-29", None, "1999-12-31"]),
        ("%d.%m.%Y %H:%M", ["29.02.2024 23:59", None]),
        ("%Y-%m-%dT%H:%M:%SZ", ["2024-02-29T23:59:58Z", None]),
        ("%Y-%m-%d %H:%M:%S%z", ["2024-02-29 23:59:58+0000", None]),
    ],
)
@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_times_as_text(form: str, texts: list[str | None], dtype: str) -> None:
    series = pd.Series(texts, dtype=dtype, name="x")
    column = Datetime(name="x", dtype=dtype, format=form, **SECONDS | {"resolution": 1.0})
    numbers = to_numbers(series, column)
    assert np.isnan(numbers).tolist() == [text is None for text in texts]
    pd.testing.assert_series_equal(
        from_numbers(numbers, column).astype(series.dtype), series, check_categorical=False
    )


def test_text_that_is_no_time_is_missing() -> None:
    column = Datetime(name="x", dtype="object", format="%Y-%m-%d", **SECONDS)
    numbers = to_numbers(pd.Series(["2024-01-01", "soon"]), column)
    assert numbers[0] == 1704067200
    assert np.isnan(numbers[1])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@quick
@given(data=st.data())
def test_durations(unit: str, data: st.DataObject) -> None:
    cell = st.timedeltas(dt.timedelta(days=-9999), dt.timedelta(days=9999)) | st.none()
    cells = data.draw(st.lists(cell, min_size=1, max_size=20))
    series = pd.Series(np.array(cells, dtype="timedelta64[us]"), name="x").dt.as_unit(unit)
    column = Timedelta(name="x", dtype=f"timedelta64[{unit}]", **SECONDS)
    numbers = to_numbers(series, column)
    expected = [np.nan if pd.isna(cell) else cell.total_seconds() for cell in series]
    np.testing.assert_allclose(numbers, expected, rtol=0, atol=1e-6)
    pd.testing.assert_series_equal(from_numbers(numbers, column), series)


def test_arrow_durations() -> None:
    cells = pa.array([dt.timedelta(seconds=90), None], pa.duration("ms"))
    series = pd.Series(pd.arrays.ArrowExtensionArray(cells), name="x")
    column = Timedelta(name="x", dtype=dtype_name(series), **SECONDS)
    numbers = to_numbers(series, column)
    np.testing.assert_array_equal(numbers, [90, np.nan])
    pd.testing.assert_series_equal(from_numbers(numbers, column), series)


# ---- codes --------------------------------------------------------------------------------------


def arrow_series(cells: list[Any], arrow_type: pa.DataType) -> pd.Series[Any]:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(cells, arrow_type)), name="x")


CODED: dict[str, pd.Series[Any]] = {
    "text": pd.Series(["b", None, "a", "b"], dtype=object, name="x"),
    "pandas string": pd.Series(["b", None, "a"], dtype="string", name="x"),
    "pandas string in arrow": pd.Series(["b", None, "a"], dtype="string[pyarrow]", name="x"),
    "arrow string": arrow_series(["b", None, "a"], pa.string()),
    "arrow dictionary": arrow_series(["b", None, "a"], pa.dictionary(pa.int8(), pa.string())),
    "int": pd.Series([3, 1, 3], name="x"),
    "big int": pd.Series([2**53 + 1, 2**53 + 2], name="x"),
    "uint64": pd.Series([2**64 - 1, 2**64 - 2], dtype="uint64", name="x"),
    "nullable int": pd.Series([2**53 + 1, None, 2**53 + 2], dtype="Int64", name="x"),
    "float": pd.Series([0.1, np.nan, 0.3], name="x"),
    "float32": pd.Series([0.1, np.nan, 0.3], dtype="float32", name="x"),
    "object int": pd.Series([1, None, 2], dtype=object, name="x"),
    "decimal": arrow_series([Decimal("0.10"), None, Decimal("2.50")], pa.decimal128(6, 2)),
    "bool": pd.Series([True, False, True], name="x"),
    "nullable bool": pd.Series([True, None, False], dtype="boolean", name="x"),
    "object bool": pd.Series([True, None, False], dtype=object, name="x"),
    "arrow bool": arrow_series([True, None, False], pa.bool_()),
    "date": pd.Series([dt.date(2024, 1, 1), None], dtype=object, name="x"),
    "datetime": pd.Series(np.array(["2024-01-01", "NaT"], "datetime64[us]"), name="x"),
    "zoned": pd.Series(pd.to_datetime(["2024-01-01", "2024-06-01"]), name="x").dt.tz_localize(
        "Europe/Berlin"
    ),
    "duration": pd.Series(np.array([1500, "NaT"], "timedelta64[ms]"), name="x"),
}


@pytest.mark.parametrize("which", CODED)
def test_codes_return_in_their_dtype(which: str) -> None:
    from synthgen.data.values import as_value

    series = CODED[which]
    values = tuple(as_value(v) for v in series.dropna().unique().tolist())
    column = Categorical(name="x", dtype=dtype_name(series), values=values)
    # A schema travels as JSON.
    column = Categorical.model_validate_json(column.model_dump_json())
    codes = to_codes(series, column)
    assert codes.dtype == np.int64
    np.testing.assert_array_equal(codes == MISSING, series.isna())
    assert (codes >= MISSING).all()
    pd.testing.assert_series_equal(from_codes(codes, column), series)


@pytest.mark.parametrize("ordered", [False, True])
def test_categories_keep_order(ordered: bool) -> None:
    dtype = pd.CategoricalDtype(["low", "mid", "high"], ordered=ordered)
    series = pd.Series(["mid", None, "low", "high"], dtype=dtype, name="x")
    kind = Ordered if ordered else Categorical
    column = kind(name="x", dtype="category", values=("low", "mid", "high"))
    codes = to_codes(series, column)
    assert codes.tolist() == [1, MISSING, 0, 2]
    pd.testing.assert_series_equal(from_codes(codes, column), series)


def test_values_that_the_schema_does_not_list() -> None:
    column = Categorical(name="x", dtype="object", values=("a",))
    codes = to_codes(pd.Series(["a", "z", None]), column)
    assert codes.tolist() == [0, UNLISTED, MISSING]
    assert from_codes(codes, column).tolist() == ["a", None, None]


def test_zero_and_one_are_flags_for_a_boolean_column() -> None:
    series = pd.Series([1, 0, 1], name="x")
    column = Boolean(name="x", dtype="int64")
    codes = to_codes(series, column)
    assert codes.tolist() == [1, 0, 1]
    pd.testing.assert_series_equal(from_codes(codes, column), series)


@pytest.mark.parametrize("dtype", ["bool", "int64"])
def test_a_missing_code_never_becomes_a_value(dtype: str) -> None:
    column = Boolean(name="x", dtype=dtype)
    with pytest.raises((ValueError, TypeError)):
        from_codes(np.array([0, MISSING]), column)


def test_text_that_looks_like_a_number_is_not_one() -> None:
    column = Categorical(name="x", dtype="object", values=("1", "1.0"))
    assert to_codes(pd.Series(["1.0", "1", 1], dtype=object), column).tolist() == [1, 0, UNLISTED]


def test_fifty_thousand_categories_are_quick() -> None:
    import time

    values = tuple(f"value {i}" for i in range(50_000))
    codes = np.random.default_rng(0).integers(0, 50_000, 1_000_000)
    column = Categorical(name="x", dtype="object", values=values)
    started = time.process_time()
    series = from_codes(codes, column)
    again = to_codes(series, column)
    assert time.process_time() - started < 3
    np.testing.assert_array_equal(again, codes)
