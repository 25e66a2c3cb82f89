"""Wasserstein's distance (Arjovsky et al. 2017, arXiv 1701.07875), for a critic that a penalty
keeps Lipschitz."""

from __future__ import annotations

from torch import Tensor


def critic(real: Tensor, fake: Tensor) -> Tensor:
    """Minus the estimate of the distance."""
    return fake.mean() - real.mean()


def generator(real: Tensor, fake: Tensor) -> Tensor:
    return -fake.mean()
