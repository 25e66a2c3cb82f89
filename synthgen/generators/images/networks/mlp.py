"""Multi-layer perceptrons, as in the first GAN (Goodfellow et al. 2014, arXiv 1406.2661). Critics
have LeakyReLU here, as all later ones, where that one had maxout with dropout."""

from __future__ import annotations

from torch import Tensor, nn

from synthgen.generators.images.networks.conditioning import (
    Beside,
    Head,
    Judged,
    ToldCritic,
    ToldGenerator,
)
from synthgen.generators.images.networks.shape import ImageShape

SLOPE = 0.2


class MLPGenerator(nn.Module):
    """Two hidden layers of ``8 * width`` and ``16 * width`` units."""

    def __init__(
        self, shape: ImageShape, classes: int, latent_dim: int, width: int, told: ToldGenerator
    ) -> None:
        super().__init__()
        self.shape = (shape.channels, shape.height, shape.width)
        self.input = Beside(latent_dim, classes, told=told == "concatenation")
        first, second = 8 * width, 16 * width
        self.layers = nn.Sequential(
            nn.Linear(self.input.size, first),
            nn.ReLU(inplace=True),
            nn.Linear(first, second),
            nn.ReLU(inplace=True),
            nn.Linear(second, shape.channels * shape.height * shape.width),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Images (n, channels, height, width) in [-1, 1]."""
        images: Tensor = self.layers(self.input(z, labels)).unflatten(1, self.shape)
        return images


class MLPCritic(nn.Module):
    """Two hidden layers of ``16 * width`` and ``8 * width`` units. A class is told beside the
    pixels, as one entry and not as a plane."""

    def __init__(self, shape: ImageShape, classes: int, width: int, told: ToldCritic) -> None:
        super().__init__()
        pixels = shape.channels * shape.height * shape.width
        self.input = Beside(pixels, classes, told=told == "concatenation")
        first, second = 16 * width, 8 * width
        self.layers = nn.Sequential(
            nn.Linear(self.input.size, first),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Linear(first, second),
            nn.LeakyReLU(SLOPE, inplace=True),
        )
        self.head = Head(second, classes, told)

    def stages(self) -> list[list[nn.Module]]:
        """What has weights, from the image on, but for the head."""
        return [[self.input, self.layers[0]], [self.layers[2]]]

    def forward(self, images: Tensor, labels: Tensor) -> Judged:
        judged: Judged = self.head(self.layers(self.input(images.flatten(1), labels)), labels)
        return judged
