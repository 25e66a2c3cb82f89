"""Training images on the device, where they stay as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from synthgen.data.images.images import Images

HALF = 127.5


@dataclass(frozen=True)
class ImageBatches:
    """Batches are drawn with replacement: each follows from its step alone."""

    pixels: Tensor
    """uint8 (n, channels, height, width)."""
    classes: Tensor
    """int64 (n,)."""
    mirrored: bool
    """Whether an image and its mirror image are as good."""

    @classmethod
    def of(cls, images: Images, device: str, *, mirrored: bool) -> Self:
        pixels = torch.from_numpy(images.pixels).to(device)
        return cls(pixels, torch.from_numpy(images.labels).to(device), mirrored)

    def real(self, n: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images (n, channels, height, width) in [-1, 1] and their classes (n,)."""
        rows = torch.randint(len(self.pixels), (n,), generator=random, device=random.device)
        images = to_floats(self.pixels[rows])
        if self.mirrored:
            turned = torch.rand(n, 1, 1, 1, generator=random, device=random.device) < 0.5
            images = torch.where(turned, images.flip(3), images)
        return images, self.classes[rows]

    def labels(self, n: int, random: torch.Generator) -> Tensor:
        """Classes (n,) as often as the training images have them."""
        rows = torch.randint(len(self.pixels), (n,), generator=random, device=random.device)
        return self.classes[rows]


def to_floats(pixels: Tensor) -> Tensor:
    """Bytes to [-1, 1], with the channels of a pixel side by side."""
    floats = pixels.to(torch.float32, memory_format=torch.channels_last)
    return floats.div_(HALF).sub_(1)


def to_bytes(images: Tensor) -> Tensor:
    """The inverse, for any numbers; beyond [-1, 1] they are clipped."""
    return images.add(1).mul_(HALF).round_().clamp_(0, 255).to(torch.uint8)
