"""Residual networks without normalisation (Huang et al. 2024, *The GAN is dead; long live the
GAN!*, arXiv 2501.05441, section 4).

A block is 1 × 1 to more features, a grouped 3 × 3, 1 × 1 back, with LeakyReLU between and a weight
of zero at its end (Zhang et al. 2019, arXiv 1901.09321), so that it begins as the identity; sizes
change by bilinear interpolation between stages. The class of an image is an embedding beside the
noise, and a projection in the critic.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from synthgen.generators.images.networks.conditioning import (
    Beside,
    Head,
    Judged,
    Planes,
    ToldCritic,
    ToldGenerator,
)
from synthgen.generators.images.networks.shape import ImageShape

SLOPE = 0.2
BLOCKS = 2
"""Per stage."""
EXPANSION = 2
"""Inner features of a block for each of its outer ones."""
GROUP = 16
"""Features of a group of the 3 × 3 convolution."""
GAIN = math.sqrt(2 / (1 + SLOPE**2))
MOST = 4
"""A stage has at most so many times ``width`` features."""


def features(width: int, stage: int) -> int:
    """Of the stage that is reached from the image in ``stage`` steps of half the size."""
    return min(width << stage, width * MOST)


class Block(nn.Module):
    def __init__(self, size: int, depth: int) -> None:
        super().__init__()
        inner = EXPANSION * size
        groups = max(inner // GROUP, 1)
        self.widen = nn.Conv2d(size, inner, 1)
        self.mix = nn.Conv2d(inner, inner, 3, padding=1, groups=groups, bias=False)
        self.narrow = nn.Conv2d(inner, size, 1, bias=False)
        # The variance of the sum of all blocks shall not grow with their number.
        scaled(self.widen, GAIN * depth ** (-1 / 4))
        scaled(self.mix, GAIN * depth ** (-1 / 4))
        scaled(self.narrow, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        inner = leaky_relu(self.widen(x), SLOPE)
        inner = leaky_relu(self.mix(inner), SLOPE)
        residual: Tensor = self.narrow(inner)
        return x + residual


class R3GANGenerator(nn.Module):
    def __init__(
        self, shape: ImageShape, classes: int, latent_dim: int, width: int, told: ToldGenerator
    ) -> None:
        super().__init__()
        self.input = Beside(latent_dim, classes, told=told == "concatenation")
        self.sizes = shape.stages()
        widths = [features(width, stage) for stage in range(len(self.sizes) - 1, -1, -1)]
        self.first = (widths[0], *self.sizes[0])
        self.begin = nn.Linear(self.input.size, widths[0] * self.sizes[0][0] * self.sizes[0][1])
        scaled(self.begin, 1.0)
        depth = BLOCKS * len(widths)
        self.bodies = nn.ModuleList(
            nn.Sequential(*(Block(size, depth) for _ in range(BLOCKS))) for size in widths
        )
        self.changes = nn.ModuleList(change(before, after) for before, after in pairwise(widths))
        self.end = nn.Conv2d(widths[-1], shape.channels, 1)
        scaled(self.end, 1.0)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Images (n, channels, height, width), about in [-1, 1]."""
        x = self.bodies[0](self.begin(self.input(z, labels)).unflatten(1, self.first))
        for stage, change_, size in zip(self.bodies[1:], self.changes, self.sizes[1:], strict=True):
            x = stage(interpolate(change_(x), size, mode="bilinear", align_corners=False))
        images: Tensor = self.end(x)
        return images


class R3GANCritic(nn.Module):
    def __init__(self, shape: ImageShape, classes: int, width: int, told: ToldCritic) -> None:
        super().__init__()
        self.planes = Planes(shape.channels, classes, told)
        self.sizes = shape.stages()[::-1]
        widths = [features(width, stage) for stage in range(len(self.sizes))]
        self.begin = nn.Conv2d(self.planes.channels, widths[0], 1)
        scaled(self.begin, GAIN)
        depth = BLOCKS * len(widths)
        self.bodies = nn.ModuleList(
            nn.Sequential(*(Block(size, depth) for _ in range(BLOCKS))) for size in widths
        )
        self.changes = nn.ModuleList(change(before, after) for before, after in pairwise(widths))
        # As large as the smallest stage and one group a feature: a dense layer for each by itself.
        self.end = nn.Conv2d(widths[-1], widths[-1], self.sizes[-1], groups=widths[-1], bias=False)
        scaled(self.end, 1.0)
        self.head = Head(widths[-1], classes, told)

    def stages(self) -> list[list[nn.Module]]:
        """What has weights, from the image on, but for the head."""
        return [
            [before, body]
            for before, body in zip([self.begin, *self.changes], self.bodies, strict=True)
        ]

    def forward(self, images: Tensor, labels: Tensor) -> Judged:
        x = self.bodies[0](self.begin(self.planes(images, labels)))
        for stage, change_, size in zip(self.bodies[1:], self.changes, self.sizes[1:], strict=True):
            # Smaller bilinearly means the mean of the pixels between (antialias).
            x = interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)
            x = stage(change_(x))
        judged: Judged = self.head(self.end(x).flatten(1), labels)
        return judged


def change(before: int, after: int) -> nn.Module:
    """From one stage's number of features to the next one's."""
    if before == after:
        return nn.Identity()
    layer = nn.Conv2d(before, after, 1, bias=False)
    scaled(layer, 1.0)
    return layer


@torch.no_grad()
def scaled(layer: nn.Conv2d | nn.Linear, gain: float) -> None:
    """Weights of variance ``gain**2`` over the number of inputs, no bias at first."""
    inputs = layer.weight[0].numel()
    layer.weight.normal_(0.0, gain / math.sqrt(inputs)) if gain else layer.weight.zero_()
    if layer.bias is not None:
        layer.bias.zero_()
