"""Conditions on discrete columns: what they may say, which rows meet them, and rejection.

A sampler that can condition on one column exactly does so inside its ``draw``; whatever else
``where`` asks for is met by drawing again, a bounded number of times.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.assemble import assemble
from synthgen.data.schema import Boolean, Discrete, Schema, Value
from synthgen.data.table import Table
from synthgen.errors import ConfigError, ShortfallWarning
from synthgen.generators.base import Where

SMALLEST_DRAW = 256
"""Rows of a draw that has to be rejected from: fewer would waste the fixed cost of a draw."""
LARGEST_DRAW = 65_536
"""Rows of one draw at most (or ``n`` where that is more), so that memory stays bounded."""
FRUITFUL = 10
"""Where a draw held a row that meets the conditions, so many times as many draws are worth it."""
NAMED = 5
"""How many known names an error message lists at most."""


def resolve(schema: Schema, where: Where | None) -> dict[str, Value]:
    """The conditions with every value as the schema lists it.

    A value from a command line is text, and one from YAML may be a number where the column holds
    text: both find the listed value they spell (``"1"`` and ``1.0`` are the category ``1``,
    ``"true"`` is ``True``). Raises :class:`~synthgen.errors.ConfigError` for a column that the
    schema lacks or that has no categories, for a missing value, and for a value not listed.
    """
    return {name: _listed(_column(schema, name), value) for name, value in (where or {}).items()}


class Coded(Protocol):
    """Rows whose discrete columns can be read as codes: a :class:`Table`, for one."""

    @property
    def schema(self) -> Schema: ...

    def __len__(self) -> int: ...

    def codes(self, name: str) -> NDArray[np.int64]: ...


def matching(table: Coded, where: Where | None) -> NDArray[np.bool_]:
    """Shape (n,): which rows meet all conditions; every row where there are none.

    Raises :class:`~synthgen.errors.ConfigError` as :func:`resolve` does.
    """
    mask = np.ones(len(table), dtype=bool)
    for name, value in resolve(table.schema, where).items():
        mask &= table.codes(name) == _column(table.schema, name).values.index(value)
    return mask


def draw_until(
    draw: Callable[[int, int], Table],
    n: int,
    where: Where | None,
    *,
    tries: int,
    seed: int = 0,
) -> Table:
    """``n`` rows that all meet ``where``, or as many as some draws hold: ``tries`` of them if no
    row of theirs does, else up to :data:`FRUITFUL` times as many.

    ``draw(count, attempt)`` returns ``count`` rows; ``attempt`` counts from 0 and belongs into
    its seed. The first draw has ``n`` rows, the later ones follow the share of rows accepted so
    far. Without conditions one draw is all. Identifiers are generated afresh over the joined
    draws by ``seed``, since each draw begins its own sequence. A shortfall is reported with a
    :class:`~synthgen.errors.ShortfallWarning` that holds the counts.
    """
    if n == 0:
        return draw(1, 0).take(np.empty(0, dtype=np.int64))
    if not where:
        return draw(n, 0)
    kept: list[Table] = []
    found = drawn = 0
    count = min(max(n, SMALLEST_DRAW), max(n, LARGEST_DRAW))
    attempt = 0
    while found < n and attempt < (FRUITFUL * tries if found else tries):
        table = draw(count, attempt)
        attempt += 1
        meeting = table.take(np.flatnonzero(matching(table, where))[: n - found])
        kept.append(meeting)
        drawn += len(table)
        found += len(meeting)
        count = _next_count(n - found, found, drawn, count, n)
    if found < n:
        warn_shortfall(found, n, where, f"{drawn} rows were drawn in {attempt} tries")
    return _joined(kept, seed)


def warn_shortfall(found: int, n: int, where: Where, why: str) -> None:
    """Say that fewer rows came back than were asked for."""
    asked = ", ".join(f"{name}={value!r}" for name, value in where.items())
    # Blamed on the caller of ``Sampler.sample``.
    warnings.warn(
        f"{found} rows instead of {n} with {asked}: {why}", ShortfallWarning, stacklevel=4
    )


def _next_count(lacking: int, found: int, drawn: int, last: int, n: int) -> int:
    """Rows to draw next: what the accepted share predicts, with a margin of a fifth."""
    predicted = 2 * last if found == 0 else int(1.2 * lacking * drawn / found) + 1
    return min(max(predicted, SMALLEST_DRAW), max(n, LARGEST_DRAW))


def _joined(tables: list[Table], seed: int) -> Table:
    if len(tables) == 1:
        return tables[0]
    first = tables[0]
    frame = pd.concat([table.frame for table in tables if len(table)] or [first.frame])
    frame = frame.astype(first.frame.dtypes).reset_index(drop=True)
    parts = {column.name: frame[column.name] for column in first.schema.modelled}
    return assemble(parts, first.schema, len(frame), seed)


def _column(schema: Schema, name: str) -> Discrete:
    known = [column.name for column in schema.discrete]
    usable = f"use one of {_some(known)}" if known else "leave it out: the table has none"
    for column in schema.discrete:
        if column.name == name:
            return column
    if name in schema.names:
        declare = f", or declare {name!r} categorical in the configuration"
        raise ConfigError(
            f"column {name!r} is {schema[name].kind}: only columns with categories can be fixed",
            # Of a target that would ask another question.
            usable if name == schema.target else usable + declare,
        )
    nearest = get_close_matches(name, known, n=NAMED)
    raise ConfigError(
        f"no column is named {name!r}", f"use one of {_some(nearest)}" if nearest else usable
    )


def _listed(column: Discrete, value: object) -> Value:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        raise ConfigError(
            f"column {column.name!r} cannot be asked to be missing",
            f"give one of its values: {_some(column.values)}",
        )
    for listed in column.values:
        # True == 1 in Python: a flag and a number are told apart unless the column is boolean.
        if listed == value and isinstance(listed, bool) == isinstance(value, bool):
            return listed
    spelled = [listed for listed in column.values if _spells(value, listed, column)]
    if len(spelled) == 1:
        return spelled[0]
    nearest = get_close_matches(str(value), [str(v) for v in column.values], n=NAMED)
    raise ConfigError(
        f"column {column.name!r} has no category {value!r}"
        " (categories held by fewer than five rows are not kept)",
        f"use one of {_some([v for v in column.values if str(v) in nearest] or column.values)}",
    )


def _spells(value: object, listed: Value, column: Discrete) -> bool:
    """Whether ``value``, typed by a user, reads as ``listed``."""
    text = str(value).strip()
    if isinstance(listed, bool):
        numeral = isinstance(column, Boolean) and text == str(int(listed))
        return numeral or text.casefold() == str(listed).casefold()
    if isinstance(value, bool):
        return False
    if isinstance(listed, int | float) and text != str(listed):
        try:
            return float(text) == listed
        except ValueError:
            return False
    return text == str(listed).strip()


def _some(names: Sequence[Value]) -> str:
    listed = [repr(name) for name in names]
    return ", ".join(listed[:NAMED]) + (", ..." if len(listed) > NAMED else "")
