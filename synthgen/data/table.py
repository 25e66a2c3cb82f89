"""A table: a pandas frame as it came in, beside the schema that says what its columns mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.dtypes import cast, dtype_name
from synthgen.data.parquet import read_parquet, write_parquet
from synthgen.data.schema import Schema, Task
from synthgen.data.values import to_codes, to_numbers


class Columnar(Protocol):
    """What is learned from: rows of a schema whose columns are read one at a time. A
    :class:`Table` in memory, or a :class:`synthgen.data.stored.StoredTable` in Parquet files."""

    @property
    def schema(self) -> Schema: ...

    def __len__(self) -> int: ...

    def take(self, rows: NDArray[Any]) -> Self: ...

    def numbers(self, name: str) -> NDArray[np.float64]: ...

    def codes(self, name: str) -> NDArray[np.int64]: ...


@dataclass(frozen=True)
class Table:
    """``frame`` has a RangeIndex and the schema's columns in the schema's order."""

    frame: pd.DataFrame
    schema: Schema

    def __post_init__(self) -> None:
        if tuple(self.frame.columns) != self.schema.names:
            raise ValueError("the frame's columns are not the schema's")

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: NDArray[Any]) -> Table:
        """The rows at these positions (integers or a boolean mask), renumbered from 0."""
        positions = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Table(self.frame.iloc[positions].reset_index(drop=True), self.schema)

    def concat(self, other: Table) -> Table:
        """These rows, then the other's, in this table's dtypes.

        A categorical column keeps its categories and their order; the other's further ones (fresh
        keys stored as categories) are appended.
        """
        columns = {name: _joined(self.frame[name], other.frame[name]) for name in self.frame}
        return Table(pd.DataFrame(columns), self.schema)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Shape (n,): the column's canonical numbers; NaN where missing."""
        column = self.schema[name]
        return to_numbers(self.frame[name], column)  # type: ignore[arg-type]

    def codes(self, name: str) -> NDArray[np.int64]:
        """Shape (n,): positions in the column's ``values``; -1 missing, -2 not in the list."""
        column = self.schema[name]
        return to_codes(self.frame[name], column)  # type: ignore[arg-type]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Shape (n,): the target's codes. Raises ``ValueError`` without a target or where it is a
        quantity: see :attr:`targets`."""
        return self.codes(self._target("classification"))

    @property
    def targets(self) -> NDArray[np.float64]:
        """Shape (n,): the target's numbers. Raises ``ValueError`` without a target or where it is
        a class label: see :attr:`labels`."""
        return self.numbers(self._target("regression"))

    def _target(self, task: Task) -> str:
        if self.schema.target is None:
            raise ValueError("the table has no target column")
        if self.schema.task != task:
            raise ValueError(f"the target is one of {self.schema.task}, not of {task}")
        return self.schema.target

    def save(self, path: Path) -> None:
        """Write Parquet; the schema travels separately."""
        write_parquet(self.frame, path)

    @classmethod
    def load(cls, path: Path, schema: Schema) -> Table:
        """Read it back in the schema's dtypes, whichever library wrote the Parquet file."""
        frame, _, _ = read_parquet(path, str(path))
        for column in schema.columns:
            if column.name in frame and dtype_name(frame[column.name]) != column.dtype:
                frame[column.name] = cast(frame[column.name], column.dtype)
        return cls(frame, schema)


def _joined(first: pd.Series[Any], second: pd.Series[Any]) -> pd.Series[Any]:
    dtype = first.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        further = [value for value in second.dropna().unique() if value not in dtype.categories]
        dtype = pd.CategoricalDtype([*dtype.categories, *further], ordered=dtype.ordered)
    parts = [first.astype(dtype), second.astype(dtype)]
    return pd.concat(parts, ignore_index=True).astype(dtype)
