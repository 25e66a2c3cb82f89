"""Training of an image classifier for a given number of steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from synthgen.errors import ConfigError, DataError, TrainingError
from synthgen.training.checkpoints import all_finite
from synthgen.training.ema import Ema
from synthgen.training.loop import denormals_flushed
from synthgen.training.randomness import derive, initialisation
from synthgen.vision.classifier import Classifier
from synthgen.vision.flip_crop import crop, flip
from synthgen.vision.mixup import mixup
from synthgen.vision.networks import build, placed
from synthgen.vision.pixels import channel_statistics, check_images, normalised
from synthgen.vision.rand_augment import HIGHEST, rand_augment

WARM_UP = 0.2
"""Share of the steps in which the learning rate rises from 0 to its height, in a line; in the
others it falls to 0 in a line."""


@dataclass(frozen=True)
class Augmentation:
    """What is done to the images of a batch, in this order; by default, nothing."""

    flip: bool = False
    """Mirror half of them left to right."""
    padding: int = 0
    """Move them by up to so many pixels."""
    operations: int = 0
    """Operations of RandAugment for each image."""
    magnitude: float = 9.0
    """Strength of these operations, 0 to 30."""
    mixup: float = 0.0
    """Alpha of MixUp; 0: none."""

    def __post_init__(self) -> None:
        if self.padding < 0 or self.operations < 0 or self.mixup < 0:
            raise ConfigError(
                "padding, operations and mixup of an augmentation cannot be negative",
                "set them to 0 to leave them out",
            )
        if not 0 <= self.magnitude <= HIGHEST:
            raise ConfigError(
                f"magnitude {self.magnitude} of RandAugment", f"choose one from 0 to {HIGHEST}"
            )


PLAIN = Augmentation()


def train_classifier(
    pixels: Tensor,
    labels: Tensor,
    classes: int,
    *,
    steps: int,
    seed: int = 0,
    device: str = "cpu",
    augmentation: Augmentation = PLAIN,
    class_weights: Tensor | None = None,
    sample_weights: Tensor | None = None,
    batch_size: int = 128,
    learning_rate: float = 4e-3,
    weight_decay: float = 0.05,
    label_smoothing: float = 0.1,
    ema: float | None = None,
    network: str | None = None,
) -> Classifier:
    """Train on uint8 images (n, channels, side, side) and int64 labels (n,) for ``steps`` steps,
    however many images there are, so that sets of different sizes get the same work.

    Every batch has ``batch_size`` images, taken from one random order of all after another; with
    fewer images than that one batch holds some several times, each augmented by itself. AdamW, one
    rise and fall of the learning rate, cross-entropy with smoothed labels. ``class_weights``
    (classes,) and ``sample_weights`` (n,), non-negative, multiply; scaled to mean 1 over the
    images. ``ema``: the decay of a moving average of the weights, which is then returned.
    ``network``: see :func:`~synthgen.vision.networks.build`.

    On the CPU the seed and the number of threads fix the result. The images lie on the device as
    uint8 the whole time, and no step waits for it.

    Raises :class:`~synthgen.errors.DataError` for images, labels or weights of wrong form,
    :class:`~synthgen.errors.ConfigError` for settings or a network that do not fit, and
    :class:`~synthgen.errors.TrainingError` if the weights do not stay finite.
    """
    check_images(pixels, labels, classes)
    size = pixels.shape[2]
    if steps < 1 or batch_size < 2:
        raise ConfigError(
            f"{steps} steps with batches of {batch_size} images",
            "choose at least 1 step and 2 images, of which batch normalisation needs the second",
        )
    if augmentation.padding >= size:
        raise ConfigError(
            f"padding {augmentation.padding} for images of {size} pixels",
            "choose less than the side",
        )
    pixels, labels = pixels.to(device), labels.to(device)
    weights = _weights(labels, classes, class_weights, sample_weights)
    targets = _targets(classes, label_smoothing, device)
    mean, deviation = channel_statistics(pixels)
    generator = torch.Generator(device).manual_seed(derive(seed, "batches"))

    with initialisation(derive(seed, "network")), denormals_flushed():
        net = placed(build(network, pixels.shape[1], size, classes), device).train()
        optimizer = torch.optim.AdamW(
            net.parameters(), weight_decay=weight_decay, betas=(0.9, 0.99), fused=True
        )
        average = Ema(net, ema) if ema is not None else None
        for step, rows in enumerate(_batches(len(pixels), batch_size, steps, generator)):
            _set_rate(optimizer, learning_rate * _height((step + 0.5) / steps))
            images = _augmented(pixels[rows], augmentation, generator)
            images = normalised(images, mean, deviation)
            # Each row sums to its image's weight, so a blend of rows is weighted rightly too.
            goal = targets[labels[rows]] * weights[rows, None]
            if augmentation.mixup:
                images, goal = mixup(images, goal, augmentation.mixup, generator)
            loss = -(goal * net(images).log_softmax(1)).sum() / batch_size
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if average is not None:
                average.update(step + 1)

    trained = net if average is None else average.module
    if not all_finite([*trained.parameters(), *trained.buffers()]):
        raise TrainingError(
            f"the classifier's weights are not finite after {steps} steps",
            "lower the learning rate",
        )
    trained.requires_grad_(False)
    return Classifier(trained, mean, deviation, size=size, classes=classes, path=network)


def _augmented(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    if augmentation.flip:
        images = flip(images, generator)
    if augmentation.padding:
        images = crop(images, augmentation.padding, generator)
    if augmentation.operations:
        images = rand_augment(images, augmentation.operations, augmentation.magnitude, generator)
    return images


def _batches(
    count: int, batch_size: int, steps: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Places of the images of each step's batch, (batch_size,)."""
    left = torch.empty(0, dtype=torch.int64, device=generator.device)
    for _ in range(steps):
        while len(left) < batch_size:
            order = torch.randperm(count, generator=generator, device=generator.device)
            left = torch.cat([left, order])
        yield left[:batch_size]
        left = left[batch_size:]


def _height(progress: float) -> float:
    """The learning rate as a share of its height, after a share of the steps."""
    return progress / WARM_UP if progress < WARM_UP else (1 - progress) / (1 - WARM_UP)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _targets(classes: int, smoothing: float, device: str) -> Tensor:
    """Row k is the smoothed target of class k, (classes, classes)."""
    return torch.eye(classes, device=device) * (1 - smoothing) + smoothing / classes


def _weights(
    labels: Tensor, classes: int, class_weights: Tensor | None, sample_weights: Tensor | None
) -> Tensor:
    """One weight per image, of mean 1."""
    weights = torch.ones(len(labels), device=labels.device)
    for name, given, count in (
        ("class", class_weights, classes),
        ("sample", sample_weights, len(labels)),
    ):
        if given is None:
            continue
        given = given.to(labels.device, torch.float32)
        if given.shape != (count,) or not bool((given.isfinite() & (given >= 0)).all()):
            raise DataError(
                f"{name} weights must be {count} finite numbers of at least 0",
                f"give one weight per {'class' if name == 'class' else 'image'}",
            )
        weights = weights * (given[labels] if name == "class" else given)
    total = weights.mean()
    if not bool(total > 0):
        raise DataError("the weights of all images are 0", "give at least one a positive weight")
    return weights / total
