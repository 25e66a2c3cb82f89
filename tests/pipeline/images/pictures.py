"""Small sets of images and small jobs for whole runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synthgen.config import ImageConfig, build
from synthgen.data.images.images import Images
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.write import write_images

CLASSES = ("bar", "ring", "wedge")
SIDE = 8


def shapes(each: Sequence[int] = (20, 20, 20), seed: int = 0, channels: int = 1) -> Images:
    """So many images of each class: a bar, a ring and a wedge in noise, of varying brightness."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    clean = np.stack(
        [np.abs(rows) < 1.2, np.abs(np.hypot(rows, columns) - 3) < 0.8, rows > columns]
    )
    labels = np.repeat(np.arange(len(each)), each)
    bright = rng.uniform(120, 220, len(labels))[:, None, None]
    pixels = clean[labels] * bright + rng.normal(20, 8, (len(labels), SIDE, SIDE))
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)[:, None].repeat(channels, axis=1)
    names = tuple(f"{CLASSES[k]}/{i:03d}.png" for i, k in enumerate(labels))
    return Images(pixels, labels.astype(np.int64), CLASSES, names)


LAYOUTS = {
    "folders": (ImageLayout(format="folders"), "shapes"),
    "zip": (ImageLayout(format="folders", zipped=True), "shapes.zip"),
    "listing": (ImageLayout(format="listing", listing="labels.csv"), "shapes"),
    "parquet": (ImageLayout(format="parquet"), "shapes.parquet"),
}


def written(images: Images, folder: Path, layout: str = "folders") -> Path:
    """The images as a source in this layout."""
    form, name = LAYOUTS[layout]
    write_images(images, form, folder / name)
    return folder / name


def small(source: Path | str = "", **settings: Any) -> ImageConfig:
    """A configuration whose run takes seconds."""
    base: dict[str, Any] = {
        "modality": "images",
        "data": {"source": str(source)},
        "generator": {"name": "cgan", "steps": 40, "width": 8, "evaluations": 0},
        "decide": {
            "resamples": 3,
            "ratios": [1.0],
            "arms": ["nothing", "flips_crops", "oversample"],
            "learners": ["tests.benchmark.images.worlds:perceptron"],
            "classifier_steps": 5,
            "batch_size": 8,
        },
        "workers": 1,
    }
    ratio = settings.get("sample", {}).get("ratio", "auto")
    if ratio != "auto":
        base["decide"]["ratios"] = [ratio]
    for name, section in settings.items():
        old = base.get(name)
        base[name] = (
            {**old, **section} if isinstance(old, dict) and name != "generator" else section
        )
    config = build(base)
    assert isinstance(config, ImageConfig)
    return config
