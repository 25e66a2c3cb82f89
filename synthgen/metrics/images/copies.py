"""Training images given out again: exactly, mirrored, moved by a pixel, or slightly brightened."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional

from synthgen.errors import DataError
from synthgen.metrics.images.base import Figure, Origin
from synthgen.metrics.images.neighbours import nearest
from synthgen.vision.pixels import check_images

TOLERANCE = 1.0
"""Root mean square of what brightening and rounding may leave, in levels of 256."""
CONTRAST = 8.0
"""Standard deviation from which an image counts as having a content, in levels."""
GAINS = (0.75, 1.35)
OFFSET = 48.0
"""Slightly: how far brightness may be multiplied and moved, in levels."""
NAMED = 100
"""Copies named at most in a figure."""
_CANDIDATES = 4
_UNSATURATED = 8
_CELLS = 1 << 22
_MOVES = [(0, 0), *((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))]
"""Down and right, in pixels."""


@dataclass(frozen=True)
class Copy:
    """Synthetic image ``image`` is training image ``original``: mirrored first if ``flipped``,
    moved ``down`` and ``right`` by a pixel, each value times ``gain`` plus ``offset``, clipped.

    ``exact``: they are equal in every pixel.
    """

    image: int
    original: int
    exact: bool
    flipped: bool = False
    down: int = 0
    right: int = 0
    gain: float = 1.0
    offset: float = 0.0


def image_copies(train: Tensor, holdout: Tensor, synthetic: Tensor) -> Figure:
    """Share of synthetic images that copy a training image (:func:`find_copies`), 0 to 1, beside
    the share of held-out images that do: real data repeat themselves too.

    ``detail.exact`` is the share of exact ones; ``detail.copies`` names up to 100.
    """
    found, usual = find_copies(train, synthetic), find_copies(train, holdout)
    return Figure(
        metric="image_copies",
        title="Copies of training images",
        pillar="privacy",
        goal="min",
        value=len(found) / len(synthetic),
        floor=len(usual) / len(holdout),
        origin=Origin("pixels", "copies-1", "none"),
        reference_images=len(train),
        images=len(synthetic),
        detail={
            "exact": sum(copy.exact for copy in found) / len(synthetic),
            "floor_images": len(holdout),
            "copies": [asdict(copy) for copy in found[:NAMED]],
        },
    )


def find_copies(train: Tensor, images: Tensor) -> list[Copy]:
    """The copies among uint8 ``images`` (n, c, side, side) of ``train`` (m, c, side, side), at most
    one for each image, by ascending place.

    Found for certain: images equal to a training image, or to one moved by at most a pixel along
    each axis, whatever stands in the outermost pixels; the same of mirrored ones. Found by a search
    among the most similar ones: images that differ from a training image, or a mirrored one, by a
    gain of 0.75 to 1.35 and an offset of up to 48 levels. Images without content (deviation below 8
    levels, or no difference inside) count only if they are equal.

    Noise, JPEG compression, larger moves and moves together with another brightness are not found
    here; :mod:`synthgen.metrics.images.memorisation` sees such images lie too close.
    """
    check_images(train)
    check_images(images)
    if train.shape[1:] != images.shape[1:]:
        raise DataError(
            f"synthetic images have the shape {tuple(images.shape[1:])}, training images "
            f"{tuple(train.shape[1:])}",
            "give both the same channels and size",
        )
    found = _moved(train, images)
    left = torch.tensor(
        [place for place in range(len(images)) if place not in found],
        dtype=torch.int64,
        device=images.device,
    )
    if len(left):
        found |= _brightened(train, images, left)
    return [found[place] for place in sorted(found)]


def _moved(train: Tensor, images: Tensor) -> dict[int, Copy]:
    """Equal images first, so that an image that several moves explain is named by the simplest."""
    found: dict[int, Copy] = {}
    for image, original in _equal(images, train):
        found[image] = Copy(image, original, exact=True)
    mirrored = images.flip(3)
    insides = {False: _inside(images, (0, 0)), True: _inside(mirrored, (0, 0))}
    content = (insides[False] != insides[False][..., :1, :1]).flatten(1).any(1).tolist()
    for down, right in _MOVES:
        moved = _inside(train, (down, right))
        for flipped, inside in insides.items():
            for image, original in _equal(inside, moved):
                if image not in found and content[image]:
                    # Mirrored first, then moved: seen in the mirror the move went the other way.
                    seen = -right if flipped else right
                    found[image] = Copy(image, original, False, flipped, down, seen)
    return found


def _inside(images: Tensor, move: tuple[int, int]) -> Tensor:
    """All but the outermost pixels of the images moved down and right by ``move``."""
    side = images.shape[2] - 2
    top, left = 1 - move[0], 1 - move[1]
    return images[:, :, top : top + side, left : left + side]


def _equal(queries: Tensor, records: Tensor) -> list[tuple[int, int]]:
    """Which queries equal a record, and which the first one. By a number for each image: equal ones
    have equal numbers, and where numbers are equal the images are compared."""
    weights = _weights(records[0].numel()).to(records.device)
    numbers, order = _numbers(records, weights).sort(stable=True)
    own = _numbers(queries, weights)
    at = torch.searchsorted(numbers, own).clamp_max(len(numbers) - 1)
    hits = (numbers[at] == own).nonzero()[:, 0]
    places = order[at[hits]]
    same = (queries[hits] == records[places]).flatten(1).all(1)
    return list(zip(hits[same].tolist(), places[same].tolist(), strict=True))


def _weights(count: int) -> Tensor:
    """``count`` random integers, so small that the sum of their products with 255 stays below 2^53:
    float64 adds them exactly, in any order."""
    limit = 1 << (53 - 8 - math.ceil(math.log2(count)))
    generator = torch.Generator().manual_seed(0)
    return torch.randint(1, limit, (count,), generator=generator).double()


def _numbers(images: Tensor, weights: Tensor) -> Tensor:
    blocks = torch.split(images, max(1, _CELLS // len(weights)))
    return torch.cat([block.flatten(1).double() @ weights for block in blocks])


def _brightened(train: Tensor, images: Tensor, left: Tensor) -> dict[int, Copy]:
    """Among the images at the places ``left``. An image's description is the same for all gains and
    offsets, so its original is the nearest by it, but for rounding and clipping."""
    known = _described(train)
    count = min(_CANDIDATES, len(train))
    found: dict[int, Copy] = {}
    values = train[0].numel()
    for some in torch.split(left, max(1, _CELLS // (count * values))):
        for flipped in (False, True):
            shown = images[some].flip(3) if flipped else images[some]
            _, places = nearest(_described(shown), known, count, dtype=torch.float32)
            right, gains, offsets = _fit(shown.flatten(1), train.flatten(1)[places])
            best = right.long().argmax(1)
            for row in right.any(1).nonzero()[:, 0].tolist():
                choice = int(best[row])
                image = int(some[row])
                found.setdefault(
                    image,
                    Copy(
                        image,
                        int(places[row, choice]),
                        exact=False,
                        flipped=flipped,
                        gain=round(float(gains[row, choice]), 3),
                        offset=round(float(offsets[row, choice]), 1),
                    ),
                )
    return found


def _described(images: Tensor) -> Tensor:
    """An average of 8 x 8, less its mean and of length 1, (n, c * 64)."""
    small = torch.cat(
        [
            functional.adaptive_avg_pool2d(block.float(), 8).flatten(1)
            for block in torch.split(images, 4096)
        ]
    )
    return functional.normalize(small - small.mean(1, keepdim=True))


def _fit(images: Tensor, originals: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Whether images (n, v) are originals (n, k, v), brightened; and the gains and offsets of least
    squares over the values that are neither black nor white. Shapes (n, k)."""
    target, source = images[:, None].float(), originals.float()
    seen = ((target > 0) & (target < 255)).expand_as(source)
    number = seen.sum(2).clamp_min(1)
    mean_source = (source * seen).sum(2) / number
    mean_target = (target * seen).sum(2) / number
    off = (source - mean_source[..., None]) * seen
    spread = off.square().sum(2)
    # An image of two colours, one of them now white, shows a single colour here: any gain fits.
    gain = torch.where(
        spread > 0, (off * (target - mean_target[..., None])).sum(2) / spread.clamp_min(1e-12), 1.0
    )
    offset = mean_target - gain * mean_source
    rest = (gain[..., None] * source + offset[..., None]).clamp_(0, 255) - target
    right = (
        (rest.square().mean(2).sqrt() <= TOLERANCE)
        & (source.std(2, correction=0) >= CONTRAST)
        & (seen.sum(2) >= _UNSATURATED)
        & (gain >= GAINS[0])
        & (gain <= GAINS[1])
        & (offset.abs() <= OFFSET)
    )
    return right, gain, offset
