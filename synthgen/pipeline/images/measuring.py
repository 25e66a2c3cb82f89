"""One job of ``decide`` on images."""

from __future__ import annotations

from synthgen.benchmark.arms import ROWS, Source
from synthgen.benchmark.images.arms import (
    CHEAP_IMAGE_GENERATORS,
    ImageGenerator,
    image_ladder,
)
from synthgen.benchmark.images.jobs import run_image_job
from synthgen.benchmark.records import Job, JobResult
from synthgen.config import ImageConfig
from synthgen.pipeline.images.contents import settings, training_images
from synthgen.pipeline.machine import device
from synthgen.runs import Run


def sources(config: ImageConfig) -> tuple[Source, ...]:
    """What a resolved configuration has measured."""
    return image_ladder(config.decide, (config.generator.name,))


def measure(run: Run, job: Job) -> JobResult:
    """The job's result, in one thread."""
    config = settings(run)
    return run_image_job(
        job,
        training_images(run),
        config.decide,
        _generator(config, job),
        checkpoints=run.scratch(f"checkpoints/{job.name}"),
        device=device(config),
    )


def _generator(config: ImageConfig, job: Job) -> ImageGenerator | None:
    if job.source.name == ROWS:
        return None
    if job.source.name == config.generator.name:
        return config.generator
    return CHEAP_IMAGE_GENERATORS[job.source.name]
