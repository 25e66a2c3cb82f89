"""The main job as a Prefect flow: the same stages, one task each, one task per decide job.

    python -m flows.augment --config configs/adult.yaml
    python -m flows.augment --config configs/adult.yaml --submit

The first runs it here and tracks it on the configured server (without one Prefect starts its own
for the time of the run); the second leaves it to a worker of the deployment ``augment-on-demand``.

Tasks pass the path of the run directory (of a run at a URL, of its working copy) and never a table
or a model; the directory decides what is done, so a flow that is run again goes on where the last
one was, and of several that are asked for the same one works while the others wait and find it
done.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

from filelock import FileLock
from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError

from flows import server
from flows.artifacts import address, key, publish_artifacts
from flows.crashes import check_attempt
from flows.job import AugmentJob
from flows.progress import Progress
from flows.refusals import plainly
from synthgen import config as configuration
from synthgen import pipeline, remote
from synthgen.benchmark.executor import Engine
from synthgen.benchmark.records import Job
from synthgen.cli.console import begin_at, guard, say
from synthgen.errors import MachineError
from synthgen.pipeline import assess, gates, stages
from synthgen.remote import Place, below
from synthgen.runs import Run

T = TypeVar("T")
DEPLOYMENT = "augment/augment-on-demand"
PATIENCE = 600.0
"""Seconds in which a server that does not answer has to come back."""


@task(cache_policy=NO_CACHE)
def locate(job: AugmentJob) -> Place:
    """The run directory, or its URL; reads the data to tell."""
    return job.place()


@task(cache_policy=NO_CACHE)
def split(job: AugmentJob, out: Path, force: bool) -> None:
    """Read, and seal the test part."""
    pipeline.start(job.config(), out, force=force, notify=Progress("split", key(out)))


@task(task_run_name="decide {job.name}", cache_policy=NO_CACHE)
def decide_job(out: Path, job: Job, engine: Engine, deadline: float) -> None:
    """One source of rows on one resample; its result is a file of the run. It does not start after
    the deadline (of ``time.monotonic``)."""
    if time.monotonic() >= deadline:
        return
    engine.submit(partial(stages.run_job, out.absolute()), job).result()


@task(cache_policy=NO_CACHE)
def conclude(out: Path) -> str:
    """All job results into the verdict; no further one is made."""
    stages.decide(Run(out), Progress("decide", key(out)), now=True)
    return stages.verdict(Run(out)).sentence


@task(cache_policy=NO_CACHE)
def fit(out: Path) -> bool:
    """Train on all training data; returns whether that was still to be done."""
    return stages.fit(Run(out), Progress("fit", key(out)))


@task(cache_policy=NO_CACHE)
def sample(out: Path, fitted: bool) -> None:
    """Draw, and write the augmented set."""
    stages.sample(Run(out), Progress("sample", key(out)), trust_pickle=fitted)


@task(cache_policy=NO_CACHE)
def evaluate(out: Path) -> None:
    """Score against the sealed part."""
    assess.evaluate(Run(out), Progress("evaluate", key(out)))


@task(cache_policy=NO_CACHE)
def render(out: Path) -> None:
    """Write the report and the manifest."""
    assess.draw_up(Run(out), Progress("render", key(out)))
    assess.finish(Run(out))


@task(cache_policy=NO_CACHE, retries=8, retry_delay_seconds=15)
def show(out: Path, given: Place) -> None:
    """Link to the report, scorecard and scores for the UI."""
    publish_artifacts(out, given)


@flow(name="augment", flow_run_name="{job.source}")
def augment(job: AugmentJob, force: bool = False) -> Place:
    """Would synthetic data make this classifier better? If so, the augmented data; in any case the
    report.

    Returns the run directory, or its URL. Tasks that train are tagged with the device that the job
    chooses. Raises the errors of synthgen.errors; a failed gate fails the flow when everything is
    written.
    """
    check_attempt()
    with plainly():
        return work(job, force)


def work(job: AugmentJob, force: bool = False) -> Place:
    """What the flow does, for other flows too: as tasks of theirs, so that a flow run that crashed
    leaves none of its own below it that nobody would take up."""
    logger = get_run_logger()
    given = locate(job)
    with _turn(given, force) as out:
        if not Run(out).begun or force:
            split(job, out, force)
        with Run(out).writing():
            stages.check_split(Run(out))
            stages.check_same(Run(out), job.config())
            stages.settle(Run(out), job.config())
            tags = _device_tags(out)
            _decide_jobs(out, tags)
            logger.info(conclude(out))
            sample(out, _patiently(partial(fit.with_options(tags=tags), out)))
            _patiently(partial(evaluate.with_options(tags=tags), out))
            render(out)
        show(out, given)
        logger.info("report: %s", address(below(given, "report.html")))
    gates.check(Run(out))
    return given


@contextmanager
def _turn(given: Place, force: bool) -> Iterator[Path]:
    """One flow at a time on a run directory; others wait, and then find done what it did. Of a URL
    the tasks, which are threads of this process, get the working copy."""
    if isinstance(given, Path):
        given.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(given.with_name(f".{given.name}.turn")).acquire(poll_interval=1.0):
            yield given
        return
    with remote.working(given, "replace" if force else "any", wait=True) as out:
        yield out


def _device_tags(out: Path) -> list[str]:
    """``gpu`` or ``cpu``: what limits of concurrency go by."""
    return ["gpu" if stages.device(stages.settings(Run(out))).startswith("cuda") else "cpu"]


def _decide_jobs(out: Path, tags: list[str]) -> None:
    """One task per job. The task only waits: the work is done in processes of one thread each, here
    or on a cluster, as everywhere, so that the result is the same to the byte."""
    run = Run(out)
    if not stages.pending(run):
        return
    limit = stages.settings(run).decide.time_limit
    deadline = time.monotonic() + limit if limit is not None else math.inf
    job_task = decide_job.with_options(tags=tags)
    with stages.engine(run) as engine:

        def due() -> None:
            futures = [job_task.submit(out, job, engine, deadline) for job in stages.pending(run)]
            # All of them first: those that are due when it is tried again must not be under way.
            for future in futures:
                future.wait()
            for future in futures:
                future.result()

        while time.monotonic() < deadline and stages.pending(run):
            _patiently(due)


def _patiently(work: Callable[[], T]) -> T:
    """Do what needs a slot of the server, and try again while that does not answer: it is no reason
    to end a job."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return work()
        except ConcurrencySlotAcquisitionError as error:
            if time.monotonic() > end:
                raise
            get_run_logger().warning("trying again: %s", error)
            time.sleep(5)


def submit(job: AugmentJob, force: bool) -> str:
    """Leave the job to a worker; returns the address of its run in the UI. Raises MachineError
    where no server answers, or none knows the deployment or its work pool."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import WorkPoolStatus
    from prefect.exceptions import ObjectNotFound
    from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL
    from prefect.states import Scheduled

    if not PREFECT_API_URL.value():
        raise MachineError(
            "no Prefect server is configured",
            "start one with: make stack, and set PREFECT_API_URL as it says",
        )
    server.wait(patience=0)
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(DEPLOYMENT)
        except ObjectNotFound:
            raise MachineError(
                f"the server knows no deployment {DEPLOYMENT}",
                "deploy it with: prefect deploy --all",
            ) from None
        name = deployment.work_pool_name
        if name is None:
            raise MachineError(
                f"the work pool of the deployment {DEPLOYMENT} is gone",
                "make it again with: make stack, or prefect work-pool create and prefect deploy",
            )
        made = client.create_flow_run_from_deployment(
            deployment.id,
            parameters={"job": job.model_dump(mode="json", exclude_none=True), "force": force},
            state=Scheduled(),
        )
        if client.read_work_pool(name).status != WorkPoolStatus.READY:
            say(f"No worker of the pool {name} is there: the run waits for one.")
    return f"{PREFECT_UI_URL.value()}/runs/flow-run/{made.id}"


def main() -> NoReturn:
    """The command line of this module; leaves with the exit code of the contract."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.augment",
        description="Run synthgen augment as a tracked flow, here and now or on a worker of the "
        "stack (python -m flows.stack up). The server is the one that PREFECT_API_URL names.",
    )
    parser.add_argument(
        "--config", type=Path, required=True, help="a configuration file, as config.yaml of a run"
    )
    parser.add_argument(
        "--out", default=None, help="the run directory, or its URL (default: one in runs/)"
    )
    parser.add_argument("--force", action="store_true", help="replace a run that is there")
    parser.add_argument(
        "--submit", action="store_true", help="leave it to a worker, and print where it is tracked"
    )
    given = parser.parse_args()

    def run() -> None:
        job = AugmentJob.of(configuration.load(given.config), given.out)
        if given.submit:
            # A worker has another working directory.
            print(submit(job.absolute(), given.force))
            return
        if given.out is not None:
            out = remote.place(given.out)
            begin_at(out, remote.copy_of(out))
        server.wait()
        print(below(augment(job, given.force), "report.html"))

    guard(run)


if __name__ == "__main__":
    main()
