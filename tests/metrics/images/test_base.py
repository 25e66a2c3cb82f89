from __future__ import annotations

import pytest
import torch

from synthgen.errors import DataError
from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.base import Figure, Origin, all_equal, equal, extract, subsample
from synthgen.vision.pixel_features import PixelFeatures
from tests.metrics.images.clouds import ORIGIN, cloud, sides
from tests.vision.pictures import toy


def test_synthetic_and_held_out_images_are_equally_many() -> None:
    three = sides(cloud(50), cloud(20, seed=1), cloud(33, seed=2))
    synthetic, stand_in = equal(three)
    assert len(synthetic) == len(stand_in) == 20
    assert torch.equal(stand_in, three.holdout)
    assert [len(side) for side in all_equal(sides(cloud(9), cloud(20), cloud(33)))] == [9, 9, 9]
    with pytest.raises(NotComputable, match="needs 21"):
        equal(three, 21)


def test_a_subsample_keeps_the_order_and_follows_from_the_seed() -> None:
    values = torch.arange(100)[:, None]
    drawn = subsample(values, 30, 5)
    assert torch.equal(drawn, subsample(values, 30, 5))
    assert not torch.equal(drawn, subsample(values, 30, 6))
    assert (drawn.diff(dim=0) > 0).all()
    assert subsample(values, 100, 0) is values


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (torch.full((5, 8), torch.nan), "not all finite"),
        (torch.full((5, 8), torch.inf), "not all finite"),
        (torch.ones(5, 8, dtype=torch.int64), "int64"),
        (torch.ones(5), "shape"),
        (torch.ones(0, 8), "shape"),
        (torch.ones(5, 7), "different lengths"),
    ],
)
@pytest.mark.parametrize("place", range(3))
def test_wrong_features_are_told(bad: torch.Tensor, words: str, place: int) -> None:
    three = [cloud(5), cloud(5), cloud(5)]
    three[place] = bad
    with pytest.raises(DataError, match=words):
        sides(*three)


def test_a_figure_carries_where_it_comes_from_into_the_report() -> None:
    pixels, _ = toy(12, side=20)
    three = extract(PixelFeatures(1, 20), pixels[:6], pixels[6:9], pixels[9:], split="half", seed=3)
    assert three.origin == Origin("pixels", "1", "averaged to 16 x 16", "half")
    assert three.dimension == 256
    figure = Figure("m", "M", "fidelity", "min", 2.0, 1.0, three.origin, 6, 3, {"k": 3})
    score = figure.score()
    assert (score.metric, score.value, score.reference, score.goal) == ("m", 2.0, 1.0, "min")
    assert score.detail == {
        "k": 3,
        "images": {"reference": 6, "synthetic": 3},
        "origin": {
            "extractor": "pixels",
            "version": "1",
            "resize": "averaged to 16 x 16",
            "reference": "half",
        },
    }
    assert ORIGIN.reference == "train"
