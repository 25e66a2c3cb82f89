"""A schema and an encoder that may be shared: all they say of the rows is private.

Public are the columns' names and order, their kinds and storage types (with the format of dates
written as text), the number of rows, and what the user declared. All the rest (categories, bounds,
the grid that numbers lie on, whether cells may be missing, how frequent what is) comes from noisy
counts, of which each spends the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.keys import whole_limits
from synthgen.data.schema import (
    Boolean,
    Categorical,
    Column,
    Constant,
    Continuous,
    Datetime,
    Discrete,
    Identifier,
    Numeric,
    Ordered,
    Schema,
    Text,
    Timedelta,
    Value,
)
from synthgen.data.stored import StoredTable
from synthgen.data.table import Columnar, Table
from synthgen.data.times import RESOLUTIONS
from synthgen.data.values import as_value, to_codes
from synthgen.encoding import Encoder
from synthgen.encoding.discrete import Categories
from synthgen.encoding.quantiles import Quantiles
from synthgen.errors import ConfigError, DataError
from synthgen.privacy import numbers
from synthgen.privacy.categories import private_values, public_values
from synthgen.privacy.noise import Noise
from synthgen.privacy.numbers import Grid, Histogram, grid_of, private_histogram, private_precision

Bounds = Mapping[str, tuple[float, float]]
Listed = Mapping[str, Sequence[Value]]
DECIMALS = 12
"""Decimal places at most that a column's grid has."""
SPIKE = 0.1
"""A single number that holds such a share of a column's rows has a code of its own."""


@dataclass(frozen=True)
class Facts:
    """What the user knows of the columns without having looked at these rows."""

    bounds: Bounds
    categories: Listed


@dataclass(frozen=True)
class Price:
    """``std`` is the noise of each count; ``delta`` is for each list of categories."""

    std: float
    delta: float


def queries(schema: Schema, facts: Facts) -> tuple[int, int]:
    """How many Gaussian mechanisms :func:`private_encoder` spends on a table of this schema, and
    how many private lists of categories. Raises ConfigError for facts that do not fit."""
    _check(schema, facts)
    spent = sum(_queries(column) for column in schema.columns)
    lists = sum(
        isinstance(c, Categorical | Ordered | Constant) and c.name not in facts.categories
        for c in schema.columns
    )
    return spent, lists


def _queries(column: Column) -> int:
    match column:
        case Numeric(integer=True):
            return numbers.QUERIES
        case Numeric() | Datetime() | Timedelta():
            return numbers.QUERIES + 1
        case Identifier() | Text():
            return 0
        case _:
            return 1


def _check(schema: Schema, facts: Facts) -> None:
    kinds: dict[str, tuple[Mapping[str, Any], tuple[type, ...]]] = {
        "bounds": (facts.bounds, (Numeric, Datetime, Timedelta)),
        "categories": (facts.categories, (Categorical, Ordered)),
    }
    for field, (given, allowed) in kinds.items():
        for name in given:
            if name not in schema.names:
                raise ConfigError(
                    f"generator.{field}: there is no column {name!r}",
                    f"the columns are {', '.join(map(repr, schema.names[:8]))}",
                )
            if not isinstance(schema[name], allowed):
                raise ConfigError(
                    f"generator.{field}: column {name!r} is {schema[name].kind} and has none",
                    f"leave {name!r} out there, or declare its kind in data.columns",
                )


def private_encoder(
    train: Columnar, facts: Facts, price: Price, *, noise: Noise, seed: int
) -> Encoder:
    """The encoder of this table, with a schema of its own; ``seed`` as for every encoder.

    Raises :class:`~synthgen.errors.DataError` where nothing of a column can be told from noise.
    """
    columns: list[Column] = []
    encodings: list[Categories | Quantiles] = []
    tallies: list[tuple[int, ...]] = []
    for column in train.schema.columns:
        match column:
            case Categorical() | Ordered() | Boolean():
                listed, categories = _categories(train, column, facts, price, noise)
                tallies.append(_tally(categories, listed))
                columns.append(_with_values(column, listed))
                encodings.append(categories)
            case Numeric() | Datetime() | Timedelta():
                quantity, quantiles, tally = _quantity(train, column, facts, price.std, noise)
                tallies.append(tally)
                columns.append(quantity)
                encodings.append(quantiles)
            case Identifier():
                columns.append(Identifier(name=column.name, dtype=column.dtype))
            case Text():
                columns.append(Text(name=column.name, dtype=column.dtype, missing=True))
            case Constant():
                columns.append(_constant(train, column, price, noise))
    schema = Schema(columns=tuple(columns), target=train.schema.target)
    return Encoder(schema, tuple(encodings), tuple(tallies), seed)


def seen_as(train: Columnar, schema: Schema) -> Columnar:
    """The same rows, read as this schema of the same columns says."""
    assert isinstance(train, Table | StoredTable)
    return replace(train, schema=schema)


def _cells(train: Columnar, name: str) -> pd.Series[Any]:
    """As they came in, whatever the schema says of them."""
    if isinstance(train, StoredTable):
        cells = train.source[name]
        return cells if train.positions is None else cells.iloc[train.positions]
    assert isinstance(train, Table)
    return train.frame[name]


def _holds_gaps(dtype: str) -> bool:
    """Whether a column of this storage type can lack cells: no plain integers and booleans."""
    return re.fullmatch(r"u?int\d+|bool", dtype) is None


# ---- discrete columns -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Listing:
    """The values of a column in their order, with noisy counts."""

    values: tuple[Value, ...]
    counts: tuple[int, ...]
    missing: int
    others: int


def _categories(
    train: Columnar, column: Discrete, facts: Facts, price: Price, noise: Noise
) -> tuple[_Listing, Categories]:
    declared = facts.categories.get(column.name)
    if isinstance(column, Boolean):
        found = public_values(train.codes(column.name), 2, price.std, noise)
        values = column.values
    elif declared is not None:
        values = tuple(declared)
        codes = to_codes(_cells(train, column.name), column.model_copy(update={"values": values}))
        found = public_values(codes, len(values), price.std, noise)
    else:
        codes = train.codes(column.name)
        found = private_values(codes, len(column.values), price.std, price.delta, noise)
        values = column.values
        if not len(found.positions):
            raise _drowned(column, "categories", "a list of its values")
    missing = found.missing if _holds_gaps(column.dtype) else 0
    pairs = [(values[i], int(n)) for i, n in zip(found.positions, found.counts, strict=True)]
    if isinstance(column, Categorical) and declared is None:
        pairs = _by_frequency(pairs)
    listing = _Listing(
        tuple(value for value, _ in pairs),
        tuple(count for _, count in pairs),
        missing,
        found.others,
    )
    encoding = Categories(counts=listing.counts, missing=missing > 0, rare=listing.others > 0)
    return listing, encoding


def _by_frequency(pairs: list[tuple[Value, int]]) -> list[tuple[Value, int]]:
    """Ties in the order of the text: that in which values were counted tells their true order."""
    return sorted(pairs, key=lambda pair: (-pair[1], str(pair[0])))


def _tally(encoding: Categories, listed: _Listing) -> tuple[int, ...]:
    more = [count for count in (listed.missing, listed.others) if count]
    return (*encoding.counts, *more)


def _with_values(column: Discrete, listed: _Listing) -> Discrete:
    facts: dict[str, Any] = {"missing": listed.missing > 0, "note": ""}
    if not isinstance(column, Boolean):
        facts["values"] = listed.values
    return column.model_copy(update=facts)


def _constant(train: Columnar, column: Constant, price: Price, noise: Noise) -> Constant:
    codes, values = pd.factorize(_cells(train, column.name))
    found = private_values(codes.astype(np.int64), len(values), price.std, price.delta, noise)
    # Where nothing may be said: a gap, or a zero in what has no gaps.
    value: Value | None = None if _holds_gaps(column.dtype) else 0
    pairs = [
        (as_value(values[i]), int(n)) for i, n in zip(found.positions, found.counts, strict=True)
    ]
    if pairs:
        value = _by_frequency(pairs)[0][0]
    return Constant(name=column.name, dtype=column.dtype, missing=value is None, value=value)


# ---- continuous columns -----------------------------------------------------------------------


def _quantity(
    train: Columnar, column: Continuous, facts: Facts, std: float, noise: Noise
) -> tuple[Continuous, Quantiles, tuple[int, ...]]:
    values = train.numbers(column.name)
    given = facts.bounds.get(column.name)
    step, precision = _step(values, column, std, noise)
    grid = grid_of(column, step, given)
    histogram = private_histogram(values, grid, std, noise)
    if histogram is None:
        if given is None:
            raise _drowned(column, "bounds", "its range")
        ends = grid.edges[:1], grid.edges[-1:]
        histogram = Histogram(*ends, np.array([len(train)]), 0)
    missing = histogram.missing if _holds_gaps(column.dtype) else 0
    spikes, regular = _spikes(histogram, column, whole=grid.whole)
    left, right, rows = histogram.left[regular], histogram.right[regular], histogram.rows[regular]
    if not len(left):
        left, right, rows = histogram.left[:1], histogram.right[:1], np.ones(1, dtype=np.int64)
    quantiles = Quantiles(
        left=tuple(left.tolist()),
        right=tuple(right.tolist()),
        rows=tuple(rows.tolist()),
        step=step,
        spikes=tuple(spike for spike, _ in spikes),
        missing=missing > 0,
    )
    tally = (int(rows.sum()), *([missing] if missing else []), *(count for _, count in spikes))
    known: dict[str, Any] = {"missing": missing > 0, "note": "", **precision}
    known |= _bounds(column, grid, given or (float(histogram.left[0]), float(histogram.right[-1])))
    if isinstance(column, Numeric):
        known["spikes"] = quantiles.spikes
    return column.model_copy(update=known), quantiles, tally


def _step(
    values: NDArray[np.float64], column: Continuous, std: float, noise: Noise
) -> tuple[float, dict[str, Any]]:
    """The distance of neighbouring values, 0 for full precision, and what the schema says of it."""
    present = values[~np.isnan(values)]
    if isinstance(column, Numeric):
        if column.integer:
            return 1.0, {}
        needed = _decimals(present, column.dtype)
        places = private_precision(needed, DECIMALS + 1, std, noise)
        return (0.0 if places is None else 10.0**-places), {"decimals": places}
    micro = np.rint(present * 1e6).astype(np.int64)
    needed = np.full(len(micro), len(RESOLUTIONS) - 1)
    for level in range(len(RESOLUTIONS) - 2, -1, -1):
        needed[micro % round(RESOLUTIONS[level] * 1e6) == 0] = level
    if isinstance(column, Datetime) and column.zone is not None:
        needed = np.maximum(needed, 1)  # days are the zone's own, which UTC does not show
    found = private_precision(needed, len(RESOLUTIONS) - 1, std, noise)
    step = RESOLUTIONS[-1 if found is None else found]
    return step, {"resolution": step}


def _decimals(present: NDArray[np.float64], dtype: str) -> NDArray[np.int64]:
    """(n,): the decimal places that each number needs; ``DECIMALS + 1`` where more than that."""
    single = any(name in dtype.lower() for name in ("float32", "float16", "float[", "halffloat"))
    kind = np.float32 if single else np.float64
    needed = np.full(len(present), DECIMALS + 1)
    for places in range(DECIMALS, -1, -1):
        with np.errstate(over="ignore", invalid="ignore"):
            same = np.round(present, places).astype(kind) == present.astype(kind)
        needed[same] = places
    return needed


def _spikes(
    histogram: Histogram, column: Continuous, *, whole: bool
) -> tuple[list[tuple[float, int]], NDArray[np.bool_]]:
    """Single numbers that hold a large share of the rows, with their counts; and which bins are
    left."""
    regular = np.ones(len(histogram.rows), dtype=bool)
    if not isinstance(column, Numeric):
        return [], regular
    width = histogram.right - histogram.left
    total = histogram.rows.sum() + histogram.missing
    alone = (width <= 1 if whole else width == 0) & (histogram.rows >= SPIKE * total)
    middles = (histogram.left + histogram.right) / 2
    found = [(float(middles[i]), int(histogram.rows[i])) for i in np.flatnonzero(alone)]
    return found, ~alone


def _bounds(column: Continuous, grid: Grid, ends: tuple[float, float]) -> dict[str, Any]:
    """Multiples of the distance of neighbouring values, so that rounding a value does not leave
    the bounds: those within ``ends``, or around them where that leaves nothing."""
    low, high, step = *ends, grid.step
    if isinstance(column, Numeric) and column.integer:
        least, most = whole_limits(column.dtype)
        smallest, largest = max(math.ceil(low), least), min(math.floor(high), most)
        return {"low": smallest, "high": max(largest, smallest + 1)}
    if step and max(abs(low), abs(high)) < 2**53 * step:
        low, high = math.ceil(low / step) * step, math.floor(high / step) * step
        if high <= low:
            low, high = low - step, low + step
    if isinstance(column, Numeric) and step:
        places = round(-math.log10(step))
        low, high = round(low, places), round(high, places)
    return {"low": low, "high": high if high > low else low + 1}


def _drowned(column: Column, field: str, what: str) -> DataError:
    return DataError(
        f"column {column.name!r}: at this epsilon {what} cannot be told from noise",
        f"raise generator.epsilon, train on more rows, or declare generator.{field}.{column.name}",
    )
