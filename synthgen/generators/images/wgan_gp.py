"""WGAN-GP (Gulrajani et al. 2017, arXiv 1704.00028): a gradient penalty instead of clipping, and
residual networks."""

from __future__ import annotations

from typing import Literal

from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.losses import LossName
from synthgen.generators.images.networks.build import NetworkName
from synthgen.generators.images.networks.normalisation import CriticNorm
from synthgen.generators.images.penalties import PenaltyName


class WGANGP(ImageGAN):
    """The settings of the paper, section 5 and appendix C."""

    name: Literal["wgan-gp"] = "wgan-gp"
    network: NetworkName = "resnet"
    critic_norm: CriticNorm = "layer"
    loss: LossName = "wasserstein"
    penalty: PenaltyName = "gradient-penalty"
    penalty_weight: float = 10.0
    width: int = 32
    critic_steps: int = 5
    generator_lr: float = 1e-4
    critic_lr: float = 1e-4
    betas: tuple[float, float] = (0.0, 0.9)
