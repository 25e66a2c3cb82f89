from __future__ import annotations

from pathlib import Path

import pytest
import torch
from scipy.stats import wasserstein_distance

from synthgen.errors import DataError
from synthgen.metrics.base import NotComputable
from synthgen.metrics.images import sliced_wasserstein as module
from synthgen.metrics.images.laplacian import enlarged, patches, pyramid
from synthgen.metrics.images.sliced_wasserstein import (
    pyramid_distance,
    sliced_distance,
    sliced_wasserstein,
)
from synthgen.vision import pixels as pixels_module
from tests.metrics.images.clouds import cloud, sides
from tests.vision.pictures import pictures, toy


def test_along_one_axis_it_is_scipys() -> None:
    a, b = cloud(80, 1), cloud(80, 1, 1, 0.4)
    expected = wasserstein_distance(a[:, 0].numpy(), b[:, 0].numpy())
    assert sliced_distance(a, b, 7, 0) == pytest.approx(expected)


def test_a_move_is_seen_at_its_mean_length_along_all_directions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a = cloud(50, 3)
    moved = a + torch.tensor([0.0, 0, 2], dtype=torch.float64)
    # The mean of |cos| over the sphere is 1/2.
    value = sliced_distance(a, moved, 4000, 0)
    assert value == pytest.approx(1, abs=0.03)
    assert sliced_distance(a, a.flip(0), 100, 0) == 0
    monkeypatch.setattr(module, "_CELLS", 1)
    assert sliced_distance(a, moved, 4000, 0) == pytest.approx(value)


def test_features_beside_their_floor() -> None:
    reference, holdout = cloud(300), cloud(200, seed=1)
    good = sliced_wasserstein(sides(reference, holdout, cloud(250, seed=2)))
    bad = sliced_wasserstein(sides(reference, holdout, cloud(250, seed=2, shift=0.5)))
    assert good.value == pytest.approx(good.floor, rel=0.5)
    assert bad.value > 3 * bad.floor
    assert bad.images == bad.reference_images == 200
    with pytest.raises(NotComputable):
        sliced_wasserstein(sides(cloud(1), holdout, holdout))


@pytest.mark.parametrize(("side", "levels"), [(8, 1), (28, 1), (32, 2), (33, 1), (128, 4)])
@pytest.mark.parametrize("more", [0, 32])
def test_the_pyramid_adds_up_to_the_image(side: int, levels: int, more: int) -> None:
    pixels = torch.randint(0, 256, (2, 3, side, side + more), dtype=torch.uint8)
    parts = pyramid(pixels)
    assert len(parts) == levels
    whole = parts[-1]
    for part in reversed(parts[:-1]):
        whole = enlarged(whole) + part
    assert torch.allclose(whole, pixels.float(), atol=1e-3)


def test_a_smooth_image_has_no_fine_level() -> None:
    parts = pyramid(torch.full((1, 1, 64, 64), 90, dtype=torch.uint8))
    assert torch.allclose(parts[-1], torch.full((1, 1, 16, 16), 90.0), atol=1e-3)
    assert parts[0][..., 4:-4, 4:-4].abs().max() < 1e-3


def test_patches_lie_in_their_images() -> None:
    level = torch.arange(2 * 3 * 9 * 11.0).view(2, 3, 9, 11)
    rows = patches(level, torch.Generator().manual_seed(0), 50).view(2, 50, 3, 7, 7)
    corners = set()
    for image in range(2):
        for patch in rows[image]:
            start = int(patch[0, 0, 0]) - image * 297
            y, x = divmod(start, 11)
            corners.add((y, x))
            assert torch.equal(patch, level[image, :, y : y + 7, x : x + 7])
    assert len(corners) == 3 * 5  # all there are


@pytest.mark.parametrize("values", [1 << 22, 1 << 15], ids=["whole", "blocks"])
def test_blur_and_brightness_are_seen_on_their_levels(
    values: int, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels_module, "_VALUES", values)
    pixels, _ = pictures(shared_data, "cifar10-test", 600)
    reference, holdout, synthetic = torch.split(pixels, 200)
    same = pyramid_distance(reference, holdout, synthetic, directions=64)
    assert same.value == pytest.approx(same.floor, rel=0.5)
    assert set(same.detail["levels"]) == {"32", "16"}
    coarse = torch.nn.functional.avg_pool2d(synthetic.float(), 2)
    blurred = torch.nn.functional.interpolate(coarse, scale_factor=2).to(torch.uint8)
    fine = pyramid_distance(reference, holdout, blurred, directions=64).detail["levels"]["32"]
    assert fine["value"] > 3 * fine["floor"]
    brighter = (synthetic.float() + 60).clamp(0, 255).to(torch.uint8)
    coarsest = pyramid_distance(reference, holdout, brighter, directions=64).detail["levels"]["16"]
    assert coarsest["value"] > 3 * coarsest["floor"]


def test_sides_are_cut_equal_constant_images_and_errors() -> None:
    pixels, _ = toy(40)
    figure = pyramid_distance(pixels, pixels[:9], pixels[:20], directions=8, images=30)
    assert figure.images == figure.reference_images == 9
    assert figure.origin.extractor == "pixels"
    blank = torch.zeros(5, 1, 16, 16, dtype=torch.uint8)
    assert pyramid_distance(blank, blank, blank, directions=8).value == 0
    with pytest.raises(NotComputable):
        pyramid_distance(pixels, pixels, pixels[:1])
    with pytest.raises(DataError):
        pyramid_distance(pixels, pixels.float(), pixels)
