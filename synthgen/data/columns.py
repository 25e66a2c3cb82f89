"""The facts of a column of known kind, as far as they may be shared."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data import quantities, times
from synthgen.data.dtypes import Family, dtype_name
from synthgen.data.keys import FALLBACK, pattern_of, whole_limits, whole_numbers
from synthgen.data.overrides import ColumnOverride, Kind
from synthgen.data.schema import (
    RARE,
    Boolean,
    Categorical,
    Column,
    Constant,
    Datetime,
    Identifier,
    Numeric,
    Ordered,
    Text,
    Timedelta,
    Value,
)
from synthgen.data.values import DAY, as_value, epoch_seconds, moments
from synthgen.errors import ConfigError

AMBIGUOUS = "looks like dates, but day and month cannot be told apart: set its format"
UNCODED = f"taken as numbers: no code is held by {RARE} rows"
SPARSE = f"fewer than {RARE} rows hold a value"


def build(
    series: pd.Series[Any], found: Family, kind: Kind, override: ColumnOverride, target: bool
) -> Column:
    """The column as this kind. Raises :class:`ConfigError` where the override contradicts it."""
    missing = bool(series.isna().any())
    present = series.dropna()
    base: dict[str, Any] = {
        "name": str(series.name),
        "dtype": dtype_name(series),
        "missing": missing,
    }
    if present.empty:
        return Constant(**base, value=None)
    if kind in ("numeric", "datetime", "timedelta") and missing and len(present) < RARE:
        return Constant(**base, value=None, note=SPARSE)
    match kind:
        case "numeric":
            return _numeric(present, found, override, base)
        case "categorical" | "ordered":
            return _codes(present, found, kind, override, base, target)
        case "boolean":
            if not set(present.unique().tolist()) <= {0, 1}:
                raise ConfigError(
                    f"Column {series.name!r} holds other numbers than 0 and 1: it is not boolean.",
                    "Choose another kind, such as categorical.",
                )
            return Boolean(**base)
        case "datetime":
            return _datetime(present, found, override, base)
        case "timedelta":
            micro = present.astype("timedelta64[us]").to_numpy(dtype="timedelta64[us]")
            low, high = _bounds(micro.astype(np.int64))
            step = times.resolution(micro.astype(np.int64))
            return Timedelta(**base, low=low, high=high, resolution=step)
        case "identifier":
            if found in ("integer", "real"):
                return Identifier(**base)
            if found == "datetime":
                # No pattern could be written afresh without looking like a real date.
                return Text(**base)
            distinct = pd.Series(present.unique(), dtype=object).map(str)
            return Identifier(**base, pattern=pattern_of(distinct) or FALLBACK)
        case "text":
            return Text(**base, note=_ambiguity(present, found))
        case "constant":
            return Constant(**base, value=_only_value(present, len(series)))


def formats_of(present: pd.Series[Any]) -> tuple[str, ...]:
    """The formats that read every present text as a time."""
    return times.formats_of(pd.Series(present.unique(), dtype=object))


def _ambiguity(present: pd.Series[Any], found: Family) -> str:
    return AMBIGUOUS if found == "text" and len(formats_of(present)) > 1 else ""


def _numeric(
    present: pd.Series[Any], found: Family, override: ColumnOverride, base: dict[str, Any]
) -> Numeric:
    integer = found in ("integer", "boolean")
    numbers = whole_numbers(present) if integer else _floats(present)
    low, high = quantities.bounds(numbers)
    if integer:
        least, most = whole_limits(base["dtype"])
        high = min(high, most)
        low = min(max(low, least), high - 1)
    low = low if override.low is None else override.low
    high = high if override.high is None else override.high
    if not low < high:
        raise ConfigError(
            f"The bounds of column {base['name']!r} are {low:g} and {high:g}.",
            "Set low below high.",
        )
    spikes = quantities.spikes(numbers) if override.spikes is None else override.spikes
    places = None if integer else quantities.decimals(numbers)
    return Numeric(
        **base,
        integer=integer,
        low=low,
        high=high,
        decimals=places if override.decimals is None else override.decimals,
        spikes=tuple(spike for spike in spikes if low <= spike <= high),
    )


def _floats(present: pd.Series[Any]) -> NDArray[Any]:
    name = str(present.dtype).lower()
    single = name in ("float32", "float[pyarrow]", "float16", "halffloat[pyarrow]")
    floats: NDArray[Any] = present.to_numpy(dtype=np.float32 if single else np.float64)
    return floats


def _codes(
    present: pd.Series[Any],
    found: Family,
    kind: Kind,
    override: ColumnOverride,
    base: dict[str, Any],
    target: bool,
) -> Column:
    counts = present.value_counts()
    # The classes of the target are always listed: a learner has to name them.
    listed = counts[counts >= (1 if target else RARE)]
    values: tuple[Value, ...]
    if override.values is not None:
        values = _declared(base["name"], counts, listed, override.values)
    elif kind == "categorical":
        values = _by_frequency(listed)
    elif found == "category" and present.cat.ordered:
        kept = set(listed.index)
        values = tuple(as_value(v) for v in present.cat.categories.tolist() if v in kept)
    else:
        values = tuple(map(as_value, sorted(listed.index.tolist())))
    if not values and found in ("integer", "real") and not base["missing"]:
        # Nothing could be written into such a column but a number.
        return _numeric(present, found, ColumnOverride(), {**base, "note": UNCODED})
    if kind == "ordered":
        return Ordered(**base, values=values)
    return Categorical(**base, values=values, note=_ambiguity(present, found))


def _declared(
    name: str, counts: pd.Series[Any], listed: pd.Series[Any], declared: tuple[Value, ...]
) -> tuple[Value, ...]:
    held = set(map(as_value, listed.index.tolist()))
    undeclared = held - set(declared)
    if undeclared:
        common = map(as_value, counts[counts >= RARE].index.tolist())
        shown = sorted(map(repr, undeclared & set(common)))
        raise ConfigError(
            f"The values of column {name!r} leave out {shown[0] if shown else 'a rare one'}, "
            "which it holds.",
            "List every value that may occur, each as the data spell it.",
        )
    # Rare values stay out even where the user names them, perhaps from SDV's metadata.
    return tuple(value for value in declared if value in held)


def _by_frequency(counts: pd.Series[Any]) -> tuple[Value, ...]:
    # Ties in the order of the text, so that the order of the rows does not matter.
    pairs = zip(counts.index.tolist(), counts.tolist(), strict=True)
    ordered = sorted((-count, str(value), as_value(value)) for value, count in pairs)
    return tuple(value for _, _, value in ordered)


def _datetime(
    present: pd.Series[Any], found: Family, override: ColumnOverride, base: dict[str, Any]
) -> Datetime:
    form = override.format
    if found != "text" and form is not None:
        raise ConfigError(
            f"Column {base['name']!r} is stored as times: it has no format.", "Remove the format."
        )
    if found == "text" and form is None:
        formats = formats_of(present)
        if len(formats) != 1:
            raise ConfigError(
                f"The format of the times in column {base['name']!r} cannot be told.",
                "Set its format, for example %d/%m/%Y or %m/%d/%Y.",
            )
        form = formats[0]
    times_read = moments(present, form)
    unread = int(times_read.isna().sum())
    if unread:
        raise ConfigError(
            f"The format {form!r} does not read {unread} of the {len(present)} times "
            f"in column {base['name']!r}.",
            "Correct the format, or leave the column as text.",
        )
    if override.zone is not None and not _is_zone(override.zone):
        raise ConfigError(
            f"Column {base['name']!r}: there is no time zone {override.zone!r}.",
            "Use a name such as Europe/Berlin.",
        )
    own_zone = None if times_read.dt.tz is None else str(times_read.dt.tz)
    if own_zone is not None and override.zone not in (None, own_zone):
        raise ConfigError(
            f"The times in column {base['name']!r} have the zone {own_zone} already.",
            "Remove the zone from the configuration.",
        )
    zone = override.zone if own_zone is None or form is not None else own_zone
    wall = times_read if own_zone is None else times_read.dt.tz_localize(None)
    # Whole days are told by the zone's own clock, finer steps by UTC.
    by_clock = times.resolution(wall.to_numpy(dtype="datetime64[us]").astype(np.int64))
    micro = np.rint(epoch_seconds(times_read, zone) * 1e6).astype(np.int64)
    low, high = _bounds(micro)
    return Datetime(
        **base,
        low=low,
        high=high,
        resolution=by_clock if by_clock >= DAY else times.resolution(micro),
        zone=zone,
        format=form,
    )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _bounds(micro: NDArray[np.int64]) -> tuple[float, float]:
    """In seconds."""
    low, high = quantities.bounds(micro)
    return low / 1e6, high / 1e6


def _only_value(present: pd.Series[Any], rows: int) -> Value:
    counts = present.value_counts()
    if counts.iloc[0] < min(RARE, rows):
        raise ConfigError(
            f"Column {present.name!r} cannot be constant: no value is held by {RARE} rows.",
            "Choose another kind, or drop the column.",
        )
    return as_value(counts.index.tolist()[0])
