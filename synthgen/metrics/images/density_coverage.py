"""Density and coverage of features (Naeem et al. 2020, arXiv 2002.09797)."""

from __future__ import annotations

from torch import Tensor

from synthgen.metrics.images.base import Figure, Sides, all_equal
from synthgen.metrics.images.neighbours import radii, within
from synthgen.results import Goal

K = 5


def density_coverage(sides: Sides, k: int = K) -> tuple[Figure, Figure]:
    """With a ball around each real image that reaches to its k-th neighbour: density is the mean
    number of balls that hold a synthetic image, over k (0 upwards, 1 in expectation for equal
    distributions); coverage is the share of balls that hold a synthetic image (0 to 1).

    Unlike precision and recall they build no balls around synthetic images, and an outlier among
    the real ones counts little. All sides have the same number of images.
    """
    reference, synthetic, stand_in = all_equal(sides, k + 1)
    reach = radii(reference, k)
    values, floors = (shares(reference, reach, other, k) for other in (synthetic, stand_in))
    names: tuple[tuple[str, Goal], ...] = (("density", "target"), ("coverage", "max"))
    density, coverage = (
        Figure(
            metric=name,
            title=name.capitalize(),
            pillar="fidelity",
            goal=goal,
            value=value,
            floor=floor,
            origin=sides.origin,
            reference_images=len(reference),
            images=len(synthetic),
            detail={"k": k},
        )
        for (name, goal), value, floor in zip(names, values, floors, strict=True)
    )
    return density, coverage


def shares(real: Tensor, reach: Tensor, drawn: Tensor, k: int) -> tuple[float, float]:
    """Density and coverage of ``drawn`` (m, d) by balls around ``real`` (n, d) of radius ``reach``
    (n,), the distances to the k-th neighbour."""
    counts, held = within(drawn, real, reach)
    return float(counts.double().mean()) / k, float(held.double().mean())
