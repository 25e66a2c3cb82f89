"""Images whose truth is known, generators whose worth is known, and a network that is quick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from synthgen.benchmark.images.arms import CHEAP_IMAGE_GENERATORS, ImageGenerator, image_ladder
from synthgen.benchmark.images.jobs import run_image_job
from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.records import JobResult
from synthgen.benchmark.schedule import due
from synthgen.data.images.images import Class, Images
from synthgen.training.context import Context

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Motifs:
    """Every class has motifs of its own, random pictures that have nothing in common; an image is
    one of them in noise. Few images show few motifs, many show all."""

    motifs: int = 200
    classes: tuple[Class, ...] = ("left", "right")
    side: int = 8
    noise: float = 10.0

    def images(self, n: int, seed: int, labels: Labels | None = None) -> Images:
        rng = np.random.default_rng(seed)
        if labels is None:
            labels = np.arange(n) % len(self.classes)
        shape = (len(self.classes), self.motifs, 1, self.side, self.side)
        pictures = np.random.default_rng(99).uniform(40, 215, shape)
        clean = pictures[labels, rng.integers(0, self.motifs, len(labels))]
        pixels = clean + rng.normal(0, self.noise, clean.shape)
        return as_images(np.clip(pixels, 0, 255).astype(np.uint8), labels, self.classes)


def as_images(pixels: NDArray[np.uint8], labels: Labels, classes: tuple[Class, ...]) -> Images:
    names = tuple(f"{i}.png" for i in range(len(labels)))
    return Images(pixels, labels.astype(np.int64), classes, names)


Draw = Callable[[Labels, np.random.Generator], NDArray[np.uint8]]
"""Pixels for images of these classes."""


@dataclass(frozen=True)
class FakeSampler:
    train: Images
    draw: Draw

    def sample(self, n: int, *, seed: int, where: Mapping[str, Class] | None = None) -> Images:
        rng = np.random.default_rng(seed)
        labels = rng.choice(self.train.labels, n)
        if where:
            labels = np.full(n, self.train.classes.index(where["label"]))
        return as_images(self.draw(labels, rng), labels, self.train.classes)


@dataclass
class Fake:
    """A generator by a function of its training images; remembers what it was fitted on."""

    make: Callable[[Images], Draw]
    seen: list[tuple[Images, int]] = field(default_factory=list)

    def fit(self, train: Images, context: Context) -> FakeSampler:
        self.seen.append((train, context.seed))
        return FakeSampler(train, self.make(train))


def oracle(world: Motifs) -> Fake:
    """Fresh images of the true process."""

    def draw(labels: Labels, rng: np.random.Generator) -> NDArray[np.uint8]:
        return world.images(len(labels), int(rng.integers(2**31)), labels).pixels

    return Fake(lambda train: draw)


def noise() -> Fake:
    """Nothing but noise, whatever the class."""

    def make(train: Images) -> Draw:
        shape = train.pixels.shape[1:]
        return lambda labels, rng: rng.integers(0, 256, (len(labels), *shape), dtype=np.uint8)

    return Fake(make)


def class_ignorer() -> Fake:
    """Training images, whatever their class."""
    return Fake(
        lambda train: lambda labels, rng: train.pixels[rng.integers(0, len(train), len(labels))]
    )


def memoriser(*, mirror: bool = False) -> Fake:
    """Training images of the class, or their mirror images."""

    def make(train: Images) -> Draw:
        def draw(labels: Labels, rng: np.random.Generator) -> NDArray[np.uint8]:
            places = [rng.choice(np.flatnonzero(train.labels == label)) for label in labels]
            pixels = train.pixels[np.array(places, dtype=np.int64)]
            return np.ascontiguousarray(pixels[..., ::-1]) if mirror else pixels

        return draw

    return Fake(make)


def measure(
    images: Images,
    settings: ImageSettings,
    generators: Mapping[str, ImageGenerator],
    seed: int = 0,
) -> list[JobResult]:
    """All jobs that come due, in this process."""
    sources = image_ladder(settings, list(generators))
    known: dict[str, ImageGenerator] = {**CHEAP_IMAGE_GENERATORS, **generators}
    results: list[JobResult] = []
    while jobs := due(settings, sources, seed, results):
        results += [run_image_job(j, images, settings, known.get(j.source.name)) for j in jobs]
    return results


def perceptron(channels: int, size: int, classes: int) -> nn.Module:
    """A learner that takes a moment."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(channels * size * size, 32), nn.ReLU(), nn.Linear(32, classes)
    )


def broken(channels: int, size: int, classes: int) -> nn.Module:
    """A learner that cannot be made."""
    raise RuntimeError("a name that is nobody's business")


PERCEPTRON = f"{__name__}:perceptron"
PLAIN: dict[str, Any] = {"filters": (), "weights": (), "mixed": False, "curve": ()}
"""Settings without the variants of a generator and without a learning curve."""
QUICK = ImageSettings(
    resamples=3,
    learners=(PERCEPTRON,),
    ratios=(0.5, 1.0),
    arms=("nothing", "flips_crops"),
    classifier_steps=20,
    batch_size=32,
    **PLAIN,
)
