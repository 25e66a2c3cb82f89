"""From the columns that a generator made to a whole table as it came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.dtypes import cast
from synthgen.data.keys import fresh_keys, numbered_keys
from synthgen.data.schema import Column, Constant, Identifier, Schema, Text
from synthgen.data.table import Table


def assemble(parts: Mapping[str, pd.Series[Any]], schema: Schema, n: int, seed: int) -> Table:
    """The modelled columns ``parts`` (``n`` cells each, in their dtypes), and beside them the
    columns that nobody models: fresh keys, missing free text, constants.

    The table has the schema's order and dtypes. Keys are all different within the table, and
    fixed by ``seed``; tables that are joined later get theirs from one call over the whole.
    Raises ``KeyError`` where a modelled column is absent.
    """
    # One stream per column: a column more or less does not change the keys of the others.
    streams = np.random.SeedSequence(seed).spawn(len(schema.columns))
    columns = {}
    for column, stream in zip(schema.columns, streams, strict=True):
        series = _column(column, parts, n, np.random.default_rng(stream))
        columns[column.name] = series.set_axis(pd.RangeIndex(n))
    return Table(pd.DataFrame(columns, index=pd.RangeIndex(n)), schema)


def join(tables: Sequence[Table], seed: int) -> Table:
    """The rows of tables of one schema, one after another, with keys that are fresh and different
    over the whole. The first table's dtypes count."""
    whole = reduce(Table.concat, tables[1:], tables[0])
    parts = {column.name: whole.frame[column.name] for column in whole.schema.modelled}
    return assemble(parts, whole.schema, len(whole), seed)


def number(table: Table, numbers: range, total: int, seed: int) -> Table:
    """The table as rows ``numbers`` of ``total``, with the keys that go with them
    (:func:`synthgen.data.keys.numbered_keys`): tables of one ``seed`` whose numbers do not overlap
    share none. Raises :class:`~synthgen.errors.DataError` without room for ``total`` keys."""
    streams = np.random.SeedSequence(seed).spawn(len(table.schema.columns))
    columns = {}
    for column, stream in zip(table.schema.columns, streams, strict=True):
        series = table.frame[column.name]
        if isinstance(column, Identifier):
            series = numbered_keys(column.pattern, column.dtype, numbers, total, stream)
        columns[column.name] = series
    return Table(pd.DataFrame(columns, index=table.frame.index), table.schema)


def _column(
    column: Column, parts: Mapping[str, pd.Series[Any]], n: int, rng: np.random.Generator
) -> pd.Series[Any]:
    match column:
        case Identifier():
            return fresh_keys(column.pattern, column.dtype, n, rng)
        case Text():
            return _repeat(None, column.dtype, n)
        case Constant():
            return _repeat(column.value, column.dtype, n)
        case _:
            return parts[column.name]


def _repeat(value: Any, dtype: str, n: int) -> pd.Series[Any]:
    one = cast(pd.Series([value], dtype=object), dtype)
    return one.take(np.zeros(n, dtype=np.int64))
