"""Real images for the tests of vision and of image metrics, and one thread for all of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import Tensor


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from more, and tests run beside each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def pictures(folder: Path, name: str, count: int) -> tuple[Tensor, Tensor]:
    """The first ``count`` images of ``image/NAME.parquet``, uint8 (n, c, h, w), and labels."""
    table = pq.read_table(folder / f"image/{name}.parquet").slice(0, count)
    arrays = [
        np.asarray(Image.open(io.BytesIO(cell["bytes"]))) for cell in table["image"].to_pylist()
    ]
    stacked = np.stack([a[None] if a.ndim == 2 else a.transpose(2, 0, 1) for a in arrays])
    return torch.from_numpy(np.ascontiguousarray(stacked)), torch.tensor(table["label"].to_pylist())


def toy(
    count: int, classes: int = 3, side: int = 16, channels: int = 1, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Noise with a bright bar whose place tells the class; the classes take turns."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    pixels = torch.randint(0, 90, (count, channels, side, side), generator=generator)
    width = side // classes
    for label in range(classes):
        pixels[labels == label, :, :, label * width : (label + 1) * width] += 140
    return pixels.to(torch.uint8), labels
