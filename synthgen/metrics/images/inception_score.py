"""Inception score (Salimans et al. 2016, arXiv 1606.03498), of any classifier."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.base import Figure, Origin, check_features, subsample
from synthgen.training.randomness import derive

SPLITS = 10


def inception_score(
    holdout: Tensor, synthetic: Tensor, origin: Origin, seed: int = 0, splits: int = SPLITS
) -> Figure:
    """exp of the mean divergence of an image's predicted classes from those of all images; 1 to
    the number of classes, mean over ``splits`` parts of a random order.

    Both sides are class probabilities (n, classes), rows summing to 1. High if images look like one
    class each and all classes occur. It sees no real image: one good image per class reaches the
    highest score, and only with the classifier's own classes does it mean anything.
    ``detail.deviation`` is over the parts. Raises
    :class:`~synthgen.metrics.base.NotComputable` for fewer images than parts.
    """
    check_features(holdout, "held-out images")
    check_features(synthetic, "synthetic images")
    size = min(len(holdout), len(synthetic))
    if size < splits:
        raise NotComputable(f"it needs {splits} held-out and synthetic images")
    scores = [
        _scores(subsample(side, size, derive(seed, name)), splits, derive(seed, f"order {name}"))
        for name, side in (("synthetic", synthetic), ("holdout", holdout))
    ]
    return Figure(
        metric="inception_score",
        title="Inception score",
        pillar="fidelity",
        goal="max",
        value=float(scores[0].mean()),
        floor=float(scores[1].mean()),
        origin=origin,
        reference_images=0,
        images=size,
        detail={"splits": splits, "deviation": float(scores[0].std(correction=0))},
    )


def score(probabilities: Tensor) -> Tensor:
    """exp(E KL(p(class | image) || p(class))) of probabilities (n, classes); float64 scalar."""
    each = probabilities.double()
    overall = each.mean(0)
    divergence = torch.xlogy(each, each) - torch.xlogy(each, overall)
    return divergence.sum(1).mean().exp()


def _scores(probabilities: Tensor, splits: int, seed: int) -> Tensor:
    # Images often come class by class, and a part of one class would score 1.
    order = torch.randperm(len(probabilities), generator=torch.Generator().manual_seed(seed))
    parts = probabilities[order.to(probabilities.device)].tensor_split(splits)
    return torch.stack([score(part) for part in parts])
