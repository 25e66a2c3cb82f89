"""Parts of the test rows that a gain on average could harm.

A discrete column has a subgroup per listed value and one of the rows that lack it; a continuous one
is cut at the quartiles of the run's training rows, so that a subgroup means the same in every
resample. Values that fewer than five rows hold are in no list and so in no subgroup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.overrides import did_you_mean
from synthgen.data.schema import Boolean, Categorical, Datetime, Numeric, Ordered, Schema, Timedelta
from synthgen.data.table import Table
from synthgen.data.values import to_codes, to_numbers
from synthgen.errors import DataError

FEWEST_ROWS = 30
"""Test rows per resample, on average, below which a subgroup is named and not tested."""


@dataclass(frozen=True)
class Cut:
    """One column's subgroups. ``edges`` are the inner ones of a continuous column."""

    column: Numeric | Datetime | Timedelta | Categorical | Ordered | Boolean
    edges: tuple[float, ...]

    def masks(self, frame: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
        """Per subgroup which rows of the frame belong to it; empty subgroups are listed too."""
        series, name = frame[self.column.name], self.column.name
        if isinstance(self.column, Numeric | Datetime | Timedelta):
            numbers = to_numbers(series, self.column)
            missing = np.isnan(numbers)
            bins = np.searchsorted(np.array(self.edges), numbers, side="right")
            found = {
                text: (bins == place) & ~missing for place, text in enumerate(self._ranges(name))
            }
        else:
            codes = to_codes(series, self.column)
            missing = codes == -1
            values = self.column.values
            found = {f"{name} = {value}": codes == code for code, value in enumerate(values)}
        return found | ({f"{name} missing": missing} if self.column.missing else {})

    def _ranges(self, name: str) -> list[str]:
        shown = [self._shown(edge) for edge in self.edges]
        if not shown:
            return [f"{name} known"]
        inner = [f"{a} ≤ {name} < {b}" for a, b in pairwise(shown)]
        return [f"{name} < {shown[0]}", *inner, f"{name} ≥ {shown[-1]}"]

    def _shown(self, edge: float) -> str:
        if isinstance(self.column, Datetime):
            return str(pd.Timestamp(edge, unit="s").date())
        return f"{edge:.6g}"


def cuts(train: Table, columns: Sequence[str]) -> tuple[Cut, ...]:
    """How these columns divide rows, told from the run's training rows.

    Raises DataError for a column that is not there or does not divide rows.
    """
    found = []
    for name in columns:
        check_column(train.schema, name)
        column = train.schema[name]
        edges: tuple[float, ...] = ()
        if isinstance(column, Numeric | Datetime | Timedelta):
            numbers = train.numbers(name)
            quartiles = np.nanquantile(numbers, [0.25, 0.5, 0.75])
            edges = tuple(float(edge) for edge in np.unique(quartiles) if edge > np.nanmin(numbers))
        assert isinstance(column, Numeric | Datetime | Timedelta | Categorical | Ordered | Boolean)
        found.append(Cut(column, edges))
    return tuple(found)


def check_column(schema: Schema, name: str) -> None:
    """Raise DataError unless the column divides rows into subgroups."""
    if name not in schema.names:
        raise DataError(
            f"The table has no column {name!r} to use as a subgroup.",
            did_you_mean(name, schema.names),
        )
    if name == schema.target:
        raise DataError(
            f"The target {name!r} is no subgroup: every score is given per class anyway.",
            "Choose a column that the classifier may know.",
        )
    if schema[name].kind in ("identifier", "text", "constant"):
        raise DataError(
            f"Column {name!r} is {schema[name].kind}: it does not divide the rows into subgroups.",
            f"Choose another column, or declare it: --set data.columns.{name}.kind=categorical",
        )


def masks(cut_by: Sequence[Cut], frame: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """All subgroups of these cuts."""
    found: dict[str, NDArray[np.bool_]] = {}
    for cut in cut_by:
        found |= cut.masks(frame)
    return found
