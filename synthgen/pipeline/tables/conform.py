"""Rows of another file in the columns and dtypes of the training table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from synthgen.data.dtypes import cast, dtype_name
from synthgen.errors import DataError


def conform(frame: pd.DataFrame, like: pd.DataFrame, name: str) -> pd.DataFrame:
    """``frame`` in the columns, order and dtypes of ``like``.

    ``name`` is the file that messages speak of. Raises DataError naming the first column that is
    missing or of another type; further columns are left out.
    """
    absent = [column for column in like.columns if column not in frame.columns]
    if absent:
        raise DataError(
            f"{name}: column {absent[0]!r} is missing",
            f"the file needs the columns {', '.join(map(str, like.columns[:8]))} ...",
        )
    columns = {}
    for column in like.columns:
        dtype = like[column].dtype
        try:
            if isinstance(dtype, pd.CategoricalDtype):
                # A category that training rows lack would silently become missing.
                union = dtype.categories.union(frame[column].dropna().unique(), sort=False)
                columns[column] = frame[column].astype(pd.CategoricalDtype(union, dtype.ordered))
            else:
                columns[column] = _same(
                    frame[column], cast(frame[column], dtype_name(like[column]))
                )
        except (ValueError, TypeError):
            raise DataError(
                f"{name}: column {column!r} is {frame[column].dtype}, in the training rows {dtype}",
                "write both files in the same way",
            ) from None
    return pd.DataFrame(columns)


def _same(given: pd.Series[Any], taken: pd.Series[Any]) -> pd.Series[Any]:
    """``taken``, which is ``given`` in another dtype. Raises ValueError if a cell changed."""
    missing = given.isna()
    equal = given.astype(object)[~missing] == taken.astype(object)[~missing]
    if not equal.all() or (taken.isna() != missing).any():
        raise ValueError("a cell changed")
    return taken
