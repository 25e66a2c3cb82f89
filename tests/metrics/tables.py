"""Tables for the tests of the metrics: small ones by hand, and the real sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.infer import infer
from synthgen.data.schema import Categorical, Column, Numeric, Schema
from synthgen.data.split import split_rows
from synthgen.data.table import Table
from synthgen.metrics.base import Trio

TARGETS = {
    "adult-train": "income",
    "default": "default.payment.next.month",
    "shoppers": "Revenue",
    "magic": "class",
}


def numeric(name: str, values: Any, **fields: Any) -> Numeric:
    """A column of these values, full precision unless said otherwise."""
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    settings = {"dtype": "float64", "integer": False, "low": float(low), "high": float(high)}
    return Numeric(name=name, **(settings | fields))


def categorical(name: str, *values: Any) -> Categorical:
    return Categorical(name=name, dtype="object", values=values)


def table(columns: list[Column], *, target: str | None = None, **data: Any) -> Table:
    """``data``: the cells by column name."""
    frame = pd.DataFrame({column.name: data[column.name] for column in columns})
    return Table(frame, Schema(columns=tuple(columns), target=target))


def pair(columns: list[Column], real: dict[str, Any], synthetic: dict[str, Any]) -> Trio:
    """A trio without held-out rows."""
    train = table(columns, **real)
    return Trio(train, train.take(np.arange(0)), table(columns, **synthetic))


def real_trio(shared_data: Path, name: str, *, seed: int = 0, rows: int | None = None) -> Trio:
    """Train, holdout (20 %), and the holdout again in the place of synthetic rows."""
    frame = pd.read_csv(shared_data / "tabular" / f"{name}.csv")
    if rows is not None:
        frame = frame.sample(rows, random_state=seed).reset_index(drop=True)
    target = TARGETS[name]
    known, held = split_rows(frame, target=target, share=0.2, seed=seed)
    schema = infer(frame.iloc[known].reset_index(drop=True), target=target)
    whole = Table(frame, schema)
    return Trio(whole.take(known), whole.take(held), whole.take(held), seed)


def shuffled(rows: Table, seed: int = 0) -> Table:
    """The same columns, each in an order of its own: right margins, no relations."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {name: rng.permutation(rows.frame[name].to_numpy()) for name in rows.frame}
    ).astype(rows.frame.dtypes)
    return Table(frame, rows.schema)
