"""RandAugment (Cubuk et al. 2020, arXiv 1909.13719) for batches, on the images' own device.

The paper's fourteen operations with the ranges of its published program: magnitude 0 to 30, of
which 30 shears by 0.3, moves by 150/331 of the side, turns by 30 degrees, and changes brightness,
colour, contrast and sharpness by 0.9. Direction is drawn for each image. Moved images are sampled
bilinearly, and what comes in from outside is black.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

HIGHEST = 30
"""The largest magnitude."""
_GREY = (0.299, 0.587, 0.114)
"""ITU-R 601 luma of red, green and blue."""

Operation = Callable[[Tensor, Tensor, float], Tensor]
"""Images (n, c, h, w) in [0, 1], directions (n,) of -1 or 1, and the strength in [0, 1]."""


def rand_augment(
    images: Tensor, operations: int, magnitude: float, generator: torch.Generator
) -> Tensor:
    """Each image (n, 1 or 3, height, width) after ``operations`` operations, each drawn with equal
    probability from the fourteen; uint8 in, uint8 out, and floats in [0, 1] likewise.

    Within a batch the draws of one round are stratified: the images are dealt out to the
    operations in a random order, as evenly as possible. So the work is that of one operation for
    each image, without a loop over images and without waiting for the device.
    """
    changed = images.float() / 255 if images.dtype == torch.uint8 else images
    for _ in range(operations):
        changed = _round(changed, magnitude / HIGHEST, generator)
    if images.dtype == torch.uint8:
        return (changed * 255).round_().clamp_(0, 255).to(torch.uint8)
    return changed


def _round(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    count, device = len(images), images.device
    share = math.ceil(count / len(OPERATIONS))
    # Places beyond the last image are dealt out too and thrown away; without them the operations
    # that come last would be rarer.
    dealt = torch.randperm(share * len(OPERATIONS), generator=generator, device=device)
    directions = torch.randint(
        0, 2, (len(OPERATIONS), share), generator=generator, device=device
    ).to(images.dtype)
    hands = torch.split(images[dealt % count], share)
    results = [
        operation(hand, 2 * direction - 1, strength)
        for operation, hand, direction in zip(OPERATIONS, hands, directions, strict=True)
    ]
    return torch.cat(results)[dealt.argsort()[:count]]


def identity(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    return images


def shear_x(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    return _warp(images, xy=0.3 * strength * directions)


def shear_y(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    return _warp(images, yx=0.3 * strength * directions)


def move_x(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    return _warp(images, x=150 / 331 * strength * directions)


def move_y(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    return _warp(images, y=150 / 331 * strength * directions)


def rotate(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    angle = math.radians(30 * strength) * directions
    return _warp(images, xx=angle.cos(), xy=-angle.sin(), yx=angle.sin(), yy=angle.cos())


def brightness(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    return _enhance(images, torch.zeros_like(images), directions, strength)


def colour(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    """Saturation; a grey image stays as it is."""
    return _enhance(images, _grey(images), directions, strength)


def contrast(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    return _enhance(images, _grey(images).mean((2, 3), keepdim=True), directions, strength)


def sharpness(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    """Against a smoothed image, whose outermost pixels are the image's own."""
    kernel = torch.ones(3, 3, device=images.device, dtype=images.dtype)
    kernel[1, 1] = 5
    channels = images.shape[1]
    smooth = images.clone()
    smooth[:, :, 1:-1, 1:-1] = functional.conv2d(
        images, (kernel / 13).expand(channels, 1, 3, 3), groups=channels
    )
    return _enhance(images, smooth, directions, strength)


def posterize(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    """The upper 8 to 4 bits of each value."""
    step = 2 ** round(4 * strength)
    kept: Tensor = _levels(images) // step * step
    return kept / 255


def solarize(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    """Values above a threshold, which sinks from white to black, are inverted."""
    return torch.where(images > 1 - strength, 1 - images, images)


def autocontrast(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    """Each channel stretched to black and white; one of a single value stays."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    span = high - low
    return torch.where(span > 0, (images - low) / torch.where(span > 0, span, 1), images)


def equalize(images: Tensor, directions: Tensor, strength: float) -> Tensor:
    """Each channel's histogram of 256 levels made flat, by the integer rule of Pillow's
    ``ImageOps.equalize``."""
    levels = _levels(images).long().flatten(2)  # (n, c, pixels)
    counts = torch.zeros(*levels.shape[:2], 256, dtype=torch.long, device=images.device)
    counts.scatter_add_(2, levels, torch.ones_like(levels))
    brightest = levels.amax(2, keepdim=True)
    step = (levels.shape[2] - counts.gather(2, brightest)) // 255
    below = counts.cumsum(2) - counts
    table = ((below + step // 2) // step.clamp_min(1)).clamp_max(255)
    flat = torch.where(step > 0, table.gather(2, levels), levels)
    return flat.view(images.shape).to(images.dtype) / 255


OPERATIONS: tuple[Operation, ...] = (
    identity,
    shear_x,
    shear_y,
    move_x,
    move_y,
    rotate,
    brightness,
    colour,
    contrast,
    sharpness,
    posterize,
    solarize,
    autocontrast,
    equalize,
)


def _warp(
    images: Tensor,
    xx: Tensor | float = 1.0,
    xy: Tensor | float = 0.0,
    x: Tensor | float = 0.0,
    yx: Tensor | float = 0.0,
    yy: Tensor | float = 1.0,
    y: Tensor | float = 0.0,
) -> Tensor:
    """Where each pixel comes from, as an affine map of places measured in pixels from the middle;
    ``x`` and ``y`` are shares of width and height."""
    height, width = images.shape[2:]
    grid = torch.empty(len(images), 2, 3, device=images.device, dtype=images.dtype)
    # grid_sample's axes go from -1 to 1 whatever the side.
    entries = ((xx, xy, 2 * x), (yx, yy, 2 * y))
    scales = ((1.0, height / width, 1.0), (width / height, 1.0, 1.0))
    for row in range(2):
        for column in range(3):
            grid[:, row, column] = entries[row][column] * scales[row][column]
    places = functional.affine_grid(grid, list(images.shape), align_corners=False)
    return functional.grid_sample(images, places, "bilinear", "zeros", align_corners=False)


def _enhance(images: Tensor, plain: Tensor, directions: Tensor, strength: float) -> Tensor:
    """Away from ``plain`` or towards it, by up to 0.9 of the way."""
    factor = (1 + 0.9 * strength * directions)[:, None, None, None]
    return (plain + (images - plain) * factor).clamp(0, 1)


def _grey(images: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images
    luma = torch.tensor(_GREY, device=images.device, dtype=images.dtype)
    return (images * luma[:, None, None]).sum(1, keepdim=True)


def _levels(images: Tensor) -> Tensor:
    return (images * 255).round()
