"""What no stage can work with, refused before anything is learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

from synthgen.data.cells import CODE, NUMBER
from synthgen.data.dtypes import family
from synthgen.data.keys import is_key
from synthgen.data.overrides import ColumnOverride, did_you_mean
from synthgen.data.schema import Task
from synthgen.errors import DataError

FEWEST_ROWS = 4
"""Two classes, or two ranges of a quantity, with one row each on both sides of a split."""

CLASSES = 50
"""More distinct numbers than this are a quantity, not class labels."""
CODES = 20
"""Up to so many distinct numbers may be codes; more of them are a quantity too where they have
fractions or hardly repeat."""


class Frame(Protocol):
    """What is looked at here: columns by name, one at a time. A pandas frame, or
    :class:`synthgen.data.stored.ParquetColumns`."""

    @property
    def columns(self) -> Any: ...

    def __len__(self) -> int: ...

    def __getitem__(self, name: str) -> pd.Series[Any]: ...


def check_frame(frame: Frame, target: str, overrides: Mapping[str, ColumnOverride] = {}) -> None:
    """Raise :class:`DataError` for a table that cannot be used, naming the column.

    Refused are: no columns or rows, one row, column names that are not text or not different,
    types that no column kind describes, infinities, numbers stored as text, and what
    :func:`task_of` and :func:`check_target` refuse; an override that gives a column's kind
    settles whether its text or numbers are meant as such. A column that is always missing or
    always the same is fine: it becomes constant.
    """
    check_names(list(frame.columns))
    if len(frame) < FEWEST_ROWS:
        raise DataError(
            f"The table has {_rows(len(frame))}: too few to learn from.",
            f"Give at least {FEWEST_ROWS} rows, and far more for a useful answer.",
        )
    task = task_of(frame, target, overrides)
    declared = {name for name, override in overrides.items() if override.kind is not None}
    if family(frame[target]) == "text" and target not in declared:
        _check_words(frame[target], target=True)
    check_target(frame, target, task)
    for name in frame.columns:
        found = family(frame[name])
        if found == "real":
            check_finite(frame[name])
        elif found == "text" and name != target and name not in declared:
            _check_words(frame[name], target=False)


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


def check_present(frame: Frame, target: str) -> None:
    """Raise :class:`DataError` unless the target exists."""
    if target not in frame.columns:
        raise DataError(
            f"The table has no column {target!r} to use as the target.",
            did_you_mean(target, frame.columns),
        )


def task_of(frame: Frame, target: str, overrides: Mapping[str, ColumnOverride] = {}) -> Task:
    """Regression where the target is declared numeric, or where no kind is declared and its
    numbers are a quantity: more than :data:`CLASSES` different ones, or more than :data:`CODES`
    that have fractions or hardly repeat.

    Whoever splits rows or takes a part of them keeps the answer for the whole: a part may hold
    few enough different numbers to pass for classes. Raises :class:`DataError` where there is no
    such column, or it holds times.
    """
    check_present(frame, target)
    kind = overrides[target].kind if target in overrides else None
    if kind is not None:
        return "regression" if kind == "numeric" else "classification"
    series = frame[target]
    found = family(series)
    if found in ("datetime", "timedelta"):
        raise DataError(
            f"The target {target!r} holds times, neither class labels nor a number.",
            "Choose another target, or turn this one into classes or a number.",
        )
    if found in ("integer", "real") and _is_quantity(series.dropna()):
        return "regression"
    return "classification"


def _is_quantity(numbers: pd.Series[Any]) -> bool:
    distinct = numbers.nunique()
    broken = bool((numbers.astype("float64") % 1 != 0).any())
    return distinct > CLASSES or (distinct > CODES and (broken or 2 * distinct > len(numbers)))


def check_target(frame: Frame, target: str, task: Task) -> None:
    """Raise :class:`DataError` for a missing cell, unless the target has two classes of two rows
    each, or, as a quantity, two different finite numbers in :data:`FEWEST_ROWS` rows.

    Classes are counted, but one held by few rows is not named: it might name a person.
    """
    check_present(frame, target)
    gone = int(frame[target].isna().sum())
    if gone:
        raise DataError(
            f"The target {target!r} is missing in {_rows(gone)} of {len(frame)}.",
            "Remove those rows, or fill in the cell: a row without one cannot be learned from.",
        )
    found = family(frame[target])
    if task == "regression":
        _check_quantity(frame[target])
        return
    counts = frame[target].value_counts()
    counts = counts[counts > 0]
    if len(counts) < 2:
        raise DataError(
            f"The target {target!r} has {len(counts)} class: there is nothing to tell apart.",
            "Choose a target with at least two classes.",
        )
    # Not named: the value of a single row is somebody's, and messages go to logs.
    lonely = int((counts < 2).sum())
    if lonely:
        quantity = ", or declare its kind as numeric if it is a quantity"
        raise DataError(
            f"The target {target!r} has {lonely} of {len(counts)} classes with one row only.",
            "Every class needs two rows or more, one to learn from and one to test on: "
            f"merge or remove such classes{quantity if found in ('integer', 'real') else ''}.",
        )


def _check_quantity(series: pd.Series[Any]) -> None:
    if family(series) == "real":
        check_finite(series)
    if series.nunique() < 2:
        raise DataError(
            f"The target {series.name!r} has the same value in every row: "
            "there is nothing to estimate.",
            "Choose a target that varies.",
        )
    if len(series) < FEWEST_ROWS:
        raise DataError(
            f"The target {series.name!r} has {_rows(len(series))}: "
            "too few to learn from and to test on.",
            f"Give at least {FEWEST_ROWS} rows, and far more for a useful answer.",
        )


def check_finite(series: pd.Series[Any]) -> None:
    """Raise :class:`DataError` where a column of real numbers holds an infinity."""
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise DataError(
            f"Column {series.name!r} holds infinity in {_rows(infinite)}.",
            "Replace infinities by a number, or leave the cells empty.",
        )


def _check_words(series: pd.Series[Any], *, target: bool) -> None:
    """Refuse numbers as text, but for codes; of a target, where as numbers it were a quantity."""
    counts = series.value_counts()
    distinct = pd.Series(counts.index, dtype=object).astype(str).str.strip()
    numeric = distinct.map(lambda text: NUMBER.fullmatch(text) is not None).to_numpy(dtype=bool)
    if len(distinct) <= CODES or 2 * counts[numeric].sum() <= counts.sum():
        return
    if distinct.map(lambda text: CODE.fullmatch(text) is not None).any():
        return
    if target:
        numbers = distinct[numeric].map(float).repeat(counts[numeric].to_numpy(dtype=np.int64))
        if not _is_quantity(numbers):
            return
    elif is_key(series):
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
