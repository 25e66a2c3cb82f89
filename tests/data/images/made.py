"""Images, files and archives that the tests of this folder make."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from synthgen.data.images.images import Images
from synthgen.errors import DataError


def pixels(seed: int = 0, shape: tuple[int, ...] = (6, 5)) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def png(seed: int = 0, shape: tuple[int, ...] = (6, 5)) -> bytes:
    return coded(Image.fromarray(pixels(seed, shape)))


def coded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def folder(root: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return root


def archive(path: Path, files: Mapping[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


def classes(cats: int = 3, dogs: int = 2, below: str = "") -> dict[str, bytes | str]:
    """Grey images of 6 × 5 pixels in two directories."""
    made: dict[str, bytes | str] = {f"{below}cat/{i}.png": png(i) for i in range(cats)}
    return made | {f"{below}dog/{i}.png": png(100 + i) for i in range(dogs)}


def same(first: Images, second: Images) -> None:
    np.testing.assert_array_equal(first.pixels, second.pixels)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert first.classes == second.classes
    assert [type(name) for name in first.classes] == [type(name) for name in second.classes]
    assert first.names == second.names
    if first.groups is None or second.groups is None:
        assert first.groups is second.groups
    else:
        np.testing.assert_array_equal(first.groups, second.groups)


def refusal(act: Callable[[], object], error: type[Any] = DataError) -> Any:
    """The error: one line of cause and one of remedy, nothing unprintable."""
    with pytest.raises(error) as caught:
        act()
    for line in (caught.value.cause, caught.value.remedy):
        assert line
        assert line.isprintable()
    return caught.value
