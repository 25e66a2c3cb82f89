"""Cells and rows as integers, coded jointly over several tables.

The schema's own codes lump all unlisted values together; metrics have to tell them apart, and
these codes do so without a value ever leaving this module.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.schema import Boolean, Categorical, Continuous, Discrete, Ordered
from synthgen.data.table import Table

MISSING = 0
"""The code of a missing cell; values are coded from 1 on."""
MISSING_LABEL = "(missing)"
OTHER_LABEL = "(other)"
"""What a reader sees for missing cells, and for values whose shares are summed."""

Codes = NDArray[np.int64]


def levels(column: Continuous | Discrete, *tables: Table) -> list[Codes]:
    """One array of shape (rows,) per table: equal codes mean equal cells, 0 is missing."""
    if isinstance(column, Categorical | Ordered | Boolean):
        codes, _ = pd.factorize(_stacked([table.frame[column.name] for table in tables]))
    else:
        codes, _ = pd.factorize(np.concatenate([table.numbers(column.name) for table in tables]))
    return _parts(codes.astype(np.int64) + 1, tables)


def row_ids(*tables: Table) -> list[Codes]:
    """One array of shape (rows,) per table: equal numbers mean rows equal in all modelled columns.

    Missing equals missing. No hash decides: a column at a time, the pair (number so far, level) is
    renumbered exactly, so that there are no collisions to verify. Numbers beyond 2**53 compare as
    the float64 they are modelled as.
    """
    total = sum(map(len, tables))
    ids = np.zeros(total, dtype=np.int64)
    for column in tables[0].schema.modelled:
        codes = np.concatenate(levels(column, *tables))
        ids = pd.factorize(ids * (total + 1) + codes)[0].astype(np.int64)
    return _parts(ids, tables)


def distinct(table: Table) -> Codes:
    """Positions of the first of each set of equal rows, in ascending order."""
    (ids,) = row_ids(table)
    return np.sort(np.unique(ids, return_index=True)[1]).astype(np.int64)


def _stacked(parts: list[pd.Series[Any]]) -> pd.Series[Any]:
    if any(part.dtype != parts[0].dtype for part in parts):
        parts = [part.astype(object) for part in parts]
    return pd.concat(parts, ignore_index=True)


def _parts(stacked: Codes, tables: tuple[Table, ...]) -> list[Codes]:
    return np.split(stacked, np.cumsum([len(table) for table in tables])[:-1])
