from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthgen.benchmark.images.resamples import split_resample
from synthgen.benchmark.images.settings import ImageSettings
from synthgen.errors import DataError
from tests.benchmark.images.worlds import Motifs

IMAGES = Motifs().images(120, 0, (np.arange(120) % 3 == 0).astype(np.int64))


def test_three_parts_of_all_images_with_every_class_in_its_share() -> None:
    parts = split_resample(IMAGES, ImageSettings(), seed=0, number=0)
    names = [part.names for part in (parts.inner_train, parts.inner, parts.test)]
    assert sorted(sum(names, ())) == sorted(IMAGES.names)
    assert sorted(parts.train.names) == sorted(names[0] + names[1])
    assert parts.interest == 1
    sizes = parts.sizes
    assert (sizes.available, sizes.used, sizes.train, sizes.test) == (120, 120, 90, 30)
    assert (sizes.inner_train, sizes.inner) == tuple(map(len, names[:2]))
    assert sizes.rarest == 10
    other = split_resample(IMAGES, ImageSettings(), seed=0, number=1)
    assert other.test.names != parts.test.names
    again = split_resample(IMAGES, ImageSettings(), seed=0, number=0)
    assert again.test.names == parts.test.names


def test_groups_are_kept_whole_in_both_splits() -> None:
    images = replace(IMAGES, groups=np.arange(120) // 2)
    for number in range(5):
        parts = split_resample(images, ImageSettings(), seed=0, number=number)
        sides = [part.groups for part in (parts.inner_train, parts.inner, parts.test)]
        known = [set(side.tolist()) for side in sides if side is not None]
        assert len(set.union(*known)) == sum(map(len, known)) == 60


def test_a_cap_takes_the_same_images_in_every_resample() -> None:
    settings = ImageSettings(max_rows=60)
    found = []
    for number in range(2):
        parts = split_resample(IMAGES, settings, seed=0, number=number)
        assert (parts.sizes.available, parts.sizes.used) == (120, 60)
        found.append({*parts.train.names, *parts.test.names})
    assert found[0] == found[1]


def test_a_class_of_one_image_is_refused() -> None:
    images = Motifs().images(40, 0, (np.arange(40) == 0).astype(np.int64))
    with pytest.raises(DataError):
        split_resample(images, ImageSettings(), seed=0, number=0)


def test_images_that_are_no_squares_are_refused_before_anything_is_trained() -> None:
    oblong = replace(IMAGES, pixels=IMAGES.pixels[:, :, :, :7].copy())
    with pytest.raises(DataError, match="7 pixels wide and 8 high"):
        split_resample(oblong, ImageSettings(), seed=0, number=0)
