"""Patches of a Laplacian pyramid (Burt & Adelson 1983), as Karras et al. 2018 (arXiv 1710.10196)
compare images by."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SMALLEST = 16
"""Pixels of a side below which no further level is made."""
PATCH = 7
PATCHES = 32
"""Patches of each image and level."""
_WEIGHTS = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def pyramid(pixels: Tensor) -> list[Tensor]:
    """Levels of uint8 images (n, c, h, w) as float32, finest first, each half as large; the sum of
    the last one, enlarged step by step, and the others is the image.

    Halved as long as both sides are even and their halves at least 16: 28 pixels make one level,
    the image, 32 make two.
    """
    levels: list[Tensor] = []
    images = pixels.float()
    while all(side % 2 == 0 and side // 2 >= SMALLEST for side in images.shape[2:]):
        coarse = _blurred(images)[:, :, ::2, ::2]
        levels.append(images - enlarged(coarse))
        images = coarse
    return [*levels, images]


def enlarged(images: Tensor) -> Tensor:
    """At twice the side: zeros between the pixels, blurred, times four."""
    count, channels, height, width = images.shape
    apart = images.new_zeros(count, channels, 2 * height, 2 * width)
    apart[:, :, ::2, ::2] = 4 * images
    return _blurred(apart)


def patches(level: Tensor, generator: torch.Generator, count: int = PATCHES) -> Tensor:
    """``count`` random 7 x 7 patches of each image of a level (n, c, h, w), as rows
    (n * count, c * 49)."""
    images, channels, *sides = level.shape
    corners = [
        torch.randint(0, side - PATCH + 1, (images, count), generator=generator) for side in sides
    ]
    rows, columns = (
        axis.to(level.device)[..., None] + torch.arange(PATCH, device=level.device)
        for axis in corners
    )
    image = torch.arange(images, device=level.device)[:, None, None, None, None]
    channel = torch.arange(channels, device=level.device)[None, None, :, None, None]
    found = level[image, channel, rows[:, :, None, :, None], columns[:, :, None, None, :]]
    return found.reshape(images * count, -1)


def _blurred(images: Tensor) -> Tensor:
    """By the 5-tap binomial filter along both axes, edges reflected."""
    channels = images.shape[1]
    taps = torch.tensor(_WEIGHTS, device=images.device, dtype=images.dtype)
    padded = functional.pad(images, (2, 2, 2, 2), mode="reflect")
    kernel = (taps[:, None] * taps).expand(channels, 1, 5, 5)
    return functional.conv2d(padded, kernel, groups=channels)
