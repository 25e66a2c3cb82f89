"""Residual networks, as Miyato et al. 2018 (arXiv 1802.05957, appendix B.4) and Gulrajani et al.
2017 have them for small images."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from synthgen.generators.images.networks.conditioning import (
    Beside,
    Head,
    Judged,
    Normalisation,
    Planes,
    ToldCritic,
    ToldGenerator,
)
from synthgen.generators.images.networks.normalisation import CriticNorm, normalised, spectral
from synthgen.generators.images.networks.shape import ImageShape


class GrowingBlock(nn.Module):
    """Normalisation, ReLU, nearest neighbours to the given size, 3 × 3; normalisation, ReLU,
    3 × 3. Beside it the same resize and 1 × 1."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(Normalisation(features, classes) for _ in range(2))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(features, features, 3, padding=1) for _ in range(2)
        )
        self.beside = nn.Conv2d(features, features, 1)

    def forward(self, x: Tensor, labels: Tensor, size: tuple[int, int]) -> Tensor:
        inner = interpolate(torch.relu(self.norms[0](x, labels)), size)
        inner = self.convolutions[0](inner)
        inner = self.convolutions[1](torch.relu(self.norms[1](inner, labels)))
        # A 1 x 1 convolution before the resize is the same as after it, and cheaper.
        whole: Tensor = inner + interpolate(self.beside(x), size)
        return whole


class ResNetGenerator(nn.Module):
    """One growing block per stage, all with ``4 * width`` features."""

    def __init__(
        self, shape: ImageShape, classes: int, latent_dim: int, width: int, told: ToldGenerator
    ) -> None:
        super().__init__()
        features = 4 * width
        own = classes if told == "normalisation" else 0
        self.input = Beside(latent_dim, classes, told=told == "concatenation")
        self.sizes = shape.stages()
        self.first = (features, *self.sizes[0])
        self.begin = nn.Linear(self.input.size, features * self.sizes[0][0] * self.sizes[0][1])
        self.blocks = nn.ModuleList(GrowingBlock(features, own) for _ in self.sizes[1:])
        self.norm = Normalisation(features, 0)
        self.end = nn.Conv2d(features, shape.channels, 3, padding=1)
        self.apply(initialise)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Images (n, channels, height, width) in [-1, 1]."""
        x = self.begin(self.input(z, labels)).unflatten(1, self.first)
        for block, size in zip(self.blocks, self.sizes[1:], strict=True):
            x = block(x, labels, size)
        return torch.tanh(self.end(torch.relu(self.norm(x, labels))))


class ShrinkingBlock(nn.Module):
    """3 × 3, ReLU, 3 × 3, and with ``shrink`` the mean of 2 × 2; ReLU before the first unless it
    sees the image itself. Beside it 1 × 1 and the same mean."""

    def __init__(
        self, inputs: int, features: int, norm: CriticNorm, *, shrink: bool, image: bool = False
    ) -> None:
        super().__init__()
        self.shrink, self.image = shrink, image
        sizes = (inputs, features)
        self.convolutions = nn.ModuleList(
            normalised(nn.Conv2d(size, features, 3, padding=1), features, norm) for size in sizes
        )
        self.beside = spectral(nn.Conv2d(inputs, features, 1), norm)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.convolutions[0](x if self.image else torch.relu(x))
        inner = self.convolutions[1](torch.relu(inner))
        if not self.shrink:
            return self.beside(x) + inner  # type: ignore[no-any-return]
        return avg_pool2d(inner, 2) + self.beside(avg_pool2d(x, 2))  # type: ignore[no-any-return]


class ResNetCritic(nn.Module):
    """Shrinking blocks of ``2 * width`` features down to 8 pixels, two more there, and the sum over
    all pixels."""

    def __init__(
        self, shape: ImageShape, classes: int, width: int, told: ToldCritic, norm: CriticNorm
    ) -> None:
        super().__init__()
        features = 2 * width
        self.planes = Planes(shape.channels, classes, told)
        shrinking = max(len(shape.stages()) - 2, 0)
        blocks = [
            ShrinkingBlock(
                features if number else self.planes.channels,
                features,
                norm,
                shrink=number < shrinking,
                image=number == 0,
            )
            for number in range(shrinking + 2)
        ]
        self.blocks = nn.Sequential(*blocks)
        self.head = Head(features, classes, told, norm)
        self.apply(initialise)

    def stages(self) -> list[list[nn.Module]]:
        """What has weights, from the image on, but for the head."""
        return [[block] for block in self.blocks]

    def forward(self, images: Tensor, labels: Tensor) -> Judged:
        x = self.blocks(self.planes(images, labels))
        judged: Judged = self.head(torch.relu(x).sum((2, 3)), labels)
        return judged


def initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
