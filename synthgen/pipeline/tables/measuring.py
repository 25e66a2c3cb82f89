"""One job of ``decide`` on a table."""

from __future__ import annotations

from synthgen.benchmark import jobs
from synthgen.benchmark.arms import CHEAP_GENERATORS, Source, generator_of, ladder
from synthgen.benchmark.records import Job, JobResult
from synthgen.config import TableConfig
from synthgen.data.schema import Task
from synthgen.pipeline.machine import device
from synthgen.pipeline.tables.contents import overrides, settings, training_rows
from synthgen.runs import Run


def sources(config: TableConfig, task: Task) -> tuple[Source, ...]:
    """What a resolved configuration has measured."""
    return ladder(config.decide, (config.generator.name,), task)


def measure(run: Run, job: Job) -> JobResult:
    """The job's result, in one thread."""
    config = settings(run)
    return jobs.run_job(
        job,
        training_rows(run),
        config.decide,
        generator_of(job.source, config.generator, config.generator.name, CHEAP_GENERATORS),
        group=config.data.group,
        time=config.data.time,
        subgroups=config.data.subgroups,
        overrides=overrides(config),
        checkpoints=run.scratch(f"checkpoints/{job.name}"),
        device=device(config),
    )
