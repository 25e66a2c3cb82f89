"""Jobs on a Dask cluster: one process of one thread does one job at a time."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle  # From one process of ours to another; no file is one.
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from synthgen.benchmark import clusters
from synthgen.benchmark.executor import Engine, J, Place, R
from synthgen.benchmark.threads import ONE_THREAD
from synthgen.errors import MachineError

ADDRESS = "DASK_SCHEDULER_ADDRESS"
PATIENCE = 20.0
"""Seconds in which a scheduler has to answer."""


@contextmanager
def dask(place: Place, check: Callable[[], None]) -> Iterator[Engine]:
    """The cluster's workers; each calls ``check`` before a job. The scheduler runs a job again, on
    another worker, if its worker dies.

    What is queued when the block is left is cancelled. Raises MachineError where distributed is
    not installed, no scheduler answers, no worker is there for a minute, or a job ended several.
    """
    try:
        import distributed
    except ImportError:
        raise clusters.not_installed("dask") from None
    with ExitStack() as stack:
        address = place.cluster or os.environ.get(ADDRESS) or stack.enter_context(_own(place))
        stack.enter_context(_quiet())
        client = stack.enter_context(_client(address))
        jobs = clusters.Jobs(f"Dask cluster at {address}", partial(_slots, client, place.gpu))
        stack.enter_context(jobs.watched())
        stack.callback(lambda: client.cancel(list(jobs.open)))
        checked = pickle.dumps(partial(_alone, check))

        def submit(work: Callable[[J], R], job: J) -> Future[R]:
            theirs = client.submit(
                clusters.do,
                checked,
                pickle.dumps((work, job)),
                pure=False,
                resources={"GPU": 1} if place.gpu else None,
            )
            ours = jobs.add(theirs)
            theirs.add_done_callback(ended)
            return ours

        def ended(theirs: Any) -> None:
            jobs.end(theirs, partial(outcome, theirs))

        def outcome(theirs: Any) -> bytes:
            try:
                found: bytes = theirs.result()
            except distributed.KilledWorker:
                raise clusters.killed(jobs.cluster) from None
            return found

        yield Engine(submit, lambda: jobs.slots)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    import distributed

    try:
        # Asked first: a client that found nobody tells it by a traceback when Python ends. In a
        # thread, for a notebook has a loop of its own in this one.
        with ThreadPoolExecutor(1) as asking:
            asking.submit(asyncio.run, _ask(address)).result()
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except Exception as error:  # whatever a stranger at that address answers
        raise MachineError(
            f"no Dask scheduler answers at {address}",
            "start one with: dask scheduler, or name another one by --set cluster=tcp://HOST:8786",
        ) from error
    with client:
        yield client


async def _ask(address: str) -> None:
    from distributed import Security
    from distributed.comm.core import connect

    security = Security().get_connection_args("client")
    reached = connect(address, timeout=PATIENCE / 2, **security)
    await (await asyncio.wait_for(reached, PATIENCE)).close()


def _slots(client: Any, gpu: bool) -> int:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return sum(int(worker["resources"].get("GPU", 0)) if gpu else 1 for worker in workers)


def _alone(check: Callable[[], None]) -> None:
    """In a worker: refuse to share the process, whose random state and limits of threads are one,
    with another job."""
    from distributed import get_worker

    worker = get_worker()
    if worker.state.nthreads > 1:
        raise MachineError(
            f"the Dask worker {worker.address} does {worker.state.nthreads} jobs in one process",
            "start workers with: dask worker ADDRESS --nthreads 1 --nworkers NUMBER",
        )
    check()


@contextmanager
def _own(place: Place) -> Iterator[str]:
    """A cluster on this machine in a process of its own, which ends with this one; its address."""
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "synthgen.benchmark.own_dask"),
            *(str(place.workers), str(int(place.gpu))),
        ],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C is for this process
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise MachineError(
                    "the Dask cluster on this machine did not start",
                    "see why with: python -m synthgen.benchmark.own_dask 1 0",
                )
            yield address
        finally:
            process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Dask's log, which tells lost connections by tracebacks; errors of ours say it."""
    log = logging.getLogger("distributed")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(before)
