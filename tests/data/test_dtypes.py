"""Every dtype's name leads back to it, and cells survive the way through object cells."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen.data.dtypes import cast, dtype_name, family, parse_dtype
from synthgen.errors import DataError


def arrow(values: list[Any], arrow_type: pa.DataType) -> pd.Series[Any]:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, arrow_type)))


DAYS = [dt.date(2024, 2, 29), dt.date(1900, 1, 1)]
TIMES = ["2024-02-29 12:30:00.123456", "1999-12-31 00:00:00"]

COLUMNS: dict[str, tuple[pd.Series[Any], str]] = {
    "bool": (pd.Series([True, False]), "boolean"),
    "boolean": (pd.Series([True, None], dtype="boolean"), "boolean"),
    "bool[pyarrow]": (arrow([True, None], pa.bool_()), "boolean"),
    "object[bool]": (pd.Series([True, None, False], dtype=object), "boolean"),
    "int8": (pd.Series([1, -128], dtype="int8"), "integer"),
    "int64": (pd.Series([2**53 + 1, -(2**63)]), "integer"),
    "uint64": (pd.Series([2**64 - 1, 0], dtype="uint64"), "integer"),
    "Int64": (pd.Series([2**53 + 1, None], dtype="Int64"), "integer"),
    "UInt64": (pd.Series([2**64 - 1, None], dtype="UInt64"), "integer"),
    "int32[pyarrow]": (arrow([1, None], pa.int32()), "integer"),
    "object[int]": (pd.Series([2**53 + 1, None], dtype=object), "integer"),
    "float32": (pd.Series([0.1, np.nan], dtype="float32"), "real"),
    "float64": (pd.Series([0.1, np.nan]), "real"),
    "Float64": (pd.Series([0.1, None], dtype="Float64"), "real"),
    "double[pyarrow]": (arrow([0.1, None], pa.float64()), "real"),
    "object[float]": (pd.Series([0.1, None], dtype=object), "real"),
    "object[decimal]": (pd.Series([Decimal("0.10"), None], dtype=object), "real"),
    "arrow[decimal128(10, 2)]": (arrow([Decimal("0.10"), None], pa.decimal128(10, 2)), "real"),
    "object": (pd.Series(["a", None], dtype=object), "text"),
    "string": (pd.Series(["a", None], dtype="string"), "text"),
    "string[pyarrow]": (pd.Series(["a", None], dtype="string[pyarrow]"), "text"),
    "str[pyarrow]": (pd.Series(["a", None], dtype=pd.StringDtype(na_value=np.nan)), "text"),
    "arrow[string]": (arrow(["a", None], pa.string()), "text"),
    "large_string[pyarrow]": (arrow(["a", None], pa.large_string()), "text"),
    "arrow[dictionary<values=string, indices=int8, ordered=0>]": (
        arrow(["a", None], pa.dictionary(pa.int8(), pa.string())),
        "text",
    ),
    "datetime64[ns]": (pd.to_datetime(pd.Series(TIMES), format="ISO8601"), "datetime"),
    "datetime64[s]": (pd.Series(np.array(["2024-02-29", "NaT"], "datetime64[s]")), "datetime"),
    "datetime64[us, Europe/Berlin]": (
        pd.to_datetime(pd.Series(TIMES), format="ISO8601")
        .dt.as_unit("us")
        .dt.tz_localize("Europe/Berlin"),
        "datetime",
    ),
    "timestamp[ms][pyarrow]": (arrow([0, None], pa.timestamp("ms")), "datetime"),
    "timestamp[us, tz=Asia/Kolkata][pyarrow]": (
        arrow([0, None], pa.timestamp("us", "Asia/Kolkata")),
        "datetime",
    ),
    "date32[day][pyarrow]": (arrow([DAYS[0], None], pa.date32()), "datetime"),
    "object[date]": (pd.Series([DAYS[0], None, dt.date(9999, 12, 31)], dtype=object), "datetime"),
    "timedelta64[ms]": (pd.Series(np.array([1, "NaT"], "timedelta64[ms]")), "timedelta"),
    "duration[us][pyarrow]": (arrow([1, None], pa.duration("us")), "timedelta"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_name_and_family(name: str) -> None:
    series, expected = COLUMNS[name]
    assert dtype_name(series) == name
    assert family(series) == expected
    assert parse_dtype(name) == series.dtype


@pytest.mark.parametrize("name", COLUMNS)
def test_cast_keeps_cells_and_dtype(name: str) -> None:
    series = COLUMNS[name][0].rename("x")
    again = cast(series, name)
    assert dtype_name(again) == name
    pd.testing.assert_series_equal(again, series)
    assert [type(v) for v in again.dropna()] == [type(v) for v in series.dropna()]


def test_category_of_plain_values() -> None:
    series = pd.Series(["a", "b"], dtype="category")
    assert dtype_name(series) == "category"
    assert family(series) == "category"


@pytest.mark.parametrize(
    ("series", "word"),
    [
        (pd.Series([1, "a"], dtype=object), "mixes Python types: 1 int, 1 str"),
        (pd.Series([1, 2.5], dtype=object), "mixes"),
        (pd.Series([[1], [2]], dtype=object), "list"),
        (pd.Series([b"a"], dtype=object), "bytes"),
        (pd.Series([dt.time(1)], dtype=object), "time"),
        (pd.Series([pd.Timestamp("2024")], dtype=object), "datetime"),
        (pd.Series([2**64], dtype=object), "more than 64 bits"),
        (pd.Series([-1, 2**63], dtype=object), "more than 64 bits"),
        (pd.Series([1j]), "complex128"),
        (pd.Series(pd.period_range("2024", periods=2, freq="D")), "period"),
        (pd.Series(pd.interval_range(0, 2)), "interval"),
        (pd.Series(pd.cut([1, 2, 3], 2)), "category of interval"),
        (pd.Series([1, "a"], dtype=object).astype("category"), "mixes"),
        (arrow([[1]], pa.list_(pa.int8())), "list"),
        (arrow([dt.time(1)], pa.time64("us")), "time64"),
    ],
)
def test_what_no_kind_describes_is_refused_by_name(series: pd.Series[Any], word: str) -> None:
    with pytest.raises(DataError) as caught:
        dtype_name(series.rename("odd"))
    assert "'odd'" in caught.value.cause
    assert word in caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("dtype", "text", "cell"),
    [
        ("datetime64[us]", "2024-02-29T00:00:00", pd.Timestamp("2024-02-29")),
        (
            "datetime64[ns, Europe/Berlin]",
            "2024-02-29T00:00:00+01:00",
            pd.Timestamp("2024-02-29", tz="Europe/Berlin"),
        ),
        ("timedelta64[ns]", "P1DT0H0M1S", pd.Timedelta("1 day 1 s")),
        ("object[date]", "2024-02-29", dt.date(2024, 2, 29)),
        ("date32[day][pyarrow]", "2024-02-29", dt.date(2024, 2, 29)),
        ("timestamp[us][pyarrow]", "2024-02-29T00:00:00", pd.Timestamp("2024-02-29")),
        (
            "timestamp[us, tz=UTC][pyarrow]",
            "2024-02-29T00:00:00+00:00",
            pd.Timestamp("2024-02-29", tz="UTC"),
        ),
        ("duration[us][pyarrow]", "P1DT0H0M1S", pd.Timedelta("1 day 1 s")),
        ("object[decimal]", "12345678901234567.89", Decimal("12345678901234567.89")),
    ],
)
def test_schema_values_of_times_and_decimals_become_cells(
    dtype: str, text: str, cell: object
) -> None:
    cells = cast(pd.Series([text, None], dtype=object), dtype)
    assert dtype_name(cells) == dtype
    assert cells[0] == cell
    assert cells.isna()[1]
