"""What an image metric sees and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from synthgen.errors import DataError
from synthgen.metrics.base import NotComputable
from synthgen.results import Goal, Pillar, Score
from synthgen.training.randomness import derive
from synthgen.vision.features import Extractor

Compare = Callable[[Tensor, Tensor], float]
"""A distance or share of a set (n, d) that is judged, second, against a real one (m, d), first."""


@dataclass(frozen=True)
class Origin:
    """What a figure depends on beside the images; figures with different ones do not
    compare."""

    extractor: str
    version: str
    resize: str
    reference: str = "train"
    """The split of the real images that the others are compared with."""


@dataclass(frozen=True)
class Sides:
    """Features of three sets of images, finite and (n, d) each, on one device.

    ``seed`` fixes what a metric draws at random. Raises :class:`~synthgen.errors.DataError` for
    other tensors.
    """

    reference: Tensor
    holdout: Tensor
    synthetic: Tensor
    origin: Origin
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("reference", "holdout", "synthetic"):
            check_features(getattr(self, name), f"{name} images")
        if not self.reference.shape[1] == self.holdout.shape[1] == self.synthetic.shape[1]:
            raise DataError(
                "the features of the three sets of images have different lengths",
                "take them with the same extractor",
            )

    @property
    def dimension(self) -> int:
        return self.reference.shape[1]


@dataclass(frozen=True)
class Figure:
    """A metric's value beside its floor: the same metric of held-out real images in place of the
    synthetic ones, as many of them.

    A generator that draws from the real distribution reaches it.
    """

    metric: str
    title: str
    pillar: Pillar
    goal: Goal
    value: float
    floor: float
    origin: Origin
    reference_images: int
    images: int
    """Synthetic ones; for the floor as many held-out ones, or ``detail.floor_images``."""
    detail: dict[str, Any] = field(default_factory=dict)

    def score(self) -> Score:
        """The entry of a report."""
        rows = {"reference": self.reference_images, "synthetic": self.images}
        origin = {
            "extractor": self.origin.extractor,
            "version": self.origin.version,
            "resize": self.origin.resize,
            "reference": self.origin.reference,
        }
        return Score(
            metric=self.metric,
            title=self.title,
            pillar=self.pillar,
            goal=self.goal,
            value=self.value,
            reference=self.floor,
            detail={**self.detail, "images": rows, "origin": origin},
        )


def extract(
    extractor: Extractor,
    reference: Tensor,
    holdout: Tensor,
    synthetic: Tensor,
    *,
    split: str = "train",
    seed: int = 0,
) -> Sides:
    """The features of three sets of uint8 images (n, c, h, w); ``split`` names the reference."""
    origin = Origin(extractor.name, extractor.version, extractor.resize, split)
    return Sides(extractor(reference), extractor(holdout), extractor(synthetic), origin, seed)


def check_features(features: Tensor, whose: str) -> None:
    """Raises :class:`~synthgen.errors.DataError` unless finite floats (n, d), n and d >= 1."""
    if features.ndim != 2 or not features.is_floating_point() or features.numel() == 0:
        raise DataError(
            f"the features of the {whose} are {features.dtype} of shape {tuple(features.shape)}",
            "give floats of shape (images, features), at least one of each",
        )
    if not bool(features.isfinite().all()):
        raise DataError(
            f"the features of the {whose} are not all finite",
            "look at the extractor and at what it was given",
        )


def equal(sides: Sides, least: int = 2) -> tuple[Tensor, Tensor]:
    """Synthetic features, and held-out ones in their place: both as many as the smaller set has,
    since nearly every metric here depends on the number of images.

    Raises :class:`~synthgen.metrics.base.NotComputable` for fewer than ``least`` on a side.
    """
    return _cut(sides, min(len(sides.synthetic), len(sides.holdout)), least)[1:]


def all_equal(sides: Sides, least: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Reference, synthetic and held-out features, all as many as the smallest set has; raises as
    :func:`equal` does."""
    return _cut(sides, min(map(len, (sides.reference, sides.synthetic, sides.holdout))), least)


def _cut(sides: Sides, size: int, least: int) -> tuple[Tensor, Tensor, Tensor]:
    if min(size, len(sides.reference)) < least:
        raise NotComputable(f"it needs {least} reference, held-out and synthetic images")
    return (
        subsample(sides.reference, size, derive(sides.seed, "reference")),
        subsample(sides.synthetic, size, derive(sides.seed, "synthetic")),
        subsample(sides.holdout, size, derive(sides.seed, "holdout")),
    )


def subsample(values: Tensor, size: int, seed: int) -> Tensor:
    """``size`` rows drawn without replacement, in their order; the tensor itself if no longer."""
    if size >= len(values):
        return values
    order = torch.randperm(len(values), generator=torch.Generator().manual_seed(seed))
    return values[order[:size].sort().values.to(values.device)]
