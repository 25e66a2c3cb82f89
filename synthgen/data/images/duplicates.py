"""Images that are the same picture, coded anew, in other light, or resized."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from synthgen.data.images.images import Images

MARGIN = 5.0
"""Grey levels by which a cell must be brighter than the one to its left for a bit. With Krawetz's
margin of 0, bits of even areas are noise: re-coding MNIST as JPEG changed 8 of 64 in the median."""
DISTANCE, PARTS = 3, 4
"""Bits at most that candidates differ in. One of four parts of the bits is equal then."""
COARSE, FINE = 0.98, 0.99
"""Least correlation of the 8 × 9 cells, and of the pixels."""
DETAIL = 32
"""Pixels are compared at up to this many a side."""
FLAT = 2.0
"""Standard deviation in grey levels below which an image is like its equals only."""
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_BLOCK, _PAIRS, _CONFIRMED = 1 << 22, 1 << 17, 1 << 13
"""Numbers, pairs, and pairs whose pixels are compared, that are looked at in one step."""


def near_duplicates(images: Images) -> NDArray[np.int64]:
    """Shape (n,): the same number for images that are equal or nearly so, directly or through
    others; numbered by first appearance.

    Candidates are found by dHash: Neal Krawetz, "Kind of Like That", hackerfactor.com 2013. The
    luma of 8 × 9 cells gives 64 bits, of which candidates differ in :data:`DISTANCE` at most. They
    are looked up by equal quarters of the bits, each spread over the image: Norouzi, Punjani,
    Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012. Two candidates are
    one picture if first their cells and then their pixels, all channels, correlate by
    :data:`COARSE` and :data:`FINE`; brightness and contrast do not count in a correlation.

    On MNIST's 60,000 training images four are in two pairs, and of the ones no three are in one
    group; at a correlation of 0.98 the largest group of ones has 28. docs/images.md has what is
    found of changed images.
    """
    if not len(images):
        return np.zeros(0, dtype=np.int64)
    first, same = _equal(images.pixels)
    # Even images would correlate by their noise.
    lively = np.flatnonzero(_deviations(images.pixels)[first] >= FLAT)
    groups = np.arange(len(first))
    groups[lively] = len(first) + _alike(images.pixels[first[lively]])
    numbers: NDArray[np.int64] = pd.factorize(groups[same])[0].astype(np.int64)
    return numbers


def _alike(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Shape (n,): numbers below n, the same for images that correlate, directly or through
    others."""
    cells, details = _cells(pixels), _details(pixels)
    coarse = _units(cells)
    groups = np.arange(len(pixels))
    for pairs in _gathered(_candidates(cells)):
        # Of pictures with very many near copies most pairs say nothing new.
        pairs = pairs[groups[pairs[:, 0]] != groups[pairs[:, 1]]]
        pairs = pairs[_correlations(coarse, pairs) >= COARSE]
        for start in range(0, len(pairs), _CONFIRMED):
            part = pairs[start : start + _CONFIRMED]
            part = part[groups[part[:, 0]] != groups[part[:, 1]]]
            # As units all pixels would take four times their memory.
            ends, places = np.unique(part, return_inverse=True)
            units = _units(details[ends])
            part = part[_correlations(units, places.reshape(-1, 2)) >= FINE]
            groups = _joined(groups, part)
    return groups


def _equal(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the first of each set of equal images, and which of these each image equals."""
    places: dict[bytes, int] = {}
    first, same = [], []
    for i, image in enumerate(pixels):
        digest = hashlib.blake2b(image.tobytes()).digest()
        if digest not in places:
            places[digest] = len(places)
            first.append(i)
        same.append(places[digest])
    return np.array(first), np.array(same)


def _chunks(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    rows = max(1, _BLOCK // max(1, pixels[:1].size))
    for start in range(0, len(pixels), rows):
        yield pixels[start : start + rows].astype(np.float32)


def _deviations(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([chunk.std(axis=(1, 2, 3)) for chunk in _chunks(pixels)])


def _cells(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shape (n, 8, 9): mean luma."""
    down, across = _averages(pixels.shape[2], 8), _averages(pixels.shape[3], 9)
    weights = _LUMA if pixels.shape[1] == 3 else np.ones(1, dtype=np.float32)
    cells = [
        down @ np.einsum("nchw,c->nhw", chunk, weights) @ across.T for chunk in _chunks(pixels)
    ]
    return np.concatenate([np.zeros((0, 8, 9), dtype=np.float32), *cells])


def _details(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shape (n, numbers): the pixels, averaged to at most :data:`DETAIL` a side."""
    if max(pixels.shape[2:]) > DETAIL:
        down, across = (_averages(side, min(side, DETAIL)) for side in pixels.shape[2:])
        shape = (0, pixels.shape[1], len(down), len(across))
        reduced = [np.rint(down @ chunk @ across.T).astype(np.uint8) for chunk in _chunks(pixels)]
        pixels = np.concatenate([np.zeros(shape, dtype=np.uint8), *reduced])
    return pixels.reshape(len(pixels), math.prod(pixels.shape[1:]))


def _averages(pixels: int, cells: int) -> NDArray[np.float32]:
    """Shape (cells, pixels): the share of each pixel in each of so many even cells."""
    edges = np.linspace(0, pixels, cells + 1)
    starts = np.arange(pixels)
    shared = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    shares = np.clip(shared, 0, None) * (cells / pixels)
    return np.asarray(shares, dtype=np.float32)


def _candidates(cells: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
    """Shape (pairs, 2); each pair once."""
    bits = cells[:, :, 1:] - cells[:, :, :-1] > MARGIN
    codes = _packed(bits.reshape(-1, 64), np.uint64)
    rows, columns = np.indices((8, 8))
    part = 2 * (rows % 2) + columns % 2
    earlier: list[NDArray[np.uint64]] = []
    for number in range(PARTS):
        keys = _packed(bits[:, part == number], np.uint16).astype(np.int64)
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order], prepend=-1, append=-1))
        for start, stop in pairwise(starts.tolist()):
            if stop - start > 1:
                yield from _within(order[start:stop], codes, earlier)
        earlier.append(_packed((part == number).reshape(1, 64), np.uint64))


def _packed(bits: NDArray[np.bool_], kind: type[np.unsignedinteger[Any]]) -> NDArray[Any]:
    return np.ascontiguousarray(np.packbits(bits, axis=1)).view(kind)[:, 0]


def _within(
    members: NDArray[np.int64], codes: NDArray[np.uint64], earlier: list[NDArray[np.uint64]]
) -> Iterator[NDArray[np.int64]]:
    """Pairs of members whose codes are near, but for those that are equal in an earlier part."""
    rows = max(1, _BLOCK // len(members))
    for start in range(0, len(members), rows):
        block, rest = members[start : start + rows], members[start:]
        near = np.bitwise_count(codes[block][:, None] ^ codes[rest][None]) <= DISTANCE
        left, right = np.nonzero(np.triu(near, k=1))
        pairs = np.stack([block[left], rest[right]], axis=1)
        for mask in earlier:
            pairs = pairs[(codes[pairs[:, 0]] ^ codes[pairs[:, 1]]) & mask != 0]
        yield pairs


def _gathered(parts: Iterator[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    """The same rows in arrays of about :data:`_PAIRS`."""
    held = [np.zeros((0, 2), dtype=np.int64)]
    count = 0
    for part in parts:
        held.append(part)
        count += len(part)
        if count > _PAIRS:
            rows = np.concatenate(held)
            for start in range(0, count, _PAIRS):
                yield rows[start : start + _PAIRS]
            held, count = held[:1], 0
    yield np.concatenate(held)


def _units(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Rows without their mean, of length 1, so that products are correlations; even ones are 0."""
    rows = vectors.reshape(len(vectors), math.prod(vectors.shape[1:])).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _correlations(units: NDArray[np.float32], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """Shape (pairs,)."""
    rows = max(1, _BLOCK // units.shape[1])
    found = [np.zeros(0, dtype=np.float32)]
    for start in range(0, len(pairs), rows):
        first, second = (units[pairs[start : start + rows, i]] for i in (0, 1))
        found.append(np.einsum("ij,ij->i", first, second))
    return np.concatenate(found)


def _joined(groups: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    ends = groups[pairs]
    links = np.ones(len(pairs), dtype=np.int8)
    graph = coo_matrix((links, (ends[:, 0], ends[:, 1])), (len(groups), len(groups)))
    _, parts = connected_components(graph, directed=False)
    joined: NDArray[np.int64] = parts[groups].astype(np.int64)
    return joined
