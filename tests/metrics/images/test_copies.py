from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from synthgen.errors import DataError
from synthgen.metrics.images import copies as module
from synthgen.metrics.images.copies import Copy, find_copies, image_copies
from tests.vision.pictures import pictures


@pytest.fixture(scope="module", params=["mnist-test", "cifar10-test"])
def images(request: pytest.FixtureRequest, shared_data: Path) -> tuple[Tensor, Tensor]:
    """Training images and others."""
    pixels, _ = pictures(shared_data, request.param, 600)
    return pixels[:400], pixels[400:]


def scaled(images: Tensor, gain: float, offset: float = 0) -> Tensor:
    return (images.float() * gain + offset).round().clamp(0, 255).to(torch.uint8)


def test_real_images_are_no_copies(images: tuple[Tensor, Tensor]) -> None:
    assert find_copies(*images) == []


def test_every_copy_is_found_with_its_original_and_its_change(
    images: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CELLS", 1 << 14)  # several blocks
    train, _ = images
    some = train[:60]
    noise = torch.randint(0, 256, some.shape, dtype=torch.uint8)
    framed = noise.clone()
    framed[..., 1:-1, 1:-1] = some[..., 1:-1, 1:-1]
    for changed, expected in (
        (some, {"exact": True}),
        (some.flip(3), {"flipped": True}),
        (framed, {}),
        *(
            (some.roll((down, right), (2, 3)), {"down": down, "right": right})
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
            if (down, right) != (0, 0)
        ),
        (some.flip(3).roll((1, -1), (2, 3)), {"flipped": True, "down": 1, "right": -1}),
    ):
        assert find_copies(train, changed) == [
            Copy(**{"image": place, "original": place, "exact": False, **expected})
            for place in range(60)
        ]
    for gain, offset, flipped in (
        (1.1, 0, False),
        (0.85, 0, True),
        (1, 15, False),
        (1.1, -9, True),
    ):
        found = find_copies(train, scaled(some.flip(3) if flipped else some, gain, offset))
        assert [copy.original for copy in found] == list(range(60))
        assert all(copy.flipped == flipped and not copy.exact for copy in found)
        near = [abs(copy.gain - gain) < 0.03 for copy in found]
        assert sum(near) >= 57


def test_copies_need_no_square(images: tuple[Tensor, Tensor]) -> None:
    train, others = (side[:60, :, 3:18] for side in images)
    changed = torch.cat([train[:20], train[20:40].flip(3).roll(1, 2), scaled(train[40:], 1.1)])
    found = find_copies(train, changed)
    assert [copy.original for copy in found] == list(range(60))
    assert all(copy.exact for copy in found[:20])
    assert all(copy.flipped and copy.down == 1 for copy in found[20:40])
    assert find_copies(train, others) == []


def test_places_among_others_are_right(images: tuple[Tensor, Tensor]) -> None:
    train, others = images
    mixed = others[:50].clone()
    mixed[7], mixed[20], mixed[33] = train[100], train[200].flip(1), scaled(train[300], 1.1)
    found = find_copies(train, mixed)
    assert [(copy.image, copy.original) for copy in found] == [(7, 100), (33, 300)]
    figure = image_copies(train, others[50:], mixed)
    assert figure.value == 2 / 50
    assert figure.floor == 0
    assert figure.detail["exact"] == 1 / 50
    assert figure.detail["copies"][0]["original"] == 100
    assert figure.images == 50


def test_images_without_content_count_only_if_equal() -> None:
    blank = torch.stack(
        [torch.full((1, 12, 12), value, dtype=torch.uint8) for value in (0, 9, 255)]
    )
    assert [copy.exact for copy in find_copies(blank, blank)] == [True] * 3
    assert find_copies(blank, blank[:1] + 4) == []
    spotted = blank[:1].clone()
    spotted[0, 0, 0, 0] = 200  # at the edge, which does not count
    assert find_copies(blank[:1], spotted) == []
    # Among images that are equal inside, the one that is equal as a whole is named.
    assert find_copies(torch.cat([blank, spotted]), spotted) == [Copy(0, 3, exact=True)]


def test_one_training_image_and_wrong_shapes(images: tuple[Tensor, Tensor]) -> None:
    train, _ = images
    assert find_copies(train[:1], train[:2]) == [Copy(0, 0, exact=True)]
    with pytest.raises(DataError, match="shape"):
        find_copies(train, train[..., :20, :20])
