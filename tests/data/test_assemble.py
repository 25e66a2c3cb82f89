"""Whole tables from modelled columns: fresh keys, empty text, constants, dtypes and order."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.data.assemble import assemble
from synthgen.data.dtypes import dtype_name
from synthgen.data.infer import infer
from synthgen.data.keys import ROOM, fresh_keys, numbered_keys, pattern_of
from synthgen.data.overrides import ColumnOverride
from synthgen.data.schema import Constant, Identifier, Schema, Text
from synthgen.data.table import Table
from synthgen.errors import DataError

ROWS = 60


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "key": [f"K-{i:06d}" for i in rng.permutation(ROWS)],
            "x": rng.normal(size=ROWS),
            "number": np.arange(ROWS, dtype="int32"),
            "note": [
                f"It was {i} and so on and so forth, and then it was again" for i in range(ROWS)
            ],
            "one": pd.array([7] * ROWS, dtype="Int16"),
            "gone": pd.array([None] * ROWS, dtype="string"),
            "day": [dt.date(2024, 2, 29)] * ROWS,
            "y": pd.Categorical(["a", "b"] * (ROWS // 2)),
        }
    )


def rebuilt(n: int = 25, seed: int = 0) -> tuple[Table, Table]:
    train = Table(frame(), infer(frame(), target="y"))
    parts = {c.name: train.frame[c.name].iloc[:n] for c in train.schema.modelled}
    return train, assemble(parts, train.schema, n, seed)


def test_everything_comes_back_in_order_and_dtype() -> None:
    train, made = rebuilt()
    assert made.schema is train.schema
    assert list(made.frame.columns) == list(train.frame.columns)
    assert (made.frame.dtypes == train.frame.dtypes).all()
    assert [dtype_name(made.frame[c]) for c in made.frame] == [
        c.dtype for c in train.schema.columns
    ]
    assert len(made) == 25
    assert made.frame.index.equals(pd.RangeIndex(25))
    pd.testing.assert_series_equal(made.frame["x"], train.frame["x"].iloc[:25])


def test_what_nobody_models() -> None:
    train, made = rebuilt()
    kinds = {c.name: type(c) for c in train.schema.columns}
    assert kinds["key"] is kinds["number"] is Identifier
    assert kinds["note"] is Text
    assert kinds["one"] is kinds["gone"] is kinds["day"] is Constant
    assert made.frame["note"].isna().all()
    assert made.frame["gone"].isna().all()
    assert made.frame["one"].eq(7).all()
    assert set(made.frame["day"]) == {dt.date(2024, 2, 29)}
    for key in ("key", "number"):
        assert made.frame[key].is_unique
        assert not set(made.frame[key]) & set(train.frame[key])
    assert made.frame["key"].str.fullmatch(r"K-\d{6,}").all()


def test_keys_depend_on_the_seed_alone() -> None:
    first, again, other = rebuilt(seed=1)[1], rebuilt(seed=1)[1], rebuilt(seed=2)[1]
    pd.testing.assert_frame_equal(first.frame, again.frame)
    for key in ("key", "number"):
        assert not set(first.frame[key]) & set(other.frame[key])


def test_no_rows_at_all() -> None:
    train, made = rebuilt(0)
    assert len(made) == 0
    assert (made.frame.dtypes == train.frame.dtypes).all()


def test_a_modelled_column_must_be_there() -> None:
    train, _ = rebuilt()
    with pytest.raises(KeyError, match="x"):
        assemble({}, train.schema, 3, 0)


def test_groups_declared_as_keys_get_fresh_ones() -> None:
    source = frame().assign(ward=["north", "south", "east"] * 20, room=[1.0, 2.0, np.nan] * 20)
    key = ColumnOverride(kind="identifier")
    schema = infer(source, target="y", overrides={"ward": key, "room": key})
    parts = {c.name: source[c.name] for c in schema.modelled}
    made = assemble(parts, schema, ROWS, 0).frame
    for name in ("ward", "room"):
        assert made[name].is_unique
        assert made[name].dtype == source[name].dtype
        assert not set(made[name]) & set(source[name])


CONSTANTS: list[pd.Series[Any]] = [
    pd.Series([3], dtype="uint8"),
    pd.Series([2**53 + 1]),
    pd.Series([0.1], dtype="float32"),
    pd.Series([True]),
    pd.Series(["x"], dtype="category"),
    pd.Series([3], dtype="category"),
    pd.Series(["x"], dtype="string[pyarrow]"),
    pd.Series(np.array(["2024-02-29T01:02:03.5"], "datetime64[ms]")),
    pd.Series(pd.to_datetime(["2024-07-01 12:00"])).dt.tz_localize("Europe/Berlin"),
    pd.Series(np.array([90], "timedelta64[s]")),
    pd.Series(pd.arrays.ArrowExtensionArray(pa.array([Decimal("1.50")], pa.decimal128(4, 2)))),
    pd.Series(pd.arrays.ArrowExtensionArray(pa.array([dt.date(2024, 2, 29)]))),
    pd.Series(pd.arrays.ArrowExtensionArray(pa.array([90], pa.duration("s")))),
    pd.Series([None], dtype=object),
    pd.Series([None], dtype="Int64"),
    pd.Series([np.nan]),
    pd.Series([None], dtype=object).astype("category"),
    pd.Series(np.array(["NaT"], "datetime64[us]")),
    pd.Series(pd.arrays.ArrowExtensionArray(pa.array([None], pa.null()))),
]


@pytest.mark.parametrize("one", CONSTANTS, ids=lambda s: f"{s.dtype} {s.iloc[0]}")
def test_constants_of_any_dtype(one: pd.Series[Any]) -> None:
    cells = one.take(np.zeros(ROWS, dtype=int)).reset_index(drop=True).rename("x")
    schema = infer(cells.to_frame(), target=None)
    assert isinstance(schema["x"], Constant)
    schema = Schema.model_validate_json(schema.model_dump_json())
    pd.testing.assert_series_equal(assemble({}, schema, ROWS, 0).frame["x"], cells)


# ---- keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("int64", 10**15, 9 * 10**15),
        ("Int64", 10**15, 9 * 10**15),
        ("uint64", 10**15, 9 * 10**15),
        ("int64[pyarrow]", 10**15, 9 * 10**15),
        ("object[int]", 10**15, 9 * 10**15),
        ("float64", 10**15, 9 * 10**15),
        ("int32", 10**9, 2**31 - 1),
        ("uint32", 10**9, 2**32 - 1),
        ("int16", 0, 2**15 - 1),
        ("uint8", 0, 255),
    ],
)
def test_fresh_numbers(dtype: str, low: int, high: int) -> None:
    keys = fresh_keys((), dtype, 200, np.random.default_rng(0))
    assert dtype_name(keys) == dtype
    assert keys.is_unique
    assert all(low <= int(key) <= high for key in keys)
    assert (np.diff(keys.astype("int64")) == 1).all()


def test_a_type_without_room() -> None:
    with pytest.raises(DataError, match="uint8"):
        fresh_keys((), "uint8", 300, np.random.default_rng(0))


@pytest.mark.parametrize("dtype", ["object", "string", "string[pyarrow]", "arrow[string]"])
def test_fresh_text(dtype: str) -> None:
    keys = fresh_keys((("A", 1), ("0123456789", 9)), dtype, 500, np.random.default_rng(0))
    assert dtype_name(keys) == dtype
    assert keys.is_unique
    assert keys.str.fullmatch(r"A\d{9}").all()


def test_a_narrow_pattern_is_widened() -> None:
    keys = fresh_keys((("A", 1), ("01", 3), ("-", 1)), "object", 500, np.random.default_rng(0))
    assert keys.is_unique
    assert keys.str.fullmatch(r"A[01]{4,}-").all()
    assert 2 ** (keys.str.len().iloc[0] - 2) >= ROOM * 500


def test_text_declared_as_key_without_a_pattern() -> None:
    schema = infer(
        pd.DataFrame({"x": ["red", "green!", ""] * 20}),
        target=None,
        overrides={"x": ColumnOverride(kind="identifier")},
    )
    made = assemble({}, schema, 50, 0).frame["x"]
    assert made.str.fullmatch(r"[0-9a-f]{16}").all()


@pytest.mark.parametrize(
    ("regex", "texts"),
    [
        (r"\d{4}-[A-Z]{5}", ["7590-VHVEG", "5575-GNVDE", "3668-QPYBK"]),
        (r"[0-9a-f]{8}", ["0000000a", "12345678", "9f3e4d5c"]),
        (r"user_\d+", ["user_1", "user_22", "user_333"]),
        (r"[A-Z]{2}\d{3}", ["DE123", "FR456", "PL789"]),
        (r"[a-z]+\d+@x\.org", ["ab1@x.org", "cde23@x.org"]),
    ],
)
def test_patterns(regex: str, texts: list[str]) -> None:
    pattern = pattern_of(pd.Series(texts))
    keys = fresh_keys(pattern, "object", 20, np.random.default_rng(0))
    assert all(re.fullmatch(regex, key) for key in keys)


@pytest.mark.parametrize(
    "texts",
    [
        ["two words", "are two"],
        ["red", "green", "blue"],
        ["ab", "a-", "zz"],
        ["", "a1"],
        ["näh1", "grün22"],
        ["a1", "1a", "11a"],
        ["x" * 200, "y" * 200],
    ],
)
def test_texts_without_a_pattern(texts: list[str]) -> None:
    assert pattern_of(pd.Series(texts)) == ()


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    st.from_regex(r"[A-C]{1,2}[x_.]\d{1,3}", fullmatch=True),
    st.integers(1, 300),
    st.integers(0, 9),
)
def test_keys_fit_the_pattern_of_keys(example: str, n: int, seed: int) -> None:
    other = "".join("7" if c.isdigit() else "B" if c.isupper() else c for c in example)
    pattern = pattern_of(pd.Series([example, other, example.replace("7", "5")]))
    if not pattern:
        return
    keys = fresh_keys(pattern, "object", n, np.random.default_rng(seed))
    assert keys.is_unique
    assert len(keys) == n
    for alphabet, _ in pattern:
        assert alphabet
    letters = "".join(f"[{re.escape(a)}]{{{k},}}" for a, k in pattern)
    assert keys.str.fullmatch(letters).all()


@pytest.mark.parametrize(
    "pattern",
    [
        (("P", 1), ("-", 1), ("0123456789", 6)),
        (("0123456789abcdef", 16),),
        (("AB", 1), ("0123456789", 2), ("-", 1), ("xyz", 3)),
        (),
    ],
)
def test_numbered_keys_never_meet(pattern: Any) -> None:
    total, seed = 3000, np.random.SeedSequence(4)
    parts = [
        numbered_keys(pattern, "object", range(first, min(first + 700, total)), total, seed)
        for first in range(0, total, 700)
    ]
    whole = pd.concat(parts)
    assert len(whole) == total
    assert whole.is_unique
    alone = numbered_keys(pattern, "object", range(1400, 2100), total, seed)
    assert alone.tolist() == parts[2].tolist()
    # Neighbours do not look like a sequence.
    last = pd.Series([text[-2:] for text in parts[0]])
    assert last.nunique() > 5


@pytest.mark.parametrize("dtype", ["int64", "int32", "UInt32", "float64"])
def test_numbered_integers_follow_each_other(dtype: str) -> None:
    seed = np.random.SeedSequence(1)
    one = numbered_keys((), dtype, range(0, 50), 10**8, seed)
    other = numbered_keys((), dtype, range(50, 100), 10**8, seed)
    both = pd.concat([one, other]).astype("int64")
    assert str(one.dtype) == dtype
    assert (np.diff(both) == 1).all()


def test_a_billion_numbered_texts_need_no_more_memory_than_one_part() -> None:
    pattern = (("0123456789abcdef", 32),)
    part = range(999_999_000, 10**9)
    keys = numbered_keys(pattern, "string", part, 10**9, np.random.SeedSequence(1))
    assert keys.nunique() == 1000
    assert keys.str.fullmatch("[0-9a-f]{32}").all()
