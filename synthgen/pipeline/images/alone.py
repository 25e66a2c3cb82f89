"""Parts of the main job on images on their own: training on all of them, drawing, scoring."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from synthgen import config as configuration
from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.threads import single_thread
from synthgen.config import ImageConfig
from synthgen.data.images.checks import check_images
from synthgen.data.images.images import Images
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.options import ImageOptions
from synthgen.data.images.read import read_images
from synthgen.data.images.split import split_images
from synthgen.data.images.write import write_images
from synthgen.errors import ConfigError, DataError
from synthgen.metrics.images.scores import (
    ImageTrio,
    default_extractor,
    score_accuracy,
    score_images,
)
from synthgen.pipeline import models
from synthgen.pipeline.images.beginning import beginning
from synthgen.pipeline.images.contents import training_images
from synthgen.pipeline.images.draw import draw
from synthgen.pipeline.shortfall import shortfalls
from synthgen.pipeline.whole import Whole
from synthgen.results import Score
from synthgen.runs import Run
from synthgen.vision.pixels import check_images as check_pixels


def whole(config: ImageConfig) -> Whole:
    """All images of the source, to train on."""
    config = beginning(config)
    loaded = read_images(config.data.source, config.data.target, config.data.read)
    images = loaded.images
    check_pixels(torch.from_numpy(images.pixels[:1]))
    resolved = configuration.resolve_images(config, images)
    digest = hashlib.sha256(images.pixels.tobytes() + images.labels.tobytes()).hexdigest()
    _, height, width = images.pixels.shape[1:]
    size = f"{len(images)} images of {width} x {height} pixels, {len(images.classes)} classes"
    return Whole(images, loaded.layout, resolved, digest, size)


def sample(
    path: Path,
    model: models.Model,
    images: int,
    out: Path | None,
    *,
    seed: int,
    where: Mapping[str, str],
    allow_copies: bool,
) -> list[str]:
    """Draw images into a folder by class, a ZIP archive or a Parquet file, as the name of ``out``
    says; in the layout of the training images where that is of the same kind."""
    if out is None:
        raise ConfigError(
            "images need a place", "add --out with a folder, a name in .zip, or one in .parquet"
        )
    known = not allow_copies and (path / "split").is_dir()
    notices: list[str] = []
    with shortfalls(notices), single_thread():
        if known:
            train = training_images(Run.open(path))
            drawn = draw(model.sampler, train, images, seed=seed, where=where)
            notices += drawn.notices
            found: Images = drawn.images
        else:
            found = model.sampler.sample(images, seed=seed, where=where)
    write_images(found, _layout(out, model.origin), out)
    return notices


def _layout(out: Path, like: object) -> ImageLayout:
    """The form that a name asks for."""
    assert isinstance(like, ImageLayout)
    if out.suffix.lower() in (".parquet", ".pq"):
        asked = ImageLayout(format="arrays", target=like.target)
    else:
        asked = ImageLayout(format="folders", zipped=out.suffix.lower() == ".zip")
    same = (like.extension == asked.extension) and like.format != "listing"
    return like if same else asked


def evaluate(
    real: str, synthetic: str, *, holdout: str | None, target: str | None, seed: int
) -> tuple[list[Score], list[str]]:
    """Scores of synthetic images from any tool, and what the reader should know of them."""
    column = target or "label"
    images = read_images(real, column).images
    channels, height, width = images.pixels.shape[1:]
    options = ImageOptions(size=(height, width), channels=channels)
    notices = []
    if holdout is None:
        notices.append("no --holdout: a fifth of REAL stands in for it, and privacy is flattered")
        check_images(images)
        rows, rest = split_images(images, 0.2, seed)
        train, held = images.take(rows), images.take(rest)
    else:
        train, held = images, _like(images, read_images(holdout, column, options).images, holdout)
    made = _like(images, read_images(synthetic, column, options).images, synthetic)
    trio = ImageTrio(train, held, made, seed)
    with single_thread(), tempfile.TemporaryDirectory(prefix="synthgen-") as folder:
        extractor = default_extractor(train, folder=Path(folder), seed=seed, device="cpu")
        steps = ImageSettings().steps(len(train))
        accuracy, further = score_accuracy(trio, steps=steps, device="cpu")
        fidelity, more = score_images(trio, "fidelity", [extractor])
        privacy, last = score_images(trio, "privacy", [extractor])
    return [*accuracy, *fidelity, *privacy], [*notices, *further, *more, *last]


def _like(real: Images, other: Images, name: str) -> Images:
    """The other images with the classes of the real ones. Raises DataError for foreign classes."""
    known = real.take(np.arange(0))
    foreign = [str(one) for one in other.classes if one not in real.classes]
    if foreign:
        raise DataError(
            f"{name}: there are no real images of the class {foreign[0]!r}",
            "give both the same classes",
        )
    return known.concat(other)
