"""Images that no classifier could be trained and tested on, refused before anything is learned."""

from __future__ import annotations

import numpy as np

from synthgen.data.images.images import Images
from synthgen.data.quoting import some
from synthgen.errors import DataError


def check_images(images: Images) -> None:
    """Raise :class:`DataError` unless there are two classes, and each has two images."""
    counts = images.counts()
    if len(counts) < 2:
        raise DataError(
            f"The images are of {len(counts)} class: there is nothing to tell apart.",
            "Give images of at least two classes.",
        )
    empty = [str(images.classes[i]) for i in np.flatnonzero(counts == 0)]
    if empty:
        raise DataError(
            f"{len(empty)} of {len(counts)} classes have no image: {some(empty)}.",
            "Add images of them, or remove those classes from the source.",
        )
    lonely = [images.names[i] for i in np.flatnonzero(counts[images.labels] == 1)]
    if lonely:
        raise DataError(
            f"{len(lonely)} of {len(counts)} classes have one image only: {some(lonely)}.",
            "Every class needs two images or more, one to learn from and one to test on: add "
            "images, or merge or remove such classes.",
        )
