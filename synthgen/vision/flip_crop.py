"""The two augmentations that nearly every image classifier is trained with."""

from __future__ import annotations

import torch
from torch import Tensor


def flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image (n, channels, height, width) mirrored left to right with probability 1/2.

    Not for images whose class a mirror changes, such as digits and letters.
    """
    shape = (len(images), 1, 1, 1)
    mirrored = torch.rand(shape, generator=generator, device=images.device) < 0.5
    return torch.where(mirrored, images.flip(3), images)


def crop(images: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    """Each image (n, channels, height, width) moved by up to ``padding`` pixels along both axes,
    every move equally likely; what comes in at an edge is the image reflected there.

    The same as padding by reflection and cropping at random. ``padding`` is at least 0 and less
    than height and width. Any dtype.
    """
    count, channels, *sides = images.shape
    device = images.device
    rows, columns = (_places(count, side, padding, generator, device) for side in sides)
    return images[
        torch.arange(count, device=device)[:, None, None, None],
        torch.arange(channels, device=device)[None, :, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]


def _places(
    count: int, side: int, padding: int, generator: torch.Generator, device: torch.device
) -> Tensor:
    """Where each image's ``side`` pixels along one axis come from, (count, side)."""
    moves = torch.randint(
        -padding, padding + 1, (count, 1), generator=generator, device=device
    ) + torch.arange(side, device=device)
    # Reflected at the first pixel, then at the last; the edge itself is not repeated.
    return (side - 1) - ((side - 1) - moves.abs()).abs()
