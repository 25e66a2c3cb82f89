"""The first stage for images: seal the test images, resolve the configuration, look for images that
are on both sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from synthgen import config as configuration
from synthgen.config import ImageConfig
from synthgen.data.images.checks import check_images
from synthgen.data.images.duplicates import near_duplicates
from synthgen.data.images.images import Images
from synthgen.data.images.read import LoadedImages, read_images
from synthgen.data.images.split import split_images
from synthgen.data.quoting import some
from synthgen.errors import DataError
from synthgen.pipeline.events import Event, Notify
from synthgen.pipeline.images.beginning import beginning
from synthgen.pipeline.images.contents import GROUPS, read_again, training_images, write
from synthgen.pipeline.seeds import derive
from synthgen.runs import Run, dump
from synthgen.vision import networks
from synthgen.vision.pixels import check_images as check_pixels

FEWEST = 4
"""Images of a class without which resamples cannot be divided into three parts."""


def split(run: Run, config: ImageConfig, loaded: LoadedImages, notify: Notify) -> None:
    """Seal the test images, each layout as the source's, and resolve the configuration."""

    def work(folder: Path) -> None:
        train, test, notices, leaks = parts(loaded, config)
        resolved = configuration.resolve_images(config, train)
        check_learners(resolved, train)
        written = write(train, loaded.layout, folder, "split/train")
        write(test, loaded.layout, folder, "split/test")
        groups = _groups_again(train, read_again(written, loaded.layout, resolved))
        (folder / GROUPS).write_text(dump(groups), "utf-8")
        told = [*leaks, *loaded.notices, *notices]
        (folder / "notices.json").write_text(dump(told), "utf-8")
        (folder / "leaks.json").write_text(dump(leaks), "utf-8")
        origin = loaded.layout.model_dump(mode="json")
        (folder / "origin.json").write_text(dump(origin), "utf-8")
        configuration.save(resolved, folder / "config.yaml")
        for notice in told:
            notify(Event("split", notice=notice))
        notify(Event("split", len(loaded.images), len(loaded.images)))

    run.stage("split", work)


def resolved_again(run: Run, config: ImageConfig) -> ImageConfig:
    """The configuration as it would be resolved for the run's training images."""
    return configuration.resolve_images(beginning(config), training_images(run))


def parts(loaded: LoadedImages, config: ImageConfig) -> tuple[Images, Images, list[str], list[str]]:
    """Training images, test images, notices, and leaks: what makes scores on the test images too
    good. Training images carry groups where some are near duplicates.

    Raises DataError for images that no classifier could be trained and tested on.
    """
    images, grouping = loaded.images, config.data.near_duplicates == "group"
    check_images(images)
    check_pixels(torch.from_numpy(images.pixels[:1]))
    notices, leaks = [], []
    if config.data.test is not None:
        train, test = images, _given_test(images, config)
        groups = near_duplicates(train.concat(test))
        twins = np.isin(groups[len(train) :], groups[: len(train)])
        if twins.any():
            leaks.append(
                f"{int(twins.sum())} of {len(test)} test images are nearly the same picture as a "
                "training image: scores on them are too good"
            )
        groups = groups[: len(train)]
    else:
        groups = near_duplicates(images)
        share, seed = config.split.test_share, derive(config.seed, "split")
        rows, held = split_images(images, share, seed, groups if grouping else None)
        train, test = images.take(rows), images.take(held)
        twins = np.isin(groups[held], groups[rows])
        if twins.any():
            leaks.append(
                f"{int(twins.sum())} of {len(test)} test images are nearly the same picture as a "
                "training image (data.near_duplicates is ignore): scores on them are too good"
            )
        groups = groups[rows]
    repeated = len(groups) - len(np.unique(groups))
    if repeated:
        kept = "they are kept on one side of every split" if grouping else "they are not grouped"
        notices.append(
            f"{repeated} of {len(train)} training images {'is' if repeated == 1 else 'are'} nearly "
            f"the same picture as another one: {kept}"
        )
        if grouping:
            train = replace(train, groups=groups)
    return _few(train, config, notices), replace(test, groups=None), notices, leaks


def _few(train: Images, config: ImageConfig, notices: list[str]) -> Images:
    """At most so many of each class as the configuration says, in their order."""
    most = config.split.rows_per_class
    few = [str(train.classes[k]) for k in np.flatnonzero(train.counts() < FEWEST)]
    if few:
        raise DataError(
            f"{len(few)} of {len(train.classes)} classes have fewer than {FEWEST} training images: "
            f"{some(few)}",
            "add images of them, or merge or remove such classes",
        )
    if most is None or train.counts().max() <= most:
        return train
    order = np.random.default_rng(derive(config.seed, "rows per class")).permutation(len(train))
    kept = [order[train.labels[order] == label][:most] for label in range(len(train.classes))]
    notices.append(
        f"{sum(map(len, kept))} of {len(train)} training images are used: "
        f"split.rows_per_class is {most}"
    )
    return train.take(np.sort(np.concatenate(kept)))


def _given_test(train: Images, config: ImageConfig) -> Images:
    """The test images in the size and colour of the training images, with the same classes."""
    source = config.data.test
    assert source is not None
    channels, height, width = train.pixels.shape[1:]
    options = config.data.read.model_copy(update={"size": (height, width), "channels": channels})
    test = read_images(source, config.data.target, options).images
    known = [k for k, count in zip(test.classes, test.counts(), strict=True) if count]
    foreign = [str(name) for name in known if name not in train.classes]
    if foreign:
        raise DataError(
            f"{source}: {len(foreign)} classes are not among those of the training images: "
            f"{some(foreign)}",
            "remove their images, or add training images of them",
        )
    if len(known) < 2:
        raise DataError(
            f"{source} has images of one class only", "give test images of at least two classes"
        )
    return train.take(np.arange(0)).concat(test)


def _groups_again(train: Images, read: Images) -> list[int] | None:
    """The groups in the order in which the written images are read: equal images are of one group,
    so pixels tell which."""
    if train.groups is None:
        return None
    known = {
        image.tobytes(): int(group) for image, group in zip(train.pixels, train.groups, strict=True)
    }
    found = np.array([known[image.tobytes()] for image in read.pixels])
    again: list[int] = np.unique(found, return_inverse=True)[1].tolist()
    return again


def check_learners(config: ImageConfig, train: Images) -> None:
    """Raise ConfigError for a learner that cannot be imported or does not fit the images."""
    channels, size = train.pixels.shape[1], train.pixels.shape[2]
    for learner in config.decide.learners:
        path = learner if ":" in learner else None
        networks.build(path, channels, size, len(train.classes))
