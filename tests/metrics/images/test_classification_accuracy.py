from __future__ import annotations

import torch

from synthgen.metrics.images.classification_accuracy import classification_accuracy
from tests.vision.pictures import toy

NAMES = ("left", "middle", "right")


def test_real_like_images_reach_the_floor_and_wrong_labels_do_not() -> None:
    train, test, synthetic = toy(60, seed=0), toy(90, seed=1), toy(45, seed=2)
    good = classification_accuracy(train, test, synthetic, NAMES, steps=40)
    assert good.value == good.floor == 1
    assert (good.images, good.reference_images, good.origin.reference) == (45, 90, "test")
    wrong = (synthetic[0], (synthetic[1] + 1) % 3)
    bad = classification_accuracy(train, test, wrong, NAMES, steps=40)
    assert bad.value == 0
    assert bad.floor == 1
    assert bad.goal == "max"
    assert bad.pillar == "utility"


def test_a_lost_class_shows_in_its_own_accuracy() -> None:
    train, test, (pixels, labels) = toy(60, seed=0), toy(90, seed=1), toy(60, seed=2)
    kept = labels != 2
    figure = classification_accuracy(train, test, (pixels[kept], labels[kept]), NAMES, steps=40)
    assert figure.detail["classes"]["right"] == {"value": 0, "floor": 1, "images": 30}
    assert figure.detail["classes"]["left"]["value"] == 1
    assert figure.images == 40


def test_one_class() -> None:
    one = (toy(12)[0], torch.zeros(12, dtype=torch.int64))
    assert classification_accuracy(one, one, one, (7,), steps=1).value == 1
