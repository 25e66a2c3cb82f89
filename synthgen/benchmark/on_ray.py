"""Jobs on Ray: each is a task, and Ray gives a task a process of its own."""

from __future__ import annotations

import os
import pickle  # From one process of ours to another; no file is one.
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from synthgen.benchmark import clusters
from synthgen.benchmark.executor import Engine, J, Place, R
from synthgen.errors import MachineError

ADDRESS = "RAY_ADDRESS"
PATIENCE = 10.0
"""Seconds in which the cluster's head has to answer."""
_STORE = 100_000_000
"""Bytes of shared memory of an instance of our own: jobs and outcomes are small."""
_PRIVATE = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""What Ray has to find when it is imported so that an instance of our own tells nobody of itself
and listens on 127.0.0.1 alone; the second is its word for that."""


@contextmanager
def ray(place: Place, check: Callable[[], None]) -> Iterator[Engine]:
    """The cluster's CPUs, or its GPUs; each worker calls ``check`` before a job. Ray runs a job
    again if its worker dies. An instance that this process is connected to already is used.

    What is queued or running when the block is left is cancelled. Raises MachineError where ray is
    not installed, no cluster answers, no CPU or GPU is there for a minute, or a job ended several
    workers.
    """
    address = place.cluster or os.environ.get(ADDRESS)
    with ExitStack() as stack:
        if address is None:
            stack.enter_context(_environment(_PRIVATE))
        try:
            import ray
        except ImportError:
            raise clusters.not_installed("ray") from None
        if not ray.is_initialized():
            _begin(address, place.workers)
            stack.callback(ray.shutdown)
        needs = "GPU" if place.gpu else "CPU"
        jobs = clusters.Jobs(
            f"Ray cluster at {address}" if address else "Ray instance on this machine",
            lambda: int(ray.cluster_resources().get(needs, 0)),
        )
        stack.enter_context(jobs.watched())

        def stop() -> None:
            for theirs in list(jobs.open):
                ray.cancel(theirs)

        stack.callback(stop)
        do = ray.remote(num_cpus=1, num_gpus=int(place.gpu), max_retries=clusters.TRIES - 1)(
            clusters.do
        )
        checked = pickle.dumps(check)

        def submit(work: Callable[[J], R], job: J) -> Future[R]:
            theirs = do.remote(checked, pickle.dumps((work, job)))
            ours = jobs.add(theirs)
            theirs.future().add_done_callback(partial(ended, theirs))
            return ours

        def ended(theirs: Any, future: Future[bytes]) -> None:
            jobs.end(theirs, partial(outcome, future))

        def outcome(future: Future[bytes]) -> bytes:
            try:
                return future.result()
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError):
                raise clusters.killed(jobs.cluster) from None

        yield Engine(submit, lambda: jobs.slots)


def _begin(address: str | None, workers: int) -> None:
    """Connect to the cluster there, or start an instance that ends with this process."""
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        ray.init(
            "local",
            num_cpus=workers,
            include_dashboard=False,
            object_store_memory=_STORE,
            **quiet,
        )
        return
    try:
        host, _, port = address.rpartition("/")[2].rpartition(":")
        if port.isdigit():  # Ray itself asks for a minute
            socket.create_connection((host, int(port)), PATIENCE).close()
        ray.init(address, **quiet)
    except (ConnectionError, OSError, ValueError) as error:
        raise MachineError(
            f"no Ray answers at {address}",
            "start it with: ray start --head, or name another one by --set cluster=HOST:6379",
        ) from error


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
