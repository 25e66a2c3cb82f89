"""What counts as images here, and how they come before a network."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgen.errors import DataError

SMALLEST, LARGEST = 8, 128
"""Pixels along a side."""


def check_images(pixels: Tensor, labels: Tensor | None = None, classes: int | None = None) -> None:
    """Raises :class:`~synthgen.errors.DataError` unless ``pixels`` are uint8 (n, 1 or 3, side,
    side) with n >= 1 and a side of 8 to 128, and ``labels``, if given, int64 (n,) from 0 up to
    ``classes`` - 1."""
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
    if height != width or not SMALLEST <= height <= LARGEST:
        raise DataError(
            f"images are {width} pixels wide and {height} high",
            f"crop or resize them to a square of {SMALLEST} to {LARGEST} pixels",
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
