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


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_can_be_cut_apart_again(channels: int) -> None:
    grid = images(channels).pixels[:6].reshape(2, 3, channels, 8, 9)
    found = looks.cut(looks.tiled(grid), 8, 9)
    assert found is not None
    assert np.array_equal(found, grid)
    for height, width in ((7, 9), (8, 8), (40, 9)):
        assert looks.cut(looks.tiled(grid), height, width) is None


def test_a_row_for_each_class_with_images(sampler: ImageSampler) -> None:
    grid = looks.classes(sampler, 9, 4, seed=1)
    assert grid.shape == (2, 4, 1, 8, 9)  # "b" has none
    z = looks.noise(sampler, 4, 1)
    for row, label in enumerate((0, 2)):
        assert np.array_equal(grid[row], sampler.at(z, torch.full((4,), label)))
    assert np.array_equal(looks.classes(sampler, 1, 4, seed=1), grid[:1])
    assert not np.array_equal(grid, looks.classes(sampler, 9, 4, seed=2))


def test_without_classes_the_labeller_fills_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.generators.images.image_gan.JUDGE_STEPS", 10)
    square = images().pixels[:, :, :, :8]
    train = Images(square, images().labels, images().classes, images().names)
    sampler = GAN(**SMALL).fit(train, Context())
    assert sampler.labeller is not None
    grid = looks.classes(sampler, 2, 3, seed=0)
    assert grid.shape == (2, 3, 1, 8, 8)
    drawn = sampler.sample(3 * 8 * 2, seed=0)
    for row, k in enumerate((0, 2)):
        found = drawn.pixels[drawn.labels == k][:3]
        assert np.array_equal(grid[row, : len(found)], found)
        assert not grid[row, len(found) :].any()


def test_interpolations_end_where_they_should(sampler: ImageSampler) -> None:
    grid = looks.interpolations(sampler, rows=3, columns=5, seed=3)
    z = looks.noise(sampler, 6, 3)
    for row, label in enumerate((0, 2, 0)):
        ends = sampler.at(z[[row, row + 3]], torch.full((2,), label))
        assert np.abs(grid[row, 0].astype(int) - ends[0]).max() <= 1
        assert np.abs(grid[row, 4].astype(int) - ends[1]).max() <= 1


def test_great_circles() -> None:
    east, north = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    shares = torch.tensor([0.0, 1 / 3, 1.0])
    expected = torch.tensor([[2.0, 0.0], [3**0.5, 1.0], [0.0, 2.0]])
    torch.testing.assert_close(looks.slerp(east, north, shares), expected)
    torch.testing.assert_close(looks.slerp(east, east, shares), east.expand(3, 2))


def test_neighbours_stand_below_what_they_are_near_to() -> None:
    made, train = images().take(np.arange(4)), images()
    grid = looks.neighbours(made, train, np.array([7, 9, 7]))
    assert np.array_equal(grid, np.stack([made.pixels[:3], train.pixels[[7, 9, 7]]]))
