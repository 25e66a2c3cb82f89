"""A resample of labelled images, split in three as :mod:`synthgen.benchmark.resamples` says. Images
of one group, which near duplicates are given, are in one part."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.resamples import Sizes, seed_of
from synthgen.benchmark.scoring import class_of_interest
from synthgen.data.images.images import Images
from synthgen.data.images.split import split_images
from synthgen.vision.pixels import check_images as check_pixels


@dataclass(frozen=True)
class ImageResample:
    """Images of the same classes. ``interest``: the class of interest, from all of the run's
    training images, so that it is the same in all resamples."""

    inner_train: Images
    inner: Images
    train: Images
    test: Images
    interest: int
    sizes: Sizes


def split_resample(
    images: Images, settings: ImageSettings, *, seed: int, number: int
) -> ImageResample:
    """Resample ``number`` of the run's training images, from the run's ``seed``. With ``max_rows``
    one fixed part of them plays the role of all.

    Raises :class:`~synthgen.errors.DataError` where the images do not suffice, or are of a shape
    that no classifier here takes.
    """
    check_pixels(torch.from_numpy(images.pixels))
    used = images
    if settings.max_rows is not None and len(images) > settings.max_rows:
        _, kept = split_images(images, settings.max_rows / len(images), seed)
        used = images.take(kept)
    outer, tested = split_images(used, settings.test_share, seed_of(seed, number, "outer"))
    train, test = used.take(outer), used.take(tested)
    learned, judged = split_images(train, settings.inner_share, seed_of(seed, number, "inner"))
    return ImageResample(
        inner_train=train.take(learned),
        inner=train.take(judged),
        train=train,
        test=test,
        interest=class_of_interest(images.labels, len(images.classes)),
        sizes=Sizes(
            available=len(images),
            used=len(used),
            inner_train=len(learned),
            inner=len(judged),
            train=len(train),
            test=len(test),
            rarest=int(test.counts().min()),
        ),
    )
