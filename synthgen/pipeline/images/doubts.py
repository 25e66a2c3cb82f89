"""What makes a run on images worth little, whatever its verdict: a classifier that hardly learned,
a generator whose training was lost, images that do not show their class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from synthgen.benchmark.comparison import Comparison
from synthgen.results import Score

NEAR = 0.2
"""So little of the way from guessing to a perfect score is hardly more than guessing."""


def doubts(
    board: Comparison, log: Sequence[Mapping[str, Any]], scores: Sequence[Score], classes: int
) -> Iterator[str]:
    """Notices. ``log``: the records of the generator's training; ``scores``: the classification
    accuracy score among them."""
    reached = list(board.scores("nothing", "balanced_accuracy").values())
    guessed = 1 / classes
    if reached and _way(float(np.mean(reached)), guessed) < NEAR:
        yield (
            f"Your images alone bring the classifier to {np.mean(reached):.0%} balanced accuracy, "
            f"and guessing reaches {guessed:.0%}: the verdict is about a classifier that hardly "
            "learned; raise decide.classifier_steps, give a better one by decide.learners, or "
            "collect more images"
        )
    for score in scores:
        real = score.reference
        if score.metric != "classification_accuracy" or real is None:
            continue
        if _way(score.value, guessed) < NEAR <= _way(real, guessed):
            yield (
                f"A classifier of synthetic images alone is right in {score.value:.0%} of the "
                f"sealed images ({real:.0%} of as many real ones, {guessed:.0%} by guessing): the "
                "generated images hardly show their class"
            )
    yield from _lost(log)


def _way(accuracy: float, guessed: float) -> float:
    return (accuracy - guessed) / (1 - guessed)


def _lost(log: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    turns = max((int(record.get("turns") or 0) for record in log), default=0)
    if not turns:
        return
    looks = [record for record in log if record.get("fault") is not None]
    step, steps = int(looks[-1]["step"]), int(looks[-1]["steps"])
    ended = f" and ended at step {step:,} of {steps:,}" if step < steps else ""
    yield (
        f"The training of the generator was lost {'once' if turns == 1 else f'{turns} times'}"
        f"{ended} (images of few kinds or of wrong classes, or a critic that won): the best "
        "generator on the way is kept; more images, or another generator, may do better"
    )
