"""Classification accuracy score (Ravuri & Vinyals 2019, arXiv 1905.10887): train on synthetic
images, test on real ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from synthgen.data.images.images import Class
from synthgen.metrics.images.base import Figure, Origin, subsample
from synthgen.training.randomness import derive
from synthgen.vision.pixels import check_images
from synthgen.vision.train import PLAIN, Augmentation, train_classifier

Labelled = tuple[Tensor, Tensor]
"""uint8 images (n, c, side, side) and their int64 labels (n,)."""


def classification_accuracy(
    train: Labelled,
    test: Labelled,
    synthetic: Labelled,
    classes: Sequence[Class],
    *,
    steps: int,
    split: str = "test",
    seed: int = 0,
    device: str = "cpu",
    augmentation: Augmentation = PLAIN,
) -> Figure:
    """Accuracy on the real ``test`` images of a classifier trained on synthetic images alone, 0 to
    1; the floor, here a ceiling for most generators, is that of the same training on as many real
    images of ``train``.

    Labels are positions in ``classes``. Both trainings have the same steps, settings and seed.
    ``detail.classes`` holds both accuracies for each class of the test images, by its name: a
    generator that lost a class shows there.
    """
    check_images(test[0], test[1], len(classes))
    size = min(len(train[0]), len(synthetic[0]))
    right = []
    for name, (pixels, labels) in (("synthetic", synthetic), ("train", train)):
        check_images(pixels, labels, len(classes))
        drawn = subsample(torch.arange(len(pixels), device=pixels.device), size, derive(seed, name))
        classifier = train_classifier(
            pixels[drawn],
            labels[drawn],
            len(classes),
            steps=steps,
            seed=seed,
            device=device,
            augmentation=augmentation,
        )
        told = classifier.probabilities(test[0]).argmax(1).to(test[1].device)
        right.append((told == test[1]).double())
    by_class = {
        str(classes[label]): {
            "value": float(right[0][test[1] == label].mean()),
            "floor": float(right[1][test[1] == label].mean()),
            "images": int((test[1] == label).sum()),
        }
        for label in torch.unique(test[1]).tolist()
    }
    return Figure(
        metric="classification_accuracy",
        title="Classification accuracy score",
        pillar="utility",
        goal="max",
        value=float(right[0].mean()),
        floor=float(right[1].mean()),
        origin=Origin("small-cnn", f"{steps} steps, seed {seed}", "none", split),
        reference_images=len(test[0]),
        images=size,
        detail={"classes": by_class},
    )
