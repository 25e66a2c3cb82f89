"""What the columns of a table are, told from its training rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data import quantities, times
from synthgen.data.checks import CODES, check_classes
from synthgen.data.dtypes import Family, dtype_name, family
from synthgen.data.keys import FALLBACK, is_key, pattern_of, whole_numbers
from synthgen.data.overrides import ColumnOverride, Kind, check_fields, check_overrides
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
    Schema,
    Text,
    Timedelta,
    Value,
)
from synthgen.data.values import as_value, moments
from synthgen.errors import ConfigError

LONG = 40
"""Median length from which text with blanks is free text."""


def infer(
    frame: pd.DataFrame,
    *,
    target: str | None,
    overrides: Mapping[str, ColumnOverride] = {},
) -> Schema:
    """The schema of these rows, which must be training rows: nothing else may shape it.

    Raises :class:`ConfigError` for an override that does not fit, and :class:`DataError` for a
    type that is not supported or a target that is not a class label.
    """
    check_overrides(overrides, frame.columns)
    columns = [
        _column(frame[name], overrides.get(name, ColumnOverride()), name == target)
        for name in frame.columns
    ]
    return Schema(columns=tuple(columns), target=target)


def _column(series: pd.Series[Any], override: ColumnOverride, target: bool) -> Column:
    found = family(series)
    kind = override.kind or (_target_kind(series, found) if target else _kind(series, found))
    check_fields(str(series.name), override, kind)
    return _build(series, found, kind, override, target)


def _kind(series: pd.Series[Any], found: Family) -> Kind:
    present = series.dropna()
    if present.empty:
        return "constant"
    distinct = present.nunique()
    complete = len(present) == len(series)
    if distinct == 1 and complete:
        return "constant"
    match found:
        case "boolean" | "datetime" | "timedelta":
            return found
        case "integer" | "real":
            if distinct <= CODES and distinct * RARE <= len(present):
                return "ordered"
            return "identifier" if is_key(series) else "numeric"
        case "category":
            if series.cat.ordered:
                return "ordered"
            return "categorical" if _mostly_listed(present) else "text"
        case _:
            return _text_kind(present, distinct)


def _text_kind(present: pd.Series[Any], distinct: int) -> Kind:
    if is_key(present):
        return "identifier"
    if len(_formats(present)) == 1:
        return "datetime"
    if distinct > CODES and 2 * distinct >= len(present):
        lengths = present.str.len()
        if lengths.median() >= LONG and present.str.contains(r"\s").mean() > 0.5:
            return "text"
    return "categorical" if _mostly_listed(present) else "text"


def _mostly_listed(present: pd.Series[Any]) -> bool:
    counts = present.value_counts()
    return bool(2 * counts[counts >= RARE].sum() >= len(present))


def _formats(present: pd.Series[Any]) -> tuple[str, ...]:
    return times.format_of(pd.Series(present.unique(), dtype=object))


def _target_kind(series: pd.Series[Any], found: Family) -> Kind:
    check_classes(series)
    if found == "boolean":
        return "boolean"
    if found == "category" and series.cat.ordered:
        return "ordered"
    return "categorical"


def _build(
    series: pd.Series[Any], found: Family, kind: Kind, override: ColumnOverride, target: bool
) -> Column:
    name, dtype = str(series.name), dtype_name(series)
    missing = bool(series.isna().any())
    present = series.dropna()
    base: dict[str, Any] = {"name": name, "dtype": dtype, "missing": missing}
    if present.empty and kind != "identifier":
        return Constant(**base, value=None)
    match kind:
        case "numeric":
            return _numeric(present, found, override, base)
        case "categorical" | "ordered":
            return _codes(present, kind, override, base, target)
        case "boolean":
            return Boolean(**base)
        case "datetime":
            return _datetime(present, found, override, base)
        case "timedelta":
            micro = present.astype("timedelta64[us]").to_numpy().astype(np.int64)
            low, high = quantities.bounds(micro)
            step = times.resolution(micro)
            return Timedelta(**base, low=low / 1e6, high=high / 1e6, resolution=step)
        case "identifier":
            if found == "integer":
                return Identifier(**base)
            pattern = pattern_of(pd.Series(present.unique(), dtype=object))
            return Identifier(**base, pattern=pattern or FALLBACK)
        case "text":
            return Text(**base)
        case "constant":
            return Constant(**base, value=as_value(present.mode().iloc[0]))


def _numeric(
    present: pd.Series[Any], found: Family, override: ColumnOverride, base: dict[str, Any]
) -> Numeric:
    integer = found == "integer"
    numbers = whole_numbers(present) if integer else _floats(present)
    low, high = quantities.bounds(numbers)
    places = None if integer else quantities.decimals(numbers)
    spikes = quantities.spikes(numbers)
    return Numeric(
        **base,
        integer=integer,
        low=low if override.low is None else override.low,
        high=high if override.high is None else override.high,
        decimals=places if override.decimals is None else override.decimals,
        spikes=spikes if override.spikes is None else override.spikes,
    )


def _floats(present: pd.Series[Any]) -> Any:
    dtype = np.float32 if "float32" in str(present.dtype).lower() else np.float64
    return present.to_numpy(dtype=dtype)


def _codes(
    present: pd.Series[Any],
    kind: Kind,
    override: ColumnOverride,
    base: dict[str, Any],
    target: bool,
) -> Column:
    # The classes of the target are always listed: a learner has to name them.
    counts = present.value_counts(sort=True)
    listed = counts[counts >= (1 if target else RARE)]
    if override.values is not None:
        values: tuple[Value, ...] = override.values
        unknown = [v for v in map(as_value, listed.index.tolist()) if v not in set(values)]
        if unknown:
            raise ConfigError(
                f"Column {base['name']!r} holds {unknown[0]!r}, which its values leave out.",
                "List every value that may occur, each as the data spell it.",
            )
    elif kind == "categorical":
        values = _by_frequency(listed)
    elif base["dtype"] == "category":
        kept = set(listed.index)
        values = tuple(as_value(v) for v in present.cat.categories.tolist() if v in kept)
    else:
        values = tuple(sorted(as_value(v) for v in listed.index.tolist()))
    return (Categorical if kind == "categorical" else Ordered)(**base, values=values)


def _by_frequency(counts: pd.Series[Any]) -> tuple[Value, ...]:
    # Ties in the order of the text, so that the order of rows does not matter.
    pairs = [(-count, str(v), v) for v, count in zip(counts.index.tolist(), counts, strict=True)]
    return tuple(as_value(v) for _, _, v in sorted(pairs, key=lambda pair: pair[:2]))


def _datetime(
    present: pd.Series[Any], found: Family, override: ColumnOverride, base: dict[str, Any]
) -> Datetime:
    form = override.format
    if found == "text" and form is None:
        formats = _formats(present)
        if len(formats) != 1:
            raise ConfigError(
                f"The format of the times in column {base['name']!r} cannot be told.",
                "Set its format, for example %d/%m/%Y or %m/%d/%Y.",
            )
        form = formats[0]
    parsed = moments(present, form).dropna()
    zone = override.zone
    if parsed.dt.tz is not None and form is None:
        zone = str(parsed.dt.tz)
    if parsed.dt.tz is not None:
        parsed = parsed.dt.tz_convert("UTC").dt.tz_localize(None)
    micro = parsed.to_numpy(dtype="datetime64[us]").astype(np.int64)
    low, high = quantities.bounds(micro)
    return Datetime(
        **base,
        low=low / 1e6,
        high=high / 1e6,
        resolution=times.resolution(micro),
        zone=zone,
        format=form,
    )


def explain(schema: Schema) -> dict[str, str]:
    """One line per column, for people: what it is taken for, and by which rule."""
    return {
        column.name: _explain(column, column.name == schema.target) for column in schema.columns
    }


def _explain(column: Column, target: bool) -> str:
    match column:
        case Numeric():
            what = "whole numbers" if column.integer else "numbers"
            places = f", {column.decimals} decimals" if column.decimals else ""
            spikes = (
                f", spikes at {', '.join(map(str, column.spikes[:4]))}" if column.spikes else ""
            )
            note = f"{what} from {column.low:g} to {column.high:g}{places}{spikes}"
        case Categorical():
            note = f"{len(column.values)} {'classes' if target else 'categories'}"
        case Ordered():
            note = f"{len(column.values)} ordered codes"
        case Boolean():
            note = "true or false"
        case Datetime():
            note = "times" + (f" written as {column.format}" if column.format else "")
        case Timedelta():
            note = "durations"
        case Identifier():
            note = "key of the row: left out of training, written afresh"
        case Text():
            note = "text that hardly repeats: left out of training, left empty"
        case Constant():
            note = "always missing" if column.value is None else "always the same value"
    return note + (
        ", may be missing" if column.missing and not isinstance(column, Constant) else ""
    )
