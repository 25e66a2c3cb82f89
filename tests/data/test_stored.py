"""Tables that stay in Parquet: the same as through a frame."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_series_equal

from synthgen.data import stored
from synthgen.data.checks import check_frame
from synthgen.data.infer import infer
from synthgen.data.parquet import pack_schema, read_parquet, write_parquet
from synthgen.data.read import read
from synthgen.data.stored import ParquetColumns, StoredTable
from synthgen.data.table import Table
from synthgen.encoding import fit_encoder
from synthgen.errors import DataError
from tests.data.test_parquet import ALL
from tests.generators.tables import TABLES, tables
from tests.pipeline.tables import people


def find(path: Path) -> ParquetColumns:
    found = ParquetColumns.find(str(path))
    assert found is not None
    return found


def shards(frame: pd.DataFrame, folder: Path, parts: int) -> Path:
    """The frame as so many files of one schema."""
    folder.mkdir()
    buffer = pa.BufferOutputStream()
    write_parquet(frame, buffer)
    whole = pq.ParquetFile(pa.BufferReader(buffer.getvalue())).read()
    cuts = np.linspace(0, len(frame), parts + 1).astype(int)
    for k, (first, last) in enumerate(pairwise(cuts)):
        pq.write_table(whole.slice(first, last - first), folder / f"{k:02}.parquet")
    return folder


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "BATCH", 37)


@pytest.mark.parametrize("parts", [0, 3])
@pytest.mark.parametrize("kind", TABLES)
def test_schema_codes_and_numbers_are_those_of_the_frame(
    kind: str, parts: int, tmp_path: Path
) -> None:
    frame = tables()[kind]
    path = tmp_path / "x.parquet"
    if parts:
        shards(frame, path, parts)
    else:
        write_parquet(frame, path)
    frame = frame if parts else read_parquet(path, "x")[0]
    target = "y" if "y" in frame else "target"
    columns = find(path)
    check_frame(columns, target)
    schema = infer(columns, target=target)
    assert schema == infer(frame, target=target)
    table, lazy = Table(frame, schema), StoredTable(columns, schema)
    assert len(lazy) == len(table)
    rows = np.arange(len(table))[::-3]
    for column in schema.modelled:
        for one, other in ((table, lazy), (table.take(rows), lazy.take(rows))):
            if column in schema.discrete:
                assert np.array_equal(one.codes(column.name), other.codes(column.name))
            else:
                assert np.array_equal(
                    one.numbers(column.name), other.numbers(column.name), equal_nan=True
                )
    mask = np.arange(len(table)) % 2 == 0
    assert len(lazy.take(mask).take(np.array([0, 2]))) == 2
    assert lazy.take(mask).take(np.array([1])).positions.tolist() == [2]  # type: ignore[union-attr]


@pytest.mark.parametrize("by", ["pandas", "synthgen"])
def test_every_dtype_comes_back_as_from_the_whole_file(by: str, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    if by == "synthgen":
        write_parquet(ALL, path)
    else:
        ALL.to_parquet(path)
    whole = read_parquet(path, "x")[0]
    columns = find(path)
    assert columns.columns == tuple(whole.columns)
    for name in columns.columns:
        assert_series_equal(columns[name], whole[name])
        assert columns[name] is columns[name]


def test_the_encoder_and_the_origin_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    people().to_parquet(path)
    loaded = read(path)
    columns = find(path)
    assert columns.origin() == loaded.origin
    assert columns.origin().arrow_schema == pack_schema(pq.read_schema(path))
    schema = infer(loaded.frame, target="sick")
    for numeric in ("modes", "quantiles"):
        table, lazy = Table(loaded.frame, schema), StoredTable(columns, schema)
        one = fit_encoder(table, numeric=numeric, seed=3)  # type: ignore[arg-type]
        other = fit_encoder(lazy, numeric=numeric, seed=3)  # type: ignore[arg-type]
        assert one == other
        assert (one.encode(table).codes == other.encode(lazy).codes).all()
        assert (one.encode(table).scalars == other.encode(lazy).scalars).all()


def test_names_with_dots_and_indices_are_no_trouble(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "a.b": ["x", "y", "z"]}, index=[5, 6, 7])
    frame.to_parquet(tmp_path / "x.parquet")
    columns = find(tmp_path / "x.parquet")
    assert columns.columns == ("a", "a.b")
    assert columns["a"].tolist() == [1, 2, 3]
    assert [cell for batch in columns.batches("a") for cell in batch] == [1, 2, 3]
    assert columns["a.b"].tolist() == ["x", "y", "z"]


def test_what_is_no_parquet_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    (tmp_path / "empty").mkdir()
    for source in ("x.csv", "empty", "nothing.parquet"):
        assert ParquetColumns.find(str(tmp_path / source)) is None
    assert ParquetColumns.find("sklearn:iris") is None


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    pd.DataFrame({"a": [1], "b": ["x"]}).to_parquet(folder / "0.parquet")
    for other, what in (
        ({"a": [1.5], "b": ["x"]}, "'a' is double, not int64"),
        ({"a": [1]}, "only one of them has 'b'"),
        ({"b": ["x"], "a": [1]}, "their order differs"),
    ):
        pd.DataFrame(other).to_parquet(folder / "1.parquet")
        with pytest.raises(DataError, match=r"1\.parquet has other columns") as raised:
            find(folder)
        assert what in raised.value.cause
    (folder / "1.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        find(folder)
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "none.parquet")
    with pytest.raises(DataError, match="no rows"):
        find(tmp_path / "none.parquet")
