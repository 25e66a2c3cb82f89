"""Precision and recall of features (Kynkäänniemi et al. 2019, arXiv 1904.06991)."""

from __future__ import annotations

from torch import Tensor

from synthgen.metrics.images.base import Figure, Sides, all_equal
from synthgen.metrics.images.neighbours import radii, within

K = 3


def precision_recall(sides: Sides, k: int = K) -> tuple[Figure, Figure]:
    """Precision: the share of synthetic images that lie among the real ones, within the distance of
    some real image to its k-th neighbour. Recall: the share of real images that lie among the
    synthetic ones likewise. 0 to 1; all sides have the same number of images.
    """
    reference, synthetic, stand_in = all_equal(sides, k + 1)
    reach = radii(reference, k)
    values, floors = (shares(reference, reach, other, k) for other in (synthetic, stand_in))
    precision, recall = (
        Figure(
            metric=name,
            title=name.capitalize(),
            pillar="fidelity",
            goal="max",
            value=value,
            floor=floor,
            origin=sides.origin,
            reference_images=len(reference),
            images=len(synthetic),
            detail={"k": k},
        )
        for name, value, floor in zip(("precision", "recall"), values, floors, strict=True)
    )
    return precision, recall


def shares(real: Tensor, reach: Tensor, drawn: Tensor, k: int) -> tuple[float, float]:
    """Precision and recall of ``drawn`` (m, d) against ``real`` (n, d), whose distances to the k-th
    neighbour are ``reach`` (n,); m > k."""
    covered, _ = within(drawn, real, reach)
    found, _ = within(real, drawn, radii(drawn, k))
    return float((covered > 0).double().mean()), float((found > 0).double().mean())
