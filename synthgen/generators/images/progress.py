"""What a generator makes of the same noise again and again while it learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from synthgen.data.images.atomic import written_whole
from synthgen.data.images.decode import encode_png
from synthgen.errors import MachineError
from synthgen.generators.images.looks import cut, known, noise, tiled
from synthgen.generators.images.sampler import ImageSampler
from synthgen.training.context import Context
from synthgen.training.randomness import derive

MOMENTS = 7
ROWS = 10
"""Images at each of them, at most."""


def moments(steps: int) -> tuple[int, ...]:
    """The steps of a training of so many at which a picture is kept, ascending: after 1/64 of them,
    1/32 and so on; after all of them last."""
    return tuple(sorted({max(1, round(steps / 2**k)) for k in range(MOMENTS)}))


def rows(sampler: ImageSampler) -> list[int]:
    """The classes of a picture's images: the first ten that have training images, or as many images
    of each as ten hold."""
    told = known(sampler)[:ROWS]
    return [k for k in told for _ in range(ROWS // len(told))]


def keep_progress(context: Context, sampler: ImageSampler, step: int) -> None:
    """Write ``step-0000500.png`` into ``context.progress``: a column of images, grey between them,
    whose noise the seed fixes. Raises :class:`~synthgen.errors.MachineError`."""
    folder = context.progress
    assert folder is not None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(
            f"no picture can be written to {folder}: {error.strerror or error}",
            "free disk space, or choose a folder that may be written to",
        ) from error
    labels = torch.tensor(rows(sampler))
    z = noise(sampler, len(labels), derive(context.seed, "progress"))
    canvas = tiled(sampler.at(z, labels)[:, None])
    with written_whole(_file(folder, step)) as place:
        place.write_bytes(encode_png(canvas.transpose(2, 0, 1)))


def kept_progress(folder: Path, sampler: ImageSampler) -> dict[int, NDArray[np.uint8]]:
    """By step, the images (rows, channels, height, width) that the training of this sampler left;
    what is missing, damaged, or of another training is left out."""
    shape = sampler.shape
    found = {}
    for step in moments(sampler.config.steps):
        try:
            with Image.open(_file(folder, step)) as image:
                canvas = np.asarray(image)
        except (OSError, ValueError, SyntaxError):
            continue
        grid = cut(np.atleast_3d(canvas), shape.height, shape.width)
        if grid is not None and grid.shape[:3] == (len(rows(sampler)), 1, shape.channels):
            found[step] = grid[:, 0]
    return found


def _file(folder: Path, step: int) -> Path:
    return folder / f"step-{step:07d}.png"
