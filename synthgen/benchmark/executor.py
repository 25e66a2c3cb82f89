"""Running jobs side by side: what an engine is, and the one that uses this machine's processes.

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
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal, Protocol, TypeAlias, TypeVar

from synthgen.benchmark.threads import ONE_THREAD
from synthgen.errors import MachineError

J = TypeVar("J")
R = TypeVar("R")
Runner: TypeAlias = Literal["threads", "dask", "ray"]
_PR_SET_PDEATHSIG = 1  # prctl(2)


class Submit(Protocol):
    """Hands a job over, from any thread. ``work`` and the job are pickled, so ``work`` is a
    function of a module or a ``partial`` of one."""

    def __call__(self, work: Callable[[J], R], job: J, /) -> Future[R]: ...


@dataclass(frozen=True)
class Engine:
    """Who does jobs; ``slots`` tells how many at a time."""

    submit: Submit
    slots: Callable[[], int]


@dataclass(frozen=True)
class Place:
    """Where jobs are done. ``cluster`` is an address; ``workers``: processes on this machine, also
    of a cluster that is started here; ``gpu``: whether each job needs one."""

    runner: Runner = "threads"
    cluster: str | None = None
    workers: int = 1
    gpu: bool = False


def run_all(
    jobs: Sequence[J], work: Callable[[J], object], workers: int, deadline: float = math.inf
) -> Generator[J, None, None]:
    """Do every job on this machine and yield each one when it is done; see :func:`in_flight`.

    With one worker they run in this process, else in a pool of at most ``workers``.
    """
    with on_this_machine(min(workers, len(jobs))) as engine:
        yield from in_flight(jobs, work, engine, deadline)


def in_flight(
    jobs: Sequence[J], work: Callable[[J], object], engine: Engine, deadline: float = math.inf
) -> Generator[J, None, None]:
    """Do every job, started in the given order, and yield each one when it is done.

    The first exception of a job is raised here, and what holds the engine ends the others; so does
    an interrupt, at once. No job starts after ``deadline`` (of ``time.monotonic``). Raises
    MachineError if a worker process dies.
    """
    waiting = deque(jobs)
    running: dict[Future[object], J] = {}
    while True:
        # One more than there are slots, so that none waits for the next job.
        while waiting and len(running) <= engine.slots() and time.monotonic() < deadline:
            job = waiting.popleft()
            running[engine.submit(work, job)] = job
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            done = running.pop(future)
            future.result()
            yield done


@contextmanager
def on_this_machine(workers: int) -> Iterator[Engine]:
    """So many worker processes, or this process if that is one. Raises MachineError if a worker
    dies."""
    if workers > 1:
        with processes(workers) as engine:
            yield engine
    else:
        yield Engine(_at_once, lambda: 0)


def _at_once(work: Callable[[J], R], job: J) -> Future[R]:
    """Do it here and now; what it raises is raised."""
    future: Future[R] = Future()
    future.set_result(work(job))
    return future


@contextmanager
def processes(workers: int) -> Iterator[Engine]:
    """Worker processes for the time of the block. The cause of a job's exception holds the text of
    the worker's traceback.

    What is still running when the block is left is ended. Raises MachineError if a worker dies.
    """
    spawn = multiprocessing.get_context("spawn")
    reader, writer = spawn.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, spawn, initializer=_start, initargs=(reader, os.getpid()))
    # The pool starts a process with a submission for as long as it has fewer than it may, and the
    # kernel ends a process with the *thread* that started it: one thread starts them all.
    starter = ThreadPoolExecutor(1)

    def start(work: Callable[[J], R], job: J) -> Future[R]:
        with _spawning():
            return pool.submit(work, job)

    def submit(work: Callable[[J], R], job: J) -> Future[R]:
        return starter.submit(start, work, job).result()

    try:
        yield Engine(submit, lambda: workers)
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
