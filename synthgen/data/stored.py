"""Tables that stay in Parquet files: columns are read when they are asked for, one at a time.

A table of ten million rows and fifty columns is some gigabytes as a frame, but everything that is
learned from it looks at one column after the other: the inference of the schema, and encoders.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from synthgen.data.origin import Origin
from synthgen.data.parquet import Restore, opened, pack_schema, usable_columns
from synthgen.data.schema import Schema
from synthgen.data.values import to_codes, to_numbers
from synthgen.errors import DataError, MachineError

BATCH = 1 << 18
"""Rows of a column that are turned into codes or numbers at once."""
_MAGIC = b"PAR1"


@dataclass(frozen=True)
class ParquetColumns:
    """The columns of a Parquet file, or of a folder of Parquet files of one schema whose rows
    follow each other in the order of the files' names.

    ``columns[name]`` is the series that :func:`synthgen.data.parquet.read_parquet` gives of the
    whole, cell for cell and in the same dtype. The latest one is kept, so that several looks at a
    column read it once.
    """

    files: tuple[Path, ...]
    arrow: pa.Schema
    """Of the columns that are used."""
    rows: int
    _latest: dict[str, pd.Series[Any]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def find(cls, source: str) -> ParquetColumns | None:
        """What a local Parquet file, or a folder with some directly in it, holds; None for any
        other source.

        Raises :class:`DataError` for damaged files, a table without rows, and files in a folder
        that differ in their columns' names or types; :class:`MachineError` where permission is
        denied.
        """
        path = Path(source).expanduser()
        try:
            if path.is_dir():
                found = path.glob("*.parquet")
                files = tuple(sorted(f for f in found if not f.name.startswith(".")))
            else:
                files = (path,) if path.is_file() and _begins_as_parquet(path) else ()
        except PermissionError:
            raise MachineError(
                f"{source} may not be read: permission denied.",
                "Change its permissions, or copy it.",
            ) from None
        return cls._open(files, source) if files else None

    @classmethod
    def _open(cls, files: tuple[Path, ...], source: str) -> ParquetColumns:
        first, rows = None, 0
        for file in files:
            with opened(file, str(file)) as parquet:
                found, _ = usable_columns(parquet.schema_arrow, str(file))
                rows += parquet.metadata.num_rows
            if first is None:
                first = found
            elif not found.equals(first):
                raise DataError(
                    f"{file.name} has other columns or types than {files[0].name}: "
                    f"{_difference(first, found)}.",
                    "Write all files of a folder with one schema.",
                )
        assert first is not None
        if not rows or not first.names:
            raise DataError(
                f"{source} has no rows or no columns.", "Give a file with rows of data."
            )
        return cls(files, first, rows)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.arrow.names)

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, name: str) -> pd.Series[Any]:
        if name not in self._latest:
            self._latest.clear()
            cells = [chunk for file in self.files for chunk in _cells(file, name).chunks]
            whole = pa.chunked_array(cells, type=self.arrow.field(name).type)
            self._latest[name] = self._restore(name, whole).rename(name)
        return self._latest[name]

    def batches(self, name: str) -> Iterator[pd.Series[Any]]:
        """The column's cells in order, :data:`BATCH` at a time; the dtype may depend on whether
        a batch has gaps."""
        for file in self.files:
            with opened(file, str(file)) as parquet:
                for batch in parquet.iter_batches(BATCH, columns=[name]):
                    cells = batch.column(batch.schema.get_field_index(name))
                    yield self._restore(name, pa.chunked_array([cells])).rename(name)

    def forget(self) -> None:
        """Let go of the column that is kept."""
        self._latest.clear()

    def origin(self) -> Origin:
        """How the table was written; reads all bytes for their hash, which over several files is
        that of their hashes in order."""
        hashes = []
        for file in self.files:
            with file.open("rb") as stream:
                hashes.append(hashlib.file_digest(stream, "sha256").hexdigest())
        one = hashes[0] if len(hashes) == 1 else _joint(hashes)
        return Origin(format="parquet", arrow_schema=pack_schema(self.arrow), sha256=one)

    @cached_property
    def _restore(self) -> Restore:
        return Restore(self.arrow)


@dataclass(frozen=True)
class StoredTable:
    """Rows of :class:`ParquetColumns` beside the schema that says what the columns mean: what
    encoders need of a :class:`synthgen.data.table.Table`, without a frame.

    A column is read anew each time that it is asked for.
    """

    source: ParquetColumns
    schema: Schema
    positions: NDArray[np.int64] | None = None
    """Which rows of the source, in this order; None: all of them."""

    def __len__(self) -> int:
        return len(self.source) if self.positions is None else len(self.positions)

    def take(self, rows: NDArray[Any]) -> StoredTable:
        """The rows at these positions (integers or a boolean mask); nothing is read."""
        chosen = np.flatnonzero(rows) if rows.dtype == bool else np.asarray(rows, dtype=np.int64)
        positions = chosen if self.positions is None else self.positions[chosen]
        return StoredTable(self.source, self.schema, positions)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """As :meth:`synthgen.data.table.Table.numbers`."""
        column = self.schema[name]
        numbers = np.empty(len(self.source), dtype=np.float64)
        end = 0
        for batch in self.source.batches(name):
            end += len(batch)
            numbers[end - len(batch) : end] = to_numbers(batch, column)  # type: ignore[arg-type]
        return numbers if self.positions is None else numbers[self.positions]

    def codes(self, name: str) -> NDArray[np.int64]:
        """As :meth:`synthgen.data.table.Table.codes`."""
        column = self.schema[name]
        codes = np.empty(len(self.source), dtype=np.int64)
        end = 0
        for batch in self.source.batches(name):
            end += len(batch)
            codes[end - len(batch) : end] = to_codes(batch, column)  # type: ignore[arg-type]
        return codes if self.positions is None else codes[self.positions]


def _begins_as_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _cells(file: Path, name: str) -> pa.ChunkedArray:
    # A name with a dot may bring others along, whose path begins with the same words.
    with opened(file, str(file)) as parquet:
        return parquet.read(columns=[name]).column(name)


def _difference(first: pa.Schema, second: pa.Schema) -> str:
    for name in dict.fromkeys([*first.names, *second.names]):
        if name not in second.names or name not in first.names:
            return f"only one of them has {name!r}"
        if first.field(name).type != second.field(name).type:
            return f"{name!r} is {second.field(name).type}, not {first.field(name).type}"
    return "their order differs"


def _joint(hashes: list[str]) -> str:
    return hashlib.sha256("".join(hashes).encode()).hexdigest()
