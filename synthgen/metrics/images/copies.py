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
from synthgen.vision.pixels import check_images, in_blocks

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
_PART = 512
"""Values by which most images are seen to be no copies."""
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
    """The copies among uint8 ``images`` (n, c, h, w) of ``train`` (m, c, h, w), at most one for
    each image, by ascending place.

    Found for certain: images equal to a training image, or to one moved by at most a pixel along
    each axis, whatever stands in the outermost pixels; the same of mirrored ones. Found by a search
    among the most similar ones: images that differ from a training image, or a mirrored one, by a
    gain of 0.75 to 1.35 and an offset of up to 48 levels. Images without content (deviation below 8
    levels, or no difference inside) count only if they are equal.

    Noise, JPEG compression, larger moves and moves together with another brightness are not found
    here; :mod:`synthgen.metrics.images.memorisation` sees such images lie too close.
    """
    check_images(train, square=False)
    check_images(images, square=False)
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
    for image, original in _equal(_Numbered(images), _Numbered(train)):
        found[image] = Copy(image, original, exact=True)
    plain, mirrored = (_inside(shown, (0, 0)) for shown in (images, images.flip(3)))
    content = in_blocks(plain, lambda block: (block != block[..., :1, :1]).flatten(1).any(1))
    shows = content.tolist()
    insides = {False: _Numbered(plain), True: _Numbered(mirrored)}
    for down, right in _MOVES:
        moved = _Numbered(_inside(train, (down, right)))
        for flipped, inside in insides.items():
            for image, original in _equal(inside, moved):
                if image not in found and shows[image]:
                    # Mirrored first, then moved: seen in the mirror the move went the other way.
                    seen = -right if flipped else right
                    found[image] = Copy(image, original, False, flipped, down, seen)
    return found


def _inside(images: Tensor, move: tuple[int, int]) -> Tensor:
    """All but the outermost pixels of the images moved down and right by ``move``."""
    height, width = images.shape[2] - 2, images.shape[3] - 2
    top, left = 1 - move[0], 1 - move[1]
    return images[:, :, top : top + height, left : left + width]


class _Numbered:
    """Images with a number each: equal ones have equal numbers."""

    def __init__(self, images: Tensor) -> None:
        self.images = images
        weights = _weights(images[0].numel()).to(images.device)
        self.numbers = in_blocks(images, lambda block: block.flatten(1).double() @ weights)


def _equal(queries: _Numbered, records: _Numbered) -> list[tuple[int, int]]:
    """Which queries equal a record, and which the first one: where numbers are equal the images are
    compared."""
    numbers, order = records.numbers.sort(stable=True)
    at = torch.searchsorted(numbers, queries.numbers).clamp_max(len(numbers) - 1)
    hits = (numbers[at] == queries.numbers).nonzero()[:, 0]
    pairs = hits, order[at[hits]]
    found: list[tuple[int, int]] = []
    for own, theirs in zip(
        *(torch.split(places, _block(queries.images)) for places in pairs), strict=True
    ):
        same = (queries.images[own] == records.images[theirs]).flatten(1).all(1)
        found += zip(own[same].tolist(), theirs[same].tolist(), strict=True)
    return found


def _weights(count: int) -> Tensor:
    """``count`` random integers, so small that the sum of their products with 255 stays below 2^53:
    float64 adds them exactly, in any order."""
    limit = 1 << (53 - 8 - math.ceil(math.log2(count)))
    generator = torch.Generator().manual_seed(0)
    return torch.randint(1, limit, (count,), generator=generator).double()


def _block(images: Tensor) -> int:
    """How many images are looked at together, so that memory stays bounded."""
    return max(1, _CELLS // images[0].numel())


def _brightened(train: Tensor, images: Tensor, left: Tensor) -> dict[int, Copy]:
    """Among the images at the places ``left``. An image's description is the same for all gains and
    offsets, so its original is the nearest by it, but for rounding and clipping."""
    known = _described(train)
    flat = train.flatten(1)
    contrast = in_blocks(flat, lambda block: block.float().std(1, correction=0))
    count = min(_CANDIDATES, len(train))
    found: dict[int, Copy] = {}
    for some in torch.split(left, _CELLS // (count * _PART)):
        for flipped in (False, True):
            shown = images[some].flip(3) if flipped else images[some]
            _, places = nearest(_described(shown), known, count, dtype=torch.float32)
            hopeful = _possible(shown.flatten(1), flat, places).any(1).nonzero()[:, 0]
            for rows in torch.split(hopeful, max(1, _block(train) // count)):
                right, gains, offsets = _fit(shown[rows].flatten(1), flat[places[rows]])
                right &= contrast[places[rows]] >= CONTRAST
                best = right.long().argmax(1)
                for k in right.any(1).nonzero()[:, 0].tolist():
                    choice, image = int(best[k]), int(some[rows[k]])
                    copy = Copy(
                        image,
                        int(places[rows[k], choice]),
                        exact=False,
                        flipped=flipped,
                        gain=round(float(gains[k, choice]), 3),
                        offset=round(float(offsets[k, choice]), 1),
                    )
                    found.setdefault(image, copy)
    return found


def _described(images: Tensor) -> Tensor:
    """An average of 8 x 8, less its mean and of length 1, (n, c * 64)."""
    small = in_blocks(
        images, lambda block: functional.adaptive_avg_pool2d(block.float(), 8).flatten(1)
    )
    return functional.normalize(small - small.mean(1, keepdim=True))


def _possible(images: Tensor, train: Tensor, places: Tensor) -> Tensor:
    """Whether images (n, v) may be those at ``places`` (n, k) of ``train`` (m, v), brightened, bool
    (n, k): by a part of their values, which alone must not leave more than all of them may. Nearly
    all images are no copies, and seen to be none so."""
    values = images.shape[1]
    order = torch.randperm(values, generator=torch.Generator().manual_seed(0))
    part = order[:_PART].sort().values.to(images.device)
    target = images[:, part][:, None].float()
    source = train[places[..., None], part].float()
    gain, offset, seen = _line(target, source)
    rest = (gain[..., None] * source + offset[..., None] - target) * seen
    return rest.square().sum(2) <= values * TOLERANCE**2


def _fit(images: Tensor, originals: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Whether images (n, v) are originals (n, k, v), brightened; and the gains and offsets. Shapes
    (n, k)."""
    target, source = images[:, None].float(), originals.float()
    gain, offset, seen = _line(target, source)
    rest = (gain[..., None] * source + offset[..., None]).clamp_(0, 255) - target
    right = (
        (rest.square().mean(2).sqrt() <= TOLERANCE)
        & (seen.sum(2) >= _UNSATURATED)
        & (gain >= GAINS[0])
        & (gain <= GAINS[1])
        & (offset.abs() <= OFFSET)
    )
    return right, gain, offset


def _line(target: Tensor, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gains and offsets (n, k) of least squares from ``source`` (n, k, v) to ``target`` (n, 1, v),
    over the target's values that are neither black nor white; and which these are, (n, 1, v)."""
    seen = (target > 0) & (target < 255)
    number = seen.sum(2).clamp_min(1)
    mean_source = (source * seen).sum(2) / number
    mean_target = (target * seen).sum(2) / number
    off = (source - mean_source[..., None]) * seen
    spread = off.square().sum(2)
    # An image of two colours, one of them now white, shows a single colour here: any gain fits.
    gain = torch.where(
        spread > 0, (off * (target - mean_target[..., None])).sum(2) / spread.clamp_min(1e-12), 1.0
    )
    return gain, mean_target - gain * mean_source, seen
