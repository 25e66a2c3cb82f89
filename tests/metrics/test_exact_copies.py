"""Copies are found, all of them and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen.data.schema import Identifier, Schema
from synthgen.data.table import Table
from synthgen.metrics.base import NotComputable, Trio
from synthgen.metrics.exact_copies import coincidences, copies, exact_copies
from synthgen.metrics.levels import distinct, row_ids
from tests.metrics.tables import categorical, numeric, pair, real_trio, table

COLUMNS = [numeric("x", [0, 3]), categorical("kind", "a", "b")]


def test_by_hand() -> None:
    train = {"x": [0.0, 0.0, 1.0, np.nan, -0.0], "kind": ["a", "b", None, "rare", "a"]}
    rows = {
        "x": [0.0, 0.0, 1.0, np.nan, np.nan, 1.0],
        "kind": ["a", None, None, "rare", "other", "a"],
    }
    trio = pair(COLUMNS, train, rows)
    assert copies(trio.train, trio.synthetic).tolist() == [True, False, True, True, False, False]
    reading = exact_copies(trio)
    assert reading.value == 3
    # The first row stands in the training rows twice.
    assert reading.detail == {"share": 0.5, "of_unique_rows": 2}


@pytest.mark.parametrize("seed", range(3))
def test_row_numbers_agree_with_comparing_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tables = [
        table(
            COLUMNS,
            x=rng.choice([0.0, 0.1, np.nan, 7], n),
            kind=rng.choice(np.array(["a", "b", None, "c"], dtype=object), n),
        )
        for n in (40, 25)
    ]
    ids = np.concatenate(row_ids(*tables))
    rows = [tuple(map(str, row)) for t in tables for row in t.frame.itertuples(index=False)]
    same = np.array([[a == b for a in rows] for b in rows])
    np.testing.assert_array_equal(ids[:, None] == ids[None, :], same)
    firsts = [rows.index(row) for row in dict.fromkeys(rows[:40])]
    assert distinct(tables[0]).tolist() == firsts


def test_columns_that_are_not_modelled_do_not_hide_a_copy() -> None:
    schema = Schema(columns=(Identifier(name="id", dtype="int64"), *COLUMNS))
    train = Table(pd.DataFrame({"id": [1, 2], "x": [0.5, 1.5], "kind": ["a", "b"]}), schema)
    fresh = Table(train.frame.assign(id=[8, 9]), schema)
    assert copies(train, fresh).all()


def test_a_copy_of_the_training_rows_counts_in_full(shared_data: Path) -> None:
    trio = real_trio(shared_data, "adult-train", rows=4000)
    copied = exact_copies(Trio(trio.train, trio.holdout, trio.train))
    assert copied.value == len(trio.train)
    assert copied.detail["share"] == 1
    held = exact_copies(trio)
    assert held.value == 0  # the split keeps duplicates together


def test_the_reference_is_how_often_real_rows_coincide() -> None:
    train = {"x": [0.0, 1, 2, 3], "kind": ["a"] * 4}
    held = {"x": [0.0, 5, 5, 6], "kind": ["a"] * 4}
    trio = Trio(*(table(COLUMNS, **cells) for cells in (train, held, train)))
    # Three of four held-out rows stand elsewhere too; four synthetic rows.
    assert coincidences(trio) == 3
    assert coincidences(Trio(trio.train, trio.holdout, trio.train.take(np.array([1])))) == 0.75


def test_no_rows() -> None:
    nothing = {"x": [], "kind": []}
    some = {"x": [0.0], "kind": ["a"]}
    with pytest.raises(NotComputable, match="no synthetic rows"):
        exact_copies(pair(COLUMNS, some, nothing))
    with pytest.raises(NotComputable, match="no held-out rows"):
        coincidences(pair(COLUMNS, some, some))
