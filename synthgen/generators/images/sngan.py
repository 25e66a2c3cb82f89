"""SNGAN with projection (Miyato et al. 2018, arXiv 1802.05957; Miyato & Koyama 2018, arXiv
1802.05637): spectral normalisation, hinge loss, residual networks, class-conditional batch
normalisation in the generator."""

from __future__ import annotations

from typing import Literal

from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.losses import LossName
from synthgen.generators.images.networks.build import NetworkName
from synthgen.generators.images.networks.conditioning import ToldCritic, ToldGenerator
from synthgen.generators.images.networks.normalisation import CriticNorm


class SNGAN(ImageGAN):
    """The settings of the paper's CIFAR-10 networks."""

    name: Literal["sngan"] = "sngan"
    network: NetworkName = "resnet"
    critic_norm: CriticNorm = "spectral"
    loss: LossName = "hinge"
    told_generator: ToldGenerator = "normalisation"
    told_critic: ToldCritic = "projection"
    critic_steps: int = 5
    betas: tuple[float, float] = (0.0, 0.9)
