"""The pictures of a report on images: what numbers do not show."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from synthgen.data.images.decode import encode_png
from synthgen.data.images.images import Images
from synthgen.data.quoting import some
from synthgen.generators.images import looks
from synthgen.generators.images import progress as training
from synthgen.generators.images.sampler import ImageSampler
from synthgen.metrics.images.neighbours import nearest
from synthgen.metrics.images.scores import IMAGES, ORIGINALS
from synthgen.metrics.images.three import side
from synthgen.results import Picture
from synthgen.training.randomness import derive
from synthgen.vision.features import Extractor
from synthgen.vision.pixel_features import PixelFeatures

COLUMNS = 10
CLASSES = 20
"""Rows of classes, at most."""
WAYS = 8
"""Rows of interpolations."""
WIDEST = 1_200
"""Pixels of a picture."""
LARGEST = 300_000
"""Bytes of a picture's file, unless its images would be smaller than ``LEAST``."""
LEAST = 32
"""Pixels of an image's longer side, or its own if that is shorter."""
_SIGHT = {"classifier": "the features of a classifier", "pixels": "their pixels"}


def album(
    sampler: ImageSampler,
    train: Images,
    synthetic: Images,
    extractor: Extractor,
    *,
    seed: int,
    progress: Path | None,
) -> list[Picture]:
    """``classes``, ``progress`` (where training left pictures in that folder), ``interpolations``,
    and, if there are ``synthetic`` images, ``neighbours`` and ``closest``.

    Images are shown as they are, pixel by pixel, and made smaller only where a picture would be
    wider than 1,200 pixels or its file larger than 300 kB. The same arguments give the same bytes.
    ``extractor`` says which images are near; of images that are no squares, which no network here
    takes, pixels do.
    """
    pictures = [_classes(sampler, seed)]
    kept = training.kept_progress(progress, sampler) if progress is not None else {}
    if kept:
        pictures.append(_progress(sampler, kept))
    pictures.append(_interpolations(sampler, seed))
    if len(synthetic):
        pictures += _neighbours(train, synthetic, extractor, seed)
    return pictures


def _classes(sampler: ImageSampler, seed: int) -> Picture:
    known = looks.known(sampler)
    if sampler.labeller is not None:
        origin = (
            "The generator knows no classes: a classifier of the training images told them "
            "afterwards, and a row ends in black where it found too few."
        )
    elif sampler.config.conditional:
        origin = "The images of a column come from one noise."
    else:
        origin = ""
    left = [str(sampler.classes[k]) for k in known[CLASSES:]]
    return _picture(
        "classes",
        "What the generator makes of each class",
        looks.classes(sampler, CLASSES, COLUMNS, derive(seed, "classes")),
        f"A row for each class, from the top: {_names(sampler, known[:CLASSES])}.",
        f"Left out: {some(left)}." if left else "",
        origin,
        "Look for images of another class, and for images of a row that are all alike.",
    )


def _progress(sampler: ImageSampler, kept: dict[int, NDArray[np.uint8]]) -> Picture:
    steps = [f"{step:,}" for step in kept]
    after = f"{', '.join(steps[:-1])} and {steps[-1]}" if len(steps) > 1 else steps[0]
    return _picture(
        "progress",
        "How it learned",
        np.stack(list(kept.values()), axis=1),
        f"Each row is one noise, from left to right after {after} of {sampler.config.steps:,} "
        "steps.",
        _rows(sampler, training.rows(sampler)),
        "Images that still change much at the end call for a longer training.",
        "The generator that was kept may be an earlier one." if sampler.config.evaluations else "",
    )


def _interpolations(sampler: ImageSampler, seed: int) -> Picture:
    known = looks.known(sampler)
    return _picture(
        "interpolations",
        "From one image to another",
        looks.interpolations(sampler, WAYS, COLUMNS, derive(seed, "interpolations")),
        "Each row goes from one noise to another in equal steps"
        + (", its class staying the same." if sampler.config.conditional else "."),
        _rows(sampler, [known[row % len(known)] for row in range(WAYS)]),
        "Images should change little by little; a sudden jump between two finished images is a "
        "sign of training images known by heart.",
    )


def _neighbours(
    train: Images, synthetic: Images, extractor: Extractor, seed: int
) -> tuple[Picture, Picture]:
    height, width = train.pixels.shape[2:]
    if height != width:
        extractor = PixelFeatures(*train.pixels.shape[1:])
    made = side("synthetic", synthetic, IMAGES, seed)
    known = side("training", train, ORIGINALS, seed)
    distances, places = nearest(
        extractor(made.pixels), extractor(known.pixels), dtype=torch.float32
    )
    originals = known.places[places[:, 0].cpu()]
    random = torch.Generator().manual_seed(derive(seed, "neighbours"))
    drawn = torch.randperm(len(made.places), generator=random)[:COLUMNS]
    close = distances[:, 0].cpu().argsort(stable=True)[:COLUMNS]

    def pairs(chosen: torch.Tensor) -> looks.Grid:
        above = synthetic.take(made.places[chosen].numpy())
        return looks.neighbours(above, train, originals[chosen].numpy())

    sight = _SIGHT.get(extractor.name, f"the features of {extractor.name}")
    return (
        _picture(
            "neighbours",
            "Synthetic images and what they are near to",
            pairs(drawn),
            "Above, synthetic images drawn at random; below each, the training image nearest to it "
            f"by {sight}.",
            "A pair should show the same kind of thing, and not the same image.",
        ),
        _picture(
            "closest",
            "The closest of all",
            pairs(close),
            f"Above, the {len(close)} of {len(made.places):,} synthetic images that lie closest to "
            f"a training image by {sight}; below each, that image.",
            "Where both are one image, the generator gives away what it was trained on.",
        ),
    )


def _names(sampler: ImageSampler, classes: Sequence[int]) -> str:
    return some([str(sampler.classes[k]) for k in classes], CLASSES)


def _rows(sampler: ImageSampler, classes: Sequence[int]) -> str:
    """Which classes the rows show; nothing of a generator that is told none."""
    if not sampler.config.conditional:
        return ""
    return f"Classes from the top: {_names(sampler, classes)}."


def _picture(name: str, title: str, grid: looks.Grid, *caption: str) -> Picture:
    png, canvas = _fitting(grid)
    return Picture(
        name=name,
        title=title,
        caption=" ".join(sentence for sentence in caption if sentence),
        width=canvas.shape[1],
        height=canvas.shape[0],
        png=base64.b64encode(png).decode("ascii"),
    )


def _fitting(grid: looks.Grid) -> tuple[bytes, looks.Canvas]:
    """As a PNG file, as large as it may be."""
    columns, longer = grid.shape[1], max(grid.shape[3:])
    scale = min(1.0, ((WIDEST - looks.GAP) // columns - looks.GAP) / grid.shape[4])
    least = min(1.0, LEAST / longer)
    while True:
        canvas = looks.tiled(_smaller(grid, scale))
        png = encode_png(canvas.transpose(2, 0, 1))
        if len(png) <= LARGEST or scale <= least:
            return png, canvas
        # The bytes go with the pixels, which go with the square.
        scale = max(least, scale * min(0.9, (LARGEST / len(png)) ** 0.5))


def _smaller(grid: looks.Grid, scale: float) -> looks.Grid:
    """Each image by the means of its pixels."""
    if scale == 1:
        return grid
    rows, columns, channels, height, width = grid.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    flat = grid.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    small = [
        np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
        for image in np.ascontiguousarray(flat[..., 0] if channels == 1 else flat)
    ]
    stacked = np.stack([np.atleast_3d(image).transpose(2, 0, 1) for image in small])
    return stacked.reshape(rows, columns, *stacked.shape[1:])
