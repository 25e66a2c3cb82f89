"""The file of a run directory is exact."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen.data.images.images import Images
from synthgen.data.images.store import load, save
from synthgen.errors import DataError
from tests.data.images.made import pixels, png, refusal, same


@pytest.mark.parametrize("n", [0, 1, 2500])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("grouped", [False, True])
def test_everything_returns(n: int, channels: int, grouped: bool, tmp_path: Path) -> None:
    images = Images(
        pixels=pixels(1, (n, channels, 3, 4)),
        labels=np.arange(n) % 2,
        classes=("a/b", "unused", "é\n"),
        names=tuple(f"../{i}\n.jpg" for i in range(n)),
        groups=np.arange(n) // 3 if grouped else None,
    )
    save(images, tmp_path / "x.parquet")
    same(load(tmp_path / "x.parquet"), images)
    first = (tmp_path / "x.parquet").read_bytes()
    save(images, tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").read_bytes() == first


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    images = Images(pixels(1, (2, 1, 3, 4)), np.array([0, 1]), (9, 10), ("a", "b"))
    save(images, tmp_path / "x.parquet")
    same(load(tmp_path / "x.parquet"), images)


def test_other_files_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [png()], "label": [1]}), tmp_path / "x.parquet")
    assert "not written by this program" in refusal(lambda: load(tmp_path / "x.parquet")).cause
    (tmp_path / "y.parquet").write_bytes(b"PAR1")
    refusal(lambda: load(tmp_path / "y.parquet"))


def test_damage_ends_in_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    names = tuple(f"{i}.png" for i in range(20))
    save(Images(pixels(1, (20, 1, 9, 9)), np.arange(20) % 2, ("a", "b"), names), path)
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(data)
        for place in rng.integers(4, len(data) - 8, 3):
            damaged[place] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        with suppress(DataError):
            load(path)
