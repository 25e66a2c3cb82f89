"""Encoded images one by one to an array of pixels; what cannot be used is skipped and named."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synthgen.data.images.decode import BadImageError, decode
from synthgen.data.images.fit import fit, to_grey
from synthgen.data.images.images import Class
from synthgen.data.images.options import ImageOptions
from synthgen.data.quoting import shown
from synthgen.errors import DataError

TOLERATED = 0.01
"""Share of images that may be unusable."""
NAMED = 3
"""Unusable images at most that a message names."""


class Skipped(NamedTuple):
    """An image that cannot be used; ``reason`` is the end of a sentence that begins with it."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{shown(self.name)} {self.reason}"


class Entry(NamedTuple):
    name: str
    label: Class
    data: bytes


@dataclass(frozen=True)
class Collected:
    pixels: NDArray[np.uint8]
    names: list[str]
    labels: list[Class]
    skipped: tuple[Skipped, ...]


def collect(
    entries: Iterable[Entry | Skipped], count: int, options: ImageOptions, source: str
) -> Collected:
    """Decode ``count`` entries; of each only the finished pixels are kept.

    Raises :class:`DataError` where more than :data:`TOLERATED` of them cannot be used, where none
    is left, and where the images differ in size and none is asked for.
    """
    stack = Stack(count, options, source)
    names: list[str] = []
    labels: list[Class] = []
    skipped: list[Skipped] = []
    with warnings.catch_warnings():
        # Pillow warns of what is harmless (odd metadata) and of what is checked here (size).
        warnings.simplefilter("ignore")
        for entry in entries:
            if isinstance(entry, Skipped):
                skipped.append(entry)
                continue
            try:
                pixels = decode(entry.data, options.max_pixels)
            except BadImageError as error:
                skipped.append(Skipped(entry.name, str(error)))
                continue
            stack.add(pixels, entry.name)
            names.append(entry.name)
            labels.append(entry.label)
    if len(skipped) > TOLERATED * count:
        raise DataError(
            f"{source}: {len(skipped)} of {count} images cannot be used: {listed(skipped)}.",
            "Repair or remove them; up to 1 % of the images would be left out with a notice.",
        )
    return Collected(stack.finished(), names, labels, tuple(skipped))


def listed(skipped: list[Skipped] | tuple[Skipped, ...]) -> str:
    """The first few with their reasons."""
    more = f"; and {len(skipped) - NAMED} more" if len(skipped) > NAMED else ""
    return "; ".join(map(str, skipped[:NAMED])) + more


class Stack:
    """Images of one size, added one by one to an array that becomes RGB with the first that is not
    grey, unless the number of channels is given."""

    def __init__(self, count: int, options: ImageOptions, source: str) -> None:
        self._count, self._options, self._source = count, options, source
        self._size, self._first = options.height_width, ""
        self._pixels: NDArray[np.uint8] | None = None
        self._filled = 0

    def add(self, pixels: NDArray[np.uint8], name: str) -> None:
        """``pixels``: (height, width) or (height, width, 3)."""
        if self._size is None:
            self._size, self._first = (pixels.shape[0], pixels.shape[1]), name
        elif self._options.size is None and pixels.shape[:2] != self._size:
            sizes = [f"{w} × {h}" for h, w in (self._size, pixels.shape[:2])]
            raise DataError(
                f"{self._source}: the images differ in size: {shown(self._first)} has {sizes[0]} "
                f"pixels, {shown(name)} has {sizes[1]}.",
                f"Give the size that all shall get, for example data.read.size={min(self._size)}.",
            )
        if self._options.channels == 1:
            pixels = to_grey(pixels)
        pixels = fit(pixels, self._size, self._options.resize)
        colour = pixels.ndim == 3
        if self._pixels is None:
            self._pixels = self._room(self._options.channels or (3 if colour else 1))
        elif colour and self._pixels.shape[1] == 1:
            grey, self._pixels = self._pixels, self._room(3)
            self._pixels[: self._filled] = grey[: self._filled]
        self._pixels[self._filled] = pixels.transpose(2, 0, 1) if colour else pixels
        self._filled += 1

    def finished(self) -> NDArray[np.uint8]:
        """Shape (n, channels, height, width)."""
        if self._pixels is None:
            raise DataError(
                f"{self._source} holds no image that can be used.",
                "Give PNG, JPEG, BMP, GIF, TIFF or WebP files with labels: docs/images.md shows "
                "the layouts.",
            )
        return self._pixels[: self._filled]

    def _room(self, channels: int) -> NDArray[np.uint8]:
        assert self._size is not None
        shape = (self._count, channels, *self._size)
        needed = int(np.prod(shape, dtype=object))
        if needed > self._options.max_bytes:
            raise DataError(
                f"{self._source}: {self._count} images of {self._size[1]} × {self._size[0]} pixels "
                f"need {needed:,} bytes, more than {self._options.max_bytes:,}.",
                "Give a smaller size, or raise max_bytes.",
            )
        return np.empty(shape, dtype=np.uint8)
