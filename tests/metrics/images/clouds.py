"""Clouds of points that stand for features."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgen.metrics.images.base import Origin, Sides

ORIGIN = Origin("test", "1", "none")


def cloud(count: int, dimension: int = 8, seed: int = 0, shift: float = 0.0) -> Tensor:
    """Standard normal, moved along all axes."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dimension, generator=generator, dtype=torch.float64) + shift


def sides(reference: Tensor, holdout: Tensor, synthetic: Tensor, seed: int = 0) -> Sides:
    return Sides(reference, holdout, synthetic, ORIGIN, seed)
