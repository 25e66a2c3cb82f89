from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import polynomial_kernel
from torch import Tensor, nn
from torchmetrics.image.kid import KernelInceptionDistance

from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.kernel import kernel, kernel_distance
from tests.metrics.images.clouds import cloud, sides


def test_it_is_the_unbiased_estimate_written_out() -> None:
    a, b = cloud(20, 5), cloud(13, 5, 1, 0.4)
    inner = [polynomial_kernel(x.numpy(), degree=3) for x in (a, b)]
    cross = polynomial_kernel(a.numpy(), b.numpy(), degree=3)
    expected = -2 * cross.mean()
    for matrix in inner:
        count = len(matrix)
        expected += (matrix.sum() - np.trace(matrix)) / (count * (count - 1))
    assert float(kernel_distance(a, b)) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:Metric .* will save all extracted features")
def test_it_is_torchmetrics() -> None:
    class Itself(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.flatten(1).float() / 100

    first = torch.randint(0, 256, (60, 1, 3, 4), dtype=torch.uint8)
    second = torch.randint(40, 230, (60, 1, 3, 4), dtype=torch.uint8)
    # One subset of all images: whatever order they come in, the figure is the same.
    metric = KernelInceptionDistance(Itself(), subsets=1, subset_size=60)
    metric.update(first, real=True)
    metric.update(second, real=False)
    ours = kernel_distance(first.flatten(1).double() / 100, second.flatten(1).double() / 100)
    assert float(ours) == pytest.approx(float(metric.compute()[0]), rel=1e-4)


def test_it_is_zero_in_expectation_however_few_images() -> None:
    values = torch.stack(
        [kernel_distance(cloud(10, 4, s), cloud(10, 4, s + 999)) for s in range(400)]
    )
    assert abs(values.mean()) < 3 * values.std() / 400**0.5
    assert (values < 0).any()


def test_subsets_and_floor() -> None:
    reference, holdout = cloud(300), cloud(100, seed=1)
    good = kernel(sides(reference, holdout, cloud(150, seed=2)), subsets=20, size=50)
    bad = kernel(sides(reference, holdout, cloud(150, seed=2, shift=0.5)), subsets=20, size=50)
    assert abs(good.value - good.floor) < 0.1
    assert bad.value > 0.3
    assert bad.floor == good.floor
    assert bad.detail["subset_images"] == 50
    assert bad.detail["deviation"] > 0
    few = kernel(sides(reference, holdout, cloud(9, seed=2)), subsets=5)
    assert few.detail["subset_images"] == 9
    assert few.detail["deviation"] > 0
    # A subset of all images is always the same.
    assert "deviation" not in kernel(sides(cloud(9), cloud(9, seed=1), cloud(9, seed=2))).detail
    with pytest.raises(NotComputable):
        kernel(sides(reference, holdout, cloud(1)))


def test_constant_features_are_no_distance_apart() -> None:
    constant = torch.ones(10, 4)
    assert float(kernel_distance(constant, constant)) == pytest.approx(0, abs=1e-12)
