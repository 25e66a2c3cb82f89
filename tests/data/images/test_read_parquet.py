"""Image Parquet: what Hugging Face datasets writes, and plainer files."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen.data.images.read import looks_like_images, read_images
from synthgen.errors import DataError
from tests.data.images.made import pixels, png, refusal, same

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def table(labels: Any, images: Any = None, metadata: Any = None, **more: Any) -> pa.Table:
    if images is None:
        images = pa.array(
            [{"bytes": png(i), "path": f"{i}.png"} for i in range(len(labels))], STRUCT
        )
    made = pa.table({"image": images, "label": labels, **more})
    return made.replace_schema_metadata(metadata)


def noted(**features: Any) -> dict[str, str]:
    image = {"_type": "Image"}
    return {"huggingface": json.dumps({"info": {"features": {"image": image, **features}}})}


def written(tmp_path: Path, made: pa.Table) -> Path:
    pq.write_table(made, tmp_path / "x.parquet")
    return tmp_path / "x.parquet"


def test_struct_of_bytes_and_path(tmp_path: Path) -> None:
    path = written(tmp_path, table([7, 5, 7]))
    loaded = read_images(path)
    assert loaded.images.classes == (5, 7)
    assert loaded.images.labels.tolist() == [1, 0, 1]
    assert loaded.images.names == ("0.png", "1.png", "2.png")
    np.testing.assert_array_equal(loaded.images.pixels[2, 0], pixels(2))
    assert loaded.layout.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert looks_like_images(path)
    with fsspec.open("memory://images/x.parquet", "wb") as file:
        file.write(path.read_bytes())
    same(read_images("memory://images/x.parquet").images, loaded.images)
    assert looks_like_images("memory://images/x.parquet")
    assert not looks_like_images("memory://images/none.parquet")


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_plain_binary(kind: pa.DataType, tmp_path: Path) -> None:
    images = pa.array([png(0), png(1)], kind)
    path = written(tmp_path, table(["b", "a"], images, key=pa.array([b"x", b"y"])))
    loaded = read_images(path)
    assert loaded.layout.image_column == "image"
    assert not loaded.layout.paths
    assert loaded.images.names == ("000000.png", "000001.png")
    assert looks_like_images(path)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (pa.array([3, 1], pa.int8()), (1, 3)),
        (pa.array([2**63, 1], pa.uint64()), (1, 2**63)),
        (pa.array(["x", "a"]), ("a", "x")),
        (pa.array(["x", "a"], pa.large_string()), ("a", "x")),
        (pa.array(["x", "a"]).dictionary_encode(), ("a", "x")),
        (pa.array([True, False]), ("False", "True")),
        (pa.array([2.0, 1.0]), ("1.0", "2.0")),
    ],
)
def test_types_of_labels(labels: pa.Array, classes: tuple[Any, ...], tmp_path: Path) -> None:
    images = read_images(written(tmp_path, table(labels))).images
    assert images.classes == classes
    assert images.labels.tolist() == [1, 0]


def test_class_names_are_kept(tmp_path: Path) -> None:
    label = {"_type": "ClassLabel", "names": ["dog", "cat", "owl"]}
    loaded = read_images(written(tmp_path, table([0, 1, 0], metadata=noted(label=label))))
    assert loaded.images.classes == ("cat", "dog", "owl")
    assert loaded.images.labels.tolist() == [1, 0, 1]
    assert "no image of the class owl" in loaded.notices[0]


@pytest.mark.parametrize("note", [b"no json", b"[]", b'{"info": 1}', b'{"info": {"features": []}}'])
def test_notes_that_are_damaged_are_ignored(note: bytes, tmp_path: Path) -> None:
    path = written(
        tmp_path, table([0, 1], metadata={b"huggingface": note, b"synthgen.images": note})
    )
    assert read_images(path).images.classes == (0, 1)


def test_bad_rows_are_skipped(tmp_path: Path) -> None:
    n = 500
    labels: list[int | None] = [i % 2 for i in range(n)]
    images = [{"bytes": png(i % 5), "path": f"{i}.png"} for i in range(n)]
    labels[3], labels[5], labels[6] = None, -1, 9
    images[7]["bytes"], images[8]["bytes"] = None, b"text"  # type: ignore[assignment]
    label = {"_type": "ClassLabel", "names": ["a", "b"]}
    made = table(pa.array(labels), pa.array(images, STRUCT), noted(label=label))
    loaded = read_images(written(tmp_path, made))
    assert len(loaded.images) == n - 5
    assert [str(skipped) for skipped in loaded.skipped[:4]] == [
        "3.png has no label",
        "5.png has no label",
        "6.png has no label",
        "7.png has no bytes in the file",
    ]


def test_paths_are_stripped_of_tricks_and_made_unique(tmp_path: Path) -> None:
    paths = ["../../x.png", "/x.png", "C:\\a\\x.png", None, ".."]
    images = pa.array([{"bytes": png(), "path": path} for path in paths], STRUCT)
    loaded = read_images(written(tmp_path, table([0, 1, 0, 1, 0], images)))
    assert loaded.images.names == ("x.png", "x-2.png", "a/x.png", "000003.png", "000004.png")


def test_what_is_missing(tmp_path: Path) -> None:
    path = written(tmp_path, table([0, 1]))
    assert "no column 'lable'" in refusal(lambda: read_images(path, "lable")).cause
    plain = tmp_path / "plain.parquet"
    pq.write_table(
        pa.table({"x": [1], "key": [b"xyz"], "none": pa.array([None], pa.binary())}), plain
    )
    assert "no column of images" in refusal(lambda: read_images(plain)).cause
    assert not looks_like_images(plain)
    several = written(tmp_path, table([0], second=pa.array([png()])))
    assert "'image', 'second'" in refusal(lambda: read_images(several)).cause
    odd = written(tmp_path, table(pa.array([[1], [2]])))
    assert "type list" in refusal(lambda: read_images(odd)).cause
    none = written(tmp_path, table(pa.array([], pa.int64())))
    assert "no image" in refusal(lambda: read_images(none)).cause


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_cut_files(part: float, tmp_path: Path) -> None:
    path = written(tmp_path, table(list(range(50))))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    assert "not a readable Parquet file" in refusal(lambda: read_images(path)).cause
    assert not looks_like_images(path)


def test_damaged_files_end_in_an_error_or_in_images(tmp_path: Path) -> None:
    path = written(tmp_path, table(list(range(30))))
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(data)
        for place in rng.integers(4, len(data) - 8, 3):
            damaged[place] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        with suppress(DataError):
            read_images(path)


def test_mnist_and_cifar(shared_data: Path) -> None:
    mnist = read_images(shared_data / "image/mnist-test.parquet").images
    assert mnist.pixels.shape == (10_000, 1, 28, 28)
    assert mnist.classes == tuple(range(10))
    assert mnist.counts()[1] == 1135
    cifar = read_images(shared_data / "image/cifar10-test.parquet").images
    assert cifar.pixels.shape == (10_000, 3, 32, 32)
    assert set(cifar.counts()) == {1000}
