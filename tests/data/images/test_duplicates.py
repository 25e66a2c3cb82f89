"""What counts as one picture, and that chains do not join what differs."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from synthgen.data.images.duplicates import near_duplicates
from synthgen.data.images.images import Images
from synthgen.data.images.read import read_images
from tests.data.images.made import pixels


def images(array: NDArray[np.uint8]) -> Images:
    n = len(array)
    return Images(array, np.zeros(n, dtype=np.int64), ("a",), tuple(f"{i}" for i in range(n)))


def scenes(n: int, side: int = 32, channels: int = 3) -> NDArray[np.uint8]:
    """Smooth random pictures in soft colours."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(n, 1, side, side)) + 0.3 * rng.normal(size=(n, channels, side, side))
    smooth = gaussian_filter(noise, (0, 0, side / 12, side / 12))
    smooth -= smooth.min(axis=(1, 2, 3), keepdims=True)
    smooth *= 225 / smooth.max(axis=(1, 2, 3), keepdims=True)
    return np.rint(smooth).astype(np.uint8)


def jpeg(array: NDArray[np.uint8], quality: int = 75) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    picture(array).save(buffer, "JPEG", quality=quality)
    return unpictured(Image.open(buffer))


def picture(array: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0).copy())


def unpictured(image: Image.Image) -> NDArray[np.uint8]:
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def brighter(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.clip(array.astype(np.int64) + 12, 0, 255).astype(np.uint8)


def resized(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = picture(array)
    return unpictured(image.resize((48, 48), Image.Resampling.BICUBIC).resize(image.size))


@pytest.mark.parametrize("change", [np.copy, jpeg, brighter, resized])
@pytest.mark.parametrize(("side", "channels"), [(32, 3), (32, 1), (64, 3)])
def test_changed_images_find_their_originals(
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], side: int, channels: int
) -> None:
    first = scenes(120, side, channels)
    second = np.array([change(image) for image in first])
    groups = near_duplicates(images(np.concatenate([first, second])))
    assert (groups[:120] == groups[120:]).mean() >= 0.98
    assert len(set(groups[:120].tolist())) == 120


def test_numbers_by_first_appearance() -> None:
    a, b, c = scenes(3)
    groups = near_duplicates(images(np.array([b, a, b, c, jpeg(a)])))
    assert groups.dtype == np.int64
    assert groups.tolist() == [0, 1, 0, 2, 1]


def test_even_images_equal_only_their_equals() -> None:
    array = np.zeros((6, 1, 8, 8), dtype=np.uint8)
    array[1:3] = 100
    array[3] = 101
    array[4, 0, 0, 0] = 2
    array[5, 0, 0, 0] = 1
    assert near_duplicates(images(array)).tolist() == [0, 1, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "shape", [(0, 1, 4, 4), (1, 1, 4, 4), (5, 3, 1, 1), (5, 1, 2, 70), (5, 3, 8, 8)]
)
def test_any_shape(shape: tuple[int, ...]) -> None:
    groups = near_duplicates(images(pixels(3, shape)))
    assert len(groups) == shape[0]


def test_many_near_copies_take_bounded_time_and_memory() -> None:
    base = scenes(1, 16, 1)
    noise = np.random.default_rng(1).integers(0, 3, (4000, 1, 16, 16))
    frames = np.clip(base + noise, 0, 255).astype(np.uint8)
    assert set(near_duplicates(images(frames)).tolist()) == {0}


def test_digits_of_mnist_stay_apart(shared_data: Path) -> None:
    mnist = read_images(shared_data / "image/mnist-test.parquet").images
    groups = near_duplicates(mnist)
    assert np.bincount(groups).max() <= 2
    sample = mnist.take(np.arange(0, 10_000, 50))
    changed = np.array([jpeg(image, 90) for image in sample.pixels])
    both = images(np.concatenate([sample.pixels, changed]))
    found = near_duplicates(both)
    assert (found[:200] == found[200:]).all()
