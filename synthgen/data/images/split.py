"""Which images to learn from and which to test on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.images.checks import check_images
from synthgen.data.images.images import Images
from synthgen.data.split import Positions, split_rows


def split_images(
    images: Images, share: float, seed: int, groups: NDArray[np.int64] | None = None
) -> tuple[Positions, Positions]:
    """Positions of the training images and of the test images, ascending; ``share`` of them (0 to
    1) are for testing.

    Every class is in both parts, in its share as nearly as groups allow. ``groups``, shape (n,),
    by default those of the images if they have any, are kept whole: see
    :func:`synthgen.data.split.split_rows`, which deals them. Raises :class:`DataError` where a
    class has fewer than two images, or is in one part only because its images are of one group;
    :class:`ConfigError` where ``share`` is not between 0 and 1.
    """
    check_images(images)
    groups = images.groups if groups is None else groups
    frame = pd.DataFrame({"label": images.labels, "image": np.arange(len(images))})
    if groups is None:
        return split_rows(frame, target="label", share=share, seed=seed, task="classification")
    frame["group"] = groups
    return split_rows(
        frame, target="label", share=share, seed=seed, group="group", task="classification"
    )
