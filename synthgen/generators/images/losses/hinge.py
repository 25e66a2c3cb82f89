"""The hinge loss (Lim & Ye 2017, arXiv 1705.02894; Miyato et al. 2018, arXiv 1802.05957, equation
16): values beyond 1 and -1 are good enough. The generator's loss is Wasserstein's."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu


def critic(real: Tensor, fake: Tensor) -> Tensor:
    return relu(1 - real).mean() + relu(1 + fake).mean()
