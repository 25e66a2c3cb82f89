"""What counts as images here, and how they come before a network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from synthgen.errors import DataError

SMALLEST, LARGEST = 8, 128
"""Pixels along a side."""
_VALUES = 1 << 22
"""In a block of images."""


def check_images(
    pixels: Tensor,
    labels: Tensor | None = None,
    classes: int | None = None,
    *,
    square: bool = True,
) -> None:
    """Raises :class:`~synthgen.errors.DataError` unless ``pixels`` are uint8 (n, 1 or 3, height,
    width) with n >= 1 and sides of 8 to 128, equal ones if ``square``, and ``labels``, if given,
    int64 (n,) from 0 up to ``classes`` - 1."""
    if pixels.dtype != torch.uint8 or pixels.ndim != 4:
        raise DataError(
            f"images are a tensor of {pixels.dtype} with {pixels.ndim} dimensions",
            "give uint8 of shape (images, channels, height, width)",
        )
    count, channels, height, width = pixels.shape
    if count == 0:
        raise DataError("there is no image", "give at least one")
    if channels not in (1, 3):
        raise DataError(f"images have {channels} channels", "give grey (1) or RGB (3) images")
    if (square and height != width) or not all(
        SMALLEST <= side <= LARGEST for side in (height, width)
    ):
        raise DataError(
            f"images are {width} pixels wide and {height} high",
            f"crop or resize them to {'a square' if square else 'sides'} of {SMALLEST} to "
            f"{LARGEST} pixels",
        )
    if labels is None:
        return
    if labels.dtype != torch.int64 or labels.shape != (count,):
        raise DataError(
            f"labels are {labels.dtype} of shape {tuple(labels.shape)} for {count} images",
            "give one int64 label per image",
        )
    if classes is not None and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise DataError(
            f"labels go from {int(labels.min())} to {int(labels.max())} with {classes} classes",
            "number the classes from 0 without a gap",
        )


def in_blocks(images: Tensor, work: Callable[[Tensor], Tensor]) -> Tensor:
    """``work`` of images (n, ...), one result (m, ...) for each block of m of them, put together
    (n, ...): what a block needs of memory does not grow with n.

    Results go into one tensor at once. Small ones that stay between large ones that go would keep
    the allocator from giving the next block the memory of the last.
    """
    whole: Tensor | None = None
    done = 0
    for block in torch.split(images, max(1, _VALUES // images[0].numel())):
        part = work(block)
        if whole is None:
            whole = part.new_empty(len(images), *part.shape[1:])
        whole[done : done + len(part)] = part
        done += len(part)
    assert whole is not None
    return whole


def channel_statistics(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel over all images, float32 (channels, 1, 1), in
    units of uint8; the deviation of a constant channel counts as 1.

    From counts of the 256 values, which need no floating-point copy of the images.
    """
    values = torch.arange(256, dtype=torch.float64, device=pixels.device)
    means, deviations = [], []
    for channel in pixels.unbind(1):
        counts = torch.bincount(channel.flatten(), minlength=256).double()
        mean = (counts * values).sum() / counts.sum()
        variance = (counts * (values - mean).square()).sum() / counts.sum()
        means.append(mean)
        deviations.append(torch.where(variance > 0, variance.sqrt(), 1.0))
    shape = (-1, 1, 1)
    return torch.stack(means).float().view(shape), torch.stack(deviations).float().view(shape)


def normalised(pixels: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Images (n, c, h, w) less ``mean``, in units of ``deviation``: float32, with a pixel's
    channels side by side in memory, as convolutions are fastest."""
    scaled = (pixels.float() - mean) / deviation
    return scaled.contiguous(memory_format=torch.channels_last)
