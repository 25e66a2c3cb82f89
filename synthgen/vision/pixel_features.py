"""Pixels as features: distances that owe nothing to a network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from synthgen.vision.pixels import check_images

SIDE = 16
_BATCH = 4096


class PixelFeatures:
    """Images averaged down to at most 16 x 16, each value in [0, 1]; implements
    :class:`~synthgen.vision.features.Extractor` for one shape of images.

    So small, since near copies are near at any size, and a search among 50,000 images of full
    size would take minutes.
    """

    name = "pixels"
    version = "1"

    def __init__(self, channels: int, side: int) -> None:
        self._side = min(side, SIDE)
        self.dimension = channels * self._side**2
        self.resize = "none" if side <= SIDE else f"averaged to {SIDE} x {SIDE}"

    def __call__(self, pixels: Tensor) -> Tensor:
        check_images(pixels)
        parts = [
            functional.adaptive_avg_pool2d(batch.float() / 255, self._side).flatten(1)
            for batch in torch.split(pixels, _BATCH)
        ]
        return torch.cat(parts)
