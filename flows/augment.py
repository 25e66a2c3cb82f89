"""The main job as a Prefect flow: the same stages, one task each, one task per decide job.

    python -m flows.augment --config configs/adult.yaml

needs no server to be set up: Prefect starts one of its own for the time of the run. Tasks pass the
path of the run directory and never a table or a model; the directory decides what is done, so a
flow that is run again goes on where the last one was.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

# Prefect's own server needs longer than its default 20 s on a small machine, and must be told
# before Prefect reads its settings. Nothing is reported to Prefect's makers.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from synthgen import config as configuration
from synthgen import pipeline
from synthgen.benchmark import executor
from synthgen.benchmark.records import Job
from synthgen.cli.console import Ending, guard
from synthgen.pipeline import assess, gates, stages
from synthgen.pipeline.events import Event
from synthgen.runs import Run

Submit = Callable[[Callable[[Job], None], Job], Future[None]]


def _log(event: Event) -> None:
    logger = get_run_logger()
    if event.notice is not None:
        logger.warning(event.notice)
    elif event.total and event.done >= event.total:
        logger.info("%s done", event.stage)


@task
def split(settings: dict[str, Any], out: Path, force: bool) -> None:
    """Read, and seal the test part."""
    pipeline.start(configuration.build(settings), out, force=force, notify=_log)


@task(task_run_name="decide {job.name}", cache_policy=NO_CACHE)
def decide_job(out: Path, job: Job, submit: Submit, deadline: float) -> None:
    """One source of rows on one resample; its result is a file of the run. It does not start after
    the deadline (of ``time.monotonic``)."""
    if time.monotonic() >= deadline:
        return
    submit(partial(stages.run_job, out), job).result()


@task
def conclude(out: Path) -> str:
    """All job results into the verdict; no further one is made."""
    stages.decide(Run(out), _log, now=True)
    return stages.verdict(Run(out)).sentence


@task
def fit(out: Path) -> bool:
    """Train on all training data; returns whether that was still to be done."""
    return stages.fit(Run(out), _log)


@task
def sample(out: Path, fitted: bool) -> None:
    """Draw, and write the augmented set."""
    stages.sample(Run(out), _log, trust_pickle=fitted)


@task
def evaluate(out: Path) -> None:
    """Score against the sealed part."""
    assess.evaluate(Run(out), _log)


@task
def render(out: Path) -> None:
    """Write the report and the manifest."""
    assess.draw_up(Run(out), _log)
    assess.finish(Run(out))


@flow(name="augment")
def augment(settings: dict[str, Any], out: Path, force: bool = False) -> Path:
    """The whole job in the run directory ``out``, on a table or on images; returns it.

    ``settings`` is what a configuration file holds. Tasks that train are tagged with the device
    that it chooses. Raises the errors of synthgen.errors.
    """
    logger = get_run_logger()
    if not Run(out).begun or force:
        split(settings, out, force)
    with Run(out).writing():
        stages.check_split(Run(out))
        stages.check_same(Run(out), configuration.build(settings))
        tags = _device_tags(out)
        _decide_jobs(out, tags)
        logger.info(conclude(out))
        sample(out, fit.with_options(tags=tags)(out))
        evaluate.with_options(tags=tags)(out)
        render(out)
    gates.check(Run(out))
    return out


def _device_tags(out: Path) -> list[str]:
    """``gpu`` or ``cpu``: what limits of concurrency go by."""
    return ["gpu" if stages.device(stages.settings(Run(out))).startswith("cuda") else "cpu"]


def _decide_jobs(out: Path, tags: list[str]) -> None:
    """One task per job. The task only waits: the work is done in processes of one thread each, as
    everywhere, so that the result is the same to the byte."""
    run = Run(out)
    config = stages.settings(run)
    limit = config.decide.time_limit
    deadline = time.monotonic() + limit if limit is not None else math.inf
    with executor.processes(stages.workers(config)) as submit:
        while time.monotonic() < deadline and (due := stages.pending(run)):
            job_task = decide_job.with_options(tags=tags)
            futures = [job_task.submit(out, job, submit, deadline) for job in due]
            for future in futures:
                future.result()


def main() -> NoReturn:
    """The command line of this module; leaves with the exit code of the contract."""
    parser = argparse.ArgumentParser(prog="python -m flows.augment", description=main.__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--force", action="store_true")
    given = parser.parse_args()

    def run() -> None:
        settings = configuration.load(given.config)
        config = configuration.build(settings)
        out = given.out or pipeline.default_folder(config.data.source)
        Ending.run = out
        augment(settings, out, given.force)
        print(out / "report.html")

    guard(run)


if __name__ == "__main__":
    main()
