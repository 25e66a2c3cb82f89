from __future__ import annotations

import torch
from torch.nn.functional import pad

from synthgen.vision.flip_crop import crop, flip


def test_half_of_the_images_are_mirrored() -> None:
    images = torch.arange(1000 * 3 * 4 * 4).view(1000, 3, 4, 4)
    result = flip(images, torch.Generator().manual_seed(0))
    mirrored = (result == images.flip(3)).flatten(1).all(1)
    assert ((result == images).flatten(1).all(1) ^ mirrored).all()
    assert 430 < mirrored.sum() < 570


def test_crops_are_those_of_the_reflected_image_and_all_equally_likely() -> None:
    padding, side = 2, 6
    image = torch.randint(0, 256, (1, 3, side, side), dtype=torch.uint8)
    results = crop(image.expand(2500, -1, -1, -1), padding, torch.Generator().manual_seed(0))
    assert results.dtype == torch.uint8
    padded = pad(image.float(), [padding] * 4, mode="reflect").to(torch.uint8)[0]
    counts = [
        int((results == padded[:, y : y + side, x : x + side]).flatten(1).all(1).sum())
        for y in range(2 * padding + 1)
        for x in range(2 * padding + 1)
    ]
    # 100 expected for each, with deviation 10.
    assert sum(counts) == 2500
    assert min(counts) > 60
    assert max(counts) < 140


def test_the_generator_fixes_the_draws_and_no_padding_changes_nothing() -> None:
    images = torch.randint(0, 256, (20, 1, 8, 8), dtype=torch.uint8)
    draws = [crop(images, 3, torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(*draws)
    assert torch.equal(crop(images, 0, torch.Generator()), images)
