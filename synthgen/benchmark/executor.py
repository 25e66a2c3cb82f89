"""Running jobs side by side on one machine.

The worker function commits its result itself, so nothing is lost but what was in progress. Worker
processes are spawned (not forked: torch and BLAS threads do not survive a fork) with one thread
each, and they never outlive the parent, however it ends: a resumed run must not meet writers of the
killed one. Each worker holds the reading end of a pipe whose writing end is the parent's; its end
of file means that the parent has gone or wants to stop. On Linux the kernel is asked for the same,
which also ends a worker that is deep in foreign code.
"""

from __future__ import annotations

import ctypes
import math
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TypeVar

from synthgen.benchmark.threads import ONE_THREAD
from synthgen.errors import MachineError

J = TypeVar("J")
_PR_SET_PDEATHSIG = 1  # prctl(2)


def run_all(
    jobs: Sequence[J], work: Callable[[J], None], workers: int, deadline: float = math.inf
) -> Generator[J, None, None]:
    """Do every job, started in the given order, and yield each one when it is done.

    With one worker they run in this process, else in a pool of at most ``workers``; ``work`` and
    the jobs are pickled then, so ``work`` is a function of a module or a ``partial`` of one. The
    first exception of a job ends all of them and is raised here, its cause holding the text of
    the worker's traceback; so does an interrupt, at once. No job starts after ``deadline`` (of
    ``time.monotonic``). Raises MachineError if a worker process dies.
    """
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            if time.monotonic() >= deadline:
                return
            work(job)
            yield job
        return
    workers = min(workers, len(jobs))
    with processes(workers) as submit:
        waiting = deque(jobs)
        running: dict[Future[None], J] = {}
        while True:
            # One more than there are workers, so that none waits for the next job.
            while waiting and len(running) <= workers and time.monotonic() < deadline:
                job = waiting.popleft()
                running[submit(work, job)] = job
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                done = running.pop(future)
                future.result()
                yield done


@contextmanager
def processes(workers: int) -> Iterator[Callable[[Callable[[J], None], J], Future[None]]]:
    """Worker processes for the time of the block: ``submit(work, job)``, from any thread.

    What is still running when the block is left is ended. Raises MachineError if a worker dies.
    """
    spawn = multiprocessing.get_context("spawn")
    reader, writer = spawn.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, spawn, initializer=_start, initargs=(reader, os.getpid()))
    # The pool starts a process with a submission for as long as it has fewer than it may, and the
    # kernel ends a process with the *thread* that started it: one thread starts them all.
    starter = ThreadPoolExecutor(1)

    def start(work: Callable[[J], None], job: J) -> Future[None]:
        with _spawning():
            return pool.submit(work, job)

    def submit(work: Callable[[J], None], job: J) -> Future[None]:
        return starter.submit(start, work, job).result()

    try:
        yield submit
    except BrokenProcessPool:
        raise MachineError(
            "a worker process died, perhaps for lack of memory",
            "go on with fewer workers; what was finished is kept",
        ) from None
    finally:
        # Workers that are busy now end here; idle ones would have ended anyway.
        writer.close()
        reader.close()
        pool.shutdown(wait=True, cancel_futures=True)
        starter.shutdown()


@contextmanager
def _spawning() -> Iterator[None]:
    """What new processes inherit: one thread each, and not the user's script.

    Spawning runs the main module of the parent again, for functions that may be defined there;
    ours never are, and a script without a ``__main__`` guard would start the run anew.
    """
    main = sys.modules["__main__"]
    attributes = {k: v for k, v in vars(main).items() if k in ("__file__", "__spec__")}
    variables = {k: os.environ[k] for k in ONE_THREAD if k in os.environ}
    vars(main).update(dict.fromkeys(attributes))
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name in ONE_THREAD:
            del os.environ[name]
        os.environ.update(variables)
        vars(main).update(attributes)


def _start(lifeline: Connection, parent: int) -> None:
    """In a new worker: live no longer than the parent, and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)
    threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()


def _watch(lifeline: Connection) -> None:
    try:
        lifeline.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)
