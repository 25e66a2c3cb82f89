"""What a run on images would cost, measured on a part of them on this machine."""

from __future__ import annotations

import time

import numpy as np

from synthgen import config as configuration
from synthgen.benchmark import schedule
from synthgen.benchmark.images.learners import Labelled
from synthgen.benchmark.threads import single_thread
from synthgen.config import ImageConfig
from synthgen.data.images.images import Images
from synthgen.data.images.read import read_images
from synthgen.pipeline.estimate import PROCESS_BYTES, Forecast
from synthgen.pipeline.images.draw import training_of
from synthgen.pipeline.images.measuring import sources
from synthgen.pipeline.images.splitting import check_learners, parts
from synthgen.pipeline.machine import device, workers
from synthgen.results import Recipe
from synthgen.training.context import Context

PROBE_STEPS = (2, 12)
"""Of a generator's and of a classifier's training: the difference is timed."""


def forecast(config: ImageConfig) -> Forecast:
    """Read the images, and time a few steps of the generator and of the first learner."""
    loaded = read_images(config.data.source, config.data.target, config.data.read)
    train, test, notices, leaks = parts(loaded, config)
    resolved = configuration.resolve_images(config, train)
    check_learners(resolved, train)
    decide = resolved.decide
    asked = sources(resolved)
    todo = schedule.due(decide.model_copy(update={"drop_losers": False}), asked, 0, [])
    with single_thread():
        fit_seconds = _fit_seconds(resolved, train)
        learn_seconds = _learn_seconds(resolved, train)
    refined = (len(decide.filters) + len(decide.weights)) * (
        len(decide.ratios) if decide.every_ratio else 1
    )
    mixed = 1 + sum(arm in decide.arms for arm in ("flips_crops", "randaugment", "mixup"))
    # A training of every recipe inside, one or two outside per arm, and the curve; all of the same
    # number of steps.
    arms = sum(len(source.arms) for source in asked)
    trainings = len(decide.ratios) + refined + mixed + 3 * arms + len(decide.curve) + 3
    per_resample = fit_seconds + len(decide.learners) * trainings * learn_seconds
    count = workers(resolved)
    counts = train.counts()
    return Forecast(
        columns=[
            (str(name), "class", f"{counts[k]} training images")
            for k, name in enumerate(train.classes)
        ],
        train_rows=len(train),
        test_rows=len(test),
        jobs=len(todo),
        workers=count,
        seconds=decide.resamples * per_resample / count + fit_seconds + 6 * learn_seconds,
        memory=(count + 1) * (PROCESS_BYTES + 4 * float(train.pixels.nbytes)),
        notices=[*leaks, *loaded.notices, *notices],
        unit="image",
    )


def _fit_seconds(config: ImageConfig, train: Images) -> float:
    """A few steps, scaled to those of the whole training."""
    probe = train.take(np.arange(min(len(train), 2_000)))
    timed = []
    for steps in PROBE_STEPS:
        few = {"steps": steps, "evaluations": 0}
        started = time.perf_counter()
        config.generator.model_copy(update=few).fit(probe, Context(device=device(config)))
        timed.append(time.perf_counter() - started)
    per_step = max(timed[1] - timed[0], 1e-5) / (PROBE_STEPS[1] - PROBE_STEPS[0])
    return timed[0] + per_step * config.generator.steps


def _learn_seconds(config: ImageConfig, train: Images) -> float:
    """The same of one classifier."""
    training, images = training_of(train, config), Labelled.of(train)
    timed = []
    for steps in PROBE_STEPS:
        few = config.model_copy(
            update={"decide": config.decide.model_copy(update={"classifier_steps": steps})}
        )
        started = time.perf_counter()
        training_of(train, few).train(config.decide.learners[0], images, 0, Recipe(), len(train))
        timed.append(time.perf_counter() - started)
    per_step = max(timed[1] - timed[0], 1e-5) / (PROBE_STEPS[1] - PROBE_STEPS[0])
    return timed[0] + per_step * training.steps
