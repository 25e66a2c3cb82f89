"""Parquet in, Parquet out: no dtype and no cell changes."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.data.dtypes import dtype_name
from synthgen.data.parquet import pack_schema, read_parquet, unpack_schema, write_parquet
from synthgen.errors import DataError

quick = settings(deadline=None, max_examples=25, derandomize=True)


def again(frame: pd.DataFrame, like: pa.Schema | None = None) -> pd.DataFrame:
    buffer = io.BytesIO()
    write_parquet(frame, buffer, like)
    return read_parquet(pa.BufferReader(buffer.getvalue()), "x.parquet")[0]


def arrow(values: list[Any], arrow_type: pa.DataType) -> Any:
    return pd.arrays.ArrowExtensionArray(pa.array(values, arrow_type))


ALL = pd.DataFrame(
    {
        "bool": [True, False],
        "boolean": pd.array([True, None], dtype="boolean"),
        "object bool": pd.Series([True, None], dtype=object),
        "int8": np.array([1, -1], dtype="int8"),
        "Int64": pd.array([2**53 + 1, None], dtype="Int64"),
        "UInt64": pd.array([2**64 - 1, None], dtype="UInt64"),
        "object int": pd.Series([2**53 + 1, 1], dtype=object),
        "float32": np.array([0.1, np.nan], dtype="float32"),
        "Float32": pd.array([0.1, None], dtype="Float32"),
        "text": ["a", None],
        "string": pd.array(["a", None], dtype="string"),
        "str": pd.array(["a", None], dtype=pd.StringDtype(na_value=np.nan)),
        "arrow string": arrow(["a", None], pa.string()),
        "large string": arrow(["a", None], pa.large_string()),
        "dictionary": arrow(["a", None], pa.dictionary(pa.int8(), pa.string())),
        "arrow int": arrow([1, None], pa.uint16()),
        "arrow decimal": arrow([Decimal("1.50"), None], pa.decimal128(9, 2)),
        "decimal": pd.Series([Decimal("1.50"), None], dtype=object),
        "date": pd.Series([dt.date(2024, 2, 29), None], dtype=object),
        "arrow date": arrow([dt.date(2024, 2, 29), None], pa.date32()),
        "seconds": np.array(["2024-02-29T01:02:03", "NaT"], "datetime64[s]"),
        "nanoseconds": np.array(["2024-02-29T01:02:03.123456789", "NaT"], "datetime64[ns]"),
        "zoned": pd.Series(
            pd.array(["2024-02-29 01:00", None], dtype="datetime64[us, Europe/Berlin]")
        ),
        "duration": np.array([5, "NaT"], "timedelta64[ms]"),
        "category": pd.Categorical(["b", None], categories=["b", "unused", "a"]),
        "ordered": pd.Categorical([3, 1], categories=[3, 2, 1], ordered=True),
    }
)


def test_every_dtype_returns() -> None:
    result = again(ALL)
    pd.testing.assert_frame_equal(result, ALL, check_exact=True)
    assert [dtype_name(result[c]) for c in ALL] == [dtype_name(ALL[c]) for c in ALL]


# pandas writes these in a way that does not tell them from objects or numbers.
LOST = ("object int", "arrow decimal", "ordered")


@pytest.mark.parametrize("column", [c for c in ALL if c not in LOST])
def test_what_pandas_writes_is_read_with_its_dtypes(column: str, tmp_path: Path) -> None:
    frame = ALL[[column]]
    frame.to_parquet(tmp_path / "x.parquet")
    result, _, _ = read_parquet(tmp_path / "x.parquet", "x")
    pd.testing.assert_frame_equal(result, frame, check_exact=True)


def test_pandas_reads_what_is_written(tmp_path: Path) -> None:
    readable = ALL.drop(columns=["dictionary", "arrow string", "seconds", "str", *LOST])
    write_parquet(readable, tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), readable)


def test_types_without_pandas_note_stay_exact() -> None:
    table = pa.table(
        {
            "int": pa.array([2**53 + 1, None], pa.int64()),
            "uint": pa.array([2**64 - 1, None], pa.uint64()),
            "flag": pa.array([True, None]),
            "money": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
            "day": pa.array([dt.date(2024, 2, 29), None], pa.date32()),
            "text": pa.array(["a", None]),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    frame, schema, _ = read_parquet(pa.BufferReader(buffer.getvalue()), "x")
    assert {c: dtype_name(frame[c]) for c in frame} == {
        "int": "Int64",
        "uint": "UInt64",
        "flag": "boolean",
        "money": "arrow[decimal128(10, 2)]",
        "day": "date32[day][pyarrow]",
        "text": "object",
    }
    assert frame["int"][0] == 2**53 + 1
    assert frame["uint"][0] == 2**64 - 1
    buffer = io.BytesIO()
    write_parquet(frame, buffer, unpack_schema(pack_schema(schema)))
    assert pq.read_table(buffer).cast(table.schema).equals(table)
    assert pq.read_schema(buffer).types == table.schema.types


def test_a_packed_schema_holds_types_and_nothing_else() -> None:
    field = pa.field("x", pa.int8(), metadata={"owner": "somebody"})
    schema = pa.schema([field], metadata={"secret": "value"})
    unpacked = unpack_schema(pack_schema(schema))
    assert unpacked.types == [pa.int8()]
    assert unpacked.metadata is None
    assert unpacked.field("x").metadata is None


def test_a_type_that_the_values_outgrow_is_given_up() -> None:
    frame = pd.DataFrame({"x": pd.Categorical([f"c{i}" for i in range(300)])})
    like = pa.schema([pa.field("x", pa.dictionary(pa.int8(), pa.string()))])
    pd.testing.assert_frame_equal(again(frame, like), frame, check_categorical=False)


def test_a_note_that_no_longer_fits_is_ignored() -> None:
    buffer = io.BytesIO()
    write_parquet(pd.DataFrame({"x": [1, 2]}), buffer)
    table = pq.read_table(buffer)
    changed = table.set_column(0, "x", pa.array(["a", "b"]))
    buffer = io.BytesIO()
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), buffer)
    frame, _, _ = read_parquet(pa.BufferReader(buffer.getvalue()), "x")
    assert frame["x"].tolist() == ["a", "b"]


def test_index_columns(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1, 2]}, index=pd.Index([7, 9]))
    frame.to_parquet(tmp_path / "unnamed.parquet")
    result, _, notices = read_parquet(tmp_path / "unnamed.parquet", "unnamed.parquet")
    assert list(result.columns) == ["x"]
    assert isinstance(result.index, pd.RangeIndex)
    assert "index" in notices[0]
    frame.rename_axis("key").to_parquet(tmp_path / "named.parquet")
    result, _, notices = read_parquet(tmp_path / "named.parquet", "named.parquet")
    assert sorted(result.columns) == ["key", "x"]
    assert notices == ()


@pytest.mark.parametrize("cut", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_named(cut: float, tmp_path: Path) -> None:
    path = tmp_path / "half.parquet"
    ALL.drop(columns="dictionary").to_parquet(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * cut)] if cut else b"PAR1")
    with pytest.raises(DataError, match=r"half\.parquet is not a readable Parquet file"):
        read_parquet(path, "half.parquet")


def test_doubled_names_are_refused() -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["x", "x"]), buffer)
    with pytest.raises(DataError, match="'x'"):
        read_parquet(pa.BufferReader(buffer.getvalue()), "x.parquet")


names = st.text(min_size=1, max_size=8).filter(lambda n: not n.startswith("__index_level_"))
cells: dict[str, st.SearchStrategy[Any]] = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "UInt64": st.integers(0, 2**64 - 1) | st.none(),
    "Int8": st.integers(-128, 127) | st.none(),
    "float64": st.floats(),
    "float32": st.floats(width=32),
    "boolean": st.booleans() | st.none(),
    "string": st.text(max_size=5) | st.none(),
    "category": st.sampled_from(["a", "<b>", "ü", ""]) | st.none(),
    "int64[pyarrow]": st.integers(-(2**63), 2**63 - 1) | st.none(),
}


@quick
@given(data=st.data())
def test_any_frame_returns(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 8))
    chosen = data.draw(
        st.dictionaries(names, st.sampled_from(sorted(cells)), min_size=1, max_size=4)
    )
    frame = pd.DataFrame(
        {
            name: pd.Series(
                data.draw(st.lists(cells[dtype], min_size=rows, max_size=rows)), dtype=dtype
            )
            for name, dtype in chosen.items()
        },
        index=pd.RangeIndex(rows),
    )
    pd.testing.assert_frame_equal(again(frame), frame, check_exact=True, check_column_type=False)
