"""Weight clipping (Arjovsky et al. 2017, arXiv 1701.07875, algorithm 1)."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def clip_(critic: nn.Module, bound: float) -> None:
    """In place, all weights of the critic into [-bound, bound]."""
    torch._foreach_clamp_min_([*critic.parameters()], -bound)
    torch._foreach_clamp_max_([*critic.parameters()], bound)
