"""All metrics of images of one pillar, each beside its floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from synthgen.data.images.images import Images
from synthgen.metrics.images.classification_accuracy import classification_accuracy
from synthgen.metrics.images.fidelity import fidelity
from synthgen.metrics.images.privacy import privacy
from synthgen.metrics.images.three import Three, side
from synthgen.results import Pillar, Score
from synthgen.vision.features import ClassifierFeatures, Extractor, trained_features
from synthgen.vision.pixel_features import PixelFeatures
from synthgen.vision.train import Augmentation

IMAGES = 10_000
"""Images of a side at most; of more, so many are drawn."""
ORIGINALS = 60_000
"""Training images at most among which privacy looks for originals: a copy of an image that was not
drawn would not be found."""
STEPS, FEW, FEWEST_STEPS = 500, 200, 200
"""Of the training of the default extractor: at most, for so many images or fewer, and by the cube
root of their number between these."""
MOVES = 14
"""In that training images move by up to their side over this."""


@dataclass(frozen=True)
class ImageTrio:
    """Training, held-out and synthetic images of the same classes and shape; ``seed`` fixes what is
    drawn at random. Raises ``ValueError`` for images that differ in these."""

    train: Images
    holdout: Images
    synthetic: Images
    seed: int = 0

    def __post_init__(self) -> None:
        for other in (self.holdout, self.synthetic):
            if other.classes != self.train.classes:
                raise ValueError("the images differ in their classes")
            if other.pixels.shape[1:] != self.train.pixels.shape[1:]:
                raise ValueError("the images differ in channels or size")


def score_images(
    trio: ImageTrio, pillar: Pillar, extractors: Sequence[Extractor]
) -> tuple[list[Score], list[str]]:
    """The scores of ``fidelity`` or ``privacy`` in a fixed order, and one notice for each metric
    that the images do not allow, and for whatever else was left out.

    Every metric of features is taken by each of the ``extractors``, and memorisation by pixels as
    well; scores of one metric are told apart by ``detail.origin``. Without an
    extractor, and of images that are no squares, which no network here takes, features are pixels.
    ``suspects`` and ``copies`` in a detail name images by their places in ``trio``.

    Raises ``ValueError`` for ``utility``, which is :func:`score_accuracy`'s, and
    :class:`~synthgen.errors.DataError` for images with a side below 8 or above 128 pixels.
    """
    if pillar == "utility":
        raise ValueError("utility is scored by score_accuracy")
    missing = _missing(trio, pillar.capitalize())
    if missing:
        return [], missing
    notices = []
    height, width = trio.train.pixels.shape[2:]
    known = list(extractors) if height == width else []
    known = known or [_pixels(trio.train)]
    by_pixels = [isinstance(extractor, PixelFeatures) for extractor in known]
    if all(by_pixels) and (why := _no_classifier(trio.train)):
        notices.append(f"Features of a network left out, pixels stand for them: {why}")
    if pillar == "privacy" and not any(by_pixels):
        known.append(_pixels(trio.train))
    three = Three(
        side("training", trio.train, IMAGES if pillar == "fidelity" else ORIGINALS, trio.seed),
        side("held-out", trio.holdout, IMAGES, trio.seed),
        side("synthetic", trio.synthetic, IMAGES, trio.seed),
        trio.train.classes,
        trio.seed,
    )
    if part := three.left_out():
        notices.append(f"{pillar.capitalize()} is scored by {part}, drawn at random")
    found = fidelity(three, known) if pillar == "fidelity" else privacy(three, known)
    # What several extractors have in common is said once.
    notices = list(dict.fromkeys([*notices, *found.notices]))
    return [figure.score() for figure in found.figures], notices


def score_accuracy(
    trio: ImageTrio, *, steps: int, device: str = "cpu"
) -> tuple[list[Score], list[str]]:
    """The classification accuracy score, of classifiers trained for ``steps`` steps; or no score,
    and a notice of why."""
    title = "Classification accuracy score"
    missing = _missing(trio, title)
    if missing:
        return [], missing
    height, width = trio.train.pixels.shape[2:]
    if height != width:
        return [], [f"{title} left out: {_not_square(height, width)}"]
    train, holdout, synthetic = (
        (torch.from_numpy(images.pixels), torch.from_numpy(images.labels))
        for images in (trio.train, trio.holdout, trio.synthetic)
    )
    figure = classification_accuracy(
        train,
        holdout,
        synthetic,
        trio.train.classes,
        steps=steps,
        split="holdout",
        seed=trio.seed,
        device=device,
    )
    return [figure.score()], []


def default_extractor(
    train: Images, *, folder: Path, seed: int, device: str = "cpu"
) -> ClassifierFeatures | PixelFeatures:
    """Features of a classifier of the training images, which is kept in ``folder`` and trained only
    if it is not there; pixels where there can be no such classifier (:func:`score_images` says
    why).

    Raises as :func:`~synthgen.vision.features.trained_features` does.
    """
    if _no_classifier(train):
        return _pixels(train)
    return trained_features(
        torch.from_numpy(train.pixels),
        torch.from_numpy(train.labels),
        len(train.classes),
        folder=folder,
        steps=min(STEPS, round(FEWEST_STEPS * max(1.0, len(train) / FEW) ** (1 / 3))),
        seed=seed,
        device=device,
        augmentation=Augmentation(padding=train.pixels.shape[2] // MOVES),
    )


def _pixels(train: Images) -> PixelFeatures:
    return PixelFeatures(*train.pixels.shape[1:])


def _no_classifier(train: Images) -> str | None:
    """Why no classifier can be trained on these images; None if one can."""
    height, width = train.pixels.shape[2:]
    if height != width:
        return _not_square(height, width)
    if int((train.counts() > 0).sum()) < 2:
        return "the training images are of one class"
    return None


def _not_square(height: int, width: int) -> str:
    return f"the images are {width} x {height} pixels, and networks here take squares"


def _missing(trio: ImageTrio, title: str) -> list[str]:
    """A notice where a side has no image."""
    for name, images in (
        ("training", trio.train),
        ("held-out", trio.holdout),
        ("synthetic", trio.synthetic),
    ):
        if not len(images):
            return [f"{title} left out: there is no {name} image"]
    return []
