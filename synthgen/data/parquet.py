"""Parquet to a frame and back without changing a dtype.

pandas' own reader turns integers with missing cells into floats, seconds into milliseconds, Arrow
strings into pandas strings and categories of numbers into numbers; this one keeps them. Files
written here carry a note of the dtypes beside pandas' own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthgen.data.dtypes import cast, dtype_name, parse_dtype
from synthgen.errors import DataError, MachineError

_NOTE = b"synthgen"
_NULLABLE = ("Int", "UInt", "Float", "boolean", "string", "str[")
_PANDAS_NAMES = {"string[pyarrow]": "arrow[string]", "str": "str[pyarrow]"}
"""pandas' notes distinguish its strings from Arrow's, in words of their own."""


def read_parquet(source: Any, name: str) -> tuple[pd.DataFrame, pa.Schema, tuple[str, ...]]:
    """The table in a path or a buffer, its Arrow schema, and notices for the user.

    Raises :class:`DataError` for what is not (or only the beginning of) a Parquet file and for
    column names that occur twice.
    """
    with opened(source, name) as file:
        table = file.read()
    schema, notices = usable_columns(table.schema, name)
    restore = Restore(schema)
    columns = {n: restore(n, table.column(n)) for n in schema.names}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))
    return frame, schema, notices


@contextmanager
def opened(source: Any, name: str) -> Iterator[pq.ParquetFile]:
    """A Parquet file for the time of the block, which only reads it.

    Raises :class:`MachineError` without permission, :class:`DataError` for all else that is wrong.
    """
    try:
        with pq.ParquetFile(source) as file:
            yield file
    except PermissionError:
        raise MachineError(
            f"{name} may not be read: permission denied.", "Change its permissions, or copy it."
        ) from None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(
            f"{name} is not a readable Parquet file: {str(error).splitlines()[0]}",
            "It may be cut off or damaged: write or download it again.",
        ) from None


def usable_columns(schema: pa.Schema, name: str) -> tuple[pa.Schema, tuple[str, ...]]:
    """The schema without pandas' unnamed index, and notices for the user.

    Raises :class:`DataError` for column names that occur twice.
    """
    doubled = sorted({n for n in schema.names if schema.names.count(n) > 1})
    if doubled:
        raise DataError(
            f"{name}: column names occur more than once: {', '.join(map(repr, doubled[:5]))}.",
            "Give every column a name of its own.",
        )
    kept = [field for field in schema if not field.name.startswith("__index_level_")]
    if len(kept) == len(schema):
        return schema, ()
    return (
        pa.schema(kept, metadata=schema.metadata),
        (f"{name}: its unnamed pandas index is left out.",),
    )


class Restore:
    """From the cells of a column to a series in the dtype that it was written with."""

    def __init__(self, schema: pa.Schema) -> None:
        """``schema``: the file's, whose metadata hold what is known of the dtypes."""
        self._noted, self._stated = _note(schema), _stated_dtypes(schema)

    def __call__(self, name: str, cells: pa.ChunkedArray) -> pd.Series[Any]:
        if name in self._noted:
            return _restored(cells, self._noted[name])
        return _column(cells, self._stated.get(name))


def write_parquet(frame: pd.DataFrame, path: Any, like: pa.Schema | None = None) -> None:
    """Write the frame; columns that ``like`` knows get the Arrow type they have there."""
    fields = {} if like is None else {field.name: field for field in like}
    arrays, written = [], []
    for column in frame.columns:
        array = _array(frame[column], fields.get(column))
        arrays.append(array)
        written.append(pa.field(column, array.type))
    schema = pa.schema(written, metadata={b"pandas": _statement(frame), _NOTE: _noted(frame)})
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path)


def pack_schema(schema: pa.Schema) -> str:
    """An Arrow schema as text: types only, none of its metadata."""
    plain = pa.schema([pa.field(f.name, f.type) for f in schema])
    return base64.b64encode(plain.serialize().to_pybytes()).decode("ascii")


def unpack_schema(text: str) -> pa.Schema:
    """The inverse of :func:`pack_schema`."""
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))


def _stated_dtypes(schema: pa.Schema) -> dict[str, str]:
    """The dtypes that pandas noted when it wrote the file, by our names."""
    try:
        columns = json.loads((schema.metadata or {})[b"pandas"])["columns"]
        found = {str(c["field_name"]): str(c["numpy_type"]) for c in columns}
    except (KeyError, TypeError, ValueError):
        return {}
    return {name: _PANDAS_NAMES.get(stated, stated) for name, stated in found.items()}


def _note(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """The dtypes that :func:`write_parquet` noted."""
    note: dict[str, dict[str, Any]] = json.loads((schema.metadata or {}).get(_NOTE, b"{}"))
    return note


def _noted(frame: pd.DataFrame) -> bytes:
    note: dict[str, dict[str, Any]] = {}
    for column in frame.columns:
        note[column] = {"dtype": dtype_name(frame[column])}
        dtype = frame[column].dtype
        # Parquet has dictionaries of text only.
        if isinstance(dtype, pd.CategoricalDtype) and not _is_text(dtype):
            note[column]["categories"] = dtype.categories.tolist()
            note[column]["of"] = str(dtype.categories.dtype)
            note[column]["ordered"] = dtype.ordered
    return json.dumps(note).encode()


def _is_text(dtype: pd.CategoricalDtype) -> bool:
    return dtype.categories.inferred_type in ("string", "empty")


def _restored(cells: pa.ChunkedArray, note: dict[str, Any]) -> pd.Series[Any]:
    name: str = note["dtype"]
    if "categories" in note:
        categories = pd.Index(note["categories"], dtype=note["of"])
        dtype = pd.CategoricalDtype(categories, ordered=note["ordered"])
        return _column(cells, None).astype(dtype)
    series = _column(cells, name)
    if dtype_name(series) == name:
        return series
    try:
        return cast(series, name)
    except (TypeError, ValueError):
        # Another program has changed the column and kept the note.
        return series


def _column(cells: pa.ChunkedArray, stated: str | None) -> pd.Series[Any]:
    """``stated`` is the dtype's name; None: whatever keeps Arrow's type exactly."""
    arrow = cells.type
    if stated is not None and stated.startswith(_NULLABLE):
        return pd.Series(parse_dtype(stated).__from_arrow__(cells))
    if stated is not None and (stated.startswith("arrow[") or stated.endswith("[pyarrow]")):
        return _arrow_backed(cells)
    if stated is None and (pa.types.is_date(arrow) or pa.types.is_decimal(arrow)):
        return _arrow_backed(cells)
    if pa.types.is_integer(arrow) and cells.null_count:
        name = str(arrow).replace("uint", "UInt").replace("int", "Int")
        return pd.Series(parse_dtype(name).__from_arrow__(cells))
    if pa.types.is_boolean(arrow) and cells.null_count and stated != "object":
        return pd.Series(pd.BooleanDtype().__from_arrow__(cells))
    series = pd.Series(cells.to_pandas(), name=None)
    if stated is not None and stated.startswith(("datetime64[", "timedelta64[")):
        unit = stated.split("[")[1].rstrip("]").split(",")[0]
        return series.dt.as_unit(unit) if unit in ("s", "ms", "us", "ns") else series
    return series


def _arrow_backed(cells: pa.ChunkedArray) -> pd.Series[Any]:
    return pd.Series(pd.arrays.ArrowExtensionArray(cells))


def _array(series: pd.Series[Any], field: pa.Field | None) -> pa.Array | pa.ChunkedArray:
    if field is not None:
        try:
            return pa.array(series, type=field.type, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            # The values have outgrown the type (a dictionary index, say): let Arrow choose.
            pass
    return pa.array(series, from_pandas=True)


def _statement(frame: pd.DataFrame) -> bytes:
    """pandas' own note of the dtypes, as any reader of Parquet into pandas expects it."""
    metadata = pa.Schema.from_pandas(frame.iloc[:0], preserve_index=False).metadata
    return bytes(metadata[b"pandas"])
