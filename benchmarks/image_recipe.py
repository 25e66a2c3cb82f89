"""What each setting of ``cdcgan``, the default for images, gains: one changed at a time.

    python benchmarks/image_recipe.py --regimes mnist mnist-20 digits-30 --steps 2000 --seeds 2

A regime is a data set and, after the hyphen, the training images of each class. Prints, per regime
and variant, over seeds: the classification accuracy score (train on 10,000 synthetic images, test
on real ones; a classifier with the same training on as many real training images beside it), recall
and Fréchet distance in the features of a classifier of *all* training images, and CPU seconds of
training. ``--settings`` measures another variant, as JSON: ``'{"generator_lr": 0.0005}'``, or of
another generator: ``'{"name": "r3gan"}'``. What was measured is kept in ``--keep``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import sys
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from synthgen.data.images.images import Images  # noqa: E402
from synthgen.data.images.read import read_images  # noqa: E402
from synthgen.generators.images import AnyImageGenerator  # noqa: E402
from synthgen.metrics.images.classification_accuracy import classification_accuracy  # noqa: E402
from synthgen.metrics.images.frechet import frechet_distance  # noqa: E402
from synthgen.metrics.images.neighbours import radii  # noqa: E402
from synthgen.metrics.images.precision_recall import shares  # noqa: E402
from synthgen.training.context import Context  # noqa: E402
from synthgen.vision.classifier import Classifier  # noqa: E402
from synthgen.vision.train import Augmentation, train_classifier  # noqa: E402

DATA = Path(os.environ.get("SYNTHGEN_SHARED_DATA", ROOT.parent / "shared" / "data")) / "image"
SYNTHETIC, FEATURES, NEAREST = 10_000, 2_000, 3
JUDGE_STEPS = 600
VARIANTS: dict[str, dict[str, Any]] = {
    "recipe": {},
    "learning rates 2e-4": {"generator_lr": 2e-4, "critic_lr": 2e-4},
    "no augmentation": {"augmentation": "none"},
    "DiffAugment": {"augmentation": "diffaugment"},
    "width 16": {"width": 16},
    "no R1": {"penalty": "none"},
    "spectral norm": {"critic_norm": "spectral"},
    "hinge": {"loss": "hinge"},
    "auxiliary classifier": {"told_critic": "auxiliary"},
    "class in normalisation": {"told_generator": "normalisation"},
    "no average": {"ema": None},
}


@cache
def data(regime: str) -> tuple[Images, Images, Images]:
    """Images of training, all of the training part, and real ones to test on."""
    name, _, each = regime.partition("-")
    if name == "digits":
        found = read_images("sklearn:digits").images
        order = np.random.default_rng(0).permutation(len(found))
        whole, test = found.take(order[:900]), found.take(order[900:])
    else:
        whole = read_images(DATA / f"{name}-train.parquet").images
        test = read_images(DATA / f"{name}-test.parquet").images.take(np.arange(5_000))
    if not each:
        return whole, whole, test
    rows = [np.flatnonzero(whole.labels == k)[: int(each)] for k in range(len(whole.classes))]
    return whole.take(np.sort(np.concatenate(rows))), whole, test


@cache
def judge(regime: str) -> Classifier:
    _, whole, _ = data(regime)
    return train_classifier(
        *tensors(whole), len(whole.classes), steps=JUDGE_STEPS, augmentation=Augmentation(padding=2)
    )


def tensors(images: Images) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(images.pixels), torch.from_numpy(images.labels)


def generator_of(settings: dict[str, Any], steps: int) -> AnyImageGenerator:
    given = {"name": "cdcgan", "steps": steps, "evaluations": 0} | settings
    found: AnyImageGenerator = TypeAdapter(AnyImageGenerator).validate_python(given)
    return found


def measure(regime: str, generator: AnyImageGenerator, seed: int) -> dict[str, float]:
    train, _, test = data(regime)
    started = time.process_time()
    sampler = generator.fit(train, Context(seed=seed))
    seconds = time.process_time() - started
    made = sampler.sample(SYNTHETIC, seed=seed)
    figure = classification_accuracy(
        tensors(train),
        tensors(test),
        tensors(made),
        train.classes,
        steps=JUDGE_STEPS,
        seed=seed,
        augmentation=Augmentation(padding=2),
    )
    features = judge(regime).features
    real = features(torch.from_numpy(test.pixels[:FEATURES]))
    drawn = features(torch.from_numpy(made.pixels[:FEATURES]))
    _, recall = shares(real, radii(real, NEAREST), drawn, NEAREST)
    return {
        "accuracy": 100 * figure.value,
        "real": 100 * figure.floor,
        "recall": 100 * recall,
        "frechet": frechet_distance(real, drawn),
        "seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regimes", nargs="+", default=["mnist", "mnist-20", "digits-30"])
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--settings", nargs="*", default=[], type=json.loads)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path("runs/bench/image-recipe"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.keep.mkdir(parents=True, exist_ok=True)
    variants = {name: VARIANTS[name] for name in given.variants}
    variants |= {json.dumps(settings): settings for settings in given.settings}
    print(
        f"{given.steps} steps, {given.seeds} seeds; {platform.machine()}, {os.cpu_count()} cores, "
        f"one thread, Python {platform.python_version()}, torch {version('torch')}\n"
    )
    print("| regime | variant | accuracy, % | real, % | recall, % | Fréchet | CPU s |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for regime in given.regimes:
        for name, settings in variants.items():
            generator, found = generator_of(settings, given.steps), []
            for seed in range(given.seeds):
                key = json.dumps([regime, generator.model_dump(mode="json"), seed])
                path = given.keep / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
                if not path.exists():
                    path.write_text(json.dumps(measure(regime, generator, seed)))
                found.append(json.loads(path.read_text()))
            mean = {score: statistics.mean(one[score] for one in found) for score in found[0]}
            print(
                f"| {regime} | {name} | {mean['accuracy']:.1f} | {mean['real']:.1f} "
                f"| {mean['recall']:.1f} | {mean['frechet']:.2f} | {mean['seconds']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
