"""Each operation against Pillow's, and how operations are dealt out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from synthgen.vision import rand_augment as module
from synthgen.vision.rand_augment import OPERATIONS, Operation, rand_augment
from tests.vision.pictures import pictures

COUNT, SIDE = 12, 32
STRENGTH = 0.5
Peer = Callable[[Image.Image, int], Image.Image]
"""Of an image and a direction."""


@pytest.fixture(scope="module")
def images(shared_data: Path) -> Tensor:
    return pictures(shared_data, "cifar10-test", COUNT)[0]


def affine(*matrix: float) -> Peer:
    """Pillow's coordinates begin at the corner of the image."""
    a, b, x, d, e, y = matrix
    middle = SIDE / 2

    def warp(image: Image.Image, sign: int) -> Image.Image:
        shifted = (
            a,
            sign * b,
            sign * x - sign * b * middle,
            sign * d,
            e,
            sign * y - sign * d * middle,
        )
        return image.transform(
            image.size, Image.Transform.AFFINE, shifted, Image.Resampling.BILINEAR
        )

    return warp


PEERS: dict[Operation, Peer] = {
    module.identity: lambda i, s: i,
    module.shear_x: affine(1, 0.15, 0, 0, 1, 0),
    module.shear_y: affine(1, 0, 0, 0.15, 1, 0),
    module.move_x: affine(1, 0, 75 / 331 * SIDE, 0, 1, 0),
    module.move_y: affine(1, 0, 0, 0, 1, 75 / 331 * SIDE),
    module.rotate: lambda i, s: i.rotate(15 * s, Image.Resampling.BILINEAR),
    module.brightness: lambda i, s: ImageEnhance.Brightness(i).enhance(1 + 0.45 * s),
    module.colour: lambda i, s: ImageEnhance.Color(i).enhance(1 + 0.45 * s),
    module.contrast: lambda i, s: ImageEnhance.Contrast(i).enhance(1 + 0.45 * s),
    module.sharpness: lambda i, s: ImageEnhance.Sharpness(i).enhance(1 + 0.45 * s),
    module.posterize: lambda i, s: ImageOps.posterize(i, 6),
    module.solarize: lambda i, s: ImageOps.solarize(i, 128),
    module.autocontrast: lambda i, s: ImageOps.autocontrast(i),
    module.equalize: lambda i, s: ImageOps.equalize(i),
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_operations_are_pillows(operation: Operation, images: Tensor) -> None:
    for sign in (-1, 1):
        ours = operation(images.float() / 255, torch.full((COUNT,), float(sign)), STRENGTH) * 255
        theirs = np.stack(
            [
                np.asarray(PEERS[operation](Image.fromarray(i.permute(1, 2, 0).numpy()), sign))
                for i in images
            ]
        ).transpose(0, 3, 1, 2)
        gaps = (ours - torch.from_numpy(theirs.astype(np.float32))).abs()
        if operation in (
            module.rotate,
            module.shear_x,
            module.shear_y,
            module.move_x,
            module.move_y,
        ):
            # Where an image ends, Pillow takes nothing or the whole pixel, we a part of it.
            assert (gaps > 1.5).float().mean() < 0.08
            gaps = gaps[..., 10:-10, 10:-10]
        assert gaps.max() < 1.5


def test_constant_and_grey_images_pass_every_operation() -> None:
    for value in (0, 77, 255):
        for channels in (1, 3):
            plain = torch.full((30, channels, 8, 8), value, dtype=torch.uint8)
            assert rand_augment(plain, 2, 9, torch.Generator().manual_seed(0)).shape == plain.shape
    flat = torch.full((2, 3, 8, 8), 0.3)
    for operation in (module.autocontrast, module.contrast, module.sharpness):
        assert torch.allclose(operation(flat, torch.ones(2), 1.0), flat, atol=1e-6)
    assert torch.allclose(module.equalize(flat, torch.ones(2), 1.0) * 255, (flat * 255).round())


def test_magnitude_0_keeps_the_image_but_for_the_two_that_have_none(images: Tensor) -> None:
    unit = images.float() / 255
    for operation in OPERATIONS:
        if operation not in (module.autocontrast, module.equalize):
            assert torch.allclose(operation(unit, torch.ones(COUNT), 0.0), unit, atol=1e-5)


@pytest.mark.parametrize("count", [1, 3, 14, 33])
def test_every_operation_is_equally_likely(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = [lambda i, d, s, mark=mark: torch.full_like(i, mark / 255) for mark in range(14)]
    monkeypatch.setattr(module, "OPERATIONS", tuple(marks))
    images = torch.zeros(count, 1, 8, 8, dtype=torch.uint8)
    generator = torch.Generator().manual_seed(0)
    rounds = 4200 // count
    drawn = torch.stack([rand_augment(images, 1, 9, generator)[:, 0, 0, 0] for _ in range(rounds)])
    counts = torch.bincount(drawn.long().flatten(), minlength=14)
    # 300 expected for each, with deviation below 17.
    assert counts.min() > 235
    assert counts.max() < 365
    # The same for the last image alone, which a remainder would give fewer operations.
    assert len(drawn[:, -1].unique()) == 14


def test_images_keep_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPERATIONS", tuple([module.identity] * 14))
    images = torch.randint(0, 256, (37, 3, 8, 8), dtype=torch.uint8)
    result = rand_augment(images, 3, 9, torch.Generator().manual_seed(0))
    assert torch.equal(result, images)
    floats = images.float() / 255
    assert torch.equal(rand_augment(floats, 2, 9, torch.Generator()), floats)
