"""A closed form, scipy's matrix square root, torchmetrics, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.frechet import frechet, frechet_distance
from synthgen.metrics.images.frechet_per_class import frechet_per_class
from tests.metrics.images.clouds import cloud, sides


def exactly(mean: Tensor, covariance: Tensor, count: int, seed: int) -> Tensor:
    """Points with just this mean and covariance."""
    raw = cloud(count, len(mean), seed)
    raw -= raw.mean(0)
    white = raw @ torch.linalg.inv(torch.linalg.cholesky(raw.T @ raw / (count - 1))).T
    return white @ torch.linalg.cholesky(covariance).T + mean


def scipys(first: Tensor, second: Tensor) -> float:
    a, b = first.double().numpy(), second.double().numpy()
    covariances = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))
    root = sqrtm(covariances[0] @ covariances[1]).real
    gap = a.mean(0) - b.mean(0)
    return float(gap @ gap + np.trace(covariances[0] + covariances[1] - 2 * root))


def test_gaussians_have_a_closed_form() -> None:
    # Of diagonal covariances: |m1 - m2|^2 + sum (s1 - s2)^2.
    mean = torch.tensor([1.0, -2, 0.5], dtype=torch.float64)
    deviation = torch.tensor([1.0, 3, 0.2], dtype=torch.float64)
    first = exactly(torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64), 50, 0)
    second = exactly(mean, deviation.square().diag(), 70, 1)
    expected = float(mean.square().sum() + (deviation - 1).square().sum())
    assert frechet_distance(first, second) == pytest.approx(expected, abs=1e-10)
    turn, _ = torch.linalg.qr(cloud(3, 3, 5))
    assert frechet_distance(first @ turn, second @ turn) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("count", "dimension"), [(300, 1), (300, 20), (15, 40)])
def test_it_is_scipys_and_symmetric(count: int, dimension: int) -> None:
    mix = cloud(dimension, dimension, 3)
    first, second = cloud(count, dimension, 1) @ mix, cloud(count + 9, dimension, 2, 0.3)
    expected = scipys(first, second)
    # Without full rank scipy's square root is good to four digits.
    near = 1e-8 if count > dimension else 1e-3
    assert frechet_distance(first, second) == pytest.approx(expected, rel=near)
    assert frechet_distance(second, first) == pytest.approx(frechet_distance(first, second))


def test_it_is_torchmetrics() -> None:
    class Itself(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.flatten(1).double()

    first = torch.randint(0, 256, (200, 1, 3, 4), dtype=torch.uint8)
    second = torch.randint(40, 230, (200, 1, 3, 4), dtype=torch.uint8)
    metric = FrechetInceptionDistance(Itself(), input_img_size=(1, 3, 4)).set_dtype(torch.float64)
    metric.update(first, real=True)
    metric.update(second, real=False)
    ours = frechet_distance(first.flatten(1).double(), second.flatten(1).double())
    assert ours == pytest.approx(float(metric.compute()), rel=1e-6)


def test_copies_constants_and_few_images() -> None:
    points = cloud(30, 8).float()
    assert frechet_distance(points, points) == pytest.approx(0, abs=1e-10)
    few = cloud(5, 60)
    assert frechet_distance(few, few.flip(0)) == pytest.approx(0, abs=1e-6)
    constant = torch.full((9, 8), 2.0)
    assert frechet_distance(constant, constant) == 0
    assert frechet_distance(constant, constant + 1) == pytest.approx(8)


def test_the_floor_is_that_of_real_images_and_a_fault_lies_above() -> None:
    reference, holdout = cloud(400), cloud(100, seed=1)
    good = frechet(sides(reference, holdout, cloud(250, seed=2)))
    assert (good.images, good.reference_images) == (100, 400)
    assert good.floor == pytest.approx(frechet_distance(reference, holdout))
    assert good.value == pytest.approx(good.floor, rel=0.5)
    bad = frechet(sides(reference, holdout, cloud(250, seed=2, shift=0.5)))
    assert bad.value > 2 * bad.floor
    assert not bad.detail["singular"]
    assert frechet(sides(cloud(8), cloud(8), cloud(8))).detail["singular"]
    with pytest.raises(NotComputable):
        frechet(sides(reference, holdout, cloud(1)))


def test_images_of_the_wrong_class_show_in_the_classes_only() -> None:
    labels = torch.arange(200) % 2
    offset = labels[:, None] * 6.0
    reference, holdout, synthetic = (cloud(200, seed=seed) + offset for seed in range(3))
    three = sides(reference, holdout, synthetic)
    right = frechet_per_class(three, labels, labels, labels, ("cat", "dog"))
    wrong = frechet_per_class(three, labels, labels, 1 - labels, ("cat", "dog"))
    assert right.value == pytest.approx(right.floor, rel=0.5)
    assert wrong.value > 100 * right.value
    assert wrong.floor == right.floor
    assert frechet(three).value < 1
    assert right.detail["classes"]["cat"]["value"] == pytest.approx(
        frechet_distance(reference[labels == 0], synthetic[labels == 0])
    )
    assert right.images == 200


def test_classes_without_images_are_named() -> None:
    three = sides(cloud(60), cloud(60, seed=1), cloud(60, seed=2))
    labels = torch.arange(60) % 3
    names = (3, 5, 8, 9)  # nothing is 9
    found = frechet_per_class(three, labels, labels, labels.clamp_max(1), names)
    assert found.detail["left_out"] == ["8"]
    assert set(found.detail["classes"]) == {"3", "5"}
    with pytest.raises(NotComputable, match="no class has 100"):
        frechet_per_class(three, labels, labels, labels, names, least=100)
