"""What the critic's images go through."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from synthgen.generators.images.augmentation import ada
from synthgen.generators.images.augmentation.ada import ADA
from synthgen.generators.images.augmentation.diffaugment import (
    DiffAugment,
    coloured,
    cut_out,
    translated,
)


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int = 64, channels: int = 3, height: int = 16, width: int = 12) -> Tensor:
    return torch.rand(n, channels, height, width, generator=random(9)) * 2 - 1


def ada_at(probability: float) -> ADA:
    augment = ADA()
    augment.probability.fill_(probability)
    return augment


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("augment", [DiffAugment(), ada_at(0.8)])
def test_gradients_pass_and_the_stream_decides(augment: DiffAugment | ADA, channels: int) -> None:
    seen = images(channels=channels).requires_grad_()
    out = augment(seen, random(1))
    assert out.shape == seen.shape
    assert torch.equal(out, augment(seen, random(1)))
    assert not torch.equal(out, augment(seen, random(2)))
    (gradient,) = torch.autograd.grad(out.sum(), seen)
    assert gradient.isfinite().all()
    assert (gradient.flatten(1).abs().sum(1) > 0).all()


def test_images_are_augmented_one_by_one() -> None:
    """An image's fate does not depend on the images beside it."""
    seen = images()
    other = torch.cat([seen[:1], -seen[1:]])
    for augment in (DiffAugment(), ada_at(0.5)):
        torch.testing.assert_close(augment(seen, random())[0], augment(other, random())[0])


def test_a_translation_moves_and_fills_with_grey() -> None:
    seen = torch.zeros(200, 1, 16, 8)
    seen[:, :, 8, 4] = 1
    moved = translated(seen, random())
    rows, columns = moved.flatten(1).argmax(1) // 8, moved.flatten(1).argmax(1) % 8
    assert set(rows.tolist()) == set(range(6, 11))  # 16 / 8 = 2 either way
    assert set(columns.tolist()) == {3, 4, 5}
    assert (moved.flatten(1).sum(1) == 1).all()
    edge = translated(torch.ones(200, 3, 16, 8), random())
    assert ((edge == 0) | (edge == 1)).all()
    assert (edge == 0).any()


def test_a_hole_is_half_the_sides_with_its_middle_inside() -> None:
    cut = cut_out(torch.ones(500, 2, 16, 12), random())
    holes = cut == 0
    assert torch.equal(holes[:, 0], holes[:, 1])
    sizes = holes[:, 0].flatten(1).sum(1)
    assert sizes.max() == 8 * 6
    assert sizes.min() >= 4 * 3
    assert holes[:, 0].any(0).all()  # everywhere


def test_colours_of_diffaugment() -> None:
    grey = torch.zeros(1000, 1, 4, 4)
    shift = coloured(grey, random())[:, 0, 0, 0]
    assert shift.min() >= -0.5
    assert shift.max() <= 0.5
    assert shift.std().item() == pytest.approx(1 / math.sqrt(12), rel=0.1)
    two = torch.tensor([-0.5, 0.5]).view(1, 1, 1, 2).repeat(1000, 1, 1, 1)
    contrast = coloured(two, random(1)).flatten(1).diff(dim=1)
    assert contrast.min() >= 0.5
    assert contrast.max() <= 1.5


def test_ada_begins_with_nothing_and_adapts_towards_its_target() -> None:
    augment, seen = ADA(), images()
    torch.testing.assert_close(augment(seen, random()), seen, atol=1e-5, rtol=0)
    for _ in range(10):
        augment.adapt(torch.ones(100))
    assert augment.probability.item() == pytest.approx(1000 / ada.IMAGES, rel=1e-4)
    augment.adapt(torch.tensor([1.0, -1.0] * 50))
    assert augment.probability.item() == pytest.approx(900 / ada.IMAGES, rel=1e-4)
    for _ in range(20):
        augment.adapt(-torch.ones(100))
    assert augment.probability.item() == 0


def test_the_probability_is_the_share_of_images_that_each_transformation_takes() -> None:
    augment, n = ada_at(0.3), 4000
    flat = torch.zeros(n, 1, 4, 4)
    shifted = augment.coloured(flat + 0.1, random())[:, 0, 0, 0] != 0.1
    # Brightness, contrast or inversion, which shows in half of its cases.
    assert shifted.double().mean().item() == pytest.approx(1 - 0.7 * 0.7 * 0.85, abs=0.03)


def sampled(place: Tensor, seen: Tensor) -> Tensor:
    grid = affine_grid(place[:, :2], list(seen.shape), align_corners=False)
    return grid_sample(seen, grid, padding_mode="reflection", align_corners=False)


def test_maps_are_flips_turns_and_shifts_of_pixels() -> None:
    seen = images(2, 1, 8, 8)
    one = torch.ones(2)
    flipped = sampled(ada._scaling(-one, one), seen)
    torch.testing.assert_close(flipped, seen.flip(3), atol=1e-5, rtol=0)
    turned = sampled(ada._turn(one * math.pi / 2, 1.0), seen)
    quarter = torch.rot90(seen, 1, (2, 3))
    other = torch.rot90(seen, -1, (2, 3))
    assert torch.allclose(turned, quarter, atol=1e-5) or torch.allclose(turned, other, atol=1e-5)
    moved = sampled(ada._shift(one * 2 / 8, 0 * one), seen)
    torch.testing.assert_close(moved[:, :, :, 1:], seen[:, :, :, :-1], atol=1e-5, rtol=0)
    larger = sampled(ada._scaling(2 * one, 2 * one), torch.ones(2, 1, 8, 8))
    torch.testing.assert_close(larger, torch.ones(2, 1, 8, 8))


def test_a_turn_of_an_oblong_image_keeps_its_angles() -> None:
    """A disc stays one (farther out, its reflections turn up)."""
    height, width = 24, 48
    y, x = torch.meshgrid(torch.arange(height) - 11.5, torch.arange(width) - 23.5, indexing="ij")
    disc = ((y**2 + x**2) < 64).float()[None, None]
    near = (y**2 + x**2) < 121
    turned = sampled(ada._turn(torch.tensor([0.9]), width / height), disc)
    assert (turned - disc).abs()[0, 0][near].mean() < 0.05
    wrong = sampled(ada._turn(torch.tensor([0.9]), 1.0), disc)
    assert (wrong - disc).abs()[0, 0][near].mean() > 0.2


def test_colour_maps_keep_what_they_should() -> None:
    angle = torch.tensor([0.0, 1.0, 2 * math.pi / 3])
    turn = ada._around_grey(angle)
    grey = torch.ones(3)
    torch.testing.assert_close(turn @ grey, grey.expand(3, 3))
    torch.testing.assert_close(turn @ turn.transpose(1, 2), torch.eye(3).expand(3, 3, 3))
    torch.testing.assert_close(torch.linalg.det(turn), torch.ones(3))
    # A third of a turn exchanges the channels.
    assert sorted((turn[2] @ torch.tensor([1.0, 0, 0])).round().tolist()) == [0, 0, 1]
