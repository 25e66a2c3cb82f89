"""What Goodfellow et al. 2014 (arXiv 1406.2661, section 3) train the generator with."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus


def generator(real: Tensor, fake: Tensor) -> Tensor:
    """The mean of -log D(fake): steep where the critic is sure."""
    return softplus(-fake).mean()
