"""What a run on images holds: its committed files as the objects that they describe.

Images stand in the run as they stood in the source: a folder by class, an archive, a listing, or
Parquet. Reading them again gives the same pixels, labels and classes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from synthgen import config as configuration
from synthgen.config import ImageConfig
from synthgen.data.images.images import Images
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.read import read_images
from synthgen.data.images.write import write_images
from synthgen.runs import Run

GROUPS = "groups.json"
"""Of the training images in the order of the file: a number for each, the same for near
duplicates; null where no two are."""
SYNTHETIC, AUGMENTED = "synthetic", "augmented"


def settings(run: Run) -> ImageConfig:
    """The resolved configuration."""
    found = configuration.read(run / "config.yaml")
    assert isinstance(found, ImageConfig)
    return found


def layout(run: Run) -> ImageLayout:
    """How the source held its images."""
    return ImageLayout.model_validate_json((run / "origin.json").read_text("utf-8"))


def training_images(run: Run) -> Images:
    """The images that everything may be learned from."""
    images = stored(run, "split/train")
    groups = json.loads((run / GROUPS).read_text("utf-8"))
    return images if groups is None else replace(images, groups=np.array(groups, dtype=np.int64))


def sealed_images(run: Run, train: Images) -> Images:
    """The test images, with the classes of the training images. Only ``evaluate`` calls this:
    nothing is learned or chosen from them."""
    return replace(train.take(np.arange(0)).concat(stored(run, "split/test")), groups=None)


def synthetic_images(run: Run, train: Images) -> Images:
    """All images that were drawn, in the order in which they were; their classes are those of the
    training images, also where none of a class came."""
    record = json.loads((run / "sample.json").read_text("utf-8"))
    nothing = train.take(np.arange(0))
    if not record["drawn"]:
        return nothing
    found = stored(run, SYNTHETIC)
    if layout(run).format in ("folders", "listing"):
        # Files are read class by class; their numbers say when they were drawn.
        order = sorted(range(len(found)), key=lambda i: found.names[i].rpartition("/")[2])
        found = found.take(np.array(order))
    return replace(nothing.concat(found), groups=None)


def augmented_images(run: Run) -> Images:
    """Training images and the chosen synthetic ones."""
    return stored(run, AUGMENTED)


def stored(run: Run, name: str) -> Images:
    """The set of images that was written under this name, ``split/train`` for example."""
    form, config = layout(run), settings(run)
    return read_again(run / f"{name}{form.extension}", form, config)


def read_again(path: Path, form: ImageLayout, config: ImageConfig) -> Images:
    """What :func:`synthgen.data.images.write.write_images` wrote with this layout."""
    target = form.target if form.format != "folders" else config.data.target
    return read_images(path, target, config.data.read).images


def write(images: Images, form: ImageLayout, folder: Path, name: str) -> Path:
    """Write a set of images into ``folder`` under this name, in the layout of the source."""
    path = folder / f"{name}{form.extension}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_images(images, form, path)
    return path
