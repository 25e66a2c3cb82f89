"""A schema as SDV's ``Metadata`` JSON (https://docs.sdv.dev, version 2), and overrides from one.

Only kinds are exchanged. SDV notes real minima, maxima and category lists beside them; none are
written here, and of those that are read only the order of ordinal values is used.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any

from synthgen.data.keys import Pattern
from synthgen.data.overrides import ColumnOverride
from synthgen.data.schema import (
    Boolean,
    Categorical,
    Column,
    Constant,
    Datetime,
    Identifier,
    Numeric,
    Ordered,
    Schema,
    Text,
    Timedelta,
)
from synthgen.errors import ConfigError

VERSION = "V2"
TABLE = "table"
"""What SDV calls a table without a name."""

_CLASSES = {
    string.digits: "[0-9]",
    string.digits + "abcdef": "[0-9a-f]",
    string.digits + "ABCDEF": "[0-9A-F]",
    string.ascii_lowercase: "[a-z]",
    string.ascii_uppercase: "[A-Z]",
    string.digits + string.ascii_lowercase: "[0-9a-z]",
    string.digits + string.ascii_uppercase: "[0-9A-Z]",
    string.ascii_letters: "[a-zA-Z]",
    string.digits + string.ascii_letters: "[0-9a-zA-Z]",
}


def to_sdv(schema: Schema) -> dict[str, Any]:
    """The dictionary that ``sdv.metadata.Metadata.load_from_dict`` takes."""
    columns = {column.name: _sdtype(column) for column in schema.columns}
    return {
        "tables": {TABLE: {"columns": columns}},
        "relationships": [],
        "METADATA_SPEC_VERSION": VERSION,
    }


def _sdtype(column: Column) -> dict[str, Any]:
    match column:
        case Numeric(integer=True):
            return {"sdtype": "numerical", "decimal_places": 0}
        case Numeric(decimals=None):
            return {"sdtype": "numerical"}
        case Numeric():
            return {"sdtype": "numerical", "decimal_places": column.decimals}
        case Categorical() | Constant():
            return {"sdtype": "categorical"}
        case Ordered():
            return {"sdtype": "ordinal"}
        case Boolean():
            return {"sdtype": "boolean"}
        case Datetime(format=None):
            return {"sdtype": "datetime"}
        case Datetime():
            return {"sdtype": "datetime", "datetime_format": column.format}
        case Identifier(pattern=()):
            return {"sdtype": "id"}
        case Identifier():
            return {"sdtype": "id", "regex_format": _regex(column.pattern)}
        case Text():
            return {"sdtype": "unknown", "pii": True}
        case Timedelta():
            # SDV has no durations.
            return {"sdtype": "unknown", "pii": False}


def _regex(pattern: Pattern) -> str:
    return "".join(_run(alphabet, length) for alphabet, length in pattern)


def _run(alphabet: str, length: int) -> str:
    one = _CLASSES.get(alphabet) or re.escape(alphabet)
    return one if length == 1 else f"{one}{{{length}}}"


def from_sdv(metadata: Any) -> dict[str, ColumnOverride]:
    """Overrides for the columns of SDV metadata of one table, of version 1 or 2.

    ``metadata`` is what the JSON file holds. Raises :class:`ConfigError` for several tables or
    what is no metadata.
    """
    try:
        tables = _object(_object(metadata).get("tables", {TABLE: metadata}))
        if len(tables) != 1:
            raise ConfigError(
                f"The SDV metadata describe {len(tables)} tables.",
                "Give the metadata of one table.",
            )
        (table,) = tables.values()
        columns = _object(_object(table)["columns"])
        return {str(name): _override(_object(found)) for name, found in columns.items()}
    except (KeyError, TypeError, ValueError):
        raise ConfigError(
            "This is not SDV metadata: every column needs an sdtype.",
            "Write them with Metadata.save_to_json.",
        ) from None


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("not a JSON object")
    return value


def _override(found: Mapping[str, Any]) -> ColumnOverride:
    if not isinstance(found["sdtype"], str):
        raise TypeError("not a name")
    match found["sdtype"]:
        case "numerical":
            return ColumnOverride(kind="numeric")
        case "categorical":
            return ColumnOverride(kind="categorical")
        case "ordinal":
            values = found.get("range_values") or None
            if values is not None and not isinstance(values, list | tuple):
                raise TypeError("not a list")
            return ColumnOverride(kind="ordered", values=values)
        case "boolean":
            return ColumnOverride(kind="boolean")
        case "datetime":
            return ColumnOverride(kind="datetime", format=found.get("datetime_format"))
        case "id":
            return ColumnOverride(kind="identifier")
        case "unknown" if found.get("pii", True):
            return ColumnOverride(kind="text")
        case _ if found.get("pii", True) and found["sdtype"] != "unknown":
            # Names, addresses, numbers of persons: never modelled.
            return ColumnOverride(kind="identifier")
        case _:
            return ColumnOverride()
