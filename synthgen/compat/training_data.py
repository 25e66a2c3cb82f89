"""A frame or an array with its list of discrete columns as a table, and rows back in that form."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.checks import check_finite, check_names
from synthgen.data.dtypes import Family, family
from synthgen.data.infer import infer
from synthgen.data.overrides import ColumnOverride, Kind, did_you_mean
from synthgen.data.schema import RARE, Categorical, Constant, Identifier, Ordered, Schema, Text
from synthgen.data.table import Table
from synthgen.errors import ConfigError, DataError

Label: TypeAlias = str | int
"""What a caller calls a column: its name, or its position in an array."""
Data: TypeAlias = pd.DataFrame | NDArray[Any]
_CALLER = 5
"""Frames from the warning below to the line that called ``fit``, that line's included."""


@dataclass(frozen=True)
class Form:
    """How the training data came: as an array or a frame, with these column labels."""

    array: bool
    labels: tuple[Label, ...]

    def name(self, label: object) -> str:
        """The table's name of the column with this label, or with the label of this text.

        Raises :class:`ConfigError` where there is none.
        """
        for known in self.labels:
            if label in (known, str(known)) and not isinstance(label, bool):
                return str(known)
        remedy = did_you_mean(str(label), map(str, self.labels))
        raise ConfigError(f"There is no column {label!r}.", remedy)

    def give_back(self, table: Table) -> Data:
        """The rows with the labels of the training data; of an array an array, whose dtype is the
        one that all columns share (object where text is among them)."""
        if self.array:
            cells: NDArray[Any] = table.frame.to_numpy()
            return cells
        return table.frame.set_axis(list(self.labels), axis=1)


def read_training_data(data: object, discrete_columns: Iterable[Label]) -> tuple[Table, Form]:
    """The table and the form of it. ``data`` is a frame or an array of shape (rows, columns).

    The caller says what a column is, nothing is guessed: a discrete one is categorical, also if it
    holds numbers, and any other one is a quantity (booleans and times are what they are). Only a
    discrete column without a value that ``RARE`` rows share is what inference makes of it, with
    a :class:`UserWarning`, since none of its values may be shown.

    Raises :class:`ConfigError` for a discrete column that does not exist and :class:`DataError`
    for a column that is neither discrete nor numeric, for infinities and for what no table holds.
    """
    frame, form = _frame(data)
    if isinstance(discrete_columns, str):
        raise ConfigError(
            f"discrete_columns is the text {discrete_columns!r}, not a list of columns.",
            f"Write discrete_columns=[{discrete_columns!r}].",
        )
    discrete = {form.name(label) for label in discrete_columns}
    overrides = {}
    for name in frame.columns:
        found = family(frame[name])
        if found == "real":
            check_finite(frame[name])
        kind = _discrete_kind(frame[name], found) if name in discrete else _kind(name, found)
        overrides[name] = ColumnOverride(kind=kind)
    schema = infer(frame, target=None, overrides=overrides)
    bare = [
        column.name
        for column in schema.columns
        if isinstance(column, Categorical | Ordered) and not column.values
    ]
    if bare:
        schema = infer(frame, target=None, overrides={**overrides, **dict.fromkeys(bare, _ANY)})
    _warn_of_hidden(frame, schema)
    return Table(frame, schema), form


_ANY = ColumnOverride()


def _frame(data: object) -> tuple[pd.DataFrame, Form]:
    """The cells under names of text, each column in the dtype that its objects allow."""
    if isinstance(data, np.ndarray) and data.ndim == 2:
        frame, array = pd.DataFrame(data), True
    elif isinstance(data, pd.DataFrame):
        frame, array = data.reset_index(drop=True), False
    else:
        shape = f" of {data.ndim} dimensions" if isinstance(data, np.ndarray) else ""
        raise DataError(
            f"The training data are a {type(data).__name__}{shape}.",
            "Give a pandas.DataFrame, or a NumPy array of shape (rows, columns).",
        )
    labels = frame.columns.tolist()
    odd = [label for label in labels if not isinstance(label, str | int)]
    check_names([*map(str, labels), *odd])
    if not len(frame):
        raise DataError("The training data have no rows.", "Give rows to learn from.")
    return frame.set_axis([*map(str, labels)], axis=1).infer_objects(), Form(array, tuple(labels))


def _discrete_kind(series: pd.Series[Any], found: Family) -> Kind:
    return "ordered" if found == "category" and series.cat.ordered else "categorical"


def _kind(name: str, found: Family) -> Kind | None:
    match found:
        case "integer" | "real":
            return "numeric"
        case "boolean" | "datetime" | "timedelta":
            return found
        case "empty":
            return None
        case _:
            raise DataError(
                f"Column {name!r} holds text, and it is not among the discrete columns.",
                "Add it to discrete_columns, or convert it with pandas.to_numeric.",
            )


def _warn_of_hidden(frame: pd.DataFrame, schema: Schema) -> None:
    """Say which columns are not modelled although the caller expects it."""
    keys = [column.name for column in schema.columns if isinstance(column, Identifier)]
    empty = [
        column.name
        for column in schema.columns
        if isinstance(column, Text) or (isinstance(column, Constant) and column.value is None)
        if frame[column.name].notna().any()
    ]
    said = []
    if keys:
        said.append(f"{', '.join(map(repr, keys))} look like keys and get fresh ones")
    if empty:
        said.append(
            f"{', '.join(map(repr, empty))} have no value that {RARE} rows share and stay empty"
        )
    if said:
        warnings.warn(
            f"columns that are not modelled: {'; '.join(said)}: leave them out of the training "
            "data, or group their values",
            UserWarning,
            stacklevel=_CALLER,
        )
