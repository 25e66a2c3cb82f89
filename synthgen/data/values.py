"""A column's cells in canonical form, and back.

Encoders, metrics and learners never look at pandas dtypes: continuous columns are float64 with
NaN for missing (seconds for times), discrete ones are positions in the schema's ``values``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.schema import Continuous, Datetime, Discrete, Numeric, Timedelta

MISSING = -1
"""The code of a missing cell."""
UNLISTED = -2
"""The code of a value that the schema does not list: rare, or never seen in training."""


def to_numbers(series: pd.Series[Any], column: Continuous) -> NDArray[np.float64]:
    """Shape (n,): quantities as they are, times in seconds since 1970 UTC; NaN where missing."""
    match column:
        case Numeric():
            numbers: NDArray[np.float64] = pd.to_numeric(series).to_numpy(
                np.float64, na_value=np.nan
            )
            return numbers
        case Datetime():
            times = series
            if column.format is not None:
                times = pd.to_datetime(series, format=column.format, utc="%z" in column.format)
            times = times.astype(_wall_clock(column))
            if times.dt.tz is not None:
                times = times.dt.tz_convert("UTC").dt.tz_localize(None)
            return _seconds(times.to_numpy(dtype="datetime64[us]"))
        case Timedelta():
            return _seconds(series.astype("timedelta64[us]").to_numpy(dtype="timedelta64[us]"))


def from_numbers(numbers: NDArray[np.float64], column: Continuous) -> pd.Series[Any]:
    """The inverse: rounded to the column's decimals, kept in its bounds, in its dtype."""
    missing = np.isnan(numbers)
    kept = np.clip(np.where(missing, column.low, numbers), column.low, column.high)
    match column:
        case Numeric(integer=True):
            # np.rint on float64 is exact below 2**53; beyond it the bounds still hold as integers.
            whole = [min(max(int(v), int(column.low)), int(column.high)) for v in np.rint(kept)]
            values = pd.Series(whole, dtype=_integer_dtype(column), name=column.name)
        case Numeric():
            rounded = kept if column.decimals is None else np.round(kept, column.decimals)
            values = pd.Series(rounded, dtype="Float64", name=column.name)
        case Datetime() | Timedelta():
            # Integer microseconds throughout: float rounding must not move a date off midnight.
            step = max(1, round(column.resolution * 1e6))
            micro = np.rint(kept * 1e6 / step).astype(np.int64) * step
            unit = "datetime64[us]" if isinstance(column, Datetime) else "timedelta64[us]"
            values = pd.Series(micro.astype(unit), name=column.name)
    values[missing] = pd.NA if isinstance(column, Numeric) else pd.NaT
    if isinstance(column, Datetime) and column.format is not None:
        text = values.dt.strftime(column.format).astype("object")
        return text.where(~missing, None).astype(column.dtype)
    if isinstance(column, Datetime) and column.zone is not None:
        values = values.dt.tz_localize("UTC").dt.tz_convert(column.zone)
    return _cast(values, column.dtype)


def to_codes(series: pd.Series[Any], column: Discrete) -> NDArray[np.int64]:
    """Shape (n,): positions in ``column.values``; MISSING or UNLISTED (negative) otherwise."""
    codes, uniques = pd.factorize(series)
    place = {value: position for position, value in enumerate(column.values)}
    known = [place.get(value, UNLISTED) for value in uniques]
    # factorize marks a missing cell with -1, which indexes the last entry.
    table: NDArray[np.int64] = np.array([*known, MISSING], dtype=np.int64)
    positions: NDArray[np.int64] = table[codes]
    return positions


def from_codes(codes: NDArray[np.int64], column: Discrete) -> pd.Series[Any]:
    """The inverse, in the column's dtype; negative codes become missing."""
    values = np.array([*column.values, None], dtype=object)
    series = pd.Series(values[np.where(codes < 0, len(values) - 1, codes)], name=column.name)
    if column.dtype == "category":
        return series.astype(pd.CategoricalDtype(list(column.values), column.kind == "ordered"))
    return _cast(series, column.dtype)


def _cast(series: pd.Series[Any], dtype: str) -> pd.Series[Any]:
    return series.astype(dtype)


def _wall_clock(column: Datetime) -> str:
    return "datetime64[us]" if column.zone is None else f"datetime64[us, {column.zone}]"


def _integer_dtype(column: Numeric) -> str:
    return "UInt64" if column.high > np.iinfo(np.int64).max else "Int64"


def _seconds(times: NDArray[Any]) -> NDArray[np.float64]:
    micro = times.astype(np.int64).astype(np.float64)
    return np.where(np.isnat(times), np.nan, micro / 1e6)
