"""Strided convolutions, as DCGAN has them (Radford et al. 2016, arXiv 1511.06434)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

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

SLOPE = 0.2
DEVIATION = 0.02
"""Of the initial weights."""
MOST = 8
"""A stage has at most so many times ``width`` features."""


def features(width: int, stage: int) -> int:
    """Of the stage that is reached from the image in ``stage`` steps of half the size."""
    return min(width << (stage - 1), width * MOST)


class DCGANGenerator(nn.Module):
    """Noise to the smallest stage, then transposed convolutions to twice the size each."""

    def __init__(
        self, shape: ImageShape, classes: int, latent_dim: int, width: int, told: ToldGenerator
    ) -> None:
        super().__init__()
        self.input = Beside(latent_dim, classes, told=told == "concatenation")
        self.sizes = shape.stages()
        steps = len(self.sizes) - 1
        widths = [features(width, stage) for stage in range(max(steps, 1), 0, -1)]
        own = classes if told == "normalisation" else 0
        self.first = (widths[0], *self.sizes[0])
        entries = widths[0] * self.sizes[0][0] * self.sizes[0][1]
        self.begin = nn.Linear(self.input.size, entries, bias=False)
        self.norms = nn.ModuleList(Normalisation(size, own) for size in widths)
        outputs = [*widths[1:], shape.channels][:steps]
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(inputs, size, 4, 2, 1, bias=number == steps - 1)
            for number, (inputs, size) in enumerate(zip(widths, outputs, strict=False))
        )
        # An image too small to be halved is made in one stage.
        self.end = nn.Identity() if steps else nn.Conv2d(widths[0], shape.channels, 3, 1, 1)
        self.apply(initialise)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Images (n, channels, height, width) in [-1, 1]."""
        x = self.begin(self.input(z, labels)).unflatten(1, self.first)
        for grow, norm, (height, width) in zip(
            self.grow, self.norms, self.sizes[1:], strict=len(self.grow) > 0
        ):
            # Twice the size is one too many where the half was rounded up.
            x = grow(torch.relu_(norm(x, labels)))[:, :, :height, :width]
        if not len(self.grow):
            x = self.end(torch.relu_(self.norms[0](x, labels)))
        return torch.tanh(x)


class DCGANCritic(nn.Module):
    """Convolutions to half the size each, LeakyReLU, and a dense layer at the end."""

    def __init__(
        self,
        shape: ImageShape,
        classes: int,
        width: int,
        told: ToldCritic,
        norm: CriticNorm,
    ) -> None:
        super().__init__()
        self.planes = Planes(shape.channels, classes, told)
        sizes = shape.stages()
        steps = len(sizes) - 1
        widths = [features(width, stage) for stage in range(1, max(steps, 1) + 1)]
        layers: list[nn.Module] = []
        before, (height, across) = self.planes.channels, (shape.height, shape.width)
        for number, size in enumerate(widths):
            if steps:
                # No bias where normalisation takes it away; the first stage has none (section 3).
                plain = number == 0 or norm in ("none", "spectral")
                layer = nn.Conv2d(before, size, 4, 2, 1, bias=plain)
                height, across = height // 2, across // 2
            else:
                plain, layer = True, nn.Conv2d(before, size, 3, 1, 1)
            layers.append(spectral(layer, norm) if plain else normalised(layer, size, norm))
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
            before = size
        self.layers = nn.Sequential(*layers)
        self.head = Head(before * height * across, classes, told, norm)
        self.apply(initialise)

    def stages(self) -> list[list[nn.Module]]:
        """What has weights, from the image on, but for the head."""
        return [[layer] for layer in list(self.layers)[::2]]

    def forward(self, images: Tensor, labels: Tensor) -> Judged:
        x = self.layers(self.planes(images, labels)).flatten(1)
        judged: Judged = self.head(x, labels)
        return judged


def initialise(module: nn.Module) -> None:
    """Weights of deviation 0.02 (section 4), around 1 in normalisation."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, DEVIATION)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d) and module.affine:
        nn.init.normal_(module.weight, 1.0, DEVIATION)
        nn.init.zeros_(module.bias)
