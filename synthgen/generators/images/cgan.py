"""The conditional GAN (Mirza & Osindero 2014, arXiv 1411.1784): both multi-layer perceptrons
are given the class beside their input."""

from __future__ import annotations

from typing import Literal

from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.losses import LossName
from synthgen.generators.images.networks.build import NetworkName
from synthgen.generators.images.networks.conditioning import ToldCritic, ToldGenerator


class CGAN(ImageGAN):
    """As ``gan``, with classes."""

    name: Literal["cgan"] = "cgan"
    network: NetworkName = "mlp"
    loss: LossName = "non-saturating"
    told_generator: ToldGenerator = "concatenation"
    told_critic: ToldCritic = "concatenation"
    latent_dim: int = 100
    generator_lr: float = 1e-3
    critic_lr: float = 1e-3
