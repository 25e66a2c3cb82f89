"""Closed forms, scipy, and what must not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from synthgen.data.schema import Boolean, Datetime, Schema, Timedelta
from synthgen.data.table import Table
from synthgen.metrics.base import NotComputable, Trio
from synthgen.metrics.column_shapes import column_shapes, ks_distance, shape, tv_distance
from tests.metrics.tables import categorical, numeric, pair, shuffled


def test_ks_by_hand() -> None:
    # After 2, the one function stands at 2/4 and the other at 0; nowhere do they part further.
    assert ks_distance(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])) == 0.5
    assert ks_distance(np.array([1.0, 1, 1]), np.array([1.0])) == 0
    assert ks_distance(np.array([1.0]), np.array([2.0, 3.0])) == 1


@pytest.mark.parametrize("seed", range(5))
def test_ks_is_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(0, 1, 211).round(rng.integers(0, 4))  # rounding makes ties
    b = rng.normal(0.3, 2, 87).round(1)
    assert ks_distance(a, b) == pytest.approx(ks_2samp(a, b).statistic, abs=1e-12)


def test_tv_by_hand() -> None:
    # Shares (1/2, 1/2, 0) and (1/4, 1/4, 1/2).
    assert tv_distance(np.array([1, 2]), np.array([1, 2, 3, 3])) == pytest.approx(0.5)


def test_value_is_the_mean_and_missing_cells_are_left_out() -> None:
    columns = [numeric("x", [1, 4]), categorical("kind", "a", "b")]
    trio = pair(
        columns,
        {"x": [1.0, 2, 3, 4, np.nan], "kind": ["a", "b", "a", "b", None]},
        {"x": [3.0, 4, 5, 6], "kind": ["a", "b", "new", "new"]},
    )
    reading = column_shapes(trio)
    assert reading.detail["columns"] == pytest.approx({"x": 0.5, "kind": 0.5})
    assert reading.value == pytest.approx(0.5)


def test_a_copy_is_perfect_and_neither_order_nor_names_matter() -> None:
    rng = np.random.default_rng(0)
    real = {"x": rng.normal(size=300), "kind": rng.choice(["a", "b", "c"], 300)}
    other = {"x": rng.normal(0.5, 1, 200), "kind": rng.choice(["a", "b", "d"], 200)}
    columns = [numeric("x", real["x"]), categorical("kind", "a", "b", "c")]
    assert column_shapes(pair(columns, real, real)).value == 1
    trio = pair(columns, real, other)
    value = column_shapes(trio).value
    assert 0.5 < value < 0.95
    moved = Trio(shuffled(trio.train, 1), trio.holdout, shuffled(trio.synthetic, 2))
    assert column_shapes(moved).value == pytest.approx(value)
    names = {"a": "zero", "b": "one", "c": "two", "d": "three"}
    renamed = pair(
        [columns[0], categorical("kind", *names.values())],
        {**real, "kind": [names[k] for k in real["kind"]]},
        {**other, "kind": [names[k] for k in other["kind"]]},
    )
    assert column_shapes(renamed).value == pytest.approx(value)
    # A distance of distribution functions knows order only.
    grown = pair(columns, {**real, "x": np.exp(real["x"])}, {**other, "x": np.exp(other["x"])})
    assert column_shapes(grown).value == pytest.approx(value)


def test_the_shifted_column_is_the_worst() -> None:
    rng = np.random.default_rng(0)
    real = {name: rng.normal(size=500) for name in "abc"}
    other = {name: rng.normal(0.8 * (name == "b"), 1, 500) for name in "abc"}
    scores = column_shapes(pair([numeric(n, real[n]) for n in "abc"], real, other)).detail
    assert min(scores["columns"], key=scores["columns"].get) == "b"
    assert scores["worst"] == scores["columns"]["b"] < 0.75


def test_times_booleans_and_rare_values() -> None:
    start = pd.Timestamp("2024-01-01", tz="Europe/Berlin")
    frame = pd.DataFrame(
        {
            "when": start + pd.to_timedelta([0, 1, 2, 3], unit="D"),
            "took": pd.to_timedelta([1, 2, 3, 4], unit="min"),
            "yes": pd.Series([True, False, None, True], dtype="boolean"),
            "kind": pd.Categorical(["a", "b", "c", "d"]),
        }
    )
    late = frame.assign(
        when=frame["when"] + pd.Timedelta(days=2),
        took=frame["took"] + pd.Timedelta(minutes=1),
        yes=pd.Series([True, True, True, None], dtype="boolean"),
        kind=pd.Categorical(["e", "f", "a", "b"]),
    )
    bounds = {"low": 0, "high": 1, "resolution": 1}
    columns = (
        Datetime(name="when", dtype=str(frame["when"].dtype), zone="Europe/Berlin", **bounds),
        Timedelta(name="took", dtype="timedelta64[ns]", **bounds),
        Boolean(name="yes", dtype="boolean"),
        # No value is listed, yet the four rare ones are told apart.
        categorical("kind").model_copy(update={"dtype": "category"}),
    )
    schema = Schema(columns=columns)
    real, drawn = Table(frame, schema), Table(late, schema)
    scores = [shape(column, real, drawn) for column in columns]
    assert scores == pytest.approx([0.5, 0.75, 2 / 3, 0.5])


def test_floats_that_differ_in_the_last_bit_are_ties() -> None:
    column = numeric("x", [0.3])
    trio = pair([column], {"x": [0.3, 0.3]}, {"x": [0.1 + 0.2, 0.1 + 0.2]})
    assert column_shapes(trio).value == 1
    big = pair([column], {"x": [1e300, 2e300]}, {"x": [1e300, 3e300]})
    assert column_shapes(big).value == 0.5


def test_one_row_and_no_values() -> None:
    columns = [numeric("x", [0, 9])]
    assert column_shapes(pair(columns, {"x": np.arange(10.0)}, {"x": [4.0]})).value == 0.5
    with pytest.raises(NotComputable, match="no column has values"):
        column_shapes(pair(columns, {"x": [1.0, 2.0]}, {"x": [np.nan, np.nan]}))
