"""Sizes: what is cut, padded and stretched."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from synthgen.data.images.fit import fit, to_grey
from tests.data.images.made import pixels

WIDE = np.zeros((10, 30), dtype=np.uint8)
WIDE[:, 10:20] = 200


def test_crop_takes_the_middle() -> None:
    assert (fit(WIDE, (10, 10), "crop") == 200).all()
    assert fit(WIDE.T, (5, 5), "crop").min() > 180


def test_pad_keeps_all() -> None:
    bright = np.full((10, 30), 200, dtype=np.uint8)
    padded = fit(bright, (30, 30), "pad")
    assert (padded[10:20] == 200).all()
    assert (padded[:10] == 0).all()
    assert (padded[20:] == 0).all()
    assert fit(np.full((1, 1000), 9, dtype=np.uint8), (8, 8), "pad").max() == 9


def test_stretch() -> None:
    expected = Image.fromarray(WIDE).resize((15, 15), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(fit(WIDE, (15, 15), "stretch"), np.asarray(expected))


@pytest.mark.parametrize("how", ["crop", "pad", "stretch"])
def test_shapes_and_untouched_images(how: str) -> None:
    for shape in ((7, 9), (7, 9, 3), (1, 1), (1, 1, 3)):
        image = pixels(0, shape)
        assert fit(image, (4, 6), how).shape == (4, 6, *shape[2:])  # type: ignore[arg-type]
        np.testing.assert_array_equal(fit(image, shape[:2], how), image)  # type: ignore[arg-type]


def test_grey() -> None:
    assert to_grey(pixels(0)).shape == (6, 5)
    colour = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    np.testing.assert_allclose(to_grey(colour)[0], [76, 150, 29], atol=1)
