"""Real clusters on this machine, each worker a process that a test may kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT


@dataclass(frozen=True)
class DaskCluster:
    """``workers`` do one job each, or as many as they have threads."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def dask_cluster(
    folder: Path, workers: int = 2, threads: int = 1, path: Path | None = None
) -> Iterator[DaskCluster]:
    """A scheduler and its workers, without anybody who would start a dead one again. ``path`` is
    searched for modules first by the workers."""
    file = folder / "scheduler.json"
    common = ("--scheduler-file", str(file), "--no-dashboard")
    place = ("--local-directory", str(folder), "--memory-limit", "0")
    with ExitStack() as stack:
        scheduler = ("scheduler", *common, "--host", "127.0.0.1", "--port", "0")
        stack.enter_context(_process(folder, *scheduler))
        wait_for(file.exists)
        one = ("worker", *common, "--no-nanny", "--nthreads", str(threads), *place)
        started = [stack.enter_context(_process(folder, *one, path=path)) for _ in range(workers)]
        address: str = json.loads(file.read_text())["address"]
        wait_for(lambda: (folder / "log").read_text().count("Registered to:") == workers)
        yield DaskCluster(address, started)


@contextmanager
def _process(
    folder: Path, what: str, *options: str, path: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    found = [str(part) for part in (path, ROOT) if part is not None]
    with (
        (folder / "log").open("a") as log,
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", *options],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(found)},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
