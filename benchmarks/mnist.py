"""The default for images on all of MNIST, seed by seed: is it good, and does every run survive?

    python benchmarks/mnist.py

Each seed trains ``cdcgan`` on the 60,000 training images and draws 20,000. Prints minutes of
training; the classification accuracy score (train on what was drawn, test on the 10,000 test
images) beside that of as many real training images; the smallest and largest class of what a
classifier of real images sees in the drawn ones, as a multiple of a tenth of them (the training
images' own are 0.90 and 1.12); how many show the class that they are labelled with; and how many of
the evaluations found a fault. What was measured is kept in ``--keep``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from image_recipe import DATA, tensors  # noqa: E402

from synthgen.data.images.images import Images  # noqa: E402
from synthgen.data.images.read import read_images  # noqa: E402
from synthgen.errors import TrainingError  # noqa: E402
from synthgen.generators.images.cdcgan import CDCGAN  # noqa: E402
from synthgen.metrics.images.classification_accuracy import classification_accuracy  # noqa: E402
from synthgen.training.context import Context  # noqa: E402
from synthgen.vision.classifier import Classifier  # noqa: E402
from synthgen.vision.train import Augmentation, train_classifier  # noqa: E402

DRAWN, CLASSIFIER_STEPS = 20_000, 1_500
MOVED = Augmentation(padding=2)


def measure(
    train: Images, test: Images, judge: Classifier, steps: int, seed: int
) -> dict[str, float | str]:
    faults: list[float] = []
    started = time.perf_counter()
    try:
        sampler = CDCGAN(steps=steps).fit(
            train, Context(seed=seed, log=lambda record: faults.append(record.get("fault", 0.0)))
        )
    except TrainingError as error:
        return {"lost": str(error)}
    minutes = (time.perf_counter() - started) / 60
    drawn = sampler.sample(DRAWN, seed=seed)
    told = judge.probabilities(torch.from_numpy(drawn.pixels)).argmax(1)
    shares = told.bincount(minlength=10)
    figure = classification_accuracy(
        tensors(train),
        tensors(test),
        tensors(drawn),
        train.classes,
        steps=CLASSIFIER_STEPS,
        seed=seed,
        augmentation=MOVED,
    )
    return {
        "minutes": minutes,
        "accuracy": figure.value,
        "real": figure.floor,
        "least": 10 * float(shares.min()) / DRAWN,
        "most": 10 * float(shares.max()) / DRAWN,
        "right": float((told.numpy() == drawn.labels).mean()),
        "faults": sum(faults),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--keep", type=Path, default=Path("runs/bench/mnist"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.keep.mkdir(parents=True, exist_ok=True)
    train, test = (read_images(DATA / f"mnist-{part}.parquet").images for part in ("train", "test"))
    judge = train_classifier(*tensors(train), 10, steps=CLASSIFIER_STEPS, augmentation=MOVED)
    print(
        f"{given.steps} steps; {platform.machine()}, {os.cpu_count()} cores, one thread, "
        f"Python {platform.python_version()}, torch {version('torch')}\n"
    )
    print("| seed | minutes | accuracy, % | real, % | classes | of the class | faults |")
    print("| ---: | ---: | ---: | ---: | --- | ---: | ---: |")
    for seed in given.seeds:
        path = given.keep / f"{given.steps}-{seed}.json"
        if not path.exists():
            path.write_text(json.dumps(measure(train, test, judge, given.steps, seed)))
        found = json.loads(path.read_text())
        if "lost" in found:
            print(f"| {seed} | {found['lost']} | | | | | |", flush=True)
            continue
        print(
            f"| {seed} | {found['minutes']:.1f} | {100 * found['accuracy']:.2f} "
            f"| {100 * found['real']:.2f} | {found['least']:.2f} to {found['most']:.2f} "
            f"| {100 * found['right']:.1f} % | {found['faults']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
