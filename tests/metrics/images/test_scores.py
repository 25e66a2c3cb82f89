"""All scores of a pillar: those of the metrics themselves, in order, whatever the images are."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthgen.data.images.images import Images
from synthgen.metrics.images import scores as module
from synthgen.metrics.images.base import extract
from synthgen.metrics.images.classification_accuracy import classification_accuracy
from synthgen.metrics.images.copies import image_copies
from synthgen.metrics.images.frechet import frechet
from synthgen.metrics.images.frechet_per_class import frechet_per_class
from synthgen.metrics.images.inception_score import inception_score
from synthgen.metrics.images.memorisation import memorisation
from synthgen.metrics.images.scores import (
    ImageTrio,
    default_extractor,
    score_accuracy,
    score_images,
)
from synthgen.results import Score
from synthgen.vision.features import ClassifierFeatures
from synthgen.vision.pixel_features import PixelFeatures
from tests.vision.pictures import pictures, toy

NAMES = ("left", "middle", "right")
OF_FEATURES = [
    "frechet",
    "frechet_per_class",
    "kernel",
    "precision",
    "recall",
    "density",
    "coverage",
    "inception_score",
    "sliced_wasserstein",
]


def images(
    pixels: Tensor | NDArray[np.uint8], labels: Tensor, classes: tuple[Any, ...] = NAMES
) -> Images:
    names = tuple(map(str, range(len(labels))))
    return Images(np.asarray(pixels), np.asarray(labels), classes, names)


def toys(counts: tuple[int, int, int], **shape: int) -> ImageTrio:
    """Training, held-out and synthetic ones, all of one kind."""
    return ImageTrio(*(images(*toy(n, seed=seed, **shape)) for seed, n in enumerate(counts)))


def named(scores: list[Score]) -> list[str]:
    return [score.metric for score in scores]


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEPS", 15)


@pytest.fixture(scope="module")
def trio() -> ImageTrio:
    return toys((90, 60, 75))


@pytest.fixture(scope="module")
def extractor(trio: ImageTrio, tmp_path_factory: pytest.TempPathFactory) -> ClassifierFeatures:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STEPS", 15)
        folder = tmp_path_factory.mktemp("extractors")
        made = default_extractor(trio.train, folder=folder, seed=0)
    assert isinstance(made, ClassifierFeatures)
    return made


class Counting:
    """An extractor that counts the images it is given."""

    name, version, resize = "counting", "1", "none"

    def __init__(self, inner: ClassifierFeatures) -> None:
        self.inner, self.dimension = inner, inner.dimension
        self.seen: list[int] = []

    def __call__(self, pixels: Tensor) -> Tensor:
        return self.features_and_probabilities(pixels)[0]

    def features_and_probabilities(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        self.seen.append(len(pixels))
        return self.inner.features_and_probabilities(pixels)


def test_they_are_those_of_the_metrics_in_their_order(
    trio: ImageTrio, extractor: ClassifierFeatures
) -> None:
    scores, notices = score_images(trio, "fidelity", [extractor])
    assert named(scores) == [*OF_FEATURES, "pyramid_distance"]
    assert {score.pillar for score in scores} == {"fidelity"}
    assert notices == []
    pixels = [torch.from_numpy(side.pixels) for side in (trio.train, trio.holdout, trio.synthetic)]
    labels = [torch.from_numpy(side.labels) for side in (trio.train, trio.holdout, trio.synthetic)]
    sides = extract(extractor, *pixels)
    told = [extractor.classifier.probabilities(side) for side in pixels[1:]]
    by_name = {score.metric: score for score in scores}
    assert by_name["frechet"] == frechet(sides).score()
    assert by_name["frechet_per_class"] == frechet_per_class(sides, *labels, NAMES).score()
    assert by_name["inception_score"] == inception_score(*told, sides.origin).score()
    assert set(by_name["frechet_per_class"].detail["classes"]) == set(NAMES)

    scores, notices = score_images(trio, "privacy", [extractor])
    assert named(scores) == ["memorisation", "memorisation", "image_copies"]
    assert notices == []
    by_pixels = extract(PixelFeatures(1, 16), *pixels)
    assert scores[0].detail == memorisation(sides).score().detail
    assert scores[1].detail == memorisation(by_pixels).score().detail
    assert scores[2] == image_copies(*pixels).score()
    spaces = [score.detail["origin"]["extractor"] for score in scores]
    assert spaces == ["classifier", "pixels", "pixels"]


def test_each_image_passes_an_extractor_once(
    trio: ImageTrio, extractor: ClassifierFeatures
) -> None:
    for pillar in ("fidelity", "privacy"):
        counting = Counting(extractor)
        score_images(trio, pillar, [counting])  # type: ignore[arg-type]
        assert Counter(counting.seen) == Counter([90, 60, 75])


def test_several_extractors_are_told_apart(trio: ImageTrio, extractor: ClassifierFeatures) -> None:
    scores, notices = score_images(trio, "fidelity", [extractor, PixelFeatures(1, 16)])
    assert named(scores) == [
        *OF_FEATURES,
        *(name for name in OF_FEATURES if name != "inception_score"),
        "pyramid_distance",
    ]
    told = {(score.metric, score.detail["origin"]["extractor"]) for score in scores}
    assert len(told) == len(scores)
    assert notices == ["Inception score left out: pixels do not tell what an image shows"]
    scores, _ = score_images(trio, "privacy", [extractor, PixelFeatures(1, 16)])
    assert named(scores) == ["memorisation", "memorisation", "image_copies"]


def test_a_copier_is_flagged_and_honest_images_are_not(shared_data: Path, tmp_path: Path) -> None:
    pixels, labels = pictures(shared_data, "mnist-train", 1000)
    train, holdout, honest = (
        images(pixels[part], labels[part], tuple(range(10)))
        for part in (slice(0, 400), slice(400, 700), slice(700, 1000))
    )
    extractor = default_extractor(train, folder=tmp_path, seed=0)
    some = pixels[:300]
    brighter = (some[200:].float() * 1.1 + 5).round().clamp(0, 255).to(torch.uint8)
    copies = torch.cat([some[:50], some[50:100].flip(3), some[100:200].roll(1, 2), brighter])
    fair, _ = score_images(ImageTrio(train, holdout, honest), "privacy", [extractor])
    caught, _ = score_images(
        ImageTrio(train, holdout, images(copies, labels[:300], tuple(range(10)))),
        "privacy",
        [extractor],
    )
    for by_features, by_pixels, copied in (fair, caught):
        assert by_features.reference == pytest.approx(0.05, abs=0.04)
        assert by_pixels.reference == pytest.approx(0.05, abs=0.04)
        assert copied.reference == 0
    assert all(score.detail["p_value"] > 0.01 for score in fair[:2])
    assert fair[2].value == 0
    assert all(score.detail["p_value"] < 1e-6 for score in caught[:2])
    assert caught[2].value == 1
    assert caught[2].detail["exact"] == 50 / 300


def test_of_very_many_images_some_are_drawn_and_named_rightly(
    extractor: ClassifierFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IMAGES", 50)
    monkeypatch.setattr(module, "ORIGINALS", 70)
    train, holdout = images(*toy(90)), images(*toy(60, seed=1))
    order = torch.randperm(90, generator=torch.Generator().manual_seed(0)).numpy()
    copied = train.take(order)
    scores, notices = score_images(ImageTrio(train, holdout, copied), "privacy", [extractor])
    assert notices == [
        "Privacy is scored by 70 of 90 training images and 50 of 60 held-out images and 50 of 90 "
        "synthetic images, drawn at random"
    ]
    for score in scores:
        assert score.detail["images"] == {"reference": 70, "synthetic": 50}
    suspects = scores[1].detail["suspects"]
    exact = [entry for entry in suspects if entry["distance"] == 0]
    assert len({entry["image"] for entry in exact}) > 20
    for entry in [*exact, *scores[2].detail["copies"]]:
        assert order[entry["image"]] == entry["original"]
    assert scores[2].value == len(scores[2].detail["copies"]) / 50 > 0.5

    again, _ = score_images(ImageTrio(train, holdout, copied), "privacy", [extractor])
    other, _ = score_images(ImageTrio(train, holdout, copied, seed=1), "privacy", [extractor])
    assert again == scores
    assert other[2].detail["copies"] != scores[2].detail["copies"]
    _, notices = score_images(ImageTrio(train, holdout, holdout), "fidelity", [extractor])
    assert "50 of 90 training images" in notices[0]


def test_images_that_are_no_squares_are_scored_by_pixels(
    extractor: ClassifierFeatures, tmp_path: Path
) -> None:
    wide = ImageTrio(*(
        images(pixels[:, :, 2:12], labels)
        for pixels, labels in (toy(60), toy(50, seed=1), toy(45, seed=2))
    ))  # fmt: skip
    assert isinstance(default_extractor(wide.train, folder=tmp_path, seed=0), PixelFeatures)
    told = (
        "Features of a network left out, pixels stand for them: the images are 16 x 10 pixels, "
        "and networks here take squares"
    )
    scores, notices = score_images(wide, "fidelity", [extractor])
    assert notices[0] == told
    assert named(scores) == [
        *(name for name in OF_FEATURES if name != "inception_score"),
        "pyramid_distance",
    ]
    assert scores[0].detail["features"] == 160
    scores, notices = score_images(wide, "privacy", [])
    assert notices == [told]
    assert named(scores) == ["memorisation", "image_copies"]
    scores, notices = score_accuracy(wide, steps=2)
    assert scores == []
    assert "16 x 10" in notices[0]


def test_one_class_trains_no_classifier(tmp_path: Path) -> None:
    pixels, labels = toy(60)
    one = ImageTrio(*(images(part, labels[:20] * 0) for part in torch.split(pixels, 20)))
    extractor = default_extractor(one.train, folder=tmp_path, seed=0)
    assert isinstance(extractor, PixelFeatures)
    _, notices = score_images(one, "fidelity", [extractor])
    assert "the training images are of one class" in notices[0]


@pytest.mark.parametrize("side", [8, 128])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("counts", [(24, 45, 12), (24, 6, 30)])
def test_any_size_and_number_of_images(
    side: int,
    channels: int,
    counts: tuple[int, int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "STEPS", 2)
    trio = toys(counts, side=side, channels=channels)
    extractor = default_extractor(trio.train, folder=tmp_path, seed=0)
    scores, notices = score_images(trio, "fidelity", [extractor])
    few = counts[1] < 10
    lacking = {"frechet_per_class", *(["inception_score"] if few else [])}
    expected = [name for name in (*OF_FEATURES, "pyramid_distance") if name not in lacking]
    assert named(scores) == expected
    assert len(notices) == len(lacking)
    private, notices = score_images(trio, "privacy", [extractor])
    few = counts[1] < 40
    assert named(private) == ["memorisation"] * (0 if few else 2) + ["image_copies"]
    title = "Images closer to training images than unseen ones"
    assert notices == ([f"{title} left out: it needs 40 held-out images"] if few else [])
    for score in [*scores, *private]:
        assert math.isfinite(score.value)
        assert score.reference is not None
        assert Score.model_validate_json(score.model_dump_json()) == score


def test_a_side_without_images_and_a_single_image(extractor: ClassifierFeatures) -> None:
    full = images(*toy(45))
    none = full.take(np.arange(0))
    for place, name in enumerate(("training", "held-out", "synthetic")):
        sides = [full, full, full]
        sides[place] = none
        empty = ImageTrio(*sides)
        told = f"left out: there is no {name} image"
        assert score_images(empty, "fidelity", [extractor]) == ([], [f"Fidelity {told}"])
        assert score_images(empty, "privacy", [extractor]) == ([], [f"Privacy {told}"])
        assert score_accuracy(empty, steps=1) == ([], [f"Classification accuracy score {told}"])
    one = ImageTrio(full, full, full.take(np.arange(1)))
    scores, notices = score_images(one, "fidelity", [extractor])
    assert scores == []
    assert len(notices) == 8
    scores, _ = score_images(one, "privacy", [extractor])
    assert [score.value for score in scores] == [1, 1, 1]


def test_a_class_that_never_comes_is_named(extractor: ClassifierFeatures) -> None:
    trio = toys((45, 45, 45))
    synthetic = trio.synthetic.take(trio.synthetic.labels != 1)
    lost = ImageTrio(trio.train, trio.holdout, synthetic)
    scores, notices = score_images(lost, "fidelity", [extractor])
    assert notices == [
        "Fréchet distance per class leaves out middle: too few images of the class on a side"
    ]
    detail = scores[1].detail
    assert (detail["left_out"], set(detail["classes"])) == (["middle"], {"left", "right"})


def test_accuracy_is_that_of_its_metric_and_has_the_names_of_classes() -> None:
    trio = toys((30, 45, 30))
    (score,), notices = score_accuracy(trio, steps=8)
    pairs = [
        (torch.from_numpy(side.pixels), torch.from_numpy(side.labels))
        for side in (trio.train, trio.holdout, trio.synthetic)
    ]
    figure = classification_accuracy(*pairs, NAMES, steps=8, split="holdout")
    assert score == figure.score()
    assert set(score.detail["classes"]) == set(NAMES)
    assert (score.pillar, notices) == ("utility", [])


def test_what_cannot_be_compared_is_refused(trio: ImageTrio, extractor: ClassifierFeatures) -> None:
    other = images(trio.train.pixels, torch.from_numpy(trio.train.labels), ("a", "b", "c"))
    with pytest.raises(ValueError, match="classes"):
        ImageTrio(trio.train, other, trio.synthetic)
    with pytest.raises(ValueError, match="size"):
        ImageTrio(trio.train, trio.holdout, images(*toy(9, side=12)))
    with pytest.raises(ValueError, match="score_accuracy"):
        score_images(trio, "utility", [extractor])
