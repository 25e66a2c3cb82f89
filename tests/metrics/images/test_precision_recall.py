"""Precision, recall, density and coverage on toy clouds by brute force."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.density_coverage import density_coverage
from synthgen.metrics.images.precision_recall import precision_recall, shares
from tests.metrics.images.clouds import cloud, sides


def by_hand(real: Tensor, drawn: Tensor, k: int) -> tuple[float, float, float, float]:
    def reach(points: Tensor, i: int) -> float:
        return sorted(float((points[i] - other).norm()) for other in points)[k]

    balls = [reach(real, i) for i in range(len(real))]
    others = [reach(drawn, j) for j in range(len(drawn))]
    held = [
        [float((x - y).norm()) <= ball for x, ball in zip(real, balls, strict=True)] for y in drawn
    ]
    found = [
        any(float((x - y).norm()) <= ball for y, ball in zip(drawn, others, strict=True))
        for x in real
    ]
    return (
        sum(map(any, held)) / len(drawn),
        sum(found) / len(real),
        sum(map(sum, held)) / len(drawn) / k,
        sum(map(any, zip(*held, strict=True))) / len(real),
    )


@pytest.mark.parametrize("seed", range(3))
def test_all_four_are_those_by_hand(seed: int) -> None:
    real, drawn = cloud(24, 2, seed), cloud(24, 2, seed + 9, 0.7)
    three = sides(real, cloud(24, 2, seed + 50), drawn)
    figures = [*precision_recall(three, k=3), *density_coverage(three, k=3)]
    assert [figure.value for figure in figures] == pytest.approx(by_hand(real, drawn, 3))
    floors = by_hand(real, three.holdout, 3)
    assert [figure.floor for figure in figures] == pytest.approx(floors)
    assert [figure.metric for figure in figures] == ["precision", "recall", "density", "coverage"]


def test_a_copy_is_perfect() -> None:
    real = cloud(50)
    three = sides(real, cloud(50, seed=1), real.flip(0))
    assert [figure.value for figure in precision_recall(three)] == [1, 1]
    density, coverage = density_coverage(three)
    assert coverage.value == 1
    assert density.value >= 1


def test_a_lost_mode_costs_recall_and_coverage_and_noise_costs_precision_and_density() -> None:
    def modes(seed: int, one: bool = False) -> Tensor:
        return cloud(300, 4, seed) + (0 if one else (torch.arange(300) % 2)[:, None] * 20)

    real, holdout = modes(0), modes(1)
    lost = sides(real, holdout, modes(2, one=True))
    precision, recall = precision_recall(lost)
    assert precision.value > 0.8
    assert recall.value < 0.6
    assert density_coverage(lost)[1].value < 0.6
    noisy = sides(real, holdout, modes(2) * 3)
    assert precision_recall(noisy)[0].value < 0.5
    assert density_coverage(noisy)[0].value < 0.5
    for figure in (*precision_recall(noisy), *density_coverage(noisy)):
        assert figure.floor > 0.8
        assert figure.images == figure.reference_images == 300


def test_constant_features_and_few_images() -> None:
    constant = torch.ones(20, 4)
    three = sides(constant, constant, constant + 1)
    assert [figure.value for figure in precision_recall(three)] == [0, 0]
    assert [figure.floor for figure in precision_recall(three)] == [1, 1]
    assert shares(constant, torch.zeros(20), constant, 3) == (1, 1)
    with pytest.raises(NotComputable, match="needs 4"):
        precision_recall(sides(cloud(3), cloud(9), cloud(9)))
    with pytest.raises(NotComputable, match="needs 6"):
        density_coverage(sides(cloud(9), cloud(5), cloud(9)))
