"""Sliced Wasserstein distance (Rabin et al. 2011) of features, and of pixels by the patches of a
Laplacian pyramid (Karras et al. 2018, arXiv 1710.10196)."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.base import Figure, Origin, Sides, all_equal, subsample
from synthgen.metrics.images.laplacian import PATCHES, patches, pyramid
from synthgen.training.randomness import derive
from synthgen.vision.pixels import check_images, in_blocks

DIRECTIONS = 256
IMAGES = 1024
"""Images at most of a side, for the distance of pixels."""
_CELLS = 1 << 23


def sliced_wasserstein(sides: Sides, directions: int = DIRECTIONS) -> Figure:
    """Mean over random directions of the Wasserstein-1 distance between the projections of the
    features, 0 upwards; all sides have the same number of images."""
    reference, synthetic, stand_in = all_equal(sides)
    seed = derive(sides.seed, "directions")
    return Figure(
        metric="sliced_wasserstein",
        title="Sliced Wasserstein distance",
        pillar="fidelity",
        goal="min",
        value=sliced_distance(reference, synthetic, directions, seed),
        floor=sliced_distance(reference, stand_in, directions, seed),
        origin=sides.origin,
        reference_images=len(reference),
        images=len(synthetic),
        detail={"directions": directions},
    )


def pyramid_distance(
    reference: Tensor,
    holdout: Tensor,
    synthetic: Tensor,
    *,
    split: str = "train",
    seed: int = 0,
    directions: int = DIRECTIONS,
    images: int = IMAGES,
) -> Figure:
    """The same distance between random 7 x 7 patches of each level of the images' Laplacian
    pyramid, mean over the levels; 0 upwards. Needs no network.

    The sides are uint8 (n, c, h, w). Patches are taken in units of the reference patches'
    mean and deviation of each channel, where Karras et al. take each side's own, which hides a
    difference in brightness or contrast. ``detail.levels`` holds value and floor by height in
    pixels.
    """
    for side in (reference, holdout, synthetic):
        check_images(side, square=False)
    size = min(images, len(reference), len(holdout), len(synthetic))
    if size < 2:
        raise NotComputable("it needs 2 reference, held-out and synthetic images")
    drawn = [
        _patches(subsample(side, size, derive(seed, name)), derive(seed, f"patches {name}"))
        for name, side in (
            ("reference", reference),
            ("synthetic", synthetic),
            ("holdout", holdout),
        )
    ]
    levels: dict[str, dict[str, float]] = {}
    for number, level in enumerate(pyramid(reference[:1])):
        rows = [side[:, number].flatten(0, 1) for side in drawn]
        real, value, floor = _scaled(rows, level.shape[1])
        turned = derive(seed, f"directions {number}")
        levels[str(level.shape[2])] = {
            "value": sliced_distance(real, value, directions, turned),
            "floor": sliced_distance(real, floor, directions, turned),
        }
    return Figure(
        metric="pyramid_distance",
        title="Sliced Wasserstein distance of patches",
        pillar="fidelity",
        goal="min",
        value=sum(entry["value"] for entry in levels.values()) / len(levels),
        floor=sum(entry["floor"] for entry in levels.values()) / len(levels),
        origin=Origin("pixels", "laplacian-7x7", "none", split),
        reference_images=size,
        images=size,
        detail={"levels": levels, "directions": directions},
    )


def _patches(pixels: Tensor, seed: int) -> Tensor:
    """Patches of each image on each level, (n, levels, patches, c * 49)."""
    generator = torch.Generator().manual_seed(seed)

    def of(block: Tensor) -> Tensor:
        rows = [patches(level, generator) for level in pyramid(block)]
        return torch.stack([level.view(len(block), PATCHES, -1) for level in rows], 1)

    return in_blocks(pixels, of)


def sliced_distance(first: Tensor, second: Tensor, directions: int, seed: int) -> float:
    """Of two sets (n, d) of the same number, over directions drawn uniformly from the sphere."""
    generator = torch.Generator().manual_seed(seed)
    axes = torch.randn(first.shape[1], directions, generator=generator).to(first)
    axes /= axes.norm(dim=0)
    total = 0.0
    for some in torch.split(axes, max(1, _CELLS // len(first)), dim=1):
        # Sorting is fastest along memory.
        sorts = [(some.T @ side.T).sort(1).values for side in (first, second)]
        total += float((sorts[0] - sorts[1]).abs().mean(1, dtype=torch.float64).sum())
    return total / directions


def _scaled(rows: list[Tensor], channels: int) -> list[Tensor]:
    """Patches (m, c * 49) in units of the first set's mean and deviation of each channel."""
    by_channel = rows[0].view(len(rows[0]), channels, -1)
    mean = by_channel.mean((0, 2))[:, None]
    deviation = by_channel.std((0, 2), correction=0)[:, None]
    deviation = torch.where(deviation > 0, deviation, 1.0)
    return [((side.view(len(side), channels, -1) - mean) / deviation).flatten(1) for side in rows]
