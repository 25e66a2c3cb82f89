"""Pictures of what an image generator makes, for people to look at: numbers hide a lot."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthgen.data.images.images import Images
from synthgen.generators.images.sampler import ImageSampler
from synthgen.training.randomness import draw_stream

Picture = NDArray[np.uint8]
"""(height, width, channels), 1 or 3 of them."""
GAP = 1
"""Pixels between images."""
GREY = 128


def tiled(rows: NDArray[np.uint8]) -> Picture:
    """Images (rows, columns, channels, height, width) side by side, grey between and around."""
    n, m, channels, height, width = rows.shape
    picture = np.full(
        (n * (height + GAP) + GAP, m * (width + GAP) + GAP, channels), GREY, dtype=np.uint8
    )
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = i * (height + GAP) + GAP, j * (width + GAP) + GAP
            picture[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return picture


def classes(sampler: ImageSampler, columns: int, seed: int) -> Picture:
    """A row of images for each class that has training images. A generator that is told classes
    makes the images of a column from one noise, so that only the class differs; of another one
    a row has those that its labeller finds, and is filled up with black."""
    known = [k for k, count in enumerate(sampler.counts) if count]
    if sampler.labeller is None:
        z = _noise(sampler, columns, seed)
        told = [sampler.at(z, torch.full((columns,), k)) for k in known]
        return tiled(np.stack(told))
    rows = np.zeros((len(known), columns, *_shape(sampler)), dtype=np.uint8)
    drawn = sampler.sample(columns * 8 * len(known), seed=seed)
    for row, k in zip(rows, known, strict=True):
        found = drawn.pixels[drawn.labels == k][:columns]
        row[: len(found)] = found
    return tiled(rows)


def interpolations(sampler: ImageSampler, rows: int, columns: int, seed: int) -> Picture:
    """Each row goes from one noise to another on a great circle (White 2016, arXiv 1609.04468), the
    class of a row staying the same. A generator that knows its training images by heart jumps."""
    begin, end = _noise(sampler, 2 * rows, seed).chunk(2)
    known = [k for k, count in enumerate(sampler.counts) if count]
    pictures = []
    for row in range(rows):
        z = slerp(begin[row], end[row], torch.linspace(0, 1, columns))
        pictures.append(sampler.at(z, torch.full((columns,), known[row % len(known)])))
    return tiled(np.stack(pictures))


def neighbours(made: Images, train: Images, nearest: NDArray[np.int64]) -> Picture:
    """Pairs of a generated image and the training image ``nearest`` (n,) to it, one below the
    other."""
    return tiled(np.stack([made.pixels[: len(nearest)], train.pixels[nearest]]))


def slerp(begin: Tensor, end: Tensor, shares: Tensor) -> Tensor:
    """(n, d): points on the great circle from ``begin`` to ``end`` (d,), at ``shares`` (n,) of it;
    on the straight line where both point the same way."""
    angle = torch.arccos((begin @ end / (begin.norm() * end.norm())).clamp(-1, 1))
    shares = shares[:, None]
    if angle.sin() < 1e-6:
        return begin.lerp(end, shares)
    return (((1 - shares) * angle).sin() * begin + (shares * angle).sin() * end) / angle.sin()


def _noise(sampler: ImageSampler, n: int, seed: int) -> Tensor:
    return torch.randn(n, sampler.config.latent_dim, generator=draw_stream(seed, 0))


def _shape(sampler: ImageSampler) -> tuple[int, int, int]:
    return sampler.shape.channels, sampler.shape.height, sampler.shape.width
