"""What a recipe trains, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthgen.benchmark.images.augmentations import augmentation
from synthgen.benchmark.images.memory import within_memory
from synthgen.benchmark.images.settings import SMALL_CNN
from synthgen.data.images.images import Images
from synthgen.results import Recipe
from synthgen.vision.class_balance import class_balanced_weights
from synthgen.vision.classifier import Classifier
from synthgen.vision.train import train_classifier


@dataclass(frozen=True)
class Labelled:
    """``pixels``: uint8 (n, channels, height, width); ``labels``: int64 (n,)."""

    pixels: Tensor
    labels: Tensor

    @classmethod
    def of(cls, images: Images) -> Labelled:
        return cls(torch.from_numpy(images.pixels), torch.from_numpy(images.labels))

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, places: NDArray[Any]) -> Labelled:
        """The images at these positions (integers)."""
        rows = torch.from_numpy(places)
        return Labelled(self.pixels[rows], self.labels[rows])

    def stack(self, other: Labelled) -> Labelled:
        """These images, then the other ones."""
        return Labelled(
            torch.cat([self.pixels, other.pixels]), torch.cat([self.labels, other.labels])
        )


@dataclass(frozen=True)
class Training:
    """What all trainings of a job have in common. ``mirrored``: whether mirrored images are as
    good."""

    classes: int
    steps: int
    batch_size: int
    mirrored: bool
    device: str

    def train(
        self, learner: str, images: Labelled, seed: int, recipe: Recipe, real: int
    ) -> Classifier:
        """By the recipe's augmentation and weights; the first ``real`` images are real ones, the
        others synthetic. The steps are the same whatever the recipe.

        Raises whatever the training raises, and MachineError where the device's memory is full.
        """
        with within_memory(self.device, learner):
            return train_classifier(
                images.pixels,
                images.labels,
                self.classes,
                steps=self.steps,
                seed=seed,
                device=self.device,
                augmentation=augmentation(
                    recipe.augmentation, images.pixels.shape[3], mirrored=self.mirrored
                ),
                class_weights=self.class_weights(images.labels, recipe, real),
                sample_weights=_sample_weights(len(images), recipe, real),
                batch_size=self.batch_size,
                network=None if learner == SMALL_CNN else learner,
            )

    def class_weights(self, labels: Tensor, recipe: Recipe, real: int) -> Tensor | None:
        """Those of a balanced recipe, by each class's effective number of images; None where all
        classes weigh the same."""
        if not recipe.balanced:
            return None
        weights = _sample_weights(len(labels), recipe, real)
        found = class_balanced_weights(labels, self.classes, sample_weights=weights)
        present = found[found > 0]
        return None if bool((present == present[0]).all()) else found


def predict(classifier: Classifier, images: Labelled) -> NDArray[np.float64]:
    """Class probabilities (n, classes). Raises whatever the network raises, and MachineError where
    the device's memory is full."""
    with within_memory(str(classifier.mean.device), classifier.path or SMALL_CNN):
        found: NDArray[np.float64] = classifier.probabilities(images.pixels).cpu().double().numpy()
    return found


def _sample_weights(images: int, recipe: Recipe, real: int) -> Tensor | None:
    if recipe.weight == 1:
        return None
    weights = torch.full((images,), recipe.weight)
    weights[:real] = 1
    return weights
