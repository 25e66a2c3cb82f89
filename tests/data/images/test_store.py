"""The file of a run directory is exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthgen.data.images.images import Images
from synthgen.data.images.store import load, save
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
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": [png()], "label": [1]}), tmp_path / "x.parquet")
    assert "not written by this program" in refusal(lambda: load(tmp_path / "x.parquet")).cause
    (tmp_path / "y.parquet").write_bytes(b"PAR1")
    refusal(lambda: load(tmp_path / "y.parquet"))
