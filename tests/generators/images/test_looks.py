"""Pictures show the images they should, where they should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from synthgen.data.images.images import Images
from synthgen.generators.images import looks
from synthgen.generators.images.cgan import CGAN
from synthgen.generators.images.gan import GAN
from synthgen.generators.images.sampler import ImageSampler
from synthgen.training.context import Context

SMALL: dict[str, Any] = {"width": 4, "batch_size": 8, "steps": 2, "evaluations": 0}


def images(channels: int = 1) -> Images:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (30, channels, 8, 9)).astype(np.uint8)
    labels = np.arange(30) % 2 * 2
    return Images(pixels, labels.astype(np.int64), ("a", "b", "c"), tuple(map(str, range(30))))


@pytest.fixture(scope="module")
def sampler() -> ImageSampler:
    return CGAN(**SMALL).fit(images(), Context())


def tile(picture: np.ndarray[Any, Any], row: int, column: int) -> np.ndarray[Any, Any]:
    """The image there, (channels, 8, 9)."""
    part = picture[1 + 9 * row : 9 + 9 * row, 1 + 10 * column : 10 + 10 * column]
    return part.transpose(2, 0, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_lie_side_by_side(channels: int) -> None:
    pixels = images(channels).pixels[:6].reshape(2, 3, channels, 8, 9)
    picture = looks.tiled(pixels)
    assert picture.shape == (1 + 2 * 9, 1 + 3 * 10, channels)
    for i in range(2):
        for j in range(3):
            assert np.array_equal(tile(picture, i, j), pixels[i, j])
    assert (picture[[0, 9, 18]] == looks.GREY).all()
    assert (picture[:, [0, 10, 20, 30]] == looks.GREY).all()


def test_a_row_for_each_class_with_images(sampler: ImageSampler) -> None:
    picture = looks.classes(sampler, 4, seed=1)
    assert picture.shape == (1 + 2 * 9, 1 + 4 * 10, 1)  # "b" has none
    assert np.array_equal(picture, looks.classes(sampler, 4, seed=1))
    assert not np.array_equal(picture, looks.classes(sampler, 4, seed=2))


def test_without_classes_the_labeller_fills_the_rows() -> None:
    square = images().pixels[:, :, :, :8]
    train = Images(square, images().labels, images().classes, images().names)
    sampler = GAN(**SMALL).fit(train, Context())
    assert sampler.labeller is not None
    picture = looks.classes(sampler, 3, seed=0)
    assert picture.shape == (1 + 2 * 9, 1 + 3 * 9, 1)
    drawn = sampler.sample(3 * 8 * 2, seed=0)
    for row, k in enumerate((0, 2)):
        found = drawn.pixels[drawn.labels == k][:3]
        for column in range(3):
            shown = picture[1 + 9 * row : 9 + 9 * row, 1 + 9 * column : 9 + 9 * column, 0]
            assert np.array_equal(shown, found[column, 0] if column < len(found) else shown * 0)


def test_interpolations_end_where_they_should(sampler: ImageSampler) -> None:
    picture = looks.interpolations(sampler, rows=3, columns=5, seed=3)
    z = looks._noise(sampler, 6, 3)
    for row, label in enumerate((0, 2, 0)):
        ends = sampler.at(z[[row, row + 3]], torch.full((2,), label))
        assert np.abs(tile(picture, row, 0).astype(int) - ends[0]).max() <= 1
        assert np.abs(tile(picture, row, 4).astype(int) - ends[1]).max() <= 1


def test_great_circles() -> None:
    east, north = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    shares = torch.tensor([0.0, 1 / 3, 1.0])
    expected = torch.tensor([[2.0, 0.0], [3**0.5, 1.0], [0.0, 2.0]])
    torch.testing.assert_close(looks.slerp(east, north, shares), expected)
    torch.testing.assert_close(looks.slerp(east, east, shares), east.expand(3, 2))


def test_neighbours_stand_below_what_they_are_near_to() -> None:
    made, train = images().take(np.arange(4)), images()
    picture = looks.neighbours(made, train, np.array([7, 9, 7]))
    assert picture.shape == (1 + 2 * 9, 1 + 3 * 10, 1)
    for column, nearest in enumerate((7, 9, 7)):
        assert np.array_equal(tile(picture, 0, column), made.pixels[column])
        assert np.array_equal(tile(picture, 1, column), train.pixels[nearest])
