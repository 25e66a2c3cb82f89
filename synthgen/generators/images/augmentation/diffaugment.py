"""DiffAugment: colour, translation, cutout (Zhao et al. 2020, arXiv 2006.10738, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

SHIFT = 1 / 8
"""Of the sides, at most."""
HOLE = 1 / 2
"""Of the sides."""


class DiffAugment:
    """All three for every image."""

    def __call__(self, images: Tensor, random: torch.Generator) -> Tensor:
        """(n, channels, height, width) in [-1, 1]; the same shape comes back."""
        return cut_out(translated(coloured(images, random), random), random)


def coloured(images: Tensor, random: torch.Generator) -> Tensor:
    """Brightness by up to ±0.5, saturation by a factor up to 2, contrast by one of 0.5 to 1.5."""
    n = len(images)
    brightness, saturation, contrast = torch.rand(
        3, n, 1, 1, 1, generator=random, device=images.device
    )
    images = images + (brightness - 0.5)
    if images.shape[1] > 1:
        grey = images.mean(1, keepdim=True)
        images = grey.lerp(images, 2 * saturation)
    middle = images.mean((1, 2, 3), keepdim=True)
    return middle.lerp(images, contrast + 0.5)


def translated(images: Tensor, random: torch.Generator) -> Tensor:
    """By up to an eighth of the sides; what comes in is 0, grey."""
    n, _, height, width = images.shape
    down, right = round(height * SHIFT), round(width * SHIFT)
    padded = pad(images, (right, right, down, down))
    rows = _places(n, down, height, random, images.device)
    columns = _places(n, right, width, random, images.device)
    number = torch.arange(n, device=images.device)[:, None, None]
    # Advanced indices around a slice put the channels last.
    moved = padded[number, :, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def _places(n: int, most: int, size: int, random: torch.Generator, device: torch.device) -> Tensor:
    """(n, size): where each row (or column) of an image comes from."""
    shift = torch.randint(2 * most + 1, (n, 1), generator=random, device=device)
    return shift + torch.arange(size, device=device)


def cut_out(images: Tensor, random: torch.Generator) -> Tensor:
    """A rectangle of half the sides, with its middle anywhere in the image, is 0."""
    n, _, height, width = images.shape
    masks = []
    for size in (height, width):
        hole = round(size * HOLE)
        middle = torch.randint(
            size + (1 - hole % 2), (n, 1), generator=random, device=images.device
        )
        places = torch.arange(size, device=images.device)
        first = middle - hole // 2
        masks.append((places >= first) & (places < first + hole))
    hidden = masks[0][:, None, :, None] & masks[1][:, None, None, :]
    return images.masked_fill(hidden, 0.0)
