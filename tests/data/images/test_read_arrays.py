"""Arrays in memory, and scikit-learn's images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from synthgen.data.images.options import ImageOptions
from synthgen.data.images.read import Arrays, read_images
from synthgen.errors import ConfigError
from tests.data.images.made import pixels, refusal


def test_digits() -> None:
    images = read_images("sklearn:digits").images
    bunch = load_digits()
    assert images.classes == tuple(range(10))
    np.testing.assert_array_equal(images.labels, bunch.target)
    np.testing.assert_array_equal(images.pixels[:, 0], np.rint(bunch.images * (255 / 16)))
    assert "sklearn:digits" in refusal(lambda: read_images("sklearn:iris"), ConfigError).remedy


@pytest.mark.parametrize("shape", [(3, 6, 5), (3, 6, 5, 1), (3, 6, 5, 3)])
def test_bytes_are_kept(shape: tuple[int, ...]) -> None:
    given = pixels(0, shape)
    loaded = read_images(Arrays(given, ["b", "a", "b"]))
    channels = 3 if shape[-1] == 3 else 1
    expected = given.reshape(3, 6, 5, channels).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(loaded.images.pixels, expected)
    assert loaded.images.classes == ("a", "b")
    assert loaded.images.names == ("000000.png", "000001.png", "000002.png")
    assert loaded.layout.format == "arrays"


def test_real_numbers_are_scaled() -> None:
    values = np.array([[[0, 0.5, 1]], [[0.25, 0.1, 0.9]]])
    for dtype in (np.float16, np.float32, np.float64):
        images = read_images(Arrays(values.astype(dtype), [0, 1])).images
        np.testing.assert_allclose(images.pixels[:, 0], values * 255, atol=0.6)


def test_options() -> None:
    given = Arrays(pixels(0, (2, 6, 5, 3)), [0, 1])
    options = ImageOptions(size=4, channels=1)
    assert read_images(given, options=options).images.pixels.shape == (2, 1, 4, 4)


@pytest.mark.parametrize(
    "labels", [np.array([1, 2]), pd.Series(["a", "b"]), [np.int8(1), np.int8(2)], [True, False]]
)
def test_labels(labels: Any) -> None:
    assert len(read_images(Arrays(pixels(0, (2, 3, 3)), labels)).images.classes) == 2


@pytest.mark.parametrize(
    ("images", "labels", "cause"),
    [
        (pixels(0, (4, 4)), [0] * 4, "the shape (4, 4)"),
        (pixels(0, (2, 4, 4, 4)), [0, 1], "the shape"),
        (pixels(0, (0, 4, 4)), [], "is empty"),
        (np.zeros((2, 4, 4), dtype=np.int64), [0, 1], "int64"),
        (np.full((2, 4, 4), 255.0), [0, 1], "outside of the range"),
        (np.full((2, 4, 4), np.nan), [0, 1], "outside of the range"),
        (pixels(0, (2, 4, 4)), [0], "2 images, and labels of the shape (1,)"),
        (pixels(0, (2, 4, 4)), [0, None], "missing for 1 of 2"),
        (pixels(0, (2, 4, 4)), [0, 1.5], "fractions"),
        (pixels(0, (2, 4, 4)), [0, b"x"], "type bytes"),
    ],
)
def test_what_does_not_fit(images: Any, labels: Any, cause: str) -> None:
    assert cause in refusal(lambda: read_images(Arrays(images, labels))).cause


def test_a_plain_pair_will_do() -> None:
    assert len(read_images((pixels(0, (2, 3, 3)), ["a", "b"])).images) == 2


def test_texts_and_numbers_are_texts() -> None:
    images = read_images(Arrays(pixels(0, (3, 2, 2)), [1, "a", 1])).images
    assert images.classes == ("1", "a")
