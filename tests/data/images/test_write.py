"""Written as it was read: the same pixels, labels, classes and names in every layout."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from synthgen.data.images.images import Images
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.names import unique, written_names
from synthgen.data.images.read import Arrays, read_images
from synthgen.data.images.write import write_images
from synthgen.errors import ConfigError, DataError, MachineError
from tests.data.images.made import archive, classes, coded, folder, pixels, png, refusal, same

quick = settings(deadline=None, max_examples=25, derandomize=True)
COLUMNS = "id,file_name,label\n1,a/0.png,x\n2,1.png,y\n3,2.png,x\n"
LISTED: dict[str, bytes | str] = {"a/0.png": png(0), "1.png": png(1), "2.png": png(2)}


def sources(tmp_path: Path) -> dict[str, Any]:
    """One of every layout."""
    hf = {"info": {"features": {"label": {"_type": "ClassLabel", "names": ["z", "b", "none"]}}}}
    struct = pa.array([{"path": f"{i}.png", "bytes": png(i)} for i in range(3)])
    made = pa.table(
        {"key": ["p", "q", "r"], "image": struct, "label": pa.array([0, 1, 0], pa.int8())}
    )
    pq.write_table(
        made.replace_schema_metadata({"huggingface": json.dumps(hf)}), tmp_path / "x.parquet"
    )
    binary = pa.table({"label": ["b", "a", "b"], "jpg": pa.array([png(i) for i in range(3)])})
    pq.write_table(binary, tmp_path / "binary.parquet")
    root = folder(tmp_path / "folders", classes() | {"cat/deep/x.png": png(9)})
    (root / "owl").mkdir()
    return {
        "folders": root,
        "wrapped": archive(tmp_path / "folders.zip", classes(below="data/v1/")),
        "listing": folder(tmp_path / "listing", LISTED | {"labels.csv": COLUMNS}),
        "dialect": archive(
            tmp_path / "l.zip",
            {f"d/{n}": d for n, d in LISTED.items()}
            | {"d/metadata.csv": "\ufeff" + COLUMNS.replace(",", ";").replace("\n", "\r\n")},
        ),
        "parquet": tmp_path / "x.parquet",
        "binary": tmp_path / "binary.parquet",
        "arrays": Arrays(pixels(0, (3, 6, 5, 3)), ["b", "a", "b"]),
        "numbers": Arrays(pixels(0, (3, 6, 5)), [10, 9, 10]),
    }


ALL = ("folders", "wrapped", "listing", "dialect", "parquet", "binary", "arrays", "numbers")


@pytest.mark.parametrize("which", ALL)
def test_every_layout_returns(which: str, tmp_path: Path) -> None:
    loaded = read_images(sources(tmp_path)[which])
    path = tmp_path / f"out{loaded.layout.extension}"
    write_images(loaded.images, loaded.layout, path)
    again = read_images(path)
    same(again.images, loaded.images)
    if which not in ("arrays", "numbers"):
        free = {"sha256": None}
        assert again.layout.model_copy(update=free) == loaded.layout.model_copy(update=free)
    first = _content(path)
    write_images(loaded.images, loaded.layout, tmp_path / f"more{loaded.layout.extension}")
    assert _content(tmp_path / f"more{loaded.layout.extension}") == first
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def _content(path: Path) -> Any:
    if path.is_file():
        return path.read_bytes()
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


@pytest.mark.parametrize("which", ALL)
def test_the_layout_is_json(which: str, tmp_path: Path) -> None:
    layout = read_images(sources(tmp_path)[which]).layout
    assert ImageLayout.model_validate_json(layout.model_dump_json()) == layout


@pytest.mark.parametrize("which", ALL)
def test_more_images_than_were_read(which: str, tmp_path: Path) -> None:
    loaded = read_images(sources(tmp_path)[which])
    images = loaded.images
    fresh = Images(
        pixels=pixels(5, (4, *images.pixels.shape[1:])),
        labels=np.array([0, 1, 1, 0]),
        classes=images.classes,
        names=tuple(f"synthetic/{i}.png" for i in range(4)),
    )
    both = images.concat(fresh)
    path = tmp_path / f"out{loaded.layout.extension}"
    write_images(both, loaded.layout, path)
    again = read_images(path).images
    order = np.argsort(again.names) if which in ("folders", "wrapped") else np.arange(len(both))
    assert again.classes == both.classes
    if which in ("folders", "wrapped"):
        assert {f"{both.classes[0]}/synthetic/0.png"} <= set(again.names)
        assert again.counts().tolist() == both.counts().tolist()
        assert len(order) == len(both)
    else:
        np.testing.assert_array_equal(again.pixels, both.pixels)
        np.testing.assert_array_equal(again.labels, both.labels)


def test_lists_keep_their_columns(tmp_path: Path) -> None:
    for which, start in (
        ("listing", b"id,file_name,label\n,a/0.png,x\n"),
        ("dialect", b"\xef\xbb\xbfid;file_name;label\r\n;a/0.png;x\r\n"),
    ):
        loaded = read_images(
            sources(tmp_path / which if (tmp_path / which).mkdir() is None else tmp_path)[which]
        )
        path = tmp_path / f"out-{which}{loaded.layout.extension}"
        write_images(loaded.images, loaded.layout, path)
        if path.is_dir():
            data = (path / "labels.csv").read_bytes()
        else:
            with zipfile.ZipFile(path) as file:
                data = file.read("d/metadata.csv")
        assert data.startswith(start)


@pytest.mark.parametrize(
    "cells",
    [
        ["true", "false", "true"],
        ["01", "02", "01"],
        ["7", "10", "7"],
        ["1.0", "2.0", "1.0"],
        ["a,b", 'c"d', "a,b"],
    ],
)
def test_lists_keep_the_spelling_of_labels(cells: list[str], tmp_path: Path) -> None:
    rows = pd.DataFrame({"file": ["a/0.png", "1.png", "2.png"], "y": cells}).to_csv(index=False)
    loaded = read_images(folder(tmp_path / "data", LISTED | {"labels.csv": rows}), "y")
    write_images(loaded.images, loaded.layout, tmp_path / "out")
    assert (tmp_path / "out/labels.csv").read_text() == rows
    same(read_images(tmp_path / "out", "y").images, loaded.images)


def test_parquet_keeps_schema_and_notes(tmp_path: Path) -> None:
    path = sources(tmp_path)["parquet"]
    loaded = read_images(path)
    write_images(loaded.images, loaded.layout, tmp_path / "out.parquet")
    before, after = pq.read_table(path), pq.read_table(tmp_path / "out.parquet")
    assert after.schema.equals(before.schema)
    assert after.schema.metadata[b"huggingface"] == before.schema.metadata[b"huggingface"]
    assert after["label"].to_pylist() == [0, 1, 0]
    assert after["key"].null_count == 3
    assert after["image"].to_pylist()[0]["path"] == "0.png"


@pytest.mark.parametrize(
    "labels",
    [
        pa.array([3, 1], pa.int8()),
        pa.array([2**63, 1], pa.uint64()),
        pa.array(["x", "a"], pa.large_string()),
        pa.array(["x", "a"]).dictionary_encode(),
        pa.array([True, False]),
        pa.array([2.0, 1.0], pa.float32()),
    ],
)
def test_parquet_keeps_types_of_labels(labels: pa.Array, tmp_path: Path) -> None:
    made = pa.table({"image": [png(0), png(1)], "y": labels})
    pq.write_table(made, tmp_path / "x.parquet")
    loaded = read_images(tmp_path / "x.parquet", "y")
    write_images(loaded.images, loaded.layout, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["y"].to_pylist() == labels.to_pylist()
    assert pq.read_schema(tmp_path / "out.parquet").types == made.schema.types
    same(read_images(tmp_path / "out.parquet", "y").images, loaded.images)


def test_arrays_become_what_datasets_reads(tmp_path: Path) -> None:
    loaded = read_images(Arrays(pixels(0, (3, 6, 5, 3)), ["b", "a", "b"]), "kind")
    write_images(loaded.images, loaded.layout, tmp_path / "out.parquet")
    schema = pq.read_schema(tmp_path / "out.parquet")
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features == {
        "image": {"_type": "Image"},
        "kind": {"_type": "ClassLabel", "names": ["a", "b"]},
    }
    assert schema.field("kind").type == pa.int64()
    assert schema.field("image").type == pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def test_other_names_are_made_portable(tmp_path: Path) -> None:
    files = {
        "cat/A.png": png(0),
        "cat/a.jpg": coded(Image.new("L", (5, 6)), "JPEG"),
        "dog/xx:y\n.png": png(1),
    }
    loaded = read_images(folder(tmp_path / "data", files))
    write_images(loaded.images, loaded.layout, tmp_path / "out")
    names = read_images(tmp_path / "out").images.names
    assert names == ("cat/A.png", "cat/a-2.png", "dog/xx_y_.png")


def test_classes_that_differ_in_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"Cat/a.png": png(0), "cat/a.png": png(1)}
    loaded = read_images(archive(tmp_path / "data.zip", files))
    layout = loaded.layout.model_copy(update={"zipped": False})
    write_images(loaded.images, layout, tmp_path / "out")
    assert read_images(tmp_path / "out").images.classes == ("Cat", "cat")
    mkdir = Path.mkdir

    def blind(self: Path, *args: Any, **kwargs: Any) -> None:
        mkdir(self.with_name(self.name.lower()), *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", blind)
    error = refusal(lambda: write_images(loaded.images, layout, tmp_path / "blind"))
    assert "one directory on this disk" in error.cause
    assert not (tmp_path / "blind").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".x", "__MACOSX"])
def test_classes_that_cannot_be_directories(name: str, tmp_path: Path) -> None:
    images = Images(pixels(0, (1, 1, 2, 2)), np.array([0]), (name,), ("a.png",))
    error = refusal(lambda: write_images(images, ImageLayout(format="folders"), tmp_path / "out"))
    assert "cannot be the name of a directory" in error.cause
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("which", ALL)
def test_nothing_half_written(which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = read_images(sources(tmp_path)[which])
    count = 0

    def full(image: Any) -> bytes:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(28, "No space left on device")
        return png()

    for module in ("write", "write_parquet"):
        monkeypatch.setattr(f"synthgen.data.images.{module}.encode_png", full)
    before = set(tmp_path.rglob("*"))
    path = tmp_path / f"out{loaded.layout.extension}"
    error = refusal(lambda: write_images(loaded.images, loaded.layout, path), MachineError)
    assert "No space left" in error.cause
    assert set(tmp_path.rglob("*")) == before


def test_what_is_in_the_way(tmp_path: Path) -> None:
    made = sources(tmp_path)
    loaded = read_images(made["folders"])
    full = folder(tmp_path / "full", {"mine.txt": "x"})
    assert (
        "exists"
        in refusal(lambda: write_images(loaded.images, loaded.layout, full), ConfigError).cause
    )
    assert (full / "mine.txt").read_text() == "x"
    (tmp_path / "empty").mkdir()
    write_images(loaded.images, loaded.layout, tmp_path / "empty")
    same(read_images(tmp_path / "empty").images, loaded.images)
    parquet = read_images(made["parquet"])
    (tmp_path / "old.parquet").write_text("old")
    write_images(parquet.images, parquet.layout, tmp_path / "old.parquet")
    same(read_images(tmp_path / "old.parquet").images, parquet.images)
    write_images(parquet.images, parquet.layout, tmp_path / "new" / "folder" / "x.parquet")
    same(read_images(tmp_path / "new" / "folder" / "x.parquet").images, parquet.images)
    nowhere = tmp_path / "old.parquet" / "where.parquet"
    refusal(lambda: write_images(parquet.images, parquet.layout, nowhere), MachineError)


def test_rights_are_the_usual_ones(tmp_path: Path) -> None:
    loaded = read_images(sources(tmp_path)["folders"])
    write_images(loaded.images, loaded.layout, tmp_path / "out")
    (tmp_path / "usual").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_an_encoding_that_lacks_a_letter(tmp_path: Path) -> None:
    rows = COLUMNS.replace("x", "é").encode("latin-1")
    loaded = read_images(folder(tmp_path / "data", LISTED | {"labels.csv": rows}))
    images = loaded.images
    odd = Images(images.pixels, images.labels, images.classes, ("日.png", "b.png", "c.png"))
    assert loaded.layout.csv is not None
    assert loaded.layout.csv.encoding != "utf-8"
    error = refusal(lambda: write_images(odd, loaded.layout, tmp_path / "out"), DataError)
    assert "cannot write" in error.cause
    assert not (tmp_path / "out").exists()


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
directories = st.text("abcÄé _-0.", min_size=1, max_size=5).filter(
    lambda word: word == word.strip(" .") and not word.startswith(".")
)


@quick
@given(
    data=st.data(), layout=st.sampled_from(["folders", "listing", "arrays"]), zipped=st.booleans()
)
def test_any_images_return(
    data: st.DataObject, layout: Any, zipped: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    n = data.draw(st.integers(2, 5))
    word = directories if layout == "folders" else words
    known = data.draw(st.lists(word, min_size=2, max_size=4, unique_by=lambda w: w.casefold()))
    if layout == "listing":
        # A list cannot name what is blank, a word for a missing cell, a number, or cut at its ends.
        known = [f"c{i}{w}c" for i, w in enumerate(known)]
    labels = data.draw(st.lists(st.integers(0, len(known) - 1), min_size=n, max_size=n))
    if layout == "listing":
        labels[: len(known)] = range(len(known))
        labels = [*labels, *range(len(known))][: max(n, len(known))]
        n = len(labels)
    names = written_names(data.draw(st.lists(words, min_size=n, max_size=n)))
    ordered = tuple(sorted(known))
    if layout == "folders":
        names = tuple(f"{ordered[k]}/{name}" for k, name in zip(labels, names, strict=True))
    shape = (n, data.draw(st.sampled_from([1, 3])), data.draw(st.integers(1, 9)), 4)
    images = Images(pixels(7, shape), np.array(labels), ordered, unique(names))
    path = tmp_path_factory.mktemp("any") / "out"
    form = ImageLayout(format=layout, zipped=zipped)
    write_images(images, form, path)
    again = read_images(path).images
    if layout == "folders":
        images = images.take(np.array(sorted(range(n), key=lambda i: images.names[i])))
    same(again, images)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_without_permission(tmp_path: Path) -> None:
    loaded = read_images(sources(tmp_path)["parquet"])
    (tmp_path / "closed").mkdir(mode=0o500)
    path = tmp_path / "closed" / "out.parquet"
    refusal(lambda: write_images(loaded.images, loaded.layout, path), MachineError)
