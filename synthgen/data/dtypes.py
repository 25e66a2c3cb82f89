"""Names for dtypes that lead back to them, and the family a column belongs to.

``str(dtype)`` is ambiguous for some dtypes (Arrow strings are read back as pandas strings, object
columns may hold dates or decimals), so a schema keeps the name that :func:`dtype_name` gives and
:func:`cast` understands.
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from synthgen.errors import DataError

Family: TypeAlias = Literal[
    "boolean", "integer", "real", "text", "category", "datetime", "timedelta", "empty"
]

_OBJECTS: dict[str, tuple[str, Family]] = {
    "string": ("object", "text"),
    "empty": ("object", "empty"),
    "boolean": ("object[bool]", "boolean"),
    "integer": ("object[int]", "integer"),
    "floating": ("object[float]", "real"),
    "decimal": ("object[decimal]", "real"),
    "date": ("object[date]", "datetime"),
}
"""What ``infer_dtype`` says of an object column: our name for it, and its family."""


def dtype_name(series: pd.Series[Any]) -> str:
    """``str(dtype)`` where that is unambiguous, else our own name for the dtype.

    Raises :class:`DataError` naming the column where it mixes Python types or holds what no
    column kind can describe (lists, bytes, intervals, times of day, complex numbers).
    """
    return _describe(series)[0]


def family(series: pd.Series[Any]) -> Family:
    """What the cells are, whatever dtype stores them. Raises as :func:`dtype_name` does."""
    return _describe(series)[1]


def _describe(series: pd.Series[Any]) -> tuple[str, Family]:
    dtype = series.dtype
    name = str(dtype)
    if dtype.kind == "O" and isinstance(dtype, np.dtype):
        return _describe_objects(series)
    if isinstance(dtype, pd.CategoricalDtype):
        _describe_categories(series)
        return "category", "category"
    if isinstance(dtype, pd.StringDtype):
        # Both storages call themselves "string", which means the default one when read back; "str"
        # (missing as NaN) means something else before pandas 3.
        if name == "str" or dtype != pd.StringDtype():
            name = f"{name}[{dtype.storage}]"
        return name, "text"
    if isinstance(dtype, pd.ArrowDtype):
        return _describe_arrow(series.name, dtype)
    if isinstance(dtype, pd.SparseDtype):
        return name, _describe(pd.Series(series.array[:0].to_dense(), name=series.name))[1]
    families: dict[str, Family] = {
        "b": "boolean",
        "i": "integer",
        "u": "integer",
        "f": "real",
        "M": "datetime",
        "m": "timedelta",
    }
    if dtype.kind not in families:
        raise _unsupported(series.name, name)
    return name, families[dtype.kind]


def _describe_objects(series: pd.Series[Any]) -> tuple[str, Family]:
    present = series.dropna()
    found = pd.api.types.infer_dtype(present, skipna=True)
    ranges = ((-(2**63), 2**63 - 1), (0, 2**64 - 1))
    if found == "integer" and not any(present.between(*limits).all() for limits in ranges):
        raise _unsupported(series.name, "integer of more than 64 bits")
    if found in _OBJECTS:
        return _OBJECTS[found]
    if found.startswith("mixed"):
        types = present.map(lambda value: type(value).__name__).value_counts()
        if len(types) > 1:
            listed = ", ".join(f"{count} {kind}" for kind, count in types.items())
            raise DataError(
                f"Column {series.name!r} mixes Python types: {listed}.",
                "Convert it to one type, for example with pandas.to_numeric or astype(str).",
            )
        found = str(types.index[0])
    raise _unsupported(series.name, f"object with {found} values")


def _describe_categories(series: pd.Series[Any]) -> None:
    categories = series.cat.categories
    if isinstance(categories.dtype, pd.IntervalDtype | pd.PeriodDtype) or categories.dtype.kind in (
        "M",
        "m",
        "c",
    ):
        raise _unsupported(series.name, f"category of {categories.dtype}")
    if categories.dtype == object and len(categories):
        _describe_objects(pd.Series(categories, name=series.name))


def _describe_arrow(column: Any, dtype: pd.ArrowDtype) -> tuple[str, Family]:
    arrow = dtype.pyarrow_dtype
    if pa.types.is_dictionary(arrow):
        arrow_family = _arrow_family(arrow.value_type)
    else:
        arrow_family = _arrow_family(arrow)
    if arrow_family is None:
        raise _unsupported(column, str(dtype))
    try:
        same = pd.api.types.pandas_dtype(str(dtype)) == dtype
    except (NotImplementedError, TypeError, ValueError):
        same = False
    return (str(dtype) if same else f"arrow[{arrow}]"), arrow_family


def _arrow_family(arrow: pa.DataType) -> Family | None:
    kinds: list[tuple[Any, Family]] = [
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "real"),
        (pa.types.is_decimal, "real"),
        (pa.types.is_string, "text"),
        (pa.types.is_large_string, "text"),
        (pa.types.is_string_view, "text"),
        (pa.types.is_timestamp, "datetime"),
        (pa.types.is_date, "datetime"),
        (pa.types.is_duration, "timedelta"),
        (pa.types.is_null, "empty"),
    ]
    return next((found for test, found in kinds if test(arrow)), None)


def _unsupported(column: Any, what: str) -> DataError:
    return DataError(
        f"Column {column!r} has the type {what}, which is not supported.",
        "Convert it to text, numbers, booleans or timestamps, or drop it.",
    )


def parse_dtype(name: str) -> Any:
    """The dtype behind a name that :func:`dtype_name` gave (``object`` for ``object[...]``)."""
    if name.startswith("object["):
        return np.dtype(object)
    if name.startswith("arrow["):
        return pd.ArrowDtype(_parse_arrow(name.removeprefix("arrow[").removesuffix("]")))
    if match := re.fullmatch(r"str\[(\w+)\]", name):
        return pd.StringDtype(match[1], na_value=np.nan)
    return pd.api.types.pandas_dtype(name)


def _parse_arrow(name: str) -> pa.DataType:
    """Arrow's own names, of which ``pyarrow.type_for_alias`` knows those without parameters."""
    if match := re.fullmatch(r"(decimal(?:32|64|128|256))\((\d+), (-?\d+)\)", name):
        return getattr(pa, match[1])(int(match[2]), int(match[3]))
    if match := re.fullmatch(r"dictionary<values=(.+), indices=(\w+), ordered=([01])>", name):
        values, indices = _parse_arrow(match[1]), _parse_arrow(match[2])
        return pa.dictionary(indices, values, ordered=match[3] == "1")
    if match := re.fullmatch(r"timestamp\[(\w+), tz=(.+)\]", name):
        return pa.timestamp(match[1], match[2])
    return pa.type_for_alias(name)


def cast(series: pd.Series[Any], name: str) -> pd.Series[Any]:
    """The series in the dtype of this name; object columns get the Python type they had."""
    if name.startswith("object"):
        return _cast_objects(series, name)
    dtype = parse_dtype(name)
    if isinstance(dtype, pd.ArrowDtype):
        arrow = dtype.pyarrow_dtype
        if pa.types.is_decimal(arrow):
            return _cast_decimals(series, dtype)
        if pa.types.is_dictionary(arrow):
            plain = cast(series, dtype_name_of_arrow(arrow.value_type))
            encoded = pa.chunked_array(pa.array(plain)).dictionary_encode().cast(arrow)
            return pd.Series(pd.arrays.ArrowExtensionArray(encoded), name=series.name)
        if pa.types.is_duration(arrow) and series.dtype == object:
            series = pd.to_timedelta(series)
        if pa.types.is_date(arrow):
            # Arrow refuses a timestamp that is not at midnight, so cut it off first.
            moments = series.astype("datetime64[s]")
            days = pa.array(moments, from_pandas=True).cast(pa.date32()).cast(arrow)
            return pd.Series(pd.arrays.ArrowExtensionArray(days), name=series.name)
    return series.astype(dtype)


def dtype_name_of_arrow(arrow: pa.DataType) -> str:
    """The name of a column of this Arrow type."""
    return _describe_arrow("", pd.ArrowDtype(arrow))[0]


def _cast_objects(series: pd.Series[Any], name: str) -> pd.Series[Any]:
    missing = series.isna().to_numpy()
    cells = series.astype(object).to_numpy(dtype=object, na_value=None)
    kinds: dict[str, Any] = {
        "object[bool]": bool,
        "object[int]": int,
        "object[float]": float,
        "object[decimal]": lambda value: Decimal(str(value)),
        "object[date]": _date,
        "object": lambda value: value,
    }
    convert = kinds[name]
    values = np.empty(len(cells), dtype=object)
    values[:] = [None if gone else convert(cell) for cell, gone in zip(cells, missing, strict=True)]
    return pd.Series(values, name=series.name, dtype=object)


def _date(value: Any) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return value.date()
    return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value))


def _cast_decimals(series: pd.Series[Any], dtype: pd.ArrowDtype) -> pd.Series[Any]:
    scale = Decimal(1).scaleb(-dtype.pyarrow_dtype.scale)
    cells = series.astype(object).to_numpy(dtype=object, na_value=None)
    values = [None if cell is None else Decimal(str(cell)).quantize(scale) for cell in cells]
    array = pa.array(values, type=dtype.pyarrow_dtype)
    return pd.Series(pd.arrays.ArrowExtensionArray(array), name=series.name)
