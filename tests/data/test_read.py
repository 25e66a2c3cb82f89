"""The one door: files, URLs, named sets, frames, and what keeps them from being read."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any
from urllib.error import URLError

import fsspec
import numpy as np
import pandas as pd
import pytest

from synthgen.data.options import ReadOptions
from synthgen.data.read import read
from synthgen.errors import ConfigError, DataError, MachineError, SynthgenError

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
CSV = FRAME.to_csv(index=False).encode()


def refusal(source: Any, error: type[SynthgenError]) -> SynthgenError:
    with pytest.raises(error) as caught:
        read(source)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    "name", ["t.csv", "t.CSV", "t.txt", "t", "t.csv.gz", "t.csv.bz2", "t.csv.xz"]
)
def test_text_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    FRAME.to_csv(path, index=False)
    for source in (path, str(path)):
        loaded = read(source, ReadOptions())
        pd.testing.assert_frame_equal(loaded.frame, FRAME)
    assert loaded.origin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    packed = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz"}.get(path.suffix)
    assert loaded.origin.compression == packed


def test_tab_separated_and_parquet(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    assert read(tmp_path / "t.tsv").origin.format == "tsv"
    FRAME.to_parquet(tmp_path / "t.parquet")
    loaded = read(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(loaded.frame, FRAME)
    assert loaded.origin.format == "parquet"
    (tmp_path / "misnamed.csv").write_bytes((tmp_path / "t.parquet").read_bytes())
    assert read(tmp_path / "misnamed.csv").origin.format == "parquet"


def test_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "t.csv").write_bytes(CSV)
    pd.testing.assert_frame_equal(read("~/t.csv").frame, FRAME)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
def test_urls(name: str) -> None:
    url = f"memory://{name}"
    with fsspec.open(url, "wb") as file:
        if name.endswith("parquet"):
            FRAME.to_parquet(file)
        else:
            file.write(gzip.compress(CSV) if name.endswith("gz") else CSV)
    loaded = read(url)
    pd.testing.assert_frame_equal(loaded.frame, FRAME)
    assert loaded.origin.extension == "." + name.split(".", 1)[1]


def test_file_url(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(CSV)
    pd.testing.assert_frame_equal(read(f"file://{tmp_path}/t.csv").frame, FRAME)


def test_url_that_leads_nowhere() -> None:
    assert "memory://none.csv" in refusal("memory://none.csv", DataError).cause
    assert "Protocol not known" in refusal("gopher://x/t.csv", ConfigError).cause


def test_urls_are_named_without_secrets() -> None:
    error = refusal("memory://user:word@host/none.csv?signature=word", DataError)
    assert "word" not in str(error)
    assert "host/none.csv" in error.cause


def test_a_file_system_that_needs_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "open", missing)
    assert "s3fs" in refusal("s3://bucket/t.csv", MachineError).cause


def test_a_network_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class StrangeError(Exception):
        pass

    def failing(*_: Any, **__: Any) -> None:
        raise StrangeError("no route to host")

    monkeypatch.setattr(fsspec, "open", failing)
    error = refusal("https://example.org/t.csv", MachineError)
    assert "https://example.org/t.csv" in error.cause
    assert "no route" in error.cause


# ---- files that cannot be read ------------------------------------------------------------------


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "none.csv" in refusal(tmp_path / "none.csv", DataError).cause
    assert "folder" in refusal(tmp_path, DataError).cause


def test_forbidden_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert "permission" in refusal(tmp_path / "t.csv", MachineError).cause


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.csv.gz"])
def test_empty_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    error = refusal(tmp_path / name, DataError)
    assert name in error.cause
    assert "empty" in error.cause


def test_empty_parquet(tmp_path: Path) -> None:
    FRAME.iloc[:0].to_parquet(tmp_path / "t.parquet")
    assert "no rows" in refusal(tmp_path / "t.parquet", DataError).cause


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.bz2", "t.csv.xz"])
def test_truncated_archives(name: str, tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / name, index=False)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[:-5])
    assert name in refusal(tmp_path / name, DataError).cause


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"PK\x03\x04rest", "Excel"),
        (gzip.compress(CSV, mtime=0), "gzip"),
        (b"\x89PNG\r\n", "image"),
        (b"SQLite format 3\x00", "SQLite"),
    ],
)
def test_other_formats_are_told_apart(data: bytes, word: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    assert word in refusal(tmp_path / "t.csv", DataError).cause


# ---- frames -------------------------------------------------------------------------------------


def test_frames_are_taken_as_they_are() -> None:
    loaded = read(FRAME)
    pd.testing.assert_frame_equal(loaded.frame, FRAME)
    assert (loaded.origin.format, loaded.origin.extension) == ("frame", ".parquet")
    assert loaded.notices == ()


def test_an_index_is_left_out_with_a_notice() -> None:
    loaded = read(FRAME.set_axis([7, 9]))
    assert isinstance(loaded.frame.index, pd.RangeIndex)
    assert "index" in loaded.notices[0]


def test_sparse_columns_become_dense() -> None:
    frame = pd.DataFrame({"x": pd.arrays.SparseArray([0, 0, 1])})
    loaded = read(frame)
    assert loaded.frame["x"].tolist() == [0, 0, 1]
    assert loaded.frame["x"].dtype == np.int64
    assert isinstance(frame["x"].dtype, pd.SparseDtype)


def test_frames_with_odd_names() -> None:
    assert "'a'" in refusal(pd.DataFrame([[1, 2]], columns=["a", "a"]), DataError).cause
    assert "not text" in refusal(pd.DataFrame([[1, 2]]), DataError).cause
    assert "no columns" in refusal(pd.DataFrame(), DataError).cause


# ---- named sets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rows", "classes"),
    [
        ("iris", 150, {"setosa", "versicolor", "virginica"}),
        ("wine", 178, {"class_0", "class_1", "class_2"}),
        ("breast_cancer", 569, {"malignant", "benign"}),
        ("digits", 1797, set(range(10))),
    ],
)
def test_sets_of_scikit_learn(name: str, rows: int, classes: set[Any]) -> None:
    frame = read(f"sklearn:{name}").frame
    assert len(frame) == rows
    assert list(frame.columns)[-1] == "target"
    assert set(frame["target"]) == classes


def test_class_names_belong_to_their_rows() -> None:
    from sklearn.datasets import load_wine

    bunch = load_wine()
    frame = read("sklearn:wine").frame
    assert frame["target"].tolist() == [bunch.target_names[t] for t in bunch.target]


def test_unknown_set_of_scikit_learn() -> None:
    assert "sklearn:iris" in refusal("sklearn:irys", ConfigError).remedy


def test_openml_by_name_version_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    import sklearn.datasets
    from sklearn.utils import Bunch

    asked: list[dict[str, Any]] = []

    def fetch(**wanted: Any) -> Bunch:
        asked.append({k: wanted[k] for k in ("name", "version", "data_id") if k in wanted})
        return Bunch(frame=FRAME)

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    for name in ("adult", "adult@2", "1590"):
        pd.testing.assert_frame_equal(read(f"openml:{name}").frame, FRAME)
    assert asked == [{"name": "adult"}, {"name": "adult", "version": 2}, {"data_id": 1590}]


def test_openml_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    import sklearn.datasets

    def unreachable(**_: Any) -> None:
        raise URLError("name resolution failed")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", unreachable)
    error = refusal("openml:adult", MachineError)
    assert error.exit_code == 4
    assert "'adult'" in error.cause
    assert "network" in error.remedy


def test_openml_without_such_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import sklearn.datasets
    from sklearn.datasets._openml import OpenMLError

    for raised in (OpenMLError("Dataset nope not found."), ValueError("No active dataset nope")):

        def absent(error: Exception = raised, **_: Any) -> None:
            raise error

        monkeypatch.setattr(sklearn.datasets, "fetch_openml", absent)
        assert "nope" in refusal("openml:nope", DataError).cause
