"""What no stage can work with, refused before anything is learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.cells import CODE, NUMBER
from synthgen.data.dtypes import family
from synthgen.data.keys import is_key
from synthgen.data.overrides import ColumnOverride, did_you_mean
from synthgen.errors import DataError

FEWEST_ROWS = 4
"""Two classes with one row each on both sides of a split."""

CLASSES = 50
"""More distinct numbers than this are a quantity, not class labels."""
CODES = 20
"""Up to so many distinct numbers may be codes; more of them are no class labels either where they
have fractions or hardly repeat."""


def check_frame(
    frame: pd.DataFrame, target: str, overrides: Mapping[str, ColumnOverride] = {}
) -> None:
    """Raise :class:`DataError` for a table that cannot be used, naming the column.

    Refused are: no columns or rows, one row, column names that are not text or not different,
    types that no column kind describes, infinities, numbers stored as text, and what
    :func:`check_target` and :func:`check_classes` refuse; an override that gives a column's kind
    settles whether its text or numbers are meant as such. A column that is always missing or
    always the same is fine: it becomes constant.
    """
    check_names(list(frame.columns))
    if len(frame) < FEWEST_ROWS:
        raise DataError(
            f"The table has {_rows(len(frame))}: too few to learn from.",
            f"Give at least {FEWEST_ROWS} rows, and far more for a useful answer.",
        )
    check_present(frame, target)
    declared = {name for name, override in overrides.items() if override.kind is not None}
    if target not in declared:
        check_classes(frame[target])
    check_target(frame, target)
    for name in frame.columns:
        found = family(frame[name])
        if found == "real":
            _check_finite(frame[name])
        elif found == "text" and name != target and name not in declared:
            _check_words(frame[name])


def check_names(names: list[Any]) -> None:
    """Raise :class:`DataError` unless these are different texts, at least one."""
    if not names:
        raise DataError("The table has no columns.", "Give a table with a header line and rows.")
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        raise DataError(
            f"The column name {odd[0]!r} is {type(odd[0]).__name__}, not text.",
            "Rename the columns, for example frame.columns = frame.columns.map(str).",
        )
    doubled = list(pd.Index(names)[pd.Index(names).duplicated()].unique())
    if doubled:
        raise DataError(
            f"Column names occur more than once: {', '.join(map(repr, doubled[:5]))}.",
            "Give every column a name of its own.",
        )


def check_present(frame: pd.DataFrame, target: str) -> None:
    """Raise :class:`DataError` unless the target exists."""
    if target not in frame.columns:
        raise DataError(
            f"The table has no column {target!r} to use as the target.",
            did_you_mean(target, frame.columns),
        )


def check_classes(series: pd.Series[Any]) -> None:
    """Raise :class:`DataError` where the target is a quantity or a time instead of a class."""
    found = family(series)
    if found in ("datetime", "timedelta"):
        raise DataError(
            f"The target {series.name!r} holds times, not class labels.",
            "Choose another target, or turn this one into classes.",
        )
    if found not in ("integer", "real"):
        return
    present = series.dropna()
    distinct = present.nunique()
    broken = found == "real" and bool((present.astype("float64") % 1 != 0).any())
    if distinct > CLASSES or (distinct > CODES and (broken or 2 * distinct > len(present))):
        raise DataError(
            f"The target {series.name!r} holds {distinct} different numbers: it is a quantity, "
            "not a class label, and regression targets are not supported yet.",
            "Choose another target, bin this one into classes (pandas.cut), "
            "or declare its kind as categorical if the numbers are labels.",
        )


def check_target(frame: pd.DataFrame, target: str) -> None:
    """Raise :class:`DataError` unless the target has two classes of two rows, and no cell missing.

    Classes are counted, but one held by few rows is not named: it might name a person.
    """
    check_present(frame, target)
    gone = int(frame[target].isna().sum())
    if gone:
        raise DataError(
            f"The target {target!r} is missing in {_rows(gone)} of {len(frame)}.",
            "Remove those rows, or fill in the class: a row without one cannot be learned from.",
        )
    family(frame[target])
    counts = frame[target].value_counts()
    counts = counts[counts > 0]
    if len(counts) < 2:
        raise DataError(
            f"The target {target!r} has {len(counts)} class: there is nothing to tell apart.",
            "Choose a target with at least two classes.",
        )
    lonely = int((counts < 2).sum())
    if lonely:
        raise DataError(
            f"The target {target!r} has {lonely} of {len(counts)} classes with one row only.",
            "Every class needs two rows or more, one to learn from and one to test on: "
            "merge or remove such classes.",
        )


def _check_finite(series: pd.Series[Any]) -> None:
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise DataError(
            f"Column {series.name!r} holds infinity in {_rows(infinite)}.",
            "Replace infinities by a number, or leave the cells empty.",
        )


def _check_words(series: pd.Series[Any]) -> None:
    counts = series.value_counts()
    distinct = pd.Series(counts.index, dtype=object).astype(str).str.strip()
    numeric = distinct.map(lambda text: NUMBER.fullmatch(text) is not None).to_numpy(dtype=bool)
    if len(distinct) <= CODES or 2 * counts[numeric].sum() <= counts.sum():
        return
    if distinct.map(lambda text: CODE.fullmatch(text) is not None).any() or is_key(series):
        return
    words = int(counts[~numeric].sum())
    mixed = f" and {words} cells that are no numbers" if words else ""
    raise DataError(
        f"Column {series.name!r} holds numbers as text{mixed}.",
        "Convert it with pandas.to_numeric(errors='coerce'), or declare its kind as categorical "
        "if these are codes.",
    )


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"
