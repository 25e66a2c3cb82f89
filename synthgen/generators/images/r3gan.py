"""R3GAN (Huang et al. 2024, arXiv 2501.05441): relativistic pairing loss, R1 and R2, and networks
without normalisation. The paper lowers learning rate and penalty while it trains; here they stay.
"""

from __future__ import annotations

from typing import Literal

from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.losses import LossName
from synthgen.generators.images.networks.build import NetworkName
from synthgen.generators.images.networks.conditioning import ToldCritic, ToldGenerator
from synthgen.generators.images.penalties import PenaltyName


class R3GAN(ImageGAN):
    """The roles of the paper's settings, sized for small images."""

    name: Literal["r3gan"] = "r3gan"
    network: NetworkName = "r3gan"
    loss: LossName = "relativistic"
    penalty: PenaltyName = "r1-r2"
    penalty_weight: float = 1.0
    told_generator: ToldGenerator = "concatenation"
    told_critic: ToldCritic = "projection"
    width: int = 32
    batch_size: int = 64
    betas: tuple[float, float] = (0.0, 0.99)
