"""One job on images: one source of them on one resample, with all arms that live on it; as
:mod:`synthgen.benchmark.jobs` does with rows.

Every classifier of a job is trained for the same number of optimiser steps, so that no arm wins by
mere work: what is added to the training images takes its share of these steps.
"""

from __future__ import annotations

from pathlib import Path

from synthgen.benchmark.arms import ROWS
from synthgen.benchmark.attempts import describe
from synthgen.benchmark.images.arms import ImageGenerator, ImageSampler
from synthgen.benchmark.images.memory import within_memory
from synthgen.benchmark.images.resamples import split_resample
from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.images.trials import ImageBench
from synthgen.benchmark.records import Failure, Job, JobResult
from synthgen.benchmark.resamples import seed_of
from synthgen.benchmark.threads import single_thread
from synthgen.benchmark.trying import fitted
from synthgen.data.images.images import Images
from synthgen.errors import SynthgenError
from synthgen.training.context import Context


def run_image_job(
    job: Job,
    train: Images,
    settings: ImageSettings,
    generator: ImageGenerator | None,
    *,
    checkpoints: Path | None = None,
    device: str = "cpu",
) -> JobResult:
    """Measure one source on one resample of the run's training images, in one thread.

    ``generator`` is the source's, None for the training images themselves; ``checkpoints`` is a
    directory of this job alone. Images of one group (``train.groups``) are in one part. The same
    job gives the same bytes on one CPU; on a GPU sums may differ in their last digits. A failing
    generator, filter or learner is a finding and recorded. Raises ConfigError for a misconfigured
    generator and whatever is wrong with the machine (MachineError, OSError, MemoryError): that is
    no property of the arm, and the job is to be done again.
    """
    if (generator is None) != (job.source.name == ROWS):
        raise ValueError(f"source {job.source.name}: all but {ROWS!r} need a generator")
    failures: list[Failure] = []
    with single_thread():
        try:
            resample = split_resample(train, settings, seed=job.seed, number=job.resample)
        except SynthgenError as error:
            failures.append(Failure(stage="split", message=describe(error)))
            return JobResult(job=job, sizes=None, arms=[], failures=failures)
        sampler = None
        if generator is not None:
            context = Context(
                seed_of(job.seed, job.resample, "fit"), device=device, checkpoints=checkpoints
            )

            def fit() -> ImageSampler:
                with within_memory(device, job.source.name):
                    return generator.fit(resample.inner_train, context)

            sampler = fitted(fit, failures)
            if sampler is None:
                return JobResult(job=job, sizes=resample.sizes, arms=[], failures=failures)
        bench = ImageBench(job, settings, resample, sampler, failures, device)
        return JobResult(
            job=job,
            sizes=resample.sizes,
            arms=bench.arms(),
            failures=failures,
            classes=bench.classes,
            diagnosis=bench.diagnose() if job.source.candidate else None,
            curve=bench.curve() if job.source.name == ROWS else [],
        )
