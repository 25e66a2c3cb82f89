"""A column's cells in canonical form, and back.

Encoders, metrics and learners never look at pandas dtypes: continuous columns are float64 with
NaN for missing (seconds for times), discrete ones are positions in the schema's ``values``.
"""

from __future__ import annotations

import datetime
import numbers as abstract
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.dtypes import cast
from synthgen.data.schema import Continuous, Datetime, Discrete, Numeric, Timedelta, Value

MISSING = -1
"""The code of a missing cell."""
UNLISTED = -2
"""The code of a value that the schema does not list: rare, or never seen in training."""

DAY = 86400.0


def as_value(cell: Any) -> Value:
    """A present cell as the JSON-able value that a schema lists; dates become ISO text."""
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, bool | np.bool_):
        return bool(cell)
    if isinstance(cell, abstract.Integral):
        return int(cell)
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    if isinstance(cell, datetime.timedelta):
        return str(pd.Timedelta(cell).isoformat())
    if isinstance(cell, Decimal) and Decimal(repr(float(cell))) != cell:
        return str(cell)
    return float(cell)


def to_numbers(series: pd.Series[Any], column: Continuous) -> NDArray[np.float64]:
    """Shape (n,): quantities as they are, times in seconds since 1970 UTC; NaN where missing.

    Exact for integers up to 2**53 and for times to the microsecond between 1698 and 2242; beyond
    that to float64's precision.
    """
    match column:
        case Numeric():
            numbers: NDArray[np.float64] = series.to_numpy(dtype=np.float64, na_value=np.nan)
            return numbers
        case Datetime():
            return epoch_seconds(moments(series, column.format), column.zone)
        case Timedelta():
            return _seconds(series.astype("timedelta64[us]").to_numpy(dtype="timedelta64[us]"))


def epoch_seconds(times: pd.Series[Any], zone: str | None) -> NDArray[np.float64]:
    """Shape (n,): seconds since 1970 UTC; times without a zone of their own are meant in ``zone``
    (None: UTC)."""
    if times.dt.tz is None and zone is not None:
        times = _localized(times, zone)
    if times.dt.tz is not None:
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    return _seconds(times.to_numpy(dtype="datetime64[us]"))


def moments(series: pd.Series[Any], format: str | None) -> pd.Series[Any]:
    """Any column of times (text of this format, dates, timestamps) as ``datetime64[us]``, with
    the zone it has. Text that does not parse is missing."""
    if format is not None:
        codes, texts = pd.factorize(series)
        parsed = pd.to_datetime(
            pd.Series(texts, dtype=object), format=format, errors="coerce", utc="%z" in format
        )
        # The last entry, NaT, is where factorize's -1 for a missing cell points.
        return (
            parsed.reindex(range(len(texts) + 1))
            .iloc[codes]
            .reset_index(drop=True)
            .dt.as_unit("us")
        )
    if series.dtype == object:
        # By way of numpy: pandas would refuse dates that nanoseconds cannot count.
        days = series.astype(object).mask(series.isna(), None).to_numpy(dtype=object)
        return pd.Series(days.astype("datetime64[us]"))
    if isinstance(series.dtype, pd.ArrowDtype):
        zone = getattr(series.dtype.pyarrow_dtype, "tz", None)
        return series.astype("datetime64[us]" if zone is None else f"datetime64[us, {zone}]")
    return series.dt.as_unit("us")


def from_numbers(numbers: NDArray[np.float64], column: Continuous) -> pd.Series[Any]:
    """The inverse: rounded to the column's decimals or resolution, in its bounds and dtype.

    Raises ``ValueError`` for a missing number (NaN) where the dtype cannot hold one.
    """
    missing = np.isnan(numbers)
    kept = np.clip(np.where(missing, column.low, numbers), column.low, column.high)
    match column:
        case Numeric(integer=True):
            values = pd.Series(pd.arrays.IntegerArray(_whole(kept, column), missing))
        case Numeric():
            rounded = kept if column.decimals is None else np.round(kept, column.decimals)
            values = pd.Series(pd.arrays.FloatingArray(rounded, missing))
        case Datetime():
            return _times(kept, missing, column)
        case Timedelta():
            micro = _micro(kept, column.resolution).astype("timedelta64[us]")
            micro[missing] = np.timedelta64("NaT")
            values = pd.Series(micro)
    return cast(values.rename(column.name), column.dtype)


def to_codes(series: pd.Series[Any], column: Discrete) -> NDArray[np.int64]:
    """Shape (n,): positions in ``column.values``; MISSING or UNLISTED (negative) otherwise."""
    codes, uniques = pd.factorize(series)
    place = {value: position for position, value in enumerate(column.values)}
    known = [place.get(as_value(value), UNLISTED) for value in uniques.tolist()]
    # factorize marks a missing cell with -1, which indexes the last entry.
    table: NDArray[np.int64] = np.array([*known, MISSING], dtype=np.int64)
    positions: NDArray[np.int64] = table[codes]
    return positions


def from_codes(codes: NDArray[np.int64], column: Discrete) -> pd.Series[Any]:
    """The inverse, in the column's dtype; negative codes become missing.

    Raises ``ValueError`` for a missing code where the dtype cannot hold one.
    """
    if column.dtype == "category":
        dtype = pd.CategoricalDtype(list(column.values), ordered=column.kind == "ordered")
        positions = np.where(codes < 0, -1, codes)
        return pd.Series(pd.Categorical.from_codes(positions, dtype=dtype), name=column.name)
    # Convert the few values, then repeat them: never a Python object per row.
    values = cast(pd.Series([*column.values], dtype=object, name=column.name), column.dtype)
    if (codes < 0).any():
        hole = cast(pd.Series([None], dtype=_hole(column), name=column.name), column.dtype)
        values = pd.concat([values, hole])
        codes = np.where(codes < 0, len(values) - 1, codes)
    return values.take(codes).reset_index(drop=True)


def _hole(column: Discrete) -> str:
    # A plain None would become False, "None" or NaN without complaint in some dtypes.
    return "boolean" if column.dtype == "bool" else "object"


def _whole(kept: NDArray[np.float64], column: Numeric) -> NDArray[Any]:
    """Rounded to integers, clipped as integers: float bounds are inexact beyond 2**53."""
    dtype: Any = np.uint64 if column.high > np.iinfo(np.int64).max else np.int64
    limits = np.iinfo(dtype)
    # The largest float64 that the integer type holds; the type's own maximum rounds up beyond it.
    top = np.nextafter(float(limits.max), 0)
    whole = np.clip(np.rint(kept), float(limits.min), top).astype(dtype)
    clipped: NDArray[Any] = np.clip(whole, dtype(int(column.low)), dtype(int(column.high)))
    return clipped


def _times(
    kept: NDArray[np.float64], missing: NDArray[np.bool_], column: Datetime
) -> pd.Series[Any]:
    # Whole days are midnights of the zone, not of UTC; finer steps are the same in both.
    daily = column.zone is not None and column.resolution >= DAY
    micro = _micro(kept, 1e-6 if daily else column.resolution).astype("datetime64[us]")
    micro[missing] = np.datetime64("NaT")
    times = pd.Series(micro, name=column.name)
    if column.zone is not None:
        times = times.dt.tz_localize("UTC").dt.tz_convert(column.zone)
        if daily:
            times = _localized(times.dt.tz_localize(None).dt.round("D"), column.zone)
    elif column.format is not None and "%z" in column.format:
        times = times.dt.tz_localize("UTC")
    if column.format is not None:
        text = times.dt.strftime(column.format).astype(object)
        return cast(text.mask(missing, None), column.dtype)
    if column.zone is not None and not _aware(column.dtype):
        times = times.dt.tz_localize(None)
    return cast(times, column.dtype)


def _localized(wall: pd.Series[Any], zone: str) -> pd.Series[Any]:
    """Clock readings as points in time. An hour that occurs twice is taken as standard time, one
    that is left out as the moment when clocks go on."""
    standard = np.zeros(len(wall), dtype=bool)
    return wall.dt.tz_localize(zone, ambiguous=standard, nonexistent="shift_forward")


def _aware(dtype: str) -> bool:
    return "," in dtype


def _micro(kept: NDArray[np.float64], resolution: float) -> NDArray[np.int64]:
    """Integer microseconds: float rounding must not move a date off midnight, nor the product
    with 10**6 lose what the seconds still hold."""
    whole = np.floor(kept)
    micro = whole.astype(np.int64) * 1_000_000 + np.rint((kept - whole) * 1e6).astype(np.int64)
    step = max(1, round(resolution * 1e6))
    rounded: NDArray[np.int64] = (micro + step // 2) // step * step
    return rounded


def _seconds(times: NDArray[Any]) -> NDArray[np.float64]:
    micro = times.astype(np.int64).astype(np.float64)
    return np.where(np.isnat(times), np.nan, micro / 1e6)
