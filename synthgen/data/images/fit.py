"""Images of any size and colour to one size and number of channels."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def fit(
    pixels: NDArray[np.uint8], size: tuple[int, int], how: Literal["crop", "pad", "stretch"]
) -> NDArray[np.uint8]:
    """An image (height, width[, 3]) of this height and width; one that has them is not touched.

    ``crop`` takes the largest part of the right shape from the middle, ``pad`` fits the whole into
    the middle of black, ``stretch`` changes the shape. Resampled is by Pillow's bicubic filter,
    which averages when it reduces: Parmar et al., "On Aliased Resizing and Surprising Subtleties
    in GAN Evaluation", CVPR 2022.
    """
    height, width = size
    if pixels.shape[:2] == size:
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if how == "stretch":
        return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
    across, down = image.width / width, image.height / height
    if how == "crop":
        scale = min(across, down)
        left, top = (image.width - scale * width) / 2, (image.height - scale * height) / 2
        box = (left, top, image.width - left, image.height - top)
        return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC, box=box))
    scale = max(across, down)
    inner = (max(1, round(image.width / scale)), max(1, round(image.height / scale)))
    canvas = Image.new(image.mode, (width, height))
    offset = ((width - inner[0]) // 2, (height - inner[1]) // 2)
    canvas.paste(image.resize(inner, Image.Resampling.BICUBIC), offset)
    return np.asarray(canvas)


def to_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shape (height, width): the luma of ITU-R 601, as Pillow computes it."""
    if pixels.ndim == 2:
        return pixels
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("L"))
