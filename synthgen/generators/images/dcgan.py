"""DCGAN (Radford et al. 2016, arXiv 1511.06434): strided convolutions with batch normalisation in
both networks."""

from __future__ import annotations

from typing import Literal

from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.losses import LossName
from synthgen.generators.images.networks.build import NetworkName
from synthgen.generators.images.networks.normalisation import CriticNorm


class DCGAN(ImageGAN):
    """The settings of the paper, section 4."""

    name: Literal["dcgan"] = "dcgan"
    network: NetworkName = "dcgan"
    critic_norm: CriticNorm = "batch"
    loss: LossName = "non-saturating"
    latent_dim: int = 100
    batch_size: int = 128
