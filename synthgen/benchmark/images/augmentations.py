"""The standard augmentations of images, in the strengths that are usual for them.

``flips_crops`` moves images by up to an eighth of their side, as is done with CIFAR-10's (He et
al., CVPR 2016), and mirrors half of them where mirrored images are as good. The others are used on
top of that, as they were published: one operation of RandAugment at magnitude 9, and MixUp with
alpha 0.2.
"""

from __future__ import annotations

from synthgen.results import Augmentation as Kind
from synthgen.vision.train import PLAIN, Augmentation

OPERATIONS, MAGNITUDE = 1, 9.0
"""Of RandAugment."""
ALPHA = 0.2
"""Of MixUp."""
PARTS = 8
"""Images are moved by up to one of so many parts of their side."""


def augmentation(kind: Kind | None, side: int, *, mirrored: bool) -> Augmentation:
    """For images of so many pixels a side. ``mirrored``: whether mirrored ones are as good."""
    if kind is None:
        return PLAIN
    return Augmentation(
        flip=mirrored,
        padding=side // PARTS,
        operations=OPERATIONS if kind == "randaugment" else 0,
        magnitude=MAGNITUDE,
        mixup=ALPHA if kind == "mixup" else 0.0,
    )
