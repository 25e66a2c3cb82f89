"""MixUp (Zhang et al. 2018, arXiv 1710.09412): training on blends of pairs of images."""

from __future__ import annotations

import torch
from torch import Tensor


def mixup(
    images: Tensor, targets: Tensor, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Each image (n, ...) and its target (n, classes), both floating, blended with those of
    another place of a random order: ``share * own + (1 - share) * other``.

    The share of each image is drawn from Beta(alpha, alpha), alpha > 0. The paper's own program
    draws one for a whole batch; its formula has one per pair.
    """
    count, device = len(images), images.device
    order = torch.randperm(count, generator=generator, device=device)
    # Of two gamma variables the first's share of their sum is beta distributed. ``torch.
    # distributions`` would draw them from the global generator. Float64, because those of a small
    # alpha are as small as 1e-38.
    shape = torch.full((2, count), alpha, dtype=torch.float64, device=device)
    own, other = torch._standard_gamma(shape, generator=generator).clamp_min_(1e-300)
    share = (own / (own + other)).to(images.dtype)
    return _blend(images, order, share), _blend(targets, order, share.to(targets.dtype))


def _blend(values: Tensor, order: Tensor, share: Tensor) -> Tensor:
    return torch.lerp(values[order], values, share.view(-1, *[1] * (values.ndim - 1)))
