"""What the executor's tests let workers do; imported by them, so it stands in a module."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from synthgen.errors import ConfigError

if TYPE_CHECKING:  # quick to start: few workers need more than this module
    from synthgen.benchmark.records import Job


def note(folder: Path, job: int) -> None:
    """Leave a file that names the job and the process: whole or not at all, however it ends."""
    draft = folder / f"{job}.draft"
    draft.write_text(str(os.getpid()))
    draft.replace(folder / f"{job}.txt")


def stay(folder: Path, job: int) -> None:
    """Leave a file, then never end."""
    note(folder, job)
    while True:
        time.sleep(0.01)


def linger(folder: Path, job: int) -> None:
    """Leave a file, and another one after a while."""
    (folder / f"{job}.started").touch()
    time.sleep(0.3)
    note(folder, job)


def stumble(folder: Path, job: int) -> None:
    """The first job fails once the others are at work; these never end."""
    note(folder, job)
    while job != 0:
        time.sleep(0.01)
    while not (folder / "1.txt").exists():
        time.sleep(0.01)
    raise LookupError("the cause of it")


def refuse(folder: Path, job: int) -> None:
    """An error that is meant for the user."""
    raise ConfigError("the cause", "the remedy")


def survive(folder: Path, job: int) -> None:
    """The first attempt leaves a file that names its process, and never ends."""
    first = folder / f"{job}.first"
    if first.exists():
        note(folder, job)
        return
    draft = folder / f"{job}.draft"
    draft.write_text(str(os.getpid()))
    draft.replace(first)
    while True:
        time.sleep(0.01)


def die(folder: Path, job: int) -> None:
    """As a process does that the system kills for lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def threads(folder: Path, job: int) -> None:
    """Write how many threads each library uses."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    counts = [pool["num_threads"] for pool in threadpool_info()]
    (folder / f"{job}.json").write_text(json.dumps(counts))


def measure(folder: Path, job: Job) -> None:
    """A real job."""
    from synthgen.benchmark.jobs import run_job
    from tests.benchmark.worlds import QUICK, World, fake

    generator = None if job.source.name == "rows" else fake("memoriser")
    result = run_job(job, World().table(120, 0), QUICK, generator)
    (folder / f"{job.name}.json").write_text(result.model_dump_json())
