"""A conditional DCGAN for few images: the networks of DCGAN (Radford et al. 2016, arXiv 1511.06434)
with the class beside the noise (Mirza & Osindero 2014, arXiv 1411.1784) and in the critic by
projection (Miyato & Koyama 2018, arXiv 1802.05637), and DiffAugment (Zhao et al. 2020, arXiv
2006.10738).
"""

from __future__ import annotations

from typing import Literal

from synthgen.generators.images.augmentation import AugmentationName
from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.losses import LossName
from synthgen.generators.images.networks.build import NetworkName
from synthgen.generators.images.networks.conditioning import ToldCritic, ToldGenerator
from synthgen.generators.images.networks.normalisation import CriticNorm


class CDCGAN(ImageGAN):
    """The default for images: narrower than the paper's, which a CPU can train."""

    name: Literal["cdcgan"] = "cdcgan"
    network: NetworkName = "dcgan"
    critic_norm: CriticNorm = "batch"
    loss: LossName = "non-saturating"
    told_generator: ToldGenerator = "concatenation"
    told_critic: ToldCritic = "projection"
    augmentation: AugmentationName = "diffaugment"
    latent_dim: int = 64
    width: int = 32
    batch_size: int = 64
