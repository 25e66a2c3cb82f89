"""The ladder of arms for images: see :mod:`synthgen.benchmark.arms`, of which the sources, arms and
treatments are. Images have three treatments more, each an augmentation of the same training images
(:mod:`synthgen.benchmark.images.augmentations`), and no tuned threshold:

===========  =======================================================================================
flips_crops  images are moved a little at random, and mirrored where that is as good
randaugment  the same, and one operation of RandAugment
mixup        the same, and blends of pairs of images
mixed        the best of raw, filtered and weighted, together with the augmentation that is best
             with it on the inner images, and with balanced weights
===========  =======================================================================================
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from synthgen.benchmark.arms import ROWS, Arm, Source, Treatment, lacking_counts, variants
from synthgen.benchmark.images.duplicates import Duplicates
from synthgen.benchmark.images.settings import ImageArm, ImageSettings
from synthgen.benchmark.settings import Ratio
from synthgen.data.images.images import Class, Images
from synthgen.errors import ShortfallWarning
from synthgen.training.context import Context


class ImageSampler(Protocol):
    """What the benchmark needs of a fitted generator of images."""

    def sample(self, n: int, *, seed: int, where: Mapping[str, Class] | None = None) -> Images:
        """At most ``n`` fresh images, all of the class ``where["label"]`` if that is given (fewer
        only if too few draws were of it)."""
        ...


class ImageGenerator(Protocol):
    """What the benchmark needs of a generator of images."""

    def fit(self, train: Images, context: Context) -> ImageSampler:
        """Train on these images only."""
        ...


_PLAIN: dict[ImageArm, Treatment] = {
    "nothing": "plain",
    "class_weights": "balanced",
    "flips_crops": "flips_crops",
    "randaugment": "randaugment",
    "mixup": "mixup",
}
CHEAP_IMAGE_GENERATORS: dict[str, ImageGenerator] = {
    "oversample": Duplicates(),
    "placebo": Duplicates(),
}
"""Oversampling fills every class up to the largest one; the placebo duplicates as many images as
there are, whatever their class."""
_CHEAP_RATIOS: dict[str, Ratio] = {"oversample": "balanced", "placebo": 1.0}


def image_ladder(settings: ImageSettings, generators: Sequence[str]) -> tuple[Source, ...]:
    """The training images, the cheap generators of the settings, then the generators in question.

    A generator that has the name of a cheap arm takes its place.
    """
    kept = [name for name in settings.arms if name not in generators]
    plain = tuple(Arm(name=name, treatment=_PLAIN[name]) for name in kept if name in _PLAIN)
    cheap = [
        Source(
            name=name,
            arms=(Arm(name=name, treatment="raw"),),
            ratios=(_CHEAP_RATIOS[name],),
        )
        for name in kept
        if name in CHEAP_IMAGE_GENERATORS
    ]
    asked = [
        Source(
            name=name,
            arms=variants(name, settings, "classification"),
            ratios=settings.ratios,
            candidate=True,
        )
        for name in generators
    ]
    return (Source(name=ROWS, arms=plain), *cheap, *asked)


@dataclass(frozen=True)
class DrawnImages:
    """``images`` that came, of the ``wanted`` number."""

    images: Images
    wanted: int


def draw_images(
    sampler: ImageSampler, train: Images, ratio: Ratio, *, seed: int, times: int = 1
) -> DrawnImages:
    """``times`` the synthetic images that ``ratio`` adds to ``train``, as
    :func:`synthgen.benchmark.arms.draw`.

    Raises ValueError for images of another shape, or with other classes.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortfallWarning)
        if ratio != "balanced":
            wanted = times * round(ratio * len(train))
            return DrawnImages(_fitting(sampler.sample(wanted, seed=seed), train), wanted)
        images = train.take(np.arange(0))
        wanted = 0
        for code, lack in lacking_counts(train.counts()).items():
            own = int(np.random.SeedSequence([seed, code]).generate_state(1)[0] >> 1)
            drawn = sampler.sample(times * lack, seed=own, where={"label": train.classes[code]})
            images = images.concat(_fitting(drawn, train))
            wanted += times * lack
        return DrawnImages(images, wanted)


def _fitting(drawn: Images, train: Images) -> Images:
    if drawn.classes != train.classes or drawn.pixels.shape[1:] != train.pixels.shape[1:]:
        raise ValueError("a generator made images of another shape, or with other classes")
    return drawn
