"""``decide``: jobs until none is due, then one conclusion."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock

from synthgen import devices
from synthgen.benchmark import executor, schedule
from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.executor import Engine
from synthgen.benchmark.records import Job, JobResult
from synthgen.benchmark.verdict import conclude
from synthgen.config import Config
from synthgen.pipeline import spreading
from synthgen.pipeline.contents import settings, settled
from synthgen.pipeline.events import Event, Notify
from synthgen.pipeline.kinds import kind_in
from synthgen.pipeline.machine import device, place
from synthgen.pipeline.seeds import derive
from synthgen.results import Verdict
from synthgen.runs import Run, dump, write_atomic


def pending(run: Run) -> list[Job]:
    """The jobs that are due now, in the order in which they are best run. When they are done more
    may be due, until the list is empty."""
    if run.done("decide"):
        return []
    config, asked = settings(run), kind_in(run).sources(run)
    return schedule.due(config.decide, asked, derive(config.seed, "decide"), _found(run))


def run_job(path: Path, job: Job) -> None:
    """Do one job of the run at ``path``, unless its result is there already."""
    run = Run(path)
    target = run.scratch("decide") / f"{job.name}.json"
    # A cluster that has lost sight of a worker gives its job to another one as well.
    with FileLock(target.with_name(f".{job.name}.lock")):
        if target.is_file():
            return
        with devices.held(device(settings(run)), path, job.name):
            result = kind_in(run).measure(run, job)
        write_atomic(target, dump(result.model_dump(mode="json")))


@contextmanager
def engine(run: Run) -> Iterator[Engine]:
    """Who does the run's jobs, for the time of the block; see :func:`spreading.engine`."""
    config = settled(run)
    with spreading.engine(place(config), run.path, config.device) as found:
        yield found


def decide(run: Run, notify: Notify, *, now: bool = False) -> None:
    """Do the jobs that are due until none is, or the time limit is over, then conclude.

    ``now``: conclude from what is measured already.
    """

    def work(folder: Path) -> None:
        config = settings(run)
        limit = config.decide.time_limit
        deadline = time.monotonic() + limit if limit is not None else math.inf
        if not now and pending(run):
            with engine(run) as found:
                while time.monotonic() < deadline and (due := pending(run)):
                    _measure(run, due, found, deadline, notify)
        (folder / "decide").mkdir()
        for path in _files(run):
            (folder / "decide" / path.name).write_bytes(path.read_bytes())
        answer = _conclude(run, config, _read(sorted((folder / "decide").glob("*.json"))))
        (folder / "verdict.json").write_text(dump(answer.model_dump(mode="json")), "utf-8")

    run.stage("decide", work)


def _measure(
    run: Run, due: Sequence[Job], workers: Engine, deadline: float, notify: Notify
) -> None:
    config, found = settings(run), _found(run)
    done = len(found)
    asked = kind_in(run).sources(run)
    rest = schedule.remaining(config.decide, asked, derive(config.seed, "decide"), found)
    notify(Event("decide", done, done + rest))
    job_of_run = partial(run_job, run.path.absolute())
    with closing(executor.in_flight(due, job_of_run, workers, deadline)) as finished:
        for _ in finished:
            done += 1
            rest -= 1
            notify(Event("decide", done, done + rest))


def comparison(run: Run) -> Comparison:
    """Every arm against every other, from the committed job results."""
    return Comparison(_read(sorted((run / "decide").glob("*.json"))), settings(run).decide)


def _conclude(run: Run, config: Config, results: list[JobResult]) -> Verdict:
    fixed = None if config.sample.ratio == "auto" else config.sample.ratio
    answer = conclude(
        results, config.decide, generators=(config.generator.name,), fixed_ratio=fixed
    )
    leaks = json.loads((run / "leaks.json").read_text("utf-8"))
    return answer.model_copy(update={"reasons": [*leaks, *answer.reasons]})


def _found(run: Run) -> list[JobResult]:
    """The results so far, until the stage commits."""
    return _read(_files(run))


def _files(run: Run) -> list[Path]:
    return sorted(run.scratch("decide").glob("r*.json"))


def _read(paths: Sequence[Path]) -> list[JobResult]:
    return [JobResult.model_validate_json(path.read_text("utf-8")) for path in paths]
