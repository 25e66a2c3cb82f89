"""A lost game is noticed within two evaluations, and the best generator is what remains."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from synthgen.errors import TrainingError
from synthgen.generators.images.watch import TURNS, ImageWatch, Judge
from synthgen.training.checkpoints import capture, restore
from synthgen.training.context import Context
from synthgen.vision.train import train_classifier

N = 120


def bars(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Class 0 is bright on the left, class 1 on the right."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    pixels = torch.randint(0, 60, (n, 1, 8, 8), generator=random, dtype=torch.uint8)
    pixels[labels == 0, :, :, :4] += 150
    pixels[labels == 1, :, :, 4:] += 150
    return pixels, labels


@cache
def judge() -> Judge:
    pixels, labels = bars(N, 0)
    return Judge(train_classifier(pixels, labels, 2, steps=40))


class Script:
    """A training whose images are given evaluation by evaluation."""

    def __init__(self, *, conditional: bool = True, classes: bool = True, steps: int = 20) -> None:
        pixels, labels = bars(N, 0)
        self.weight = nn.Linear(1, 1)
        self.adam = torch.optim.Adam(self.weight.parameters(), lr=1.0)
        self.kind = "good"
        self.won = False
        self.records: list[dict[str, float]] = []
        self.watch = ImageWatch(
            judge=judge() if classes else Judge(None),
            pixels=pixels,
            labels=labels if classes else labels * 0,
            conditional=conditional,
            draw=self.draw,
            critique=self.critique,
            parts={"network": self.weight, "adam": self.adam},
            steps=steps,
            context=Context(log=self.records.append),
        )

    def draw(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        pixels, labels = bars(n, seed)
        random = torch.Generator().manual_seed(seed)
        match self.kind:
            case "alike":
                pixels = pixels[:1].repeat(n, 1, 1, 1)
            case "swapped":
                labels = 1 - labels
            case "noise":
                pixels = torch.randint(0, 256, pixels.shape, generator=random, dtype=torch.uint8)
                told = judge().classes(pixels)
                assert told is not None
                labels = 1 - told
            case "one class":
                pixels = pixels[::2].repeat_interleave(2, 0)[:n]
            case "a quarter far":
                pixels[::4] = torch.randint(0, 256, (1, 1, 8, 8), generator=random).byte()
            case "far":
                pixels = torch.randint(0, 256, pixels.shape, generator=random, dtype=torch.uint8)
        return pixels, labels

    def critique(self, n: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        values = torch.linspace(-1, 1, n)
        return values + (5 if self.won else 0), values

    def at(self, number: int, kind: str, weight: float) -> bool:
        """One evaluation, with a network whose weight says when it was."""
        self.kind = kind
        self.weight.weight.data.fill_(weight)
        return self.watch.examine(number)

    @property
    def kept(self) -> float:
        return float(self.weight.weight.detach())


def test_a_classifier_that_knows_no_class_finds_none_lost() -> None:
    """As many images of the class that was asked for as it tells of training images: by chance."""

    class Guess:
        def features(self, pixels: Tensor) -> Tensor:
            return judge().features(pixels)

        def classes(self, pixels: Tensor) -> Tensor:
            return torch.arange(len(pixels)) % 5

    script = Script()
    guessing = ImageWatch(
        judge=cast(Judge, Guess()),
        pixels=bars(N, 0)[0],
        labels=bars(N, 0)[1],
        conditional=True,
        draw=script.draw,
        critique=script.critique,
        parts={"network": script.weight},
        steps=20,
        context=Context(log=script.records.append),
    )
    for number in (1, 2):
        script.kind = "swapped"
        guessing.examine(number)
    assert [r["fault"] for r in script.records] == [0, 0]


def test_the_best_generator_is_what_remains() -> None:
    script = Script()
    assert not script.at(1, "good", 1.0)
    assert not script.at(2, "far", 2.0)
    assert script.kept == 2.0
    script.watch.select()
    assert script.kept == 1.0
    assert [set(r) for r in script.records] == [{"step", "steps", "frechet", "fault", "turns"}] * 2
    assert [r["fault"] for r in script.records] == [0, 1]
    assert script.records[1]["frechet"] > 10 * script.records[0]["frechet"]


@pytest.mark.parametrize("kind", ["alike", "swapped", "far"])
def test_a_lost_game_turns_back_after_two_evaluations(kind: str) -> None:
    script = Script()
    script.at(1, "good", 1.0)
    assert not script.at(2, kind, 2.0)
    assert script.kept == 2.0  # once may be chance
    assert not script.at(3, kind, 3.0)
    assert script.kept == 1.0
    assert script.adam.param_groups[0]["lr"] == 0.5
    assert not script.at(4, kind, 4.0)
    assert not script.at(5, kind, 5.0)
    assert script.adam.param_groups[0]["lr"] == 0.25
    script.at(6, "good", 6.0)
    assert script.kept == 6.0


def test_each_turn_halves_the_step_size_once() -> None:
    """Also back to a state that was found after an earlier turn."""
    script = Script()
    rates = []
    for number, kind in enumerate(["a quarter far", *2 * ["alike"], "good", *2 * ["alike"]]):
        script.at(number + 1, kind, float(number))
        rates.append(script.adam.param_groups[0]["lr"])
    assert rates == [1, 1, 0.5, 0.5, 0.5, 0.25]
    assert script.kept == 3.0


def test_after_some_turns_the_training_ends_with_the_best() -> None:
    script = Script()
    script.at(1, "good", 1.0)
    numbers = range(2, 2 + 2 * (TURNS + 1))
    ended = [script.at(number, "alike", float(number)) for number in numbers]
    assert ended == [False] * (2 * TURNS + 1) + [True]
    script.watch.select()
    assert script.kept == 1.0


def test_a_critic_that_wins_everything_is_no_fault_while_images_get_better() -> None:
    script = Script()
    script.won = True
    script.at(1, "a quarter far", 1.0)
    script.at(2, "good", 2.0)
    assert [r["fault"] for r in script.records] == [0, 0]
    script.at(3, "a quarter far", 3.0)
    script.at(4, "a quarter far", 4.0)
    assert script.kept == 2.0


def test_an_unconditional_generator_is_judged_by_its_histogram_of_classes() -> None:
    script = Script(conditional=False)
    script.at(1, "good", 1.0)
    script.at(2, "swapped", 2.0)  # it was asked for nothing
    assert [r["fault"] for r in script.records] == [0, 0]
    lopsided = Script(conditional=False)
    lopsided.watch._histogram = torch.tensor([0.1, 0.9])
    lopsided.at(1, "good", 1.0)
    lopsided.at(2, "one class", 2.0)
    assert [r["fault"] for r in lopsided.records] == [0, 1]


def test_a_training_that_never_begins_ends_in_an_error() -> None:
    """Not before half of it, and 500 steps, for all begin with noise."""
    short = Script(steps=500)
    assert not any(short.at(number, "alike", 1.0) for number in range(50, 501, 50))
    script = Script(steps=2000)
    assert not any(script.at(number, "alike", 1.0) for number in range(100, 1001, 100))
    assert not script.at(1100, "alike", 1.0)
    with pytest.raises(TrainingError, match="all its images are alike") as caught:
        script.at(1200, "alike", 1.0)
    assert "r3gan" in caught.value.remedy


def test_noise_at_the_beginning_is_nothing_to_go_back_to() -> None:
    """Noise is mostly of one class: that its classes are wrong says nothing yet."""
    script = Script(steps=2000)
    assert not script.at(1, "noise", 1.0)
    for number in range(2, 12):
        assert not script.at(number, "swapped", float(number))
        assert script.kept == number
    assert script.adam.param_groups[0]["lr"] == 1.0
    script.at(12, "good", 12.0)
    script.at(13, "swapped", 13.0)
    script.at(14, "swapped", 14.0)
    assert script.kept == 12.0


def test_one_class_needs_no_classifier() -> None:
    script = Script(classes=False)
    script.at(1, "good", 1.0)
    script.at(2, "alike", 2.0)
    assert [r["fault"] for r in script.records] == [0, 1]


def test_its_state_is_part_of_a_checkpoint() -> None:
    one, other = Script(), Script()
    one.at(1, "good", 1.0)
    one.at(2, "alike", 2.0)
    restore({"watch": other.watch}, capture({"watch": one.watch}))
    results: list[Any] = [script.at(3, "alike", 3.0) for script in (one, other)]
    assert results == [False, False]
    assert one.kept == other.kept == 1.0
