"""Penalties on the critic's gradient by its images: on the way between real and fake ones
(Gulrajani et al. 2017, arXiv 1704.00028, equation 3) or at them (R1: Mescheder et al. 2018, arXiv
1801.04406, equation 9; R2 is the same at fake images)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Values = Callable[[Tensor], Tensor]
"""The critic's values (n,) of images (n, channels, height, width)."""


def unit_slope(values: Values, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """The mean of ``(|gradient| - 1)**2`` at ``mix * real + (1 - mix) * fake``; ``mix``
    (n, 1, 1, 1) in [0, 1]."""
    between = fake.lerp(real, mix).requires_grad_()
    lengths = _gradient(values(between), between).flatten(1).norm(dim=1)
    penalty: Tensor = (lengths - 1).square().mean()
    return penalty


def flatness(values: Values, images: Tensor) -> Tensor:
    """The mean of ``|gradient|**2 / 2`` at the images."""
    images = images.detach().requires_grad_()
    return _gradient(values(images), images).square().flatten(1).sum(1).mean() / 2


def _gradient(values: Tensor, images: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(values.sum(), images, create_graph=True)
    return gradient
