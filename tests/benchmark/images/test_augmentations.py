from __future__ import annotations

import pytest

from synthgen.benchmark.images.augmentations import augmentation
from synthgen.vision.train import PLAIN, Augmentation


def test_each_is_what_its_name_says() -> None:
    assert augmentation(None, 32, mirrored=True) == PLAIN
    assert augmentation("flips_crops", 32, mirrored=True) == Augmentation(flip=True, padding=4)
    assert augmentation("flips_crops", 28, mirrored=False) == Augmentation(padding=3)
    assert augmentation("randaugment", 8, mirrored=False) == Augmentation(
        padding=1, operations=1, magnitude=9.0
    )
    assert augmentation("mixup", 64, mirrored=True) == Augmentation(flip=True, padding=8, mixup=0.2)


@pytest.mark.parametrize("side", range(8, 129))
def test_no_side_is_too_small_to_be_moved(side: int) -> None:
    assert 1 <= augmentation("flips_crops", side, mirrored=False).padding < side
