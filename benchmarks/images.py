"""Our ``dcgan`` beside the plain loop of PyTorch's ``examples/dcgan``, the same images in one run.

    python benchmarks/images.py speed --size 64 --images 5000 --steps 20 --rounds 3
    python benchmarks/images.py quality --size 32 --seconds 300 --seeds 3

*speed*: images per second of training, rounds in turn, medians and ranges. *quality*: the Fréchet
distance, in the features of a classifier of the real training images, of as many generated as test
images, after equal seconds of training; beside it that of other training images.

The plain loop is written from the description of Radford et al. 2016 (arXiv 1511.06434): the same
networks, optimizer and batches, images as floats from a ``DataLoader``, real and fake batches
through the critic by themselves, and a generator step that also computes the critic's gradients.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from synthgen.data.images.images import Images  # noqa: E402
from synthgen.data.images.options import ImageOptions  # noqa: E402
from synthgen.data.images.read import read_images  # noqa: E402
from synthgen.generators.images.dcgan import DCGAN  # noqa: E402
from synthgen.training.context import Context  # noqa: E402

DATA = Path(os.environ.get("SYNTHGEN_SHARED_DATA", ROOT.parent / "shared" / "data")) / "image"
LATENT, BATCH, WIDTH = 100, 128, 64


def images(name: str, part: str, size: int, n: int) -> Images:
    options = ImageOptions(size=size, resize="stretch")
    found = read_images(str(DATA / f"{name}-{part}.parquet"), "label", options).images
    rows = np.random.default_rng(0).permutation(len(found))[:n]
    return found.take(np.sort(rows))


def plain_networks(channels: int, size: int) -> tuple[nn.Module, nn.Module]:
    """Those of the paper at 64 pixels; fewer stages for smaller images."""
    stages = (size // 4).bit_length() - 1
    widths = [WIDTH * 2**k for k in range(stages)]
    up: list[nn.Module] = [
        nn.ConvTranspose2d(LATENT, widths[-1], 4, 1, 0, bias=False),
        nn.BatchNorm2d(widths[-1]),
        nn.ReLU(True),
    ]
    for before, after in zip(widths[::-1], widths[-2::-1], strict=False):
        up += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
        up += [nn.BatchNorm2d(after), nn.ReLU(True)]
    up += [nn.ConvTranspose2d(widths[0], channels, 4, 2, 1, bias=False), nn.Tanh()]
    down: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1, bias=False)]
    down += [nn.LeakyReLU(0.2, True)]
    for before, after in pairwise(widths):
        down += [nn.Conv2d(before, after, 4, 2, 1, bias=False)]
        down += [nn.BatchNorm2d(after), nn.LeakyReLU(0.2, True)]
    down += [nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0)]
    networks = nn.Sequential(*up), nn.Sequential(*down)
    for network in networks:
        for layer in network:
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, 0.0, 0.02)
            elif isinstance(layer, nn.BatchNorm2d):
                nn.init.normal_(layer.weight, 1.0, 0.02)
    return networks


def plain(train: Images, seed: int, go_on: Callable[[int], bool]) -> nn.Module:
    """Train until ``go_on(step)`` is False; the generator."""
    torch.manual_seed(seed)
    generator, critic = plain_networks(train.pixels.shape[1], train.pixels.shape[2])
    floats = torch.from_numpy(train.pixels).float() / 127.5 - 1
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(floats), BATCH, shuffle=True, drop_last=True
    )

    def forever() -> Iterator[Tensor]:
        while True:
            for (batch,) in loader:
                yield batch

    adams = [
        torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for network in (critic, generator)
    ]
    entropy, ones, zeros = nn.BCELoss(), torch.ones(BATCH), torch.zeros(BATCH)
    for step, real in enumerate(forever()):
        if not go_on(step):
            break
        critic.zero_grad()
        entropy(critic(real), ones).backward()
        fake = generator(torch.randn(BATCH, LATENT, 1, 1))
        entropy(critic(fake.detach()), zeros).backward()
        adams[0].step()
        generator.zero_grad()
        entropy(critic(fake), ones).backward()
        adams[1].step()
    return generator.eval()


class EnoughError(Exception):
    """Ends a training that is only timed."""


def speed(given: argparse.Namespace) -> None:
    train = images(given.data, "train", given.size, given.images)
    found: dict[str, list[float]] = {"synthgen": [], "plain": []}
    for round_ in range(given.rounds):
        for name in found if round_ % 2 == 0 else [*found][::-1]:
            times: list[float] = []

            def passed(step: int, times: list[float] = times) -> bool:
                times.append(time.perf_counter())
                return step < given.steps + 2

            if name == "plain":
                plain(train, round_, passed)
            else:

                def log(record: dict[str, float], passed: Any = passed) -> None:
                    if not passed(int(record["step"])):
                        raise EnoughError

                ours = DCGAN(steps=given.steps + 2, evaluations=0)
                with suppress(EnoughError):
                    ours.fit(train, Context(seed=round_, log=log, log_every=1))
            # The first two steps warm up.
            rate = BATCH * (len(times) - 3) / (times[-1] - times[2])
            found[name].append(rate)
            print(f"{name}: {rate:.1f} images/s", file=sys.stderr, flush=True)
    print(f"\n{given.data} at {given.size} pixels, batch {BATCH}; {machine()}")
    print("| | images/s | ratio |\n| --- | ---: | ---: |")
    for name, rates in found.items():
        pairs = [rate / other for rate, other in zip(rates, found["plain"], strict=True)]
        print(f"| {name} | {middle(rates, '{:.1f}')} | {middle(pairs, '{:.2f}')} |")


def quality(given: argparse.Namespace) -> None:
    from synthgen.metrics.images.frechet import frechet_distance
    from synthgen.vision.train import train_classifier

    train = images(given.data, "train", given.size, given.images)
    test = images(given.data, "test", given.size, 5_000)
    pixels = torch.from_numpy(train.pixels)
    judge = train_classifier(pixels, torch.from_numpy(train.labels), len(train.classes), steps=500)
    reference = judge.features(pixels[:5_000])
    floor = frechet_distance(reference, judge.features(torch.from_numpy(test.pixels)))
    found: dict[str, list[float]] = {"synthgen": [], "plain": []}
    for seed in range(given.seeds):
        end = time.perf_counter() + given.seconds
        network = plain(train, seed, lambda _, end=end: time.perf_counter() < end)  # type: ignore[misc]
        with torch.no_grad():
            z = torch.randn(len(test), LATENT, 1, 1)
            made = torch.cat([network(part) for part in z.split(250)])
        made = made.add(1).mul(127.5).round().clamp(0, 255).byte()
        found["plain"].append(frechet_distance(reference, judge.features(made)))
        ours = DCGAN(steps=10**6, evaluations=0, time_limit=given.seconds)
        sampler = ours.fit(train, Context(seed=seed))
        made = torch.from_numpy(sampler.sample(len(test), seed=seed).pixels)
        found["synthgen"].append(frechet_distance(reference, judge.features(made)))
        print(f"seed {seed}: {found}", file=sys.stderr, flush=True)
    print(f"\n{given.data} at {given.size} pixels, {given.seconds} s each; {machine()}")
    print(f"Fréchet distance of {len(test)} images, that of test images {floor:.2f}")
    print("| | distance |\n| --- | ---: |")
    for name, values in found.items():
        print(f"| {name} | {middle(values, '{:.1f}')} |")


def middle(values: list[float], form: str) -> str:
    """Median, and range in brackets."""
    return f"{form} [{form}, {form}]".format(statistics.median(values), min(values), max(values))


def machine() -> str:
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, one thread, Python "
        f"{platform.python_version()}, torch {version('torch')}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["speed", "quality"])
    parser.add_argument("--data", choices=["mnist", "cifar10"], default="mnist")
    parser.add_argument("--size", type=int, default=32, choices=[8, 16, 32, 64, 128])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    {"speed": speed, "quality": quality}[given.what](given)


if __name__ == "__main__":
    main()
