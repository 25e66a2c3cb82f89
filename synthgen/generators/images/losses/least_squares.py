"""Least squares (Mao et al. 2017, arXiv 1611.04076, equation 9): 1 is real, 0 is fake."""

from __future__ import annotations

from torch import Tensor


def critic(real: Tensor, fake: Tensor) -> Tensor:
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def generator(real: Tensor, fake: Tensor) -> Tensor:
    return (fake - 1).square().mean() / 2
