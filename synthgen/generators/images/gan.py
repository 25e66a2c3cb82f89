"""The first generative adversarial network (Goodfellow et al. 2014, arXiv 1406.2661): two
multi-layer perceptrons that know nothing of classes."""

from __future__ import annotations

from typing import Literal

from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.losses import LossName
from synthgen.generators.images.networks.build import NetworkName


class GAN(ImageGAN):
    """The loss is the one that the paper trains with, non-saturating."""

    name: Literal["gan"] = "gan"
    network: NetworkName = "mlp"
    loss: LossName = "non-saturating"
    latent_dim: int = 100
