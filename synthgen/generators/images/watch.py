"""Looks at a training now and then: keeps the best generator, and turns back when the game is lost.

What is looked at are images of the generator that samples, in the features of a classifier of the
training images: their Fréchet distance (Heusel et al. 2017, arXiv 1706.08500) to training images
is the score, lower being better. Signs of a lost game are images of few kinds, classes that do not
come when they are asked for, a distance far above the best one, and a critic that tells every fake
image from every real one while the distance does not fall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from synthgen.errors import TrainingError
from synthgen.metrics.images.frechet import frechet_distance
from synthgen.training.checkpoints import Stateful, capture, restore
from synthgen.training.context import Context
from synthgen.training.randomness import derive
from synthgen.vision.classifier import Classifier

IMAGES = 1_000
"""Looked at in an evaluation, of either side at most."""
FAR = 3.0
"""Times the best distance: something went wrong."""
NARROW = 0.05
"""Of the training images' variance of features: images of one kind."""
MISSED = 0.5
"""Share of images that are not of the class that was asked for (or, of a generator that knows no
classes, that its histogram of classes is off): the classes are lost. The share is one of what the
classifier tells of training images: one that knows no class itself could find none."""
SURE = 0.999
"""Share of pairs of a real and a fake image that a critic ranks rightly: it wins everything."""
IN_A_ROW = 2
"""Bad evaluations after which it turns back."""
TURNS = 3
"""So often it turns back, with half the step size each time, before the training ends."""
BEGINNING = 500
"""Steps (and half of all) in which images may be noise, unless there was anything better."""
SIDE = 8
"""Pixels a side of what stands for features where there is no classifier."""


@dataclass(frozen=True)
class Judge:
    """What images are measured by: a classifier of the training images, or None."""

    classifier: Classifier | None

    def features(self, pixels: Tensor) -> Tensor:
        """float (n, d) of uint8 images (n, channels, height, width)."""
        if self.classifier is not None:
            return self.classifier.features(pixels)
        return adaptive_avg_pool2d(pixels.float() / 255, SIDE).flatten(1)

    def classes(self, pixels: Tensor) -> Tensor | None:
        """int64 (n,); None without a classifier."""
        if self.classifier is None:
            return None
        return self.classifier.probabilities(pixels).argmax(1).cpu()


class Critique(Protocol):
    """The critic's values (n,) of real images, and of as many fresh fake ones."""

    def __call__(self, n: int, random: torch.Generator) -> tuple[Tensor, Tensor]: ...


Draw = Callable[[int, int], tuple[Tensor, Tensor]]
"""``draw(n, seed)``: uint8 images (n, channels, height, width) of the generator that samples, and
the classes (n,) they were asked for."""


class ImageWatch:
    """Part of a checkpoint, with the best state of all ``parts``."""

    def __init__(
        self,
        *,
        judge: Judge,
        pixels: Tensor,
        labels: Tensor,
        conditional: bool,
        draw: Draw,
        critique: Critique,
        parts: Mapping[str, Stateful],
        steps: int,
        context: Context,
    ) -> None:
        """``pixels`` and ``labels`` are the training images; ``parts`` all that a step changes."""
        order = torch.randperm(
            len(pixels), generator=torch.Generator().manual_seed(derive(context.seed, "watched"))
        )[:IMAGES]
        self._judge, self._conditional, self._draw = judge, conditional, draw
        self._real = judge.features(pixels[order])
        told = judge.classes(pixels[order])
        right = 1.0
        if told is not None and conditional:
            right = float((told == labels[order].cpu()).double().mean())
        self._lost = 1 - (1 - MISSED) * right
        self._histogram = labels.bincount(minlength=int(labels.max()) + 1) / len(labels)
        self._critique, self._parts = critique, parts
        self._steps, self._context = steps, context
        self._best: dict[str, Any] = {}
        self._score = torch.inf
        self._bad = 0
        self._turns = self._best_turns = 0
        self._begun = False

    def examine(self, number: int) -> bool:
        """Look at the generator after step ``number``; True if the training is to end. Raises
        :class:`~synthgen.errors.TrainingError` if it never made anything worth keeping."""
        seed = derive(self._context.seed, f"examine {number}")
        pixels, asked = self._draw(min(IMAGES, max(len(self._real), 64)), seed)
        features = self._judge.features(pixels)
        score = frechet_distance(self._real, features)
        missed = self._missed(pixels, asked)
        fault = self._fault(features, score, missed, seed)
        record: dict[str, float] = {"step": number, "steps": self._steps, "frechet": score}
        # The first images of any training are noise, which is nothing to go back to.
        first = fault is None and missed <= self._lost and not self._begun
        if first or (fault is None and score < self._score):
            self._score = score
            self._best, self._best_turns = capture(self._parts), self._turns
        self._begun = self._begun or first
        begun = self._begun or number > max(BEGINNING, self._steps // 2)
        self._bad = self._bad + 1 if fault is not None and begun else 0
        turns = self._bad == IN_A_ROW
        self._turns += turns
        told = {"fault": float(fault is not None), "turns": float(self._turns)}
        self._context.log(record | told)
        if not turns:
            return False
        self._bad = 0
        if self._turns <= TURNS and self._best:
            self._turn_back()
            return False
        if not self._best:
            raise TrainingError(
                f"the training is lost by step {number}: {fault}",
                "lower the learning rates, give more images, or try another generator (r3gan)",
            )
        return True

    def select(self) -> None:
        """Give all parts their best state, if any evaluation found one."""
        if self._best:
            restore(self._parts, self._best)

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self._best,
            "score": self._score,
            "bad": self._bad,
            "turns": self._turns,
            "best_turns": self._best_turns,
            "begun": self._begun,
        }

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        self._best, self._score = state_dict["best"], state_dict["score"]
        self._bad, self._turns = state_dict["bad"], state_dict["turns"]
        self._best_turns = state_dict["best_turns"]
        self._begun = state_dict["begun"]

    def _turn_back(self) -> None:
        restore(self._parts, self._best)
        # The best state has the step size of its own time.
        halvings = self._turns - self._best_turns
        for part in self._parts.values():
            if isinstance(part, torch.optim.Optimizer):
                for group in part.param_groups:
                    group["lr"] *= 0.5**halvings

    def _missed(self, pixels: Tensor, asked: Tensor) -> float:
        """Share of images that are not of the class that was asked for; where none is, that would
        have to be of another one for the histogram of classes to be right."""
        told = self._judge.classes(pixels)
        if told is None:
            return 0.0
        if self._conditional:
            return float((told != asked).double().mean())
        found = told.bincount(minlength=len(self._histogram)) / len(told)
        return float((found - self._histogram).abs().sum() / 2)

    def _fault(self, features: Tensor, score: float, missed: float, seed: int) -> str | None:
        """What is wrong, in words; None if nothing is."""
        spread = features.var(0).sum() / self._real.var(0).sum().clamp_min(1e-12)
        if spread < NARROW:
            return "all its images are alike"
        if self._best and missed > self._lost:
            return "its images are not of the classes that they should be"
        if self._best and score > FAR * self._score:
            return "its images went far from the training images"
        random = torch.Generator(self._context.device).manual_seed(seed)
        real, fake = self._critique(len(features), random)
        won = (real[:, None] > fake[None]).double().mean()
        if won > SURE and score >= self._score:
            return "the critic tells every image from real ones"
        return None
