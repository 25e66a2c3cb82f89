"""From a column and a value that a user wrote to a code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from synthgen.data.schema import Boolean, Categorical, Ordered, Schema, Value
from synthgen.errors import ConfigError

NAMED = 5
"""At most so many near names or values stand in a message."""


def listed_position(schema: Schema, name: str, value: Value) -> int:
    """The position of ``value`` in the ``values`` of the discrete column ``name``.

    A value of the same type counts first; else one that reads the same (``"1"`` for 1, 1 for
    1.0, ``"true"`` for True), if there is exactly one.
    Raises :class:`~synthgen.errors.ConfigError` for anything else.
    """
    choices = [column.name for column in schema.discrete]
    if name not in schema.names:
        raise ConfigError(f"there is no column {name!r}", _nearest("columns", name, choices))
    column = schema[name]
    if not isinstance(column, Categorical | Ordered | Boolean):
        raise ConfigError(
            f"column {name!r} is {column.kind}; conditions are on discrete columns",
            _nearest("columns", name, choices),
        )
    same = [i for i, v in enumerate(column.values) if type(v) is type(value) and v == value]
    alike = same or [i for i, v in enumerate(column.values) if _reading(v) == _reading(value)]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise ConfigError(
            f"column {name!r}: the value {value!r} could be any of "
            f"{', '.join(repr(column.values[i]) for i in alike)}",
            "Write it in the type of the one that is meant.",
        )
    raise ConfigError(
        f"column {name!r} has no value {value!r} that at least five training rows hold",
        _nearest("values", str(value), [str(v) for v in column.values]),
    )


def _reading(value: Value) -> int | float | str:
    """What a value reads as, whatever its type: a number if it is one, else its text."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if "_" in text:  # Python would read 1_0 as ten.
        return text
    # Integers first: floats would confuse those above 2**53.
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _nearest(what: str, wanted: str, choices: Iterable[str]) -> str:
    names = list(dict.fromkeys(choices))
    if not names:
        return f"There are no such {what} here."
    near = difflib.get_close_matches(wanted, names, n=NAMED, cutoff=0.5)
    if near:
        return f"The nearest {what}: {', '.join(map(repr, near))}."
    more = ", ..." if len(names) > NAMED else ""
    return f"There are the {what} {', '.join(map(repr, names[:NAMED]))}{more}."
