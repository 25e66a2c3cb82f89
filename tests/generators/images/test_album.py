"""The pictures of a report hold the images that they should, and are no larger than they may be."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from synthgen.data.images.images import Images
from synthgen.generators.images import album as module
from synthgen.generators.images import looks
from synthgen.generators.images.album import album
from synthgen.generators.images.cgan import CGAN
from synthgen.generators.images.gan import GAN
from synthgen.generators.images.progress import kept_progress
from synthgen.generators.images.sampler import ImageSampler
from synthgen.results import Picture
from synthgen.training.context import Context
from synthgen.vision.pixel_features import PixelFeatures

SMALL: dict[str, Any] = {"width": 4, "batch_size": 8, "steps": 6, "evaluations": 0}


def images(
    classes: int = 3, channels: int = 1, height: int = 8, width: int = 8, n: int = 60
) -> Images:
    """Noise; the last class has no image."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, channels, height, width)).astype(np.uint8)
    labels = np.arange(n) % (classes - 1)
    names = tuple(f"class {k:02d}" for k in range(classes))
    return Images(pixels, labels.astype(np.int64), names, tuple(map(str, range(n))))


def shown(picture: Picture) -> looks.Canvas:
    with Image.open(io.BytesIO(base64.b64decode(picture.png))) as image:
        assert image.format == "PNG"
        assert image.size == (picture.width, picture.height)
        return np.atleast_3d(np.asarray(image))


def grid(picture: Picture, height: int = 8, width: int = 8) -> looks.Grid:
    found = looks.cut(shown(picture), height, width)
    assert found is not None
    return found


def by_name(pictures: list[Picture]) -> dict[str, Picture]:
    return {picture.name: picture for picture in pictures}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageSampler, Path]:
    folder = tmp_path_factory.mktemp("progress")
    return CGAN(**SMALL).fit(images(), Context(progress=folder)), folder


def test_pictures_come_in_their_order_with_the_same_bytes(
    trained: tuple[ImageSampler, Path],
) -> None:
    sampler, folder = trained
    train, synthetic = images(), sampler.sample(30, seed=1)

    def made(seed: int, progress: Path | None = folder) -> list[Picture]:
        return album(sampler, train, synthetic, PixelFeatures(1, 8), seed=seed, progress=progress)

    pictures = made(0)
    names = [picture.name for picture in pictures]
    assert names == ["classes", "progress", "interpolations", "neighbours", "closest"]
    assert pictures == made(0)
    assert by_name(made(1))["classes"].png != pictures[0].png
    assert [picture.name for picture in made(0, None)] == [
        name for name in names if name != "progress"
    ]
    none = album(
        sampler, train, synthetic.take(np.arange(0)), PixelFeatures(1, 8), seed=0, progress=None
    )
    assert [picture.name for picture in none] == ["classes", "interpolations"]
    for picture in pictures:
        assert picture.title
        assert picture.caption.endswith(".")
        assert "  " not in picture.caption


def test_rows_and_captions_name_the_classes_and_steps(trained: tuple[ImageSampler, Path]) -> None:
    sampler, folder = trained
    found = by_name(
        album(sampler, images(), images(), PixelFeatures(1, 8), seed=0, progress=folder)
    )
    assert grid(found["classes"]).shape[:2] == (2, 10)
    assert "from the top: class 00, class 01." in found["classes"].caption
    kept = kept_progress(folder, sampler)
    assert np.array_equal(grid(found["progress"]), np.stack([*kept.values()], axis=1))
    assert "after 1, 2, 3 and 6 of 6 steps" in found["progress"].caption
    assert grid(found["interpolations"]).shape[:2] == (8, 10)


def test_any_number_of_steps_of_progress(
    trained: tuple[ImageSampler, Path], tmp_path: Path
) -> None:
    sampler, folder = trained

    def of(progress: Path) -> dict[str, Picture]:
        return by_name(
            album(sampler, images(), images(), PixelFeatures(1, 8), seed=0, progress=progress)
        )

    assert "progress" not in of(tmp_path)
    assert "progress" not in of(tmp_path / "nowhere")
    (tmp_path / "step-0000003.png").write_bytes((folder / "step-0000003.png").read_bytes())
    one = of(tmp_path)["progress"]
    assert "after 3 of 6 steps" in one.caption
    assert grid(one).shape[:2] == (10, 1)


class Light:
    """An extractor that sees one number only, which no two images share by chance."""

    name, version, resize, dimension = "light", "1", "none", 1

    def __call__(self, pixels: Tensor) -> Tensor:
        values = pixels.flatten(1).float()
        return values @ torch.linspace(1, 2, values.shape[1])[:, None]


@pytest.mark.parametrize("extractor", [PixelFeatures(1, 8), Light()])
def test_nearest_images_are_those_by_hand(
    trained: tuple[ImageSampler, Path], extractor: Any
) -> None:
    sampler, _ = trained
    train = images()
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (40, 1, 8, 8)).astype(np.uint8)
    pixels[33], pixels[4] = train.pixels[17], np.clip(train.pixels[50] + 1.0, 0, 255)
    synthetic = Images(pixels, np.zeros(40, np.int64), train.classes, tuple(map(str, range(40))))
    found = by_name(album(sampler, train, synthetic, extractor, seed=0, progress=None))

    def seen(side: NDArray[np.uint8]) -> NDArray[np.float64]:
        return extractor(torch.from_numpy(side)).double().numpy()

    apart = np.linalg.norm(seen(pixels)[:, None] - seen(train.pixels)[None], axis=2)
    closest = grid(found["closest"])
    order = np.argsort(apart.min(1), kind="stable")[:10]
    assert np.array_equal(closest[0], pixels[order])
    assert np.array_equal(closest[1], train.pixels[apart.argmin(1)[order]])
    assert np.array_equal(closest[0, 0], closest[1, 0])
    assert "10 of 40 synthetic images" in found["closest"].caption

    above, below = grid(found["neighbours"])
    for image, near in zip(above, below, strict=True):
        (place,) = np.flatnonzero((pixels == image).all((1, 2, 3)))
        assert np.array_equal(near, train.pixels[apart.argmin(1)[place]])
    assert len(np.unique(above.reshape(10, -1), axis=0)) == 10
    sight = "their pixels" if extractor.name == "pixels" else "the features of light"
    assert sight in found["neighbours"].caption


def test_at_most_twenty_classes_are_shown_and_the_others_named() -> None:
    train = images(classes=25, n=48)
    sampler = CGAN(**SMALL).fit(train, Context())
    (picture, *_) = album(sampler, train, train, PixelFeatures(1, 8), seed=0, progress=None)
    assert grid(picture).shape[:2] == (20, 10)
    assert "class 19. Left out: class 20, class 21, class 22 and 1 more." in picture.caption


def test_a_generator_that_knows_no_classes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("synthgen.generators.images.image_gan.JUDGE_STEPS", 2)
    sampler = GAN(**SMALL).fit(images(), Context(progress=tmp_path))
    found = by_name(
        album(sampler, images(), images(), PixelFeatures(1, 8), seed=0, progress=tmp_path)
    )
    assert "a classifier of the training images told them" in found["classes"].caption
    for name in ("progress", "interpolations"):
        assert "lass" not in found[name].caption


def test_images_that_are_no_squares_and_few_of_them() -> None:
    train = images(channels=3, height=9, width=12)
    sampler = CGAN(**SMALL).fit(train, Context())
    few = train.take(np.arange(4))
    found = by_name(album(sampler, train, few, Light(), seed=0, progress=None))
    assert grid(found["classes"], 9, 12).shape == (2, 10, 3, 9, 12)
    assert grid(found["closest"], 9, 12).shape[:2] == (2, 4)
    assert "by their pixels" in found["closest"].caption


@pytest.mark.parametrize("channels", [1, 3])
def test_large_images_are_made_smaller_by_their_means(channels: int) -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (20, 10, channels, 16, 32)).astype(np.uint8)
    fine = coarse.repeat(4, 3).repeat(4, 4)
    _, canvas = module._fitting(fine)
    assert canvas.shape[1] <= module.WIDEST
    exact = module._smaller(fine, 0.25)
    assert np.array_equal(exact, coarse)
    assert module._smaller(fine, 1.0) is fine


def test_files_are_small_where_images_may_be_smaller() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (4, 6, 3, 100, 100)).astype(np.uint8)  # 720 kB
    png, canvas = module._fitting(noise)
    assert len(png) <= module.LARGEST
    assert looks.cut(canvas, 100, 100) is None
    assert canvas.shape[1] > 6 * 50
    # More than fit: they stay large enough to be seen.
    many = rng.integers(0, 256, (20, 10, 3, 64, 64)).astype(np.uint8)
    png, canvas = module._fitting(many)
    found = looks.cut(canvas, module.LEAST, module.LEAST)
    assert found is not None
    assert found.shape[:2] == (20, 10)
    small = rng.integers(0, 256, (20, 10, 3, 28, 28)).astype(np.uint8)
    _, canvas = module._fitting(small)
    assert np.array_equal(canvas, looks.tiled(small))
