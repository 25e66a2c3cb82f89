"""Planted breaches are found to the row; real rows keep what real rows taught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.data.schema import Datetime, Schema
from synthgen.data.table import Table
from synthgen.metrics.base import NotComputable, Trio
from synthgen.metrics.relations import dependencies, orderings
from synthgen.metrics.violations import violations
from tests.metrics.tables import categorical, numeric, pair, real_trio, shuffled, table


def _broken(trio: Trio) -> dict[tuple[str, ...], int]:
    """Rows per broken constraint, by kind and columns."""
    found = violations(trio).detail["constraints"]
    return {(c["kind"], *c["columns"]): c["rows"] for c in found if c["rows"]}


def _world(n: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    part = rng.gamma(2, 10, n).round(2)
    kind = rng.choice(["a", "b", "c", "d"], n)
    return {
        "part": part,
        "whole": (part + rng.gamma(2, 5, n)).round(2),
        "age": rng.integers(17, 91, n).clip(max=80).astype(float),
        "balance": rng.normal(0, 100, n),
        "kind": kind,
        "code": np.array([{"a": "1", "b": "1", "c": "2", "d": "3"}[k] for k in kind]),
        "gap": np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
    }


def _columns() -> list[Any]:
    real = _world(2000, 0)
    return [
        numeric("part", real["part"], decimals=2),
        numeric("whole", real["whole"], decimals=2),
        numeric("age", real["age"], integer=True),
        numeric("balance", real["balance"]),
        categorical("kind", "a", "b", "c", "d"),
        categorical("code", "1", "2", "3"),
        numeric("gap", real["gap"], missing=True),
    ]


def _trio(**changes: Any) -> Trio:
    """Fresh rows of the world as synthetic ones, of which the first few cells are replaced."""
    drawn = _world(400, 1)
    for name, cells in changes.items():
        column = drawn[name].astype(object)
        column[: len(cells)] = cells
        drawn[name] = pd.Series(column.tolist())
    return pair(_columns(), _world(2000, 0), drawn)


def test_fresh_rows_break_nothing_and_the_relations_are_found() -> None:
    reading = violations(_trio())
    assert reading.value == 0
    relations = [(c["kind"], *c["columns"]) for c in reading.detail["constraints"]]
    assert relations == [("order", "part", "whole"), ("dependency", "kind", "code")]
    assert reading.detail["checked"] == {
        "missing": 6,
        "range": 5,
        "precision": 3,
        "category": 2,
        "order": 1,
        "dependency": 1,
    }


@pytest.mark.parametrize(
    ("column", "cells", "expected"),
    [
        ("age", [16.0, 81.0, 17.0, 80.0], {("range", "age"): 2}),  # many rows share the ends
        ("age", [20.5, 30.0], {("precision", "age"): 1}),
        ("part", [-0.01], {("range", "part"): 1}),  # no training row is negative
        ("balance", [-2000.0, 2000.0, 450.0], {("range", "balance"): 2}),
        ("whole", [1000.001], {("precision", "whole"): 1, ("range", "whole"): 1}),
        ("balance", [np.nan] * 3, {("missing", "balance"): 3}),
        ("gap", [np.nan] * 3, {}),
        ("code", ["9", None], {("category", "code"): 1, ("missing", "code"): 1}),
    ],
)
def test_planted_breaches(
    column: str, cells: list[Any], expected: dict[tuple[str, ...], int]
) -> None:
    found = _broken(_trio(**{column: cells}))
    relations = {key: rows for key, rows in found.items() if len(key) == 3}
    assert {key: rows for key, rows in found.items() if len(key) == 2} == expected
    # An unknown or missing code is no counterpart of a known kind either.
    assert relations == ({("dependency", "kind", "code"): 2} if column == "code" else {})


def test_rows_that_break_several_constraints_count_once() -> None:
    drawn = _world(400, 1)
    trio = _trio(age=[200.5] * 10, part=[drawn["whole"][i] + 1 for i in range(10)])
    found = _broken(trio)
    assert found["range", "age"] == found["precision", "age"] == 10
    assert found["order", "part", "whole"] == 10
    reading = violations(trio)
    assert reading.value == pytest.approx(10 / 400)
    assert reading.detail["broken_constraints"] == 3


def test_a_broken_dependency() -> None:
    kind = _world(400, 1)["kind"]
    wrong = ["2" if k in "ab" else "1" for k in kind[:25]]
    assert _broken(_trio(code=wrong)) == {("dependency", "kind", "code"): 25}


def test_dates_off_their_resolution() -> None:
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(500) % 365, unit="D")
    column = Datetime(
        name="when", dtype="datetime64[ns]", low=1577836800, high=1609286400, resolution=86400
    )
    schema = Schema(columns=(column,))
    train = Table(pd.DataFrame({"when": days}), schema)
    late = pd.Series(days).where(np.arange(500) >= 4, pd.Timestamp("2031-01-01"))
    assert _broken(Trio(train, train, train)) == {}
    moved = pd.Series(days).where(np.arange(500) >= 7, pd.Timestamp("2020-05-05 12:00"))
    assert _broken(Trio(train, train, Table(train.frame.assign(when=moved), schema))) == {
        ("precision", "when"): 7
    }
    assert _broken(Trio(train, train, Table(train.frame.assign(when=late), schema))) == {
        ("range", "when"): 4
    }


def test_orderings_need_more_than_separate_ranges_and_hold_in_every_row() -> None:
    rng = np.random.default_rng(0)
    x = rng.random(1000)
    real = {"x": x, "above": x + rng.random(1000), "far": x + 10, "almost": x + 1e-3}
    real["almost"][500] = 0  # once is enough
    some = {name: values[:1] for name, values in real.items()}
    names = {(first, second) for first, second, _ in orderings(real, some)}
    assert ("x", "above") in names
    assert not any("far" in pair for pair in names)
    assert ("x", "almost") not in names
    few = {name: values[:299] for name, values in real.items()}
    assert list(orderings(few, some)) == []
    hidden = {**real, "above": np.where(np.arange(1000) < 250, real["above"], np.nan)}
    assert ("x", "above") not in {(a, b) for a, b, _ in orderings(hidden, some)}


def test_missing_cells_do_not_break_an_order() -> None:
    x = np.random.default_rng(0).random(1000)
    real = {"x": x, "y": x + 0.2}
    drawn = {"x": np.array([0.5, np.nan, 0.5]), "y": np.array([np.nan, 0.1, 0.4])}
    found = {(a, b): rows.tolist() for a, b, rows in orderings(real, drawn)}
    assert found == {("x", "y"): [False, False, True]}


def test_dependencies_must_not_be_chance() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(1, 5, 1000)
    rare = (np.arange(1000) == 3).astype(np.int64) + 1  # one row differs: chance would do that
    unique = np.arange(1, 1001)
    constant = np.ones(1000, dtype=np.int64)
    real = {"a": codes, "b": codes // 3 + 1, "c": rare, "d": unique, "e": constant}
    found = {(a, b) for a, b, _ in dependencies(real, real)}
    assert found == {("a", "b")}


def test_levels_of_few_rows_teach_nothing() -> None:
    a = np.repeat([1, 2, 3], [500, 480, 5])
    b = np.repeat([1, 2, 1], [500, 480, 5])
    drawn = {"a": np.array([1, 2, 3, 9]), "b": np.array([2, 1, 2, 1])}
    found = {(x, y): rows.tolist() for x, y, rows in dependencies({"a": a, "b": b}, drawn)}
    assert found["a", "b"] == [True, True, False, False]


def test_open_lists_of_categories_are_not_closed() -> None:
    rng = np.random.default_rng(0)
    names = np.array([f"v{i}" for i in range(5000)])
    column = categorical("city")
    trio = pair([column], {"city": rng.choice(names, 1000)}, {"city": rng.choice(names, 1000)})
    assert violations(trio).detail["checked"] == {"missing": 1}


@pytest.mark.parametrize("name", ["adult-train", "default", "shoppers", "magic"])
@pytest.mark.parametrize("seed", [1, 2])
def test_held_out_rows_break_nothing(shared_data: Path, name: str, seed: int) -> None:
    trio = real_trio(shared_data, name, seed=seed)
    found = _broken(trio)
    # A category of a handful of rows may have all of them in the holdout: PAY_2 = 8, say.
    assert {kind for kind, *_ in found} <= {"category"}
    assert violations(trio).value < 4e-4


def test_what_is_known_of_real_tables_is_found(shared_data: Path) -> None:
    adult = real_trio(shared_data, "adult-train")
    relations = violations(adult).detail["constraints"]
    assert {"kind": "dependency", "columns": ["education", "education-num"], "rows": 0} in relations
    magic = violations(real_trio(shared_data, "magic")).detail["constraints"]
    # The ellipse's minor axis is not the longer one.
    assert {"kind": "order", "columns": ["fWidth", "fLength"], "rows": 0} in magic
    mixed = violations(Trio(adult.train, adult.holdout, shuffled(adult.holdout)))
    assert mixed.value > 0.5


def test_not_computable() -> None:
    few = table([numeric("x", [0, 1])], x=np.arange(299.0))
    with pytest.raises(NotComputable, match="300 training rows"):
        violations(Trio(few, few, few))
    many = table([numeric("x", [0, 1])], x=np.arange(300.0))
    with pytest.raises(NotComputable, match="no synthetic rows"):
        violations(Trio(many, many, many.take(np.arange(0))))
    assert violations(Trio(many, many, many.take(np.array([0])))).value == 0
