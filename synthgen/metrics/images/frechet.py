"""Fréchet distance of features (Heusel et al. 2017, arXiv 1706.08500): FID with Inception's."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgen.metrics.images.base import Figure, Sides, equal


def frechet(sides: Sides) -> Figure:
    """Fréchet distance between two Gaussians with the sets' means and covariances; 0 upwards.

    It is biased: the fewer images, the larger, and with no more images than features the
    covariances have no full rank (``detail.singular``). So it compares only with the floor beside
    it, and with figures of the same numbers of images. What is published as FID has Inception's
    features, 2048 of them, and at least 10,000 images.
    """
    synthetic, stand_in = equal(sides)
    return Figure(
        metric="frechet",
        title="Fréchet distance",
        pillar="fidelity",
        goal="min",
        value=frechet_distance(sides.reference, synthetic),
        floor=frechet_distance(sides.reference, stand_in),
        origin=sides.origin,
        reference_images=len(sides.reference),
        images=len(synthetic),
        detail={
            "features": sides.dimension,
            "singular": min(len(synthetic), len(sides.reference)) <= sides.dimension,
        },
    )


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of two sets (n, d), n >= 2, in float64.

    The eigenvalues of C1 C2 are those of the symmetric C1^(1/2) C2 C1^(1/2), which are real and
    well conditioned; no square root of a general matrix is needed, and none comes out complex.
    """
    means, covariances = zip(*map(_moments, (first, second)), strict=True)
    values, vectors = torch.linalg.eigh(covariances[0])
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    product = torch.linalg.eigvalsh(root @ covariances[1] @ root)
    # Rounding leaves eigenvalues of 1e-16 of the largest where there should be 0; their square
    # roots would be 1e-8, times the number of features.
    noise = product.abs().max() * len(product) * torch.finfo(torch.float64).eps
    common = torch.where(product > noise, product, 0.0).clamp_min(0).sqrt().sum()
    traces = covariances[0].trace() + covariances[1].trace()
    distance = (means[0] - means[1]).square().sum() + traces - 2 * common
    return max(0.0, float(distance))


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (d,) and covariance (d, d), unbiased."""
    exact = features.double()
    mean = exact.mean(0)
    centred = exact - mean
    return mean, centred.T @ centred / (len(features) - 1)
