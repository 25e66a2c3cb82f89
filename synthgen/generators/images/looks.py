"""Pictures of what an image generator makes, for people to look at: numbers hide a lot."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthgen.data.images.images import Images
from synthgen.generators.images.sampler import ImageSampler
from synthgen.training.randomness import draw_stream

Grid = NDArray[np.uint8]
"""Images (rows, columns, channels, height, width)."""
Canvas = NDArray[np.uint8]
"""(height, width, channels), 1 or 3 of them."""
GAP = 1
"""Pixels between images."""
GREY = 200
"""Between images; an untrained generator's are of the middle grey."""
MOST = 4_000
"""Images that are drawn at most to find some of each class."""


def tiled(grid: Grid) -> Canvas:
    """Images side by side, grey between and around."""
    n, m, channels, height, width = grid.shape
    canvas = np.full(
        (n * (height + GAP) + GAP, m * (width + GAP) + GAP, channels), GREY, dtype=np.uint8
    )
    for i, row in enumerate(grid):
        for j, image in enumerate(row):
            top, left = i * (height + GAP) + GAP, j * (width + GAP) + GAP
            canvas[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return canvas


def cut(canvas: Canvas, height: int, width: int) -> Grid | None:
    """The images of this size that :func:`tiled` laid side by side; None if it cannot have."""
    rows, below = divmod(canvas.shape[0] - GAP, height + GAP)
    columns, beside = divmod(canvas.shape[1] - GAP, width + GAP)
    if below or beside or not rows or not columns:
        return None
    apart = canvas[GAP:, GAP:].reshape(rows, height + GAP, columns, width + GAP, -1)
    return apart[:, :height, :, :width].transpose(0, 2, 4, 1, 3)


def known(sampler: ImageSampler) -> list[int]:
    """The classes that have training images."""
    return [k for k, count in enumerate(sampler.counts) if count]


def noise(sampler: ImageSampler, n: int, seed: int) -> Tensor:
    """Shape (n, latent_dim)."""
    return torch.randn(n, sampler.config.latent_dim, generator=draw_stream(seed, 0))


def classes(sampler: ImageSampler, rows: int, columns: int, seed: int) -> Grid:
    """A row of images for each of the first ``rows`` classes that have training images. A generator
    that is told classes makes the images of a column from one noise, so that only the class
    differs; of another one a row has those that its labeller finds, and is filled up with black."""
    shown = known(sampler)[:rows]
    if sampler.labeller is None:
        z = noise(sampler, columns, seed)
        return np.stack([sampler.at(z, torch.full((columns,), k)) for k in shown])
    shape = sampler.shape
    grid = np.zeros(
        (len(shown), columns, shape.channels, shape.height, shape.width), dtype=np.uint8
    )
    drawn = sampler.sample(min(columns * 8 * len(known(sampler)), MOST), seed=seed)
    for row, k in zip(grid, shown, strict=True):
        found = drawn.pixels[drawn.labels == k][:columns]
        row[: len(found)] = found
    return grid


def interpolations(sampler: ImageSampler, rows: int, columns: int, seed: int) -> Grid:
    """Each row goes from one noise to another on a great circle (White 2016, arXiv 1609.04468), the
    class of a row staying the same. A generator that knows its training images by heart jumps."""
    begin, end = noise(sampler, 2 * rows, seed).chunk(2)
    told = known(sampler)
    grid = []
    for row in range(rows):
        z = slerp(begin[row], end[row], torch.linspace(0, 1, columns))
        grid.append(sampler.at(z, torch.full((columns,), told[row % len(told)])))
    return np.stack(grid)


def neighbours(made: Images, train: Images, nearest: NDArray[np.int64]) -> Grid:
    """Pairs of a generated image and the training image ``nearest`` (n,) to it, one below the
    other."""
    return np.stack([made.pixels[: len(nearest)], train.pixels[nearest]])


def slerp(begin: Tensor, end: Tensor, shares: Tensor) -> Tensor:
    """(n, d): points on the great circle from ``begin`` to ``end`` (d,), at ``shares`` (n,) of it;
    on the straight line where both point the same way."""
    angle = torch.arccos((begin @ end / (begin.norm() * end.norm())).clamp(-1, 1))
    shares = shares[:, None]
    if angle.sin() < 1e-6:
        return begin.lerp(end, shares)
    return (((1 - shares) * angle).sin() * begin + (shares * angle).sin() * end) / angle.sin()
