"""A run that is worth little says so."""

from __future__ import annotations

from typing import Any, cast

import pytest

from synthgen.benchmark.comparison import Comparison
from synthgen.pipeline.images.doubts import doubts
from synthgen.results import Score


class Board:
    def __init__(self, *scores: float) -> None:
        self._scores = dict(enumerate(scores))

    def scores(self, arm: str, metric: str) -> dict[int, float]:
        assert (arm, metric) == ("nothing", "balanced_accuracy")
        return self._scores


def told(
    *scores: float,
    log: list[dict[str, Any]] | None = None,
    accuracy: tuple[float, float] = (0.9, 0.95),
    classes: int = 3,
) -> list[str]:
    value, reference = accuracy
    score = Score(
        metric="classification_accuracy",
        title="Classification accuracy score",
        pillar="fidelity",
        goal="max",
        value=value,
        reference=reference,
    )
    board = cast(Comparison, Board(*scores))
    return list(doubts(board, log or [], [score], classes))


def looked(step: int, fault: float, turns: float, steps: int = 400) -> dict[str, Any]:
    return {"step": step, "steps": steps, "fault": fault, "turns": turns, "frechet": 1.0}


def test_a_run_that_went_well_has_none() -> None:
    log = [{"step": 1, "steps": 400, "loss_critic": 1.0}, looked(400, 1, 0)]
    assert told(0.8, 0.9, log=log) == []
    assert told() == []


@pytest.mark.parametrize(("classes", "score", "doubted"), [(3, 0.42, 1), (10, 0.42, 0)])
def test_a_classifier_that_hardly_learned(classes: int, score: float, doubted: int) -> None:
    found = told(score - 0.01, score + 0.01, classes=classes)
    assert len(found) == doubted
    assert all("42% balanced accuracy" in one and "classifier_steps" in one for one in found)


def test_images_that_do_not_show_their_class() -> None:
    (found,) = told(0.9, accuracy=(0.28, 0.9))
    assert "28% of the sealed images (90% of as many real ones, 33% by guessing)" in found
    # Where real images do no better it is not the generator's fault.
    assert told(0.9, accuracy=(0.28, 0.35)) == []


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ([looked(200, 1, 1), looked(400, 0, 1)], "was lost once (images"),
        (
            [looked(20, 1, 3), looked(380, 1, 4)],
            "was lost 4 times and ended at step 380 of 400 (images",
        ),
    ],
)
def test_a_training_that_was_lost(log: list[dict[str, Any]], words: str) -> None:
    (found,) = told(0.9, log=log)
    assert words in found
    assert "kept" in found
