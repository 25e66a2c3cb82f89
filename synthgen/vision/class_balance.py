"""Weights of classes by their effective number of images (Cui et al. 2019, arXiv 1901.05555)."""

from __future__ import annotations

import torch
from torch import Tensor


def class_balanced_weights(
    labels: Tensor, classes: int, beta: float = 0.999, sample_weights: Tensor | None = None
) -> Tensor:
    """float32 (classes,): each class's weight is proportional to (1 - beta) / (1 - beta^n) for its
    n images, 0 <= beta <= 1; the weights of the classes that occur have mean 1, others get 0.

    With beta 0 all weights are 1; with beta 1, the limit, they are proportional to 1 / n. An image
    of a sample weight, (n,) non-negative, counts as so many; by default each counts as one.
    """
    counts = torch.bincount(labels, weights=sample_weights, minlength=classes).double()
    effective = counts if beta == 1 else (1 - beta**counts) / (1 - beta)
    weights = torch.where(counts > 0, 1 / effective.clamp_min(1e-300), 0.0)
    return (weights / weights.sum() * (counts > 0).sum()).float()
