"""Labelled images of one size in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from synthgen.data.images.names import unique

Class: TypeAlias = str | int


@dataclass(frozen=True)
class Images:
    """``pixels``: uint8, shape (n, channels, height, width), 1 channel or 3 (RGB). ``labels``:
    int64, shape (n,), positions in ``classes``, which are sorted and hold all that the source
    declares, also those without an image. ``names``: different relative paths with ``/``.
    ``groups``: int64, shape (n,); images of one number belong together when rows are split.

    Raises ``ValueError`` for what is not so.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[Class, ...]
    names: tuple[str, ...]
    groups: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        n = len(self.names)
        if (
            self.pixels.dtype != np.uint8
            or self.pixels.ndim != 4
            or self.pixels.shape[1] not in (1, 3)
        ):
            raise ValueError("the pixels are not uint8 of shape (n, 1 or 3, height, width)")
        if len(self.pixels) != n or self.labels.shape != (n,):
            raise ValueError("pixels, labels and names are not equally many")
        if n and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError("a label is no position in the classes")
        if tuple(sorted(set(self.classes), key=class_order)) != self.classes:
            raise ValueError("the classes are not different and sorted")
        if len(set(self.names)) != n:
            raise ValueError("names occur more than once")
        if self.groups is not None and self.groups.shape != (n,):
            raise ValueError("the groups are not as many as the images")

    def __repr__(self) -> str:
        n, channels, height, width = self.pixels.shape
        colour = "grey" if channels == 1 else "RGB"
        return f"<{n} {colour} images of {width} x {height} pixels, {len(self.classes)} classes>"

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: NDArray[Any]) -> Images:
        """The images at these positions (integers or a boolean mask); repeated ones get names of
        their own."""
        positions = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Images(
            pixels=self.pixels[positions],
            labels=self.labels[positions],
            classes=self.classes,
            names=unique(self.names[i] for i in positions.tolist()),
            groups=None if self.groups is None else self.groups[positions],
        )

    def counts(self) -> NDArray[np.int64]:
        """Shape (classes,): how many images each class has."""
        return np.bincount(self.labels, minlength=len(self.classes)).astype(np.int64)

    def concat(self, other: Images) -> Images:
        """These images, then the other's, with the classes of both.

        The other's names get a number where they are taken. Groups are those of either side and
        never joined; where one side has none, each of its images is a group.
        """
        if self.pixels.shape[1:] != other.pixels.shape[1:]:
            raise ValueError("the images differ in channels or size")
        classes = tuple(sorted({*self.classes, *other.classes}, key=class_order))
        labels = [_renumbered(part, classes) for part in (self, other)]
        return Images(
            pixels=np.concatenate([self.pixels, other.pixels]),
            labels=np.concatenate(labels),
            classes=classes,
            names=unique([*self.names, *other.names]),
            groups=_joined(self, other),
        )


def class_order(name: Class) -> tuple[bool, int, str]:
    """Sorts numbers by size, then texts by their characters."""
    return (isinstance(name, str), 0 if isinstance(name, str) else name, str(name))


def _renumbered(images: Images, classes: tuple[Class, ...]) -> NDArray[np.int64]:
    places = np.array([classes.index(name) for name in images.classes], dtype=np.int64)
    return places[images.labels]


def _joined(first: Images, second: Images) -> NDArray[np.int64] | None:
    if first.groups is None and second.groups is None:
        return None
    own = [np.arange(len(p)) if p.groups is None else p.groups for p in (first, second)]
    numbered = [np.unique(groups, return_inverse=True)[1] for groups in own]
    numbered[1] = numbered[1] + numbered[0].max(initial=-1) + 1
    return np.concatenate(numbered).astype(np.int64)
