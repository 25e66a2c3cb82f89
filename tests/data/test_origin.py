"""What comes out looks like what came in."""

from __future__ import annotations

import codecs
import errno
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.data.origin import Origin
from synthgen.data.read import ReadOptions, read
from synthgen.errors import ConfigError, DataError, MachineError

quick = settings(deadline=None, max_examples=30, derandomize=True)


def through(data: bytes, folder: Path, name: str = "t.csv", **options: Any) -> bytes:
    """Read these bytes and write the frame by its origin, which travels as JSON."""
    source, sink = folder / name, folder / f"out-{name}"
    source.write_bytes(data)
    loaded = read(source, ReadOptions(**options))
    origin = Origin.model_validate_json(loaded.origin.model_dump_json())
    origin.write(loaded.frame, sink)
    again = read(sink, ReadOptions(**options))
    pd.testing.assert_frame_equal(again.frame, loaded.frame, check_exact=True)
    return sink.read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,\n",
        "a;b\r\n1.5;x\r\n2.0;ü\r\n",
        "a\tb\n1\t\n\t2\n",
        'a,"b,c"\n1,"say ""hi"""\n2,"two\nlines"\n',
        "n,flag,id\nNA,TRUE,007\n3,FALSE,012\n",
        "x,y\n ,1\nb,2\n",
        "big,n\n18446744073709551615,9007199254740993\n0,1\n",
        "f\n0.1\n1e-07\n1e+22\n-0.0\n123456789.123456\n",
        'x\n1\n""\n',
        "<b>,日本\n&amp;,'q'\n",
        "t,n\n2024-01-31,1\nNaT,2\n2024-02-01,3\n",
    ],
)
def test_the_same_bytes(text: str, tmp_path: Path) -> None:
    assert through(text.encode(), tmp_path).decode() == text


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
        ("utf-32-be", codecs.BOM_UTF32_BE),
        ("cp1252", b""),
    ],
)
def test_the_same_encoding_and_mark(encoding: str, mark: bytes, tmp_path: Path) -> None:
    data = mark + "Stadt,Größe\nMünchen,1\nKöln,2\nDüsseldorf,3\n".encode(encoding)
    assert through(data, tmp_path) == data


def test_decimal_commas(tmp_path: Path) -> None:
    data = b"a;b;c\n1,5;x;1\n?;y;2\n0,001;z;3\n"
    assert through(data, tmp_path, decimal=",") == data


def test_named_missing_words(tmp_path: Path) -> None:
    data = b"a,b,c\n1,-,0.5\n?,x,?\n3,-,?\n"
    assert through(data, tmp_path, missing=("?", "-")) == data


def test_packed_files_are_packed_the_same_every_time(tmp_path: Path) -> None:
    text = b"a,b\n1,x\n2,y\n"
    first = through(gzip.compress(text), tmp_path, "t.csv.gz")
    assert gzip.decompress(first) == text
    assert first == through(gzip.compress(text), tmp_path, "t.csv.gz")


def test_carriage_returns_inside_cells(tmp_path: Path) -> None:
    through(b'a,b\n"x\ry",1\nz,2\n', tmp_path)
    through(b'"a\rb",c\nx,1\n', tmp_path)


@pytest.mark.parametrize(
    "name",
    ["adult-train", "adult-test", "default", "shoppers", "magic", "mammography"],
)
def test_shared_tables_come_out_byte_by_byte(name: str, shared_data: Path, tmp_path: Path) -> None:
    data = (shared_data / "tabular" / f"{name}.csv").read_bytes()
    assert through(data, tmp_path) == data


def test_shared_table_with_a_blank_for_missing(shared_data: Path, tmp_path: Path) -> None:
    data = (shared_data / "tabular" / "telco-churn.csv").read_bytes()
    # TotalCharges mixes 20 and 20.5: whole numbers come out as 20.0, all else as it was.
    out = through(data, tmp_path).decode().splitlines()
    for old, new in zip(data.decode().splitlines(), out, strict=True):
        assert new == old or new.replace(".0,", ",") == old.replace(".0,", ",")
    assert sum(", ," in line for line in out) == 11


# A cell of text that is not blank, and not a word or number that would be read as another type.
words = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6
).map(lambda text: f"w{text}")


@quick
@given(data=st.data())
def test_any_text_table_returns(data: st.DataObject, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("t")
    names = data.draw(st.lists(words, min_size=1, max_size=4, unique=True))
    rows = data.draw(st.integers(1, 6))
    cells: list[st.SearchStrategy[Any]] = [
        words | st.none(),
        st.floats(allow_nan=False),
        st.integers(-(2**63), 2**63 - 1),
        st.booleans(),
    ]
    frame = pd.DataFrame(
        {
            name: pd.Series(
                data.draw(st.lists(data.draw(st.sampled_from(cells)), min_size=rows, max_size=rows))
            )
            for name in names
        }
    )
    origin = Origin(
        format="csv",
        separator=data.draw(st.sampled_from([",", ";", "\t", "|"])),
        newline=data.draw(st.sampled_from(["\n", "\r\n", "\r"])),
        encoding=data.draw(st.sampled_from(["utf-8", "utf-16-le"])),
        bom=True,
    )
    origin.write(frame, folder / "t.csv")
    again = read(folder / "t.csv", ReadOptions(separator=origin.separator)).frame
    pd.testing.assert_frame_equal(again, frame, check_exact=True, check_dtype=False)
    for name in frame:
        if frame[name].dtype != object:
            assert again[name].dtype == frame[name].dtype


def test_formats_by_name() -> None:
    csv = Origin(format="csv", separator=";", missing={"x": "?"}, booleans={"y": ("f", "t")})
    assert Origin.of(Path("x.csv.gz"), csv) == csv.model_copy(update={"compression": "gzip"})
    tsv = Origin.of(Path("x.tsv"), csv)
    assert (tsv.format, tsv.separator, tsv.missing) == ("tsv", "\t", {"x": "?"})
    assert Origin.of(Path("x.parquet"), csv) == Origin(format="parquet")
    assert Origin.of(Path("x.csv"), Origin(format="frame")) == Origin(format="csv")
    with pytest.raises(ConfigError, match=r"x\.xlsx"):
        Origin.of(Path("x.xlsx"), csv)


@pytest.mark.parametrize(
    ("origin", "extension"),
    [
        (Origin(format="csv"), ".csv"),
        (Origin(format="tsv", compression="gzip"), ".tsv.gz"),
        (Origin(format="csv", compression="xz"), ".csv.xz"),
        (Origin(format="parquet"), ".parquet"),
        (Origin(format="frame"), ".parquet"),
    ],
)
def test_extensions(origin: Origin, extension: str) -> None:
    assert origin.extension == extension


def test_frames_of_any_dtype_can_be_written_as_text(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None], dtype="Int64"),
            "f": pd.array([0.1, None], dtype="Float64"),
            "b": pd.array([True, None], dtype="boolean"),
            "c": pd.Categorical(["x", None]),
            "t": np.array(["2024-02-29", "NaT"], "datetime64[us]"),
        }
    )
    origin = Origin(format="csv", missing={"f": "NA", "c": "?"}, booleans={"b": ("no", "yes")})
    origin.write(frame, tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text()
    assert text == "i,f,b,c,t\n1,0.1,yes,x,2024-02-29\n,NA,,?,\n"


def test_letters_that_the_encoding_lacks(tmp_path: Path) -> None:
    origin = Origin(format="csv", encoding="cp1252")
    with pytest.raises(DataError, match="cp1252"):
        origin.write(pd.DataFrame({"x": ["日本"]}), tmp_path / "t.csv")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_full_disk_leaves_nothing(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t"

    def full(*_: Any, **__: Any) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(MachineError, match="No space left"):
        Origin(format=kind).write(pd.DataFrame({"x": [1]}), path)
    assert not path.exists()


def test_folders_above_are_made_and_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    loaded = read(tmp_path / "t.csv")
    loaded.origin.write(loaded.frame, tmp_path / "new" / "folder" / "t.csv")
    assert (tmp_path / "new" / "folder" / "t.csv").read_text() == "a,b\n1,2\n"
    with pytest.raises(MachineError, match="cannot be written"):
        loaded.origin.write(loaded.frame, tmp_path / "t.csv" / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "a,b\n1,2\n"
