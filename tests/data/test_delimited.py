"""Delimited text: separators, encodings, types, and every way in which a file can be wrong."""

from __future__ import annotations

import codecs
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.data.delimited import read_delimited
from synthgen.data.options import ReadOptions
from synthgen.data.origin import Origin
from synthgen.errors import ConfigError, DataError


def parsed(
    text: str | bytes, /, usual: str = ",", **options: Any
) -> tuple[pd.DataFrame, Origin, tuple[str, ...]]:
    data = text.encode() if isinstance(text, str) else text
    return read_delimited(data, "t.csv", ReadOptions(**options), usual)


def frame(text: str | bytes, /, **options: Any) -> pd.DataFrame:
    return parsed(text, **options)[0]


def refusal(text: str | bytes, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        parsed(text, **options)
    assert caught.value.remedy
    assert "t.csv" in caught.value.cause
    return caught.value


# ---- types --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        ("1 -2 0", "int64", [1, -2, 0]),
        ("1 _ 9007199254740993", "Int64", [1, pd.NA, 2**53 + 1]),
        ("18446744073709551615 0", "uint64", [2**64 - 1, 0]),
        ("18446744073709551615 _ 0", "UInt64", [2**64 - 1, pd.NA, 0]),
        ("18446744073709551616 0", "object", ["18446744073709551616", "0"]),
        ("-9223372036854775809 0", "object", ["-9223372036854775809", "0"]),
        ("0.1 1e5 -.5 2.", "float64", [0.1, 1e5, -0.5, 2.0]),
        ("1 2.5 _", "float64", [1.0, 2.5, np.nan]),
        ("0.30000000000000004 4.9e-324", "float64", [0.1 + 0.2, 5e-324]),
        ("inf -Infinity 1", "float64", [np.inf, -np.inf, 1]),
        ("007 012", "object", ["007", "012"]),
        ("007 12", "object", ["007", "12"]),
        ("0 10", "int64", [0, 10]),
        ("00.5 1", "float64", [0.5, 1.0]),
        ("+49170 +49171", "object", ["+49170", "+49171"]),
        ("0x1F 0x2A", "object", ["0x1F", "0x2A"]),
        ("1_000 2_000", "object", ["1_000", "2_000"]),
        ("True False", "bool", [True, False]),
        ("TRUE _ FALSE", "boolean", [True, pd.NA, False]),
        ("true", "bool", [True]),
        ("True TRUE", "object", ["True", "TRUE"]),
        ("yes no", "object", ["yes", "no"]),
        ("True 1", "object", ["True", "1"]),
        ("1 NA nan ? 3", "Int64", [1, pd.NA, pd.NA, pd.NA, 3]),
        ("1.5 null", "float64", [1.5, np.nan]),
        ("true n/a false", "boolean", [True, pd.NA, False]),
        ("2024-01-31 NaT 2023-12-01", "object", ["2024-01-31", None, "2023-12-01"]),
        ("NA Namibia", "object", ["NA", "Namibia"]),
        ("NA NA", "object", ["NA", "NA"]),
        ("a _ b", "object", ["a", None, "b"]),
        ("_ _", "object", [None, None]),
    ],
)
def test_types_of_cells(cells: str, dtype: str, values: list[Any]) -> None:
    lines = "".join(
        f"{cell.replace('_ ', ' ') if cell != '_' else ''},1\n" for cell in cells.split()
    )
    series = frame(f"x,y\n{lines}")["x"]
    assert str(series.dtype) == dtype
    pd.testing.assert_series_equal(
        series, pd.Series(values, dtype=dtype, name="x"), check_exact=True
    )


def test_blank_cells_and_padding() -> None:
    table = frame('number,text\n 1 ,"  "\n\t, x \n" 3",\n')
    assert table["number"].tolist() == [1, pd.NA, 3]
    assert table["text"].tolist() == [None, " x ", None]


def test_words_for_missing() -> None:
    table, origin, _ = parsed("a,b,c\n1,x,?\n-99,?,?\nNA,y,z\n", missing=("?", "-99"))
    assert table["a"].tolist() == [1, pd.NA, pd.NA]
    assert table["b"].tolist() == ["x", None, "y"]
    assert origin.missing == {"b": "?", "c": "?"}


def test_decimal_commas_only_by_option() -> None:
    text = "preis;menge\n1,5;2\n-0,25;3\n"
    error = refusal(text)
    assert "'preis'" in error.cause
    assert "line 2" in error.cause
    assert "data.read.decimal" in error.remedy
    table, origin, _ = parsed(text, decimal=",")
    assert table["preis"].tolist() == [1.5, -0.25]
    assert table["menge"].dtype == np.int64
    assert origin.decimal == ","
    assert "'preis'" in refusal('preis,x\n"1,234",1\n"5,678",2\n').cause


def test_mixed_columns_are_refused_without_showing_what_is_rare() -> None:
    cells = [*map(str, range(40)), "Smith"]
    error = refusal("x,y\n" + "".join(f"{cell},1\n" for cell in cells))
    assert "column 'x' mixes numbers with 1 cell of words" in error.cause
    assert "line 42" in error.cause
    assert "Smith" not in str(error)
    assert "data.read.missing" in error.remedy
    assert 'data.columns."x".kind=categorical' in error.remedy


def test_mixed_columns_show_what_is_common() -> None:
    cells = [*map(str, range(40)), *["unknown"] * 5]
    assert "'unknown'" in refusal("x,y\n" + "".join(f"{cell},1\n" for cell in cells)).cause


def test_mixed_columns_may_be_declared() -> None:
    text = "x,y\n1,1\n2,1\n4+,1\n"
    assert "'x'" in refusal(text).cause
    assert frame(text, text=("x",))["x"].tolist() == ["1", "2", "4+"]
    assert frame("x,y\n1,1\n2,1\n", text=("x",))["x"].dtype == np.int64


def test_a_few_numbers_among_words_are_words() -> None:
    assert frame("x,y\na,1\nb,1\n3,1\n")["x"].tolist() == ["a", "b", "3"]


# ---- lines and quotes ---------------------------------------------------------------------------


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_quotes_and_quoted_lines(newline: str) -> None:
    text = newline.join(['name,"text, long"', 'a,"one', 'two ""quoted"""', 'b,"x,y"', ""])
    table, origin, _ = parsed(text)
    assert list(table.columns) == ["name", "text, long"]
    assert table["text, long"].tolist() == [f'one{newline}two "quoted"', "x,y"]
    assert origin.newline == newline


def test_ragged_rows_are_named_by_line() -> None:
    error = refusal('a,b\n1,"x\ny\nz"\n\n2,3\n4\n5,6\n')
    assert "line 7 has 1 cell, but the header has 2" in error.cause
    assert "line 3 has 3 cells" in refusal("a,b\n1,2\n3,4,5\n").cause
    assert "has 2 cells, but the header has 3" in refusal("a,b,c\n1,2\n3,4\n").cause


def test_the_line_of_a_mixed_cell_counts_quoted_and_blank_lines() -> None:
    text = 't,x\n"a\nb",1\n\n"c\nd",2\ne,3\nf,oops\n'
    assert "first in line 8" in refusal(text).cause


def test_a_quote_that_is_never_closed() -> None:
    error = refusal('a,b\n1,x\n2,"y\n3,z\n4,w\n')
    assert "never closed" in error.cause
    assert "line 2" in error.cause


def test_a_stray_quote_is_text() -> None:
    assert frame('size,b\n5" pipe,1\n7" pipe,2\n')["size"].tolist() == ['5" pipe', '7" pipe']


def test_one_column() -> None:
    table = frame('x\n1\n""\n3\n')
    assert table["x"].tolist() == [1, pd.NA, 3]


# ---- header -------------------------------------------------------------------------------------


def test_names_may_be_anything() -> None:
    names = ["", " padded ", "<b>bold</b>", "ünï", "a;b", "1", "'", "日本"]
    header = ",".join(f'"{name}"' for name in names)
    assert list(frame(f"{header}\n1,2,3,4,5,6,7,8\n").columns) == names


def test_doubled_names_are_refused_by_name() -> None:
    error = refusal("a,b,a,b,c\n1,2,3,4,5\n")
    assert "'a', 'b'" in error.cause


@pytest.mark.parametrize("text", ["", "\n\n", " \n", "\ufeff"])
def test_empty_files(text: str) -> None:
    assert "is empty" in refusal(text).cause


@pytest.mark.parametrize("text", ["a,b", "a,b\n", "a,b\n\n\n"])
def test_a_header_alone(text: str) -> None:
    assert "no rows" in refusal(text).cause


def test_a_first_row_of_values_is_no_header() -> None:
    assert "not column names" in refusal("28.79,16.0\n31.6,11.72\n").cause
    assert list(frame("1,2\n3,4\n").columns) == ["1", "2"]


# ---- separator ----------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("usual", [",", "\t"])
def test_separators_are_found(separator: str, usual: str) -> None:
    rows = [["id", "name, or not", "n"], ["a", "x y", "1"], ["b", "z", "2"]]
    text = "".join(separator.join(f'"{c}"' for c in row) + "\n" for row in rows)
    table, origin, _ = parsed(text, usual=usual)
    assert table.shape == (2, 3)
    assert origin.separator == separator
    assert origin.format == ("tsv" if separator == "\t" else "csv")


def test_decimal_commas_do_not_look_like_separators() -> None:
    assert parsed("a;b\n1,5;2,5\n2,5;3\n", decimal=",")[1].separator == ";"


def test_a_ragged_file_is_not_taken_for_one_column() -> None:
    assert "line 3" in refusal("a,b,c\n1,2,3\n4,5\n6,7,8\n9,1,2\n").cause


def test_the_separator_may_be_given() -> None:
    table, origin, _ = parsed("a:b,c\n1:2\n", separator=":")
    assert list(table.columns) == ["a", "b,c"]
    assert origin.separator == ":"


# ---- encodings ----------------------------------------------------------------------------------

TEXT = "Stadt,Größe\n" + "".join(f"München {i},{i}\nZürich süß {i},{i}\n" for i in range(20))


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-32-be", codecs.BOM_UTF32_BE),
    ],
)
def test_marked_encodings(encoding: str, mark: bytes) -> None:
    table, origin, notices = parsed(mark + TEXT.encode(encoding))
    assert list(table.columns) == ["Stadt", "Größe"]
    assert (origin.encoding, origin.bom, notices) == (encoding, bool(mark), ())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(encoding: str) -> None:
    table, origin, notices = parsed(TEXT.encode(encoding))
    assert list(table.columns) == ["Stadt", "Größe"]
    assert origin.encoding == encoding
    assert "guess" in notices[0]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Stadt,n\nMünchen,1\nZürich – „schön“,2\nKöln,3\nDüsseldorf,4\n"),
        ("cp1252", "ville,n\nOrléans,1\nNîmes,2\nBesançon,3\nSaint-Étienne,4\n"),
        ("cp1251", "город,n\nМосква,1\nСанкт-Петербург,2\nНовосибирск,3\n"),
        ("cp932", "都市,n\n東京,1\n大阪市北区,2\nさっぽろ,3\n"),
        ("gb18030", "城市,n\n北京市,1\n上海市浦东新区,2\n广州,3\n"),
    ],
)
def test_guessed_encodings(encoding: str, text: str) -> None:
    table, origin, notices = parsed(text.encode(encoding))
    assert list(table.columns) == text.split("\n")[0].split(",")
    assert table.iloc[0, 0] == text.split("\n")[1].split(",")[0]
    assert "guess" in notices[0]
    assert origin.encoding in notices[0]


def test_a_given_encoding() -> None:
    data = "a,b\nÄ,1\n".encode("cp1250")
    assert parsed(data, encoding="windows-1250")[0]["a"].tolist() == ["Ä"]
    assert parsed(codecs.BOM_UTF8 + data[:4] + b"x,1\n", encoding="utf-8")[1].bom
    error = refusal(b"a,b\nx,1\n\xff,2\n", encoding="utf-8")
    assert "byte 8 (line 3)" in error.cause
    with pytest.raises(ConfigError, match="klingon"):
        parsed(data, encoding="klingon")


def test_undecodable_bytes_are_placed() -> None:
    error = refusal(codecs.BOM_UTF8 + b"a,b\nx,1\n\xff\xfe,2\n")
    assert "byte 11 (line 3)" in error.cause
    assert "data.read.encoding" in error.remedy
    assert "byte 5 is zero" in refusal(b"a,b\nx\x00,1\n").cause


def test_no_encoding_fits() -> None:
    noise = bytes(np.random.default_rng(0).integers(1, 256, 4000, dtype=np.uint8))
    error = refusal(noise)
    assert "byte" in error.cause


def test_a_large_table_is_quick() -> None:
    import time

    rng = np.random.default_rng(0)
    rows = 200_000
    table = pd.DataFrame(
        {
            "real": rng.normal(size=rows),
            "whole": rng.integers(0, 1000, rows),
            "city": rng.choice(["Köln", "Bonn", "Aachen"], rows),
            "many": [f"value {i}" for i in rng.integers(0, 50_000, rows)],
        }
    )
    data = table.to_csv(index=False).encode()
    started = time.process_time()
    result = frame(data)
    assert time.process_time() - started < 5
    pd.testing.assert_frame_equal(result, table, check_exact=True)
