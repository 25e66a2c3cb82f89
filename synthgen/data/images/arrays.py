"""Images in memory, and those that come with scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.error import URLError

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthgen.data.images.decode import BadImageError, unit_range
from synthgen.data.images.images import Class
from synthgen.data.images.labels import as_class
from synthgen.errors import ConfigError, DataError, MachineError

SKLEARN = ("digits", "olivetti_faces")
_REMEDY = "Give uint8, or real numbers between 0 and 1, of shape (n, height, width[, 1 or 3])."


class Arrays(NamedTuple):
    """``pixels``: uint8 or real numbers in [0, 1], shape (n, height, width) or (n, height, width,
    1 or 3). ``labels``: n whole numbers or texts."""

    pixels: ArrayLike
    labels: ArrayLike


def load_sklearn(name: str) -> Arrays:
    """``digits`` comes with scikit-learn; its values 0 to 16 are scaled to 0 to 255.
    ``olivetti_faces`` is fetched.

    Raises :class:`MachineError` where it cannot be, :class:`ConfigError` for other names.
    """
    import sklearn.datasets

    if name not in SKLEARN:
        raise ConfigError(
            f"scikit-learn has no images {name!r}.",
            f"Use {' or '.join(f'sklearn:{known}' for known in SKLEARN)}.",
        )
    if name == "digits":
        bunch: Any = sklearn.datasets.load_digits()
        return Arrays(bunch.images / 16, bunch.target)
    try:
        bunch = sklearn.datasets.fetch_olivetti_faces(n_retries=1)
    except (URLError, OSError) as error:
        raise MachineError(
            f"sklearn:{name} cannot be fetched: {error}.",
            "Check the network, or use sklearn:digits, which needs none.",
        ) from None
    return Arrays(bunch.images, bunch.target)


def check_arrays(arrays: Arrays) -> tuple[NDArray[Any], list[Class]]:
    """The pixels, shape (n, height, width[, 3]), and the class of each.

    Raises :class:`DataError` where they are not what :class:`Arrays` says.
    """
    pixels = np.asarray(arrays.pixels)
    if pixels.ndim == 4 and pixels.shape[3] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (3, 4) or (pixels.ndim == 4 and pixels.shape[3] != 3):
        raise DataError(f"The array of images has the shape {pixels.shape}.", _REMEDY)
    if 0 in pixels.shape:
        raise DataError(f"The array of images is empty: its shape is {pixels.shape}.", _REMEDY)
    if pixels.dtype != np.uint8 and pixels.dtype.kind != "f":
        raise DataError(f"The array of images holds {pixels.dtype} values.", _REMEDY)
    values = np.asarray(arrays.labels, dtype=object)
    if values.shape != (len(pixels),):
        raise DataError(
            f"There are {len(pixels)} images, and labels of the shape {values.shape}.",
            "Give one label for each image.",
        )
    labels = [as_class(value, "The array of labels", "label") for value in values]
    missing = labels.count(None)
    if missing:
        raise DataError(
            f"The label is missing for {missing} of {len(labels)} images.",
            "Remove those images, or give their labels.",
        )
    return pixels, [label for label in labels if label is not None]


def each(pixels: NDArray[Any]) -> Iterator[NDArray[np.uint8]]:
    """The images one by one, in uint8. Raises :class:`DataError` for values out of range."""
    for image in pixels:
        if image.dtype == np.uint8:
            yield image
            continue
        try:
            yield unit_range(image)
        except BadImageError as error:
            raise DataError(f"The array of images {error}.", "Divide it by 255.") from None
