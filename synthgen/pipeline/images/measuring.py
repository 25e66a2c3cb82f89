"""One job of ``decide`` on images."""

from __future__ import annotations

from synthgen.benchmark.arms import Source, generator_of
from synthgen.benchmark.images.arms import (
    CHEAP_IMAGE_GENERATORS,
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
        generator_of(job.source, config.generator, config.generator.name, CHEAP_IMAGE_GENERATORS),
        checkpoints=run.scratch(f"checkpoints/{job.name}"),
        device=device(config),
    )
