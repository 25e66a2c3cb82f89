"""Pixels as features: distances that owe nothing to a network."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from synthgen.vision.pixels import check_images, in_blocks

SIDE = 16


class PixelFeatures:
    """Images, square or not, averaged down to at most 16 x 16, each value in [0, 1]; implements
    :class:`~synthgen.vision.features.Extractor` for one shape of images.

    So small, since near copies are near at any size, and a search among 50,000 images of full
    size would take minutes.
    """

    name = "pixels"
    version = "1"

    def __init__(self, channels: int, height: int, width: int | None = None) -> None:
        """``width``: by default, the height."""
        width = height if width is None else width
        self._size = min(height, SIDE), min(width, SIDE)
        self.dimension = channels * self._size[0] * self._size[1]
        kept = (height, width) == self._size
        self.resize = "none" if kept else f"averaged to {self._size[1]} x {self._size[0]}"

    def __call__(self, pixels: Tensor) -> Tensor:
        check_images(pixels, square=False)
        return in_blocks(
            pixels,
            lambda block: functional.adaptive_avg_pool2d(block.float() / 255, self._size).flatten(
                1
            ),
        )
