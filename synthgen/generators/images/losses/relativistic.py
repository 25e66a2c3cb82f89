"""The relativistic pairing loss (Jolicoeur-Martineau 2018, arXiv 1807.00734; Huang et al. 2024,
arXiv 2501.05441, equation 2): each real image is to be judged above the fake one beside it."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus


def critic(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(fake - real).mean()


def generator(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(real - fake).mean()
