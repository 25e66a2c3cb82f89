"""A conditional DCGAN for few images and few steps: the networks of DCGAN (Radford et al. 2016,
arXiv 1511.06434) without normalisation in the critic, the class beside the noise (Mirza & Osindero
2014, arXiv 1411.1784) and in the critic by projection (Miyato & Koyama 2018, arXiv 1802.05637),
lazy R1 (Mescheder et al. 2018, arXiv 1801.04406; Karras et al. 2020, arXiv 1912.04958) and adaptive
augmentation (Karras et al. 2020, arXiv 2006.06676). docs/log.md has what these gain.
"""

from __future__ import annotations

from typing import Literal

from synthgen.generators.images.augmentation import AugmentationName
from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.losses import LossName
from synthgen.generators.images.networks.build import NetworkName
from synthgen.generators.images.networks.conditioning import ToldCritic, ToldGenerator
from synthgen.generators.images.networks.normalisation import CriticNorm
from synthgen.generators.images.penalties import PenaltyName


class CDCGAN(ImageGAN):
    """The default for images: narrower than the paper's, which a CPU can train."""

    name: Literal["cdcgan"] = "cdcgan"
    network: NetworkName = "dcgan"
    critic_norm: CriticNorm = "none"
    loss: LossName = "non-saturating"
    penalty: PenaltyName = "r1"
    penalty_weight: float = 0.1
    penalty_every: int = 4
    told_generator: ToldGenerator = "concatenation"
    told_critic: ToldCritic = "projection"
    augmentation: AugmentationName = "ada"
    latent_dim: int = 64
    width: int = 32
    batch_size: int = 64
    generator_lr: float = 1e-3
    critic_lr: float = 1e-3
