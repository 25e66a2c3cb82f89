"""Drawing images from a fitted model: what a recipe asks for, without copies of training images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch

from synthgen.benchmark.arms import lacking_counts
from synthgen.benchmark.filters import TIMES
from synthgen.benchmark.images.arms import ImageSampler
from synthgen.benchmark.images.filters import surest
from synthgen.benchmark.images.learners import Labelled, Training, predict
from synthgen.config import ImageConfig
from synthgen.data.images.images import Class, Images
from synthgen.metrics.images.copies import find_copies
from synthgen.pipeline.machine import device
from synthgen.pipeline.seeds import derive
from synthgen.results import Recipe
from synthgen.vision.classifier import Classifier

ROUNDS = 10
"""Redraws at most to replace dropped copies."""


@dataclass(frozen=True)
class DrawnImages:
    """``images`` that came, of ``wanted``; ``dropped`` copies of training images were left out."""

    images: Images
    wanted: int
    dropped: int

    @property
    def notices(self) -> list[str]:
        """What the user should know of it, a sentence each."""
        found = []
        if self.dropped:
            found.append(f"{self.dropped} draws were copies of training images and left out")
        if len(self.images) < self.wanted:
            found.append(
                f"{len(self.images)} of {self.wanted} images came: too few draws were new and of "
                "the class that was asked for"
            )
        return found


def draw(
    sampler: ImageSampler,
    train: Images,
    n: int,
    *,
    seed: int,
    where: Mapping[str, Class] | None = None,
    policy: Literal["drop", "allow"] = "drop",
) -> DrawnImages:
    """``n`` images, with copies of training images (equal, mirrored, moved by a pixel or slightly
    brightened) replaced by further draws; fewer if :data:`ROUNDS` redraws do not suffice."""
    nothing = train.take(np.arange(0))
    if policy == "allow":
        return DrawnImages(nothing.concat(sampler.sample(n, seed=seed, where=where)), n, 0)
    known = torch.from_numpy(train.pixels)
    found, dropped = nothing, 0
    for attempt in range(ROUNDS):
        # Beyond the first draw some surplus, so that a copy-prone model needs few rounds.
        wanted = n if attempt == 0 else max(64, 2 * (n - len(found)))
        drawn = sampler.sample(wanted, seed=derive(seed, f"round {attempt}"), where=where)
        if len(drawn) == 0:
            break
        copied = np.zeros(len(drawn), dtype=bool)
        copied[[copy.image for copy in find_copies(known, torch.from_numpy(drawn.pixels))]] = True
        dropped += int(copied.sum())
        found = found.concat(drawn.take(~copied))
        if len(found) >= n:
            break
    return DrawnImages(found.take(np.arange(min(n, len(found)))), n, dropped)


def draw_recipe(
    sampler: ImageSampler, train: Images, recipe: Recipe, config: ImageConfig
) -> tuple[DrawnImages, list[DrawnImages]]:
    """Unconditional images, at least as many as there are training images; and the recipe's own
    where they are not simply the first of these (balanced or filtered ones)."""
    ratio = recipe.ratio
    wanted = round(max(1.0, ratio if isinstance(ratio, float) else 0.0) * len(train))
    policy = config.sample.copies
    drawn = draw(sampler, train, wanted, seed=derive(config.seed, "sample"), policy=policy)
    if ratio is None or (ratio != "balanced" and recipe.filter is None):
        return drawn, []
    teacher = None if recipe.filter is None else teach(train, config)
    times = 1 if teacher is None else TIMES
    if ratio != "balanced":
        wanted = round(ratio * len(train))
        seed = derive(config.seed, "filtered")
        many = draw(sampler, train, times * wanted, seed=seed, policy=policy)
        return drawn, [_selected(many, wanted, teacher)]
    parts = []
    for code, lack in lacking_counts(train.counts()).items():
        seed = derive(config.seed, f"balance {code}")
        where = {"label": train.classes[code]}
        many = draw(sampler, train, times * lack, seed=seed, where=where, policy=policy)
        parts.append(_selected(many, lack, teacher))
    return drawn, parts


def training_of(train: Images, config: ImageConfig) -> Training:
    """What every classifier of the run's training images has in common."""
    decide = config.decide
    return Training(
        classes=len(train.classes),
        steps=decide.steps(min(len(train), decide.max_rows or len(train))),
        batch_size=decide.batch_size,
        mirrored=decide.mirrored,
        device=device(config),
    )


def teach(train: Images, config: ImageConfig) -> Classifier:
    """The filter's classifier: the first learner, trained on the training images as they are."""
    images, seed = Labelled.of(train), derive(config.seed, "teacher")
    training = training_of(train, config)
    return training.train(config.decide.learners[0], images, seed, Recipe(), len(train))


def _selected(many: DrawnImages, wanted: int, teacher: Classifier | None) -> DrawnImages:
    if teacher is None or len(many.images) == 0:
        return many
    images = many.images
    kept = surest(predict(teacher, Labelled.of(images)), images.labels, wanted)
    return DrawnImages(images.take(kept), wanted, many.dropped)


def numbered(parts: list[Images]) -> Images:
    """All of them one after the other, with names that say in which order they were drawn."""
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.concat(part)
    names = tuple(f"synthetic-{number:07d}.png" for number in range(len(whole)))
    return replace(whole, names=names, groups=None)
