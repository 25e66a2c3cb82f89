"""A table keeps its dtypes through saving, taking and joining."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen.data.infer import infer
from synthgen.data.table import Table
from tests.data.test_parquet import ALL

FRAME = pd.concat([ALL.drop(columns="object int")] * 10, ignore_index=True).astype(
    {name: ALL[name].dtype for name in ALL if name != "object int"}
)


def table() -> Table:
    frame = FRAME.assign(y=["a", "b"] * 10)
    return Table(frame, infer(frame, target="y"))


def test_saved_tables_come_back(tmp_path: Path) -> None:
    made = table()
    made.save(tmp_path / "t.parquet")
    again = Table.load(tmp_path / "t.parquet", made.schema)
    pd.testing.assert_frame_equal(again.frame, made.frame, check_exact=True)


def test_tables_that_pandas_wrote_come_back_in_the_schema_s_dtypes(tmp_path: Path) -> None:
    made = table()
    made.frame.drop(columns=["ordered"]).to_parquet(tmp_path / "t.parquet", index=False)
    frame = made.frame.drop(columns=["ordered"])
    again = Table.load(tmp_path / "t.parquet", infer(frame, target="y"))
    pd.testing.assert_frame_equal(again.frame, frame, check_exact=True)


def test_rows_taken_by_position_and_by_mask() -> None:
    made = table()
    mask = np.arange(20) % 3 == 0
    for taken in (made.take(mask), made.take(np.flatnonzero(mask))):
        assert len(taken) == 7
        assert taken.frame.index.equals(pd.RangeIndex(7))
        assert (taken.frame.dtypes == made.frame.dtypes).all()


def test_joined_tables_keep_the_first_one_s_dtypes() -> None:
    made = table()
    few = made.take(np.arange(3))
    joined = made.concat(few)
    assert len(joined) == 23
    assert (joined.frame.dtypes == made.frame.dtypes).all()
    pd.testing.assert_frame_equal(
        joined.frame.iloc[20:].reset_index(drop=True), few.frame, check_exact=True
    )


def test_further_categories_are_appended() -> None:
    first = pd.DataFrame({"k": pd.Categorical(["b", "a"], ["b", "a", "unused"])})
    second = pd.DataFrame({"k": pd.Categorical(["fresh", None])})
    schema = infer(first, target=None)
    joined = Table(first, schema).concat(Table(second, schema)).frame["k"]
    assert joined.cat.categories.tolist() == ["b", "a", "unused", "fresh"]
    assert joined.iloc[:3].tolist() == ["b", "a", "fresh"]


def test_numbers_codes_and_labels() -> None:
    made = table()
    assert made.labels.tolist() == [0, 1] * 10
    assert made.codes("text").tolist() == [0, -1] * 10
    with pytest.raises(ValueError, match="target"):
        _ = Table(FRAME, infer(FRAME, target=None)).labels
    with pytest.raises(ValueError, match="columns"):
        Table(FRAME, made.schema)


def test_targets_are_numbers_and_labels_are_codes() -> None:
    frame = pd.DataFrame({"x": [0, 1] * 30, "y": np.arange(60) / 4})
    prices = Table(frame, infer(frame, target="y"))
    assert prices.targets.dtype == np.float64
    assert prices.targets.tolist() == frame["y"].tolist()
    with pytest.raises(ValueError, match="of regression, not of classification"):
        _ = prices.labels
    with pytest.raises(ValueError, match="of classification, not of regression"):
        _ = table().targets
    with pytest.raises(ValueError, match="no target"):
        _ = Table(FRAME, infer(FRAME, target=None)).targets
