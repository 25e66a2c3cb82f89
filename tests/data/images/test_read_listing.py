"""Folders and ZIP archives with a CSV file of labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthgen.data.images.options import ImageOptions
from synthgen.data.images.read import LoadedImages, read_images
from tests.data.images.made import archive, folder, pixels, png, refusal, same

FILES: dict[str, bytes | str] = {f"img/{i}.png": png(i) for i in range(4)}
ROWS = "file_name,label\nimg/2.png,dog\nimg/0.png,cat\nimg/1.png,cat\nimg/3.png,dog\n"


def both(
    tmp_path: Path, rows: str, name: str = "labels.csv", target: str = "label"
) -> LoadedImages:
    files = FILES | {name: rows}
    first = read_images(folder(tmp_path / "data", files), target)
    second = read_images(archive(tmp_path / "data.zip", files), target)
    same(first.images, second.images)
    assert first.skipped == second.skipped
    return first


@pytest.mark.parametrize("name", ["labels.csv", "metadata.csv"])
@pytest.mark.parametrize("column", ["file_name", "file", "filename", "image"])
def test_rows_in_their_order(name: str, column: str, tmp_path: Path) -> None:
    loaded = both(tmp_path, ROWS.replace("file_name", column), name)
    images = loaded.images
    assert images.names == ("img/2.png", "img/0.png", "img/1.png", "img/3.png")
    assert [images.classes[i] for i in images.labels] == ["dog", "cat", "cat", "dog"]
    np.testing.assert_array_equal(images.pixels[0, 0], pixels(2))
    assert loaded.notices == ()
    layout = loaded.layout
    assert (layout.format, layout.listing, layout.file_column) == ("listing", name, column)
    assert layout.columns == (column, "label")


def test_labels_are_kept_as_they_are_spelled(tmp_path: Path) -> None:
    def found(*cells: str) -> tuple[str | int, ...]:
        rows = "".join(f"img/{i}.png,{cell}\n" for i, cell in enumerate(cells))
        return both(tmp_path, f"file_name,label\n{rows}").images.classes

    assert found("10", "9", "10", "9") == (9, 10)
    assert found("01", "02", "01", "02") == ("01", "02")
    assert found("true", "false", "true", "true") == ("false", "true")
    assert found("1.0", "2.0", "1.0", "2.0") == ("1.0", "2.0")
    assert found('"a,b"', "ü", "ü", "ü") == ("a,b", "ü")
    with pytest.raises(Exception, match="numbers with fractions"):
        found("1.5", "2.0", "1.0", "2.0")


def test_other_dialects_and_columns(tmp_path: Path) -> None:
    rows = "\ufeffpatient;kind;file_name\r\n7;dög;img/0.png\r\n8;cat;img\\1.png\r\n;cat;./img/2.png"
    loaded = both(tmp_path, rows, target="kind")
    assert loaded.images.names == ("img/0.png", "img/1.png", "img/2.png")
    assert loaded.images.classes == ("cat", "dög")
    assert loaded.layout.columns == ("patient", "kind", "file_name")
    assert loaded.layout.csv is not None
    assert loaded.layout.csv.separator == ";"
    assert "1 images have no row and are left out: img/3.png" in loaded.notices[0]


def test_within_a_wrapping_folder(tmp_path: Path) -> None:
    files = {f"data/{name}": data for name, data in (FILES | {"metadata.csv": ROWS}).items()}
    loaded = read_images(archive(tmp_path / "data.zip", files))
    assert loaded.layout.prefix == "data/"
    assert loaded.images.names[0] == "img/2.png"


def test_accents_match_however_they_are_composed(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"e\u0301.png": png(0), "\u00fc.png": png(1)}
    rows = "file_name,label\n\u00e9.png,x\nu\u0308.png,y\n"
    loaded = read_images(archive(tmp_path / "data.zip", files | {"labels.csv": rows}))
    assert len(loaded.images) == 2
    assert loaded.notices == ()


def test_the_list_comes_before_directories(tmp_path: Path) -> None:
    files = FILES | {f"more/{i}.png": png(i) for i in range(2)} | {"labels.csv": ROWS}
    assert read_images(folder(tmp_path / "data", files)).images.classes == ("cat", "dog")


def many(tmp_path: Path, rows: str) -> LoadedImages:
    """Beside 600 good rows."""
    files: dict[str, bytes | str] = {f"{i}.png": png(i % 7) for i in range(600)}
    good = "".join(f"{i}.png,{'cat' if i % 2 else 'dog'}\n" for i in range(600))
    files |= {"more.png": png(1), "labels.csv": f"file_name,label\n{good}{rows}"}
    folder(tmp_path / "outside", {"x.png": png()})
    return read_images(folder(tmp_path / "data", files))


def test_bad_rows(tmp_path: Path) -> None:
    rows = "none.png,cat\n../outside/x.png,cat\n/etc/passwd,dog\n,cat\nmore.png,\n"
    loaded = many(tmp_path, rows)
    assert len(loaded.images) == 600
    assert [str(skipped) for skipped in loaded.skipped] == [
        "none.png does not exist",
        "../outside/x.png is outside of the folder",
        "/etc/passwd is outside of the folder",
        "A row has no file name",
        "more.png has no label",
    ]
    assert "5 of 605 images cannot be used" in loaded.notices[-1]


def test_repeated_and_contradicting_rows(tmp_path: Path) -> None:
    loaded = many(tmp_path, "0.png,dog\n./0.png,dog\nmore.png,cat\nmore.png,dog\n")
    assert len(loaded.images) == 600
    assert "2 rows repeat others" in loaded.notices[0]
    assert [str(skipped) for skipped in loaded.skipped] == ["more.png has several labels"] * 2


def test_what_the_list_lacks(tmp_path: Path) -> None:
    def refused(rows: str, target: str = "label") -> str:
        error = refusal(lambda: both(tmp_path, rows, target=target))
        assert "labels.csv" in error.cause or "data:" in error.cause
        return str(error)

    assert "no column 'labels'" in refused(ROWS, "labels")
    assert "'label'?" in refused(ROWS, "labels")
    assert "no column of file names" in refused(ROWS.replace("file_name", "path"))
    assert "no rows" in refused("file_name,label\n")
    assert "is empty" in refused("")
    assert "line 2 has 3 cells" in refused("file_name,label\na,b,c\n")
    assert "4 of 4 images cannot be used: img/2.png has no label" in refused(
        "file_name,label\n" + "".join(f"img/{i}.png,\n" for i in (2, 0, 1, 3))
    )


def test_limits_hold_for_the_list(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", FILES | {"labels.csv": ROWS + "\n" * 2**21})
    error = refusal(lambda: read_images(root, options=ImageOptions(max_pixels=30)))
    assert "labels.csv has more than" in error.cause
