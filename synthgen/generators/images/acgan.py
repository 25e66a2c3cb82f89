"""AC-GAN (Odena et al. 2017, arXiv 1610.09585): the critic has to tell the class of real and fake
images."""

from __future__ import annotations

from typing import Literal

from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.losses import LossName
from synthgen.generators.images.networks.build import NetworkName
from synthgen.generators.images.networks.conditioning import ToldCritic, ToldGenerator
from synthgen.generators.images.networks.normalisation import CriticNorm


class ACGAN(ImageGAN):
    """DCGAN's networks, as the paper's own are of that kind."""

    name: Literal["acgan"] = "acgan"
    network: NetworkName = "dcgan"
    critic_norm: CriticNorm = "batch"
    loss: LossName = "non-saturating"
    told_generator: ToldGenerator = "concatenation"
    told_critic: ToldCritic = "auxiliary"
    latent_dim: int = 110
    batch_size: int = 100
