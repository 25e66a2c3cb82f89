from __future__ import annotations

from pathlib import Path

import pytest
import torch

from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.base import extract
from synthgen.metrics.images.memorisation import memorisation
from synthgen.vision.features import trained_features
from synthgen.vision.pixel_features import PixelFeatures
from tests.metrics.images.clouds import cloud, sides
from tests.vision.pictures import pictures


def test_real_images_are_not_caught_and_noisy_copies_are(shared_data: Path) -> None:
    pixels, _ = pictures(shared_data, "mnist-train", 1000)
    train, holdout, honest = torch.split(pixels, [400, 300, 300])
    extractor = PixelFeatures(1, 28)
    fair = memorisation(extract(extractor, train, holdout, honest))
    assert fair.value < 0.12
    assert fair.detail["p_value"] > 0.01
    assert fair.detail["median_ratio"] == pytest.approx(1, abs=0.1)

    noise = 12 * torch.randn(honest.shape, generator=torch.Generator().manual_seed(0))
    copies = (train[:300].float() + noise).clamp(0, 255).to(torch.uint8)
    caught = memorisation(extract(extractor, train, holdout, copies))
    assert caught.value == 1
    assert caught.floor == fair.floor
    assert caught.detail["p_value"] < 1e-20
    assert caught.detail["median_ratio"] < 0.5
    suspects = caught.detail["suspects"]
    assert len(suspects) == 100
    assert all(suspect["image"] == suspect["original"] for suspect in suspects)

    # A tenth of copies among honest images is caught too, and they are those named first.
    some = memorisation(extract(extractor, train, holdout, torch.cat([copies[:60], honest])))
    assert some.detail["p_value"] < 1e-3
    assert {suspect["image"] for suspect in some.detail["suspects"][:40]} <= set(range(60))


def test_it_holds_in_features_of_a_network_trained_on_the_training_images(
    shared_data: Path, tmp_path: Path
) -> None:
    pixels, labels = pictures(shared_data, "mnist-train", 1000)
    train, holdout, honest = torch.split(pixels, [400, 300, 300])
    extractor = trained_features(train, labels[:400], 10, folder=tmp_path, steps=60)
    assert memorisation(extract(extractor, train, holdout, honest)).detail["p_value"] > 0.01
    noise = 12 * torch.randn(honest.shape, generator=torch.Generator().manual_seed(0))
    copies = (train[:300].float() + noise).clamp(0, 255).to(torch.uint8)
    caught = memorisation(extract(extractor, train, holdout, copies))
    assert caught.value > 0.9
    assert caught.detail["p_value"] < 1e-20


def test_the_share_of_honest_points_is_the_quantile() -> None:
    three = sides(cloud(500), cloud(4000, seed=1), cloud(3000, seed=2))
    for quantile in (0.05, 0.3):
        figure = memorisation(three, quantile)
        assert figure.value == pytest.approx(quantile, abs=0.03)
        assert figure.floor == pytest.approx(quantile, abs=0.03)
    assert figure.images == 3000
    assert figure.detail["floor_images"] == 2000


def test_real_data_that_repeat_themselves_set_the_floor() -> None:
    train = cloud(200)
    holdout = torch.cat([train[:100], cloud(100, seed=1)])
    figure = memorisation(sides(train, holdout, train))
    assert figure.detail["threshold"] == 0
    assert figure.floor == pytest.approx(0.5, abs=0.15)
    assert figure.value == 1
    assert figure.detail["p_value"] < 1e-6


def test_copies_differ_by_rounding_where_real_data_repeat_themselves() -> None:
    train = cloud(200)
    rounded = train * (1 + 1e-7)
    assert not torch.equal(rounded, train)
    assert memorisation(sides(train, train[:100], rounded)).value == 1
    assert memorisation(sides(train, train[:100], train * 1.01)).value == 0


def test_constant_features_and_few_images() -> None:
    constant = torch.ones(50, 4)
    figure = memorisation(sides(constant, constant, constant))
    assert (figure.value, figure.floor, figure.detail["median_ratio"]) == (1, 1, None)
    assert figure.detail["p_value"] == 1
    with pytest.raises(NotComputable, match="40 held-out"):
        memorisation(sides(constant, constant[:39], constant))
