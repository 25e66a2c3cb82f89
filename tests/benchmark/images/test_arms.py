from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

from synthgen.benchmark.arms import ROWS
from synthgen.benchmark.images.arms import draw_images, image_ladder
from synthgen.benchmark.images.duplicates import Duplicates
from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.settings import DecideSettings
from synthgen.data.images.images import Images
from synthgen.errors import ConfigError
from synthgen.training.context import Context
from tests.benchmark.images.worlds import Motifs

WORLD = Motifs(motifs=3, classes=("a", "b", "c"))


def _images(*counts: int) -> Images:
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    return WORLD.images(len(labels), 0, labels)


def test_the_ladder_is_the_images_then_duplicates_then_the_generators() -> None:
    rows, oversample, placebo, gan = image_ladder(ImageSettings(), ["dcgan"])
    assert rows.name == ROWS
    assert {arm.name: arm.treatment for arm in rows.arms} == {
        "nothing": "plain",
        "class_weights": "balanced",
        "flips_crops": "flips_crops",
        "randaugment": "randaugment",
        "mixup": "mixup",
    }
    assert (oversample.ratios, placebo.ratios) == (("balanced",), (1.0,))
    assert [source.candidate for source in (rows, oversample, placebo, gan)] == [False] * 3 + [True]
    assert gan.ratios == (0.25, 0.5, 1.0, "balanced")
    assert {arm.name: arm.treatment for arm in gan.arms} == {
        "dcgan": "raw",
        "dcgan-filtered": "filtered",
        "dcgan-weighted": "weighted",
        "dcgan-mixed": "mixed",
    }


def test_a_ladder_without_variants_and_a_generator_called_like_an_arm() -> None:
    settings = ImageSettings(arms=("nothing", "placebo"), filters=(), weights=(), mixed=False)
    rows, placebo = image_ladder(settings, ["placebo"])
    assert [arm.name for arm in rows.arms] == ["nothing"]
    assert placebo.candidate
    assert [arm.name for arm in placebo.arms] == ["placebo"]


def test_duplicates_are_training_images_of_the_class_that_is_asked_for() -> None:
    train = _images(5, 3, 2)
    known = {image.tobytes() for image in train.pixels}
    sampler = Duplicates().fit(train, Context())
    every, some = sampler.sample(40, seed=3), sampler.sample(9, seed=3, where={"label": "b"})
    assert len(every) == 40
    assert set(every.labels.tolist()) == {0, 1, 2}
    assert some.labels.tolist() == [1] * 9
    for drawn in (every, some):
        assert {image.tobytes() for image in drawn.pixels} <= known
    assert np.array_equal(every.pixels, sampler.sample(40, seed=3).pixels)
    assert not np.array_equal(every.pixels, sampler.sample(40, seed=4).pixels)
    assert len(sampler.sample(0, seed=0)) == 0


def test_balancing_draws_what_each_class_lacks() -> None:
    train = _images(5, 3, 2)
    sampler = Duplicates().fit(train, Context())
    drawn = draw_images(sampler, train, "balanced", seed=0)
    assert (drawn.images.counts().tolist(), drawn.wanted) == ([0, 2, 3], 5)
    twice = draw_images(sampler, train, "balanced", seed=0, times=2)
    assert (twice.images.counts().tolist(), twice.wanted) == ([0, 4, 6], 10)
    half = draw_images(sampler, train, 0.5, seed=0)
    assert (len(half.images), half.wanted) == (5, 5)
    full = _images(2, 2, 2)
    drawn = draw_images(Duplicates().fit(full, Context()), full, "balanced", seed=0)
    assert (len(drawn.images), drawn.wanted) == (0, 0)


def test_other_classes_are_refused() -> None:
    train, other = _images(5, 3, 2), Motifs(motifs=3).images(6, 0)
    sampler = Duplicates().fit(other, Context())
    with pytest.raises(ValueError, match="other classes"):
        draw_images(sampler, train, 1.0, seed=0)


def test_settings_of_images_refuse_what_is_for_tables_and_the_other_way_round() -> None:
    for wrong in (
        {"arms": ("nothing", "threshold")},
        {"arms": ("mixup",)},
        {"metric": "r2"},
        {"filters": ("boundary",)},
        {"learners": ("forest",)},
        {"learners": ("module:",)},
    ):
        with pytest.raises(ValidationError):
            ImageSettings.model_validate(wrong)
    with pytest.raises(ConfigError, match="mixup"):
        DecideSettings(arms=("nothing", "mixup")).for_task("classification")
    settings = ImageSettings(learners=("small-cnn", "package.module:Network"))
    assert settings.for_task("classification") == settings
    assert ImageSettings.model_validate(json.loads(settings.model_dump_json())) == settings


def test_steps_grow_far_slower_than_images() -> None:
    settings = ImageSettings()
    found = [settings.steps(n) for n in (20, 200, 1600, 50_000)]
    assert found == [200, 200, 400, 1260]
    assert ImageSettings(classifier_steps=7).steps(50_000) == 7
