from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image.inception import InceptionScore

from synthgen.errors import DataError
from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.inception_score import inception_score, score
from tests.metrics.images.clouds import ORIGIN, cloud


def test_the_ends_of_its_range() -> None:
    certain = torch.eye(7).repeat(10, 1)
    assert float(score(certain)) == pytest.approx(7)
    assert float(score(torch.full((20, 7), 1 / 7))) == pytest.approx(1)
    assert float(score(certain[:1].expand(20, 7))) == pytest.approx(1)  # a single class


@pytest.mark.filterwarnings("ignore:std", "ignore:Metric .* will save all extracted features")
def test_it_is_torchmetrics() -> None:
    class Itself(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.flatten(1).float() / 50

    images = torch.randint(0, 256, (90, 1, 2, 3), dtype=torch.uint8)
    metric = InceptionScore(Itself(), splits=1)
    metric.update(images)
    ours = score((images.flatten(1).double() / 50).softmax(1))
    assert float(ours) == pytest.approx(float(metric.compute()[0]), rel=1e-5)


def test_value_floor_and_a_lost_class() -> None:
    real = (cloud(400, 5) * 4).softmax(1)
    whole = inception_score(real[:200], real[200:], ORIGIN)
    assert whole.value == pytest.approx(whole.floor, rel=0.15)
    lost = inception_score(real[:200], real[real.argmax(1) > 1], ORIGIN)
    assert lost.value < 0.85 * lost.floor
    # Images sorted by class score the same.
    by_class = real[200:][real[200:].argmax(1).argsort()]
    assert inception_score(real[:200], by_class, ORIGIN).value == pytest.approx(
        whole.value, rel=0.05
    )


def test_too_few_images_and_nan() -> None:
    few = torch.full((9, 3), 1 / 3)
    with pytest.raises(NotComputable, match="needs 10"):
        inception_score(few, few, ORIGIN)
    with pytest.raises(DataError, match="not all finite"):
        inception_score(few, few * torch.nan, ORIGIN)
