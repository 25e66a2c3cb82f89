"""Do images of a GAN help a classifier beyond the standard augmentations?

    python benchmarks/image_uplift.py --regimes digits-10 mnist-20 --budget quick

Regimes, named by their data and the training images of each class: ``mnist-20``, ``digits-10``,
``cifar10-250``, ``cifar10-500``, and ``cifar10-tail``, whose classes shrink from 500 to 5 images as
a geometric series does (imbalance 100; Cui et al., CVPR 2019, section 5.1). Each is a whole run of
``synthgen augment`` in its folder below ``--keep``, sealed images and report included; a run that
is there goes on where it was. Of MNIST and CIFAR-10 the sealed images are the official test images
(``--sealed`` of them).

Prints, per regime, what doing nothing reaches in the resamples, the gains of the strongest standard
augmentation and of every arm with generated images over it, and the difference of these arms to
that augmentation, all with their 95 % intervals; then the verdict, and what the arm with both chose
in each resample. Nothing is tuned on what is printed: which augmentation and which generator's arm
are compared is the one with the larger gain, which flatters both.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from synthgen import pipeline  # noqa: E402
from synthgen.benchmark.comparison import Comparison  # noqa: E402
from synthgen.config import build  # noqa: E402
from synthgen.data.images.images import Images  # noqa: E402
from synthgen.data.images.layout import ImageLayout  # noqa: E402
from synthgen.data.images.read import read_images  # noqa: E402
from synthgen.data.images.write import write_images  # noqa: E402
from synthgen.pipeline import stages  # noqa: E402
from synthgen.runs import Run  # noqa: E402

DATA = Path(os.environ.get("SYNTHGEN_SHARED_DATA", ROOT.parent / "shared" / "data")) / "image"
STANDARD = ("flips_crops", "randaugment", "mixup", "class_weights", "oversample")
IMBALANCE = 100


@dataclass(frozen=True)
class Regime:
    """``counts``: training images of each class; None of a set whose own split is taken."""

    data: str
    counts: Callable[[int], int]
    mirrored: bool = False


REGIMES = {
    "digits-10": Regime("digits", lambda k: 10),
    "mnist-20": Regime("mnist", lambda k: 20),
    "cifar10-250": Regime("cifar10", lambda k: 250, mirrored=True),
    "cifar10-500": Regime("cifar10", lambda k: 500, mirrored=True),
    "cifar10-tail": Regime("cifar10", lambda k: round(500 * IMBALANCE ** (-k / 9)), mirrored=True),
}


def prepared(name: str, folder: Path, sealed: int) -> dict[str, object]:
    """The ``data`` section of a run, whose files are written on the way."""
    regime = REGIMES[name]
    if regime.data == "digits":
        return {"data": {"source": "sklearn:digits"}, "split": {"rows_per_class": 10}}
    paths = {part: folder / f"{name}-{part}.parquet" for part in ("train", "test")}
    if not all(path.exists() for path in paths.values()):
        for part, path in paths.items():
            images = read_images(DATA / f"{regime.data}-{part}.parquet").images
            order = np.random.default_rng(0).permutation(len(images))
            if part == "train":
                rows = [
                    order[images.labels[order] == k][: regime.counts(k)]
                    for k in range(len(images.classes))
                ]
                order = np.concatenate(rows)
            write(images.take(np.sort(order if part == "train" else order[:sealed])), path)
    return {"data": {"source": str(paths["train"]), "test": str(paths["test"])}}


def write(images: Images, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_images(images, ImageLayout(format="arrays"), path)


def run(name: str, folder: Path, given: argparse.Namespace) -> Run:
    """The finished run of a regime."""
    place = folder / name
    if Run(place).begun:
        return pipeline.resume(place)
    settings: dict[str, object] = {
        "modality": "images",
        "budget": given.budget,
        "seed": given.seed,
        "decide": {"mirrored": REGIMES[name].mirrored},
        "generator": {"name": given.generator},
        **prepared(name, folder, given.sealed),
    }
    if given.workers:
        settings["workers"] = given.workers
    return pipeline.augment(build(settings), place)


def points(board: Comparison, arm: str, other: str) -> tuple[float, str] | None:
    """The mean difference, and it with its interval, in points."""
    estimate = board.of(board.pairs(arm, other))
    if estimate is None:
        return None
    low, high = 100 * estimate.low, 100 * estimate.high
    return estimate.mean, f"{100 * estimate.mean:+.1f} ({low:+.1f} to {high:+.1f})"


def show(name: str, found: Run, seconds: float) -> None:
    board, answer = stages.comparison(found), stages.verdict(found)
    gains = {arm: gain for arm in board.arms if (gain := points(board, arm, "nothing"))}
    baseline = np.mean(list(board.scores("nothing", board.settings.metric).values()))
    standard = max((a for a in STANDARD if a in gains), key=lambda a: gains[a][0])
    ours = max((a for a in board.candidates if a in gains), key=lambda a: gains[a][0])
    against = points(board, ours, standard)
    print(
        f"| {name} | {100 * baseline:.1f} | {standard} {gains[standard][1]} "
        f"| {ours} {gains[ours][1]} | {against[1] if against else '-'} "
        f"| {answer.decision} | {answer.resamples} | {seconds / 60:.0f} |",
        flush=True,
    )
    inside(board, f"{board.source(ours)}-mixed")


def inside(board: Comparison, mixed: str) -> None:
    """What the mixed arm chose in each resample, and what it is beyond crops and flips."""
    pairs = board.pairs(mixed, "flips_crops")
    beyond = dict(zip(pairs.resamples, pairs.differences, strict=True))
    for result in board.results:
        for found in (one for arm in result.arms if arm.arm == mixed for one in arm.learners):
            recipe, resample = found.recipe, result.job.resample
            print(
                f"  resample {resample}: ratio {recipe.ratio} with {recipe.augmentation}, "
                f"{100 * beyond[resample]:+.1f} beyond crops and flips",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--regimes", nargs="+", default=list(REGIMES), choices=list(REGIMES))
    parser.add_argument("--budget", default="quick", choices=["quick", "standard", "thorough"])
    parser.add_argument("--generator", default="cdcgan")
    parser.add_argument("--sealed", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--keep", type=Path, default=Path("runs/bench/image-uplift"))
    given = parser.parse_args()
    print(
        "| regime | nothing | best standard | best with generated images | difference of the two "
        "| verdict | resamples | minutes |"
    )
    print("| --- | ---: | --- | --- | --- | --- | ---: | ---: |", flush=True)
    for name in given.regimes:
        started = time.perf_counter()
        found = run(name, given.keep, given)
        show(name, found, time.perf_counter() - started)


if __name__ == "__main__":
    main()
