"""Kernel distance of features (Bińkowski et al. 2018, arXiv 1801.01401): KID with Inception's."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgen.metrics.images.base import Figure, Sides, equal
from synthgen.training.randomness import derive

SUBSETS = 100
SUBSET = 1000
"""Images of a subset; all of a side that has fewer."""


def kernel(sides: Sides, subsets: int = SUBSETS, size: int = SUBSET) -> Figure:
    """Mean over random subsets of the unbiased squared maximum mean discrepancy with the kernel
    (x.y / d + 1)^3; around 0 for equal distributions, and then as often negative.

    Unbiased: unlike Fréchet distances, figures of different numbers of images compare.
    ``detail`` has the standard deviation over the subsets, of value and floor, where these differ:
    a subset of all images is always the same.
    """
    synthetic, stand_in = equal(sides)
    seed = derive(sides.seed, "subsets")
    values, floors = (
        _over_subsets(sides.reference, other, subsets, size, seed)
        for other in (synthetic, stand_in)
    )
    images = min(size, len(synthetic), len(sides.reference))
    deviations = {
        "deviation": float(values.std(correction=0)),
        "floor_deviation": float(floors.std(correction=0)),
    }
    differ = images < max(len(synthetic), len(sides.reference))
    return Figure(
        metric="kernel",
        title="Kernel distance",
        pillar="fidelity",
        goal="min",
        value=float(values.mean()),
        floor=float(floors.mean()),
        origin=sides.origin,
        reference_images=len(sides.reference),
        images=len(synthetic),
        detail={"subsets": subsets, "subset_images": images, **(deviations if differ else {})},
    )


def kernel_distance(first: Tensor, second: Tensor) -> Tensor:
    """The unbiased estimate for two sets (n, d) and (m, d), n and m >= 2; float64 scalar."""
    a, b = first.double(), second.double()
    within = [
        (_cubic(x, x).sum() - _cubic_diagonal(x).sum()) / (len(x) * (len(x) - 1)) for x in (a, b)
    ]
    return within[0] + within[1] - 2 * _cubic(a, b).mean()


def _over_subsets(first: Tensor, second: Tensor, subsets: int, size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    size = min(size, len(first), len(second))
    return torch.stack(
        [
            kernel_distance(*(_drawn(side, size, generator) for side in (first, second)))
            for _ in range(subsets)
        ]
    )


def _drawn(features: Tensor, size: int, generator: torch.Generator) -> Tensor:
    order = torch.randperm(len(features), generator=generator)[:size]
    return features[order.to(features.device)]


def _cubic(a: Tensor, b: Tensor) -> Tensor:
    base = (a @ b.T).div_(a.shape[1]).add_(1)
    return base.square().mul_(base)


def _cubic_diagonal(a: Tensor) -> Tensor:
    return (a.square().sum(1) / a.shape[1] + 1) ** 3
