"""Rows of another file in the training rows' columns and dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import DataError
from synthgen.pipeline.tables.conform import conform


def like() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": pd.array([30, None, 50], dtype="Int64"),
            "height": [1.5, 1.6, 1.7],
            "rooms": np.array([1, 2, 3], dtype="int16"),
            "town": pd.Categorical(["Bern", "Oslo", "Bern"], ["Oslo", "Bern"]),
            "level": pd.Categorical(["low", "high", "low"], ["low", "high"], ordered=True),
            "born": pd.to_datetime(["2000-01-01", "2001-01-01", "2002-01-01"]),
            "name": ["a", "b", "c"],
        }
    )


def other(**columns: Any) -> pd.DataFrame:
    """The same rows as a reader might find them elsewhere: wider types, text for categories."""
    plain = {
        "name": ["d", "e"],
        "age": [41.0, np.nan],
        "height": [2, 3],
        "rooms": [7, 8],
        "town": ["Oslo", "Bern"],
        "level": ["high", "low"],
        "born": pd.to_datetime(["1990-05-05", None]),
    }
    return pd.DataFrame(plain | columns)


def test_columns_order_and_dtypes_are_the_training_rows() -> None:
    found = conform(other(extra=[1, 2]), like(), "test.csv")
    assert list(found.columns) == list(like().columns)
    assert list(found.dtypes) == list(like().dtypes)
    assert found["age"].tolist() == [41, pd.NA]
    assert found["height"].tolist() == [2.0, 3.0]
    assert found["rooms"].tolist() == [7, 8]
    assert found["town"].tolist() == ["Oslo", "Bern"]
    assert found["level"].tolist() == ["high", "low"]
    assert found["born"].isna().tolist() == [False, True]
    assert found["name"].tolist() == ["d", "e"]


def test_the_frames_themselves_stay_as_they_are() -> None:
    given, pattern = other(extra=[1, 2]), like()
    conform(given, pattern, "test.csv")
    pd.testing.assert_frame_equal(given, other(extra=[1, 2]))
    pd.testing.assert_frame_equal(pattern, like())


@pytest.mark.parametrize("column", ["age", "town", "name"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(DataError) as refused:
        conform(other().drop(columns=column), like(), "test.csv")
    assert repr(column) in refused.value.cause
    assert "test.csv" in refused.value.cause
    assert "missing" in refused.value.cause


def test_the_first_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="'height'"):
        conform(other().drop(columns=["town", "height"]), like(), "test.csv")


@pytest.mark.parametrize(
    ("column", "cells", "found", "wanted"),
    [
        ("age", ["old", "young"], "object", "Int64"),
        ("height", ["tall", "small"], "object", "float64"),
        ("rooms", [1.0, np.nan], "float64", "int16"),
        ("born", ["soon", "late"], "object", "datetime64"),
    ],
)
def test_another_type_is_named(column: str, cells: list[Any], found: str, wanted: str) -> None:
    with pytest.raises(DataError) as refused:
        conform(other(**{column: cells}), like(), "test.csv")
    for word in ("test.csv", repr(column), found, wanted):
        assert word in refused.value.cause
    for cell in cells:
        assert str(cell) not in str(refused.value)


@pytest.mark.parametrize(
    ("dtype", "cells"),
    [
        ("int64", [1.5, 2.7]),
        ("int8", [1, 300]),
        ("bool", ["no", "yes"]),
        ("bool", [0, 7]),
        ("datetime64[ns]", [5, 6]),
    ],
)
def test_no_cell_is_changed_without_a_word(dtype: str, cells: list[Any]) -> None:
    pattern = pd.DataFrame({"a": pd.Series([0, 1]).astype(dtype)})
    with pytest.raises(DataError, match="'a'"):
        conform(pd.DataFrame({"a": cells}), pattern, "test.csv")


def test_unseen_categories_are_values_not_gaps() -> None:
    found = conform(other(town=["Rome", None], level=["mid", "low"]), like(), "test.csv")
    assert found["town"].tolist()[0] == "Rome"
    assert found["town"].isna().tolist() == [False, True]
    assert list(found["town"].cat.categories) == ["Oslo", "Bern", "Rome"]
    assert found["level"].tolist() == ["mid", "low"]
    assert found["level"].cat.ordered
    assert list(found["level"].cat.categories) == ["low", "high", "mid"]


def test_a_file_without_rows_keeps_the_dtypes() -> None:
    found = conform(like().head(0), like(), "test.csv")
    assert len(found) == 0
    assert list(found.dtypes) == list(like().dtypes)
