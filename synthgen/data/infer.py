"""What the columns of a table are, told from its training rows.

The rules, in the order in which they are asked; :func:`explain` names the one that held.

===========  ====================================================================================
constant     one value in all rows, or none
boolean      booleans
datetime     timestamps and dates; text that one unambiguous format reads in every row
timedelta    durations
ordered      at most 20 different numbers, each held by 5 rows on average; ordered categories
identifier   integers that never repeat and are in order, without gaps, or named like a key; text
             without blanks that (almost) never repeats and has a pattern. Never floats
numeric      all other numbers; a target that is a quantity (:func:`synthgen.data.checks.task_of`)
text         long text that seldom repeats, or text of which most values are held by fewer than 5
             rows each
categorical  all other text and categories; any other target
===========  ====================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from synthgen.data.checks import CODES, Frame, task_of
from synthgen.data.columns import build, formats_of
from synthgen.data.dtypes import Family, family
from synthgen.data.keys import is_key
from synthgen.data.overrides import ColumnOverride, Kind, check_fields, check_kind, check_overrides
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
    Task,
    Text,
    Timedelta,
)

LONG = 40
"""Median length from which text with blanks that seldom repeats is free text."""


def infer(
    frame: Frame,
    *,
    target: str | None,
    overrides: Mapping[str, ColumnOverride] = {},
    task: Task | None = None,
) -> Schema:
    """The schema of these rows, which must be training rows: nothing else may shape it.

    ``task``: what the target is, where it is known from all rows
    (:func:`synthgen.data.checks.task_of`); an override of the target's kind goes before it.

    Raises :class:`ConfigError` for an override that does not fit, and :class:`DataError` for a
    type that is not supported or a target that holds times.
    """
    check_overrides(overrides, frame.columns)
    if target is not None and task is None:
        task = task_of(frame, target, overrides)
    columns = [
        _column(
            frame[name], overrides.get(name, ColumnOverride()), task if name == target else None
        )
        for name in frame.columns
    ]
    return Schema(columns=tuple(columns), target=target)


def _column(series: pd.Series[Any], override: ColumnOverride, task: Task | None) -> Column:
    """``task`` is that of the target, None for any other column."""
    found = family(series)
    name = str(series.name)
    target = task is not None
    if override.kind is not None:
        kind = check_kind(name, override.kind, found, target)
    elif task == "regression":
        kind = check_kind(name, "numeric", found, target)
    else:
        kind = _class_kind(series, found) if target else _kind(series, found, override)
    check_fields(name, override, kind)
    return build(series, found, kind, override, target)


def _kind(series: pd.Series[Any], found: Family, override: ColumnOverride) -> Kind:
    if override.format is not None and found == "text":
        return "datetime"
    present = series.dropna()
    distinct = present.nunique()
    if distinct == 0 or (distinct == 1 and len(present) == len(series)):
        return "constant"
    match found:
        case "boolean" | "datetime" | "timedelta":
            return found
        case "integer" | "real":
            if distinct <= CODES and distinct * RARE <= len(present):
                return "ordered"
            return "identifier" if is_key(series) else "numeric"
        case "category":
            if not _mostly_listed(present):
                return "identifier" if is_key(present.astype(object)) else "text"
            return "ordered" if series.cat.ordered else "categorical"
        case _:
            return _text_kind(present, distinct)


def _text_kind(present: pd.Series[Any], distinct: int) -> Kind:
    if is_key(present):
        return "identifier"
    if len(formats_of(present)) == 1:
        return "datetime"
    if distinct > CODES and 2 * distinct >= len(present):
        wordy = present.str.contains(r"\s").mean() > 0.5
        if wordy and present.str.len().median() >= LONG:
            return "text"
    return "categorical" if _mostly_listed(present) else "text"


def _mostly_listed(present: pd.Series[Any]) -> bool:
    """Whether at least half of the cells hold a value that ``RARE`` rows share."""
    counts = present.value_counts()
    return bool(2 * counts[counts >= RARE].sum() >= len(present))


def _class_kind(series: pd.Series[Any], found: Family) -> Kind:
    if found == "boolean":
        return "boolean"
    if found == "category" and series.cat.ordered:
        return "ordered"
    return "categorical"


def explain(schema: Schema) -> dict[str, str]:
    """One line per column, for people: what it is taken for, and why."""
    return {
        column.name: _explain(column, column.name == schema.target) for column in schema.columns
    }


def _explain(column: Column, target: bool) -> str:
    parts = [_explain_kind(column, target)]
    if column.missing and not isinstance(column, Constant | Text):
        parts.append("may be missing")
    if column.note:
        parts.append(column.note)
    return "; ".join(parts)


def _explain_kind(column: Column, target: bool) -> str:
    match column:
        case Numeric():
            what = "whole numbers" if column.integer else "numbers"
            if column.decimals:
                what += f" of {column.decimals} decimals"
            where = f" from about {column.low:.6g} to about {column.high:.6g}"
            aim = "a quantity to estimate: " if target else ""
            return aim + what + where + _list_spikes(column.spikes)
        case Categorical():
            return f"{len(column.values)} {'classes' if target else 'categories'}"
        case Ordered():
            return f"few different values: {len(column.values)} ordered codes"
        case Boolean():
            return "true or false"
        case Datetime():
            written = f", written as {column.format}" if column.format else ""
            return f"points in time to the {_unit(column.resolution)}{written}"
        case Timedelta():
            return f"durations to the {_unit(column.resolution)}"
        case Identifier():
            return "key that does not repeat: left out of training, written afresh"
        case Text():
            return "text that hardly repeats: left out of training, left empty"
        case Constant(value=None):
            return "no values: left empty"
        case Constant():
            return "the same value in every row: repeated"


def _list_spikes(spikes: tuple[int | float, ...]) -> str:
    if not spikes:
        return ""
    shown = ", ".join(f"{spike:.6g}" for spike in spikes[:3])
    return f", often {shown}{', ...' if len(spikes) > 3 else ''}"


def _unit(resolution: float) -> str:
    names = {86400.0: "day", 3600.0: "hour", 60.0: "minute", 1.0: "second", 1e-3: "millisecond"}
    return names.get(resolution, "microsecond")
