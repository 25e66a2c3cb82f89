"""A table: a pandas frame as it came in, beside the schema that says what its columns mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.schema import Schema
from synthgen.data.values import to_codes, to_numbers


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
        """These rows, then the other's, in this table's dtypes."""
        frame = pd.concat([self.frame, other.frame.astype(self.frame.dtypes)], ignore_index=True)
        return Table(frame.astype(self.frame.dtypes), self.schema)

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
        """Shape (n,): the target's codes."""
        if self.schema.target is None:
            raise ValueError("the table has no target column")
        return self.codes(self.schema.target)

    def save(self, path: Path) -> None:
        """Write Parquet; the schema travels separately."""
        self.frame.to_parquet(path, index=False)

    @classmethod
    def load(cls, path: Path, schema: Schema) -> Table:
        return cls(pd.read_parquet(path), schema)
