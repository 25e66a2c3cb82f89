"""The networks by name."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar

import torch
from torch import nn

from synthgen.generators.images.networks.conditioning import ToldCritic, ToldGenerator
from synthgen.generators.images.networks.dcgan import DCGANCritic, DCGANGenerator
from synthgen.generators.images.networks.mlp import MLPCritic, MLPGenerator
from synthgen.generators.images.networks.normalisation import CriticNorm
from synthgen.generators.images.networks.r3gan import R3GANCritic, R3GANGenerator
from synthgen.generators.images.networks.resnet import ResNetCritic, ResNetGenerator
from synthgen.generators.images.networks.shape import ImageShape

M = TypeVar("M", bound=nn.Module)
NetworkName: TypeAlias = Literal["mlp", "dcgan", "resnet", "r3gan"]
CriticNetwork: TypeAlias = MLPCritic | DCGANCritic | ResNetCritic | R3GANCritic
PLAIN: tuple[NetworkName, ...] = ("mlp", "r3gan")
"""Networks without normalisation layers."""


def build_generator(
    network: NetworkName,
    shape: ImageShape,
    classes: int,
    latent_dim: int,
    width: int,
    told: ToldGenerator,
) -> nn.Module:
    """Noise (n, latent_dim) and classes (n,) to images (n, channels, height, width)."""
    kinds = {
        "mlp": MLPGenerator,
        "dcgan": DCGANGenerator,
        "resnet": ResNetGenerator,
        "r3gan": R3GANGenerator,
    }
    return _laid_out(kinds[network](shape, classes, latent_dim, width, told), network)


def build_critic(
    network: NetworkName,
    shape: ImageShape,
    classes: int,
    width: int,
    told: ToldCritic,
    norm: CriticNorm,
) -> CriticNetwork:
    """Images (n, channels, height, width) and classes (n,) to what it says of them."""
    critic: CriticNetwork
    match network:
        case "mlp":
            critic = MLPCritic(shape, classes, width, told)
        case "dcgan":
            critic = DCGANCritic(shape, classes, width, told, norm)
        case "resnet":
            critic = ResNetCritic(shape, classes, width, told, norm)
        case "r3gan":
            critic = R3GANCritic(shape, classes, width, told)
    return _laid_out(critic, network)


def _laid_out(module: M, network: NetworkName) -> M:
    """Convolutions are fastest where the channels of a pixel lie together."""
    if network == "mlp":
        return module
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
