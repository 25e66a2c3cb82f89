"""A resample: the training rows of a run, split in three.

::

    inner train | inner | outer test          outer train = inner train + inner

Generator and encoder see inner train, ratio and learner are chosen on inner, outer test is what
is reported. All arms of a resample get the same rows.

- The schema is inferred anew, from inner train alone. Two things come from all of the run's
  training rows: the kinds of the columns, which a user could have written down as well, and the
  list of classes, which says what is to be predicted. The run's sealed test rows are elsewhere.
- With ``max_rows`` one fixed part of the training rows plays the role of all of them.
- With a time column, resamples are rolling origins (Tashman, International Journal of Forecasting
  16, 2000): each sees the rows up to a moment of its own, the first one all of them, and tests on
  the last of those.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from synthgen.benchmark.scoring import class_of_interest
from synthgen.benchmark.settings import DecideSettings
from synthgen.data.infer import infer
from synthgen.data.overrides import ColumnOverride
from synthgen.data.schema import Column, Constant, Datetime, Ordered, Schema
from synthgen.data.split import split_rows
from synthgen.data.table import Table

_GOLDEN = 0.6180339887498949
"""Steps of the golden ratio spread over an interval evenly, however many there are."""


class Sizes(BaseModel):
    """Rows of the run's training part, of those used, and of a resample's parts. ``rarest``: test
    rows of the class that has the fewest there (for a numeric target: all test rows)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    available: int
    used: int
    inner_train: int
    inner: int
    train: int
    test: int
    rarest: int


@dataclass(frozen=True)
class Resample:
    """Tables of one schema, inferred from ``inner_train``. ``interest``: the class of interest,
    from all of the run's training rows, so that it is the same in all resamples."""

    inner_train: Table
    inner: Table
    train: Table
    test: Table
    interest: int
    sizes: Sizes


def seed_of(seed: int, resample: int, purpose: str) -> int:
    """An independent seed below 2**31 for each purpose, the same for all arms of a resample."""
    parts = [seed, resample, zlib.crc32(purpose.encode())]
    return int(np.random.SeedSequence(parts).generate_state(1)[0] >> 1)


def split(
    table: Table,
    settings: DecideSettings,
    *,
    seed: int,
    number: int,
    group: str | None,
    time: str | None,
    overrides: Mapping[str, ColumnOverride],
) -> Resample:
    """Resample ``number`` of the run's training rows, from the run's ``seed``.

    Raises :class:`~synthgen.errors.DataError` where the rows do not suffice.
    """
    target, task = table.schema.target, table.schema.task
    assert target is not None

    def halves(
        frame: pd.DataFrame, share: float, purpose: str
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        own = seed if purpose == "cap" else seed_of(seed, number, purpose)
        return split_rows(
            frame, target=target, share=share, seed=own, group=group, time=time, task=task
        )

    frame = table.frame
    if settings.max_rows is not None and len(frame) > settings.max_rows:
        # The same rows in every resample; the latest ones where there is a time column.
        _, kept = halves(frame, settings.max_rows / len(frame), "cap")
        frame = _rows(frame, kept)
    later = 0.5 * ((number * _GOLDEN) % 1)
    if time is not None and later > 0:
        kept, _ = halves(frame, later, "origin")
        frame = _rows(frame, kept)
    outer, test = halves(frame, settings.test_share, "outer")
    train = _rows(frame, outer)
    inner_train, inner = halves(train, settings.inner_share, "inner")
    schema = _schema(_rows(train, inner_train), table.schema, overrides)
    tested = Table(_rows(frame, test), schema)
    return Resample(
        inner_train=Table(_rows(train, inner_train), schema),
        inner=Table(_rows(train, inner), schema),
        train=Table(train, schema),
        test=tested,
        interest=_interest(table),
        sizes=Sizes(
            available=len(table),
            used=len(frame),
            inner_train=len(inner_train),
            inner=len(inner),
            train=len(outer),
            test=len(test),
            rarest=_rarest(tested),
        ),
    )


def _interest(table: Table) -> int:
    """The class of interest; 0 for a numeric target, where nothing asks for it."""
    if table.schema.task == "regression":
        return 0
    return class_of_interest(table.labels, _classes(table.schema))


def _rarest(test: Table) -> int:
    if test.schema.task == "regression":
        return len(test)
    return int(np.bincount(test.labels, minlength=_classes(test.schema)).min())


def _classes(schema: Schema) -> int:
    return next(len(c.values) for c in schema.discrete if c.name == schema.target)


def _rows(frame: pd.DataFrame, positions: NDArray[np.int64]) -> pd.DataFrame:
    return frame.iloc[positions].reset_index(drop=True)


def _schema(frame: pd.DataFrame, known: Schema, overrides: Mapping[str, ColumnOverride]) -> Schema:
    """Inferred from these rows; kinds and target classes as they are known."""
    kinds = {c.name: _kind(c) for c in known.columns if not isinstance(c, Constant)}
    inferred = infer(frame, target=known.target, overrides=kinds | dict(overrides), task=known.task)
    if known.task == "regression":  # Its bounds are learned, like those of any other number.
        return inferred
    columns = tuple(known[c.name] if c.name == known.target else c for c in inferred.columns)
    return inferred.model_copy(update={"columns": columns})


def _kind(column: Column) -> ColumnOverride:
    """A column's kind, with what a few rows may leave open: an order, a date format."""
    match column:
        case Ordered():
            return ColumnOverride(kind="ordered", values=column.values)
        case Datetime():
            return ColumnOverride(kind="datetime", format=column.format, zone=column.zone)
        case _:
            return ColumnOverride(kind=column.kind)
