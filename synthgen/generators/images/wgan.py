"""Wasserstein GAN (Arjovsky et al. 2017, arXiv 1701.07875): a critic whose weights are clipped
estimates a distance. Adam without momentum stands for the paper's RMSProp."""

from __future__ import annotations

from typing import Literal

from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.losses import LossName
from synthgen.generators.images.networks.build import NetworkName
from synthgen.generators.images.networks.normalisation import CriticNorm
from synthgen.generators.images.penalties import PenaltyName


class WGAN(ImageGAN):
    """The settings of algorithm 1."""

    name: Literal["wgan"] = "wgan"
    network: NetworkName = "dcgan"
    critic_norm: CriticNorm = "batch"
    loss: LossName = "wasserstein"
    penalty: PenaltyName = "clip"
    penalty_weight: float = 0.01
    critic_steps: int = 5
    generator_lr: float = 5e-5
    critic_lr: float = 5e-5
    betas: tuple[float, float] = (0.0, 0.99)
