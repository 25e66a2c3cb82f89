"""What turns images into the vectors that distances between sets of images are taken of."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from synthgen.errors import DataError, MachineError
from synthgen.vision.classifier import Classifier
from synthgen.vision.pixels import check_images
from synthgen.vision.train import PLAIN, Augmentation, train_classifier

REVISION = 1
"""Raised whenever the same images and settings give other features, so that none kept earlier is
taken for one of today."""


class Extractor(Protocol):
    """A figure is comparable only with figures of the same ``name`` and ``version``."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """What tells its weights from others."""

    @property
    def resize(self) -> str:
        """How images come to the size that it works at, in words."""

    @property
    def dimension(self) -> int: ...

    def __call__(self, pixels: Tensor) -> Tensor:
        """float32 (n, dimension) of uint8 images (n, channels, side, side)."""


@runtime_checkable
class Telling(Extractor, Protocol):
    """An extractor that says of images what they show, too."""

    def features_and_probabilities(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """What a call returns, and class probabilities (n, classes), rows summing to 1; for the
        price of one."""


class ClassifierFeatures:
    """The penultimate layer of a classifier that was trained on the real training images."""

    name = "classifier"
    resize = "none"

    def __init__(self, classifier: Classifier, version: str) -> None:
        self.classifier = classifier
        self.version = version
        blank = torch.zeros(
            1, classifier.channels, classifier.size, classifier.size, dtype=torch.uint8
        )
        self.dimension = classifier.features(blank).shape[1]

    def __call__(self, pixels: Tensor) -> Tensor:
        return self.classifier.features(pixels)

    def features_and_probabilities(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        return self.classifier.features_and_probabilities(pixels)


def trained_features(
    pixels: Tensor,
    labels: Tensor,
    classes: int,
    *,
    folder: Path,
    steps: int,
    seed: int = 0,
    device: str = "cpu",
    augmentation: Augmentation = PLAIN,
) -> ClassifierFeatures:
    """The default extractor for these training images, from ``folder`` if it was trained before.

    ``folder`` holds one folder per extractor, named by a digest of images, labels and settings,
    which is also its version. Errors are those of
    :func:`~synthgen.vision.train.train_classifier`, and
    :class:`~synthgen.errors.MachineError` where the folder cannot be written to.
    """
    check_images(pixels, labels, classes)
    version = _digest(pixels, labels, classes, steps, seed, augmentation)
    place = folder / version
    if place.is_dir():
        try:
            return ClassifierFeatures(Classifier.load(place, device), version)
        except DataError:
            shutil.rmtree(place, ignore_errors=True)
    classifier = train_classifier(
        pixels, labels, classes, steps=steps, seed=seed, device=device, augmentation=augmentation
    )
    _keep(classifier, place)
    return ClassifierFeatures(classifier, version)


def _keep(classifier: Classifier, place: Path) -> None:
    """Under its name only when whole; of two processes that train it, the first one's stays."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".partial-") as made:
            partial = Path(made) / place.name
            partial.mkdir()
            classifier.save(partial)
            if not place.exists():
                partial.rename(place)
    except OSError as error:
        if place.is_dir():
            return
        raise MachineError(
            f"no extractor can be kept in {place.parent}: {error.strerror or error}",
            "free disk space, or choose a folder that may be written to",
        ) from error


def _digest(
    pixels: Tensor,
    labels: Tensor,
    classes: int,
    steps: int,
    seed: int,
    augmentation: Augmentation,
) -> str:
    settings = [REVISION, list(pixels.shape), classes, steps, seed, asdict(augmentation)]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for tensor in (pixels, labels):
        digest.update(tensor.cpu().contiguous().numpy().reshape(-1).data)
    return digest.hexdigest()[:16]
