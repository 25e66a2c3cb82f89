"""The game of the first GAN (Goodfellow et al. 2014, arXiv 1406.2661, equation 1): the critic's
values are log-odds of being real."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus


def critic(real: Tensor, fake: Tensor) -> Tensor:
    """Minus the log-likelihood of what is real and what is not."""
    return softplus(-real).mean() + softplus(fake).mean()


def generator(real: Tensor, fake: Tensor) -> Tensor:
    """The mean of log(1 - D(fake)): flat where the critic is sure."""
    return -softplus(fake).mean()
