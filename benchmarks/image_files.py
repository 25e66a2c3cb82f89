"""Reading, writing and near duplicates of the images of MNIST and CIFAR-10.

    python benchmarks/image_files.py

Prints CPU seconds of reading and writing Parquet and of finding near duplicates among the training
images, with the number of pairs found; then how many of 2,000 test images are grouped with a
changed copy of themselves, and how many with another original.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image, ImageEnhance

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from synthgen.data.images.duplicates import near_duplicates  # noqa: E402
from synthgen.data.images.images import Images  # noqa: E402
from synthgen.data.images.layout import ImageLayout  # noqa: E402
from synthgen.data.images.read import read_images  # noqa: E402
from synthgen.data.images.write import write_images  # noqa: E402

DATA = Path(os.environ.get("SYNTHGEN_SHARED_DATA", ROOT.parent / "shared" / "data")) / "image"
T = TypeVar("T")


def jpeg(quality: int) -> Callable[[Image.Image], Image.Image]:
    def change(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file)

    return change


def resized(factor: float) -> Callable[[Image.Image], Image.Image]:
    def change(image: Image.Image) -> Image.Image:
        size = round(image.width * factor), round(image.height * factor)
        return image.resize(size, Image.Resampling.BICUBIC).resize(
            image.size, Image.Resampling.BICUBIC
        )

    return change


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG, quality 90": jpeg(90),
    "JPEG, quality 75": jpeg(75),
    "JPEG, quality 50": jpeg(50),
    "a tenth brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "a tenth darker": lambda image: ImageEnhance.Brightness(image).enhance(0.9),
    "10 grey levels brighter": lambda image: image.point(lambda value: min(255, value + 10)),
    "enlarged twice and back": resized(2),
    "enlarged by half and back": resized(1.5),
    "reduced to three quarters and back": resized(0.75),
}


def changed(images: Images, change: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    """uint8 (n, channels, height, width)."""
    grey = images.pixels.shape[1] == 1
    pictures = images.pixels[:, 0] if grey else images.pixels.transpose(0, 2, 3, 1)
    copies = np.stack([np.asarray(change(Image.fromarray(one))) for one in pictures])
    return copies[:, None] if grey else copies.transpose(0, 3, 1, 2)


def found(images: Images, copies: np.ndarray) -> tuple[float, int]:
    """Share of images grouped with their copy; of groups that hold two originals, how many more
    than among the originals alone."""
    n = len(images)
    both = images.concat(replace(images, pixels=copies))
    groups = near_duplicates(both)
    alone = len(np.unique(near_duplicates(images)))
    return float((groups[:n] == groups[n:]).mean()), alone - len(np.unique(groups[:n]))


def timed(work: Callable[..., T], *given: Any) -> tuple[T, float]:
    started = time.process_time()
    result = work(*given)
    return result, time.process_time() - started


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, one thread, Python "
        f"{platform.python_version()}, Pillow {version('pillow')}, pyarrow {version('pyarrow')}\n"
    )
    print("| CPU seconds | read | write Parquet | near duplicates | pairs |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in ("mnist", "cifar10"):
        source = DATA / f"{name}-train.parquet"
        read, seconds = timed(read_images, source)
        images = read.images
        with tempfile.TemporaryDirectory() as folder:
            place, layout = Path(folder) / "images.parquet", ImageLayout(format="arrays")
            _, write = timed(write_images, images, layout, place)
        groups, alike = timed(near_duplicates, images)
        pairs = len(images) - len(np.unique(groups))
        print(
            f"| {name}, {len(images):,} | {seconds:.1f} | {write:.1f} | {alike:.1f} | {pairs} |",
            flush=True,
        )
    print("\n| copy | mnist | cifar10 |\n| --- | ---: | ---: |")
    tests = [read_images(DATA / f"{name}-test.parquet").images for name in ("mnist", "cifar10")]
    tests = [test.take(np.arange(2_000)) for test in tests]
    for name, change in CHANGES.items():
        cells = [found(test, changed(test, change)) for test in tests]
        shown = [
            f"{share:.1%}" + (f", {more} with another" if more else "") for share, more in cells
        ]
        print(f"| {name} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main()
