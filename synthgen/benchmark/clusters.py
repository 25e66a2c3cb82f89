"""What every cluster needs: a job's way to a worker and back, and a watch over who is there.

Jobs and outcomes travel as bytes, so that the worker's check comes before anything else of ours.
What a job raises is an outcome like any other; an exception of the cluster itself is one of the
machine.
"""

from __future__ import annotations

import pickle  # From one process of ours to another; no file is one.
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from synthgen.errors import MachineError

PATIENCE = 60.0
"""Seconds in which a cluster without workers has to get one."""
TRIES = 4
"""A job that ended so many workers is given up: Dask's default, and what Ray is told."""


def do(check: bytes, task: bytes) -> bytes:
    """In a worker: the pickled task's outcome, pickled, once the check has passed."""
    try:
        try:
            checked = pickle.loads(check)
        except (ImportError, AttributeError):
            raise MachineError(
                "a worker has another synthgen, or none", "install the same one on every worker"
            ) from None
        checked()
        work, job = pickle.loads(task)
        return pickle.dumps((work(job), None))
    except Exception as error:
        error.add_note(f"In the worker:\n{traceback.format_exc()}")
        return pickle.dumps((None, error))


class KilledError(MachineError):
    """A job ended every worker that tried it."""


class Jobs:
    """The jobs that a cluster has to do: ``slots`` tells how many it can do at a time."""

    def __init__(self, cluster: str, slots: Callable[[], int]) -> None:
        self.cluster = cluster
        self.slots = 0
        self.open: dict[Hashable, Future[Any]] = {}
        self._ask = slots
        self._last = time.monotonic()
        self._ended = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within, ``slots`` is up to date, and a cluster that has none for a while fails the jobs,
        which would wait for ever. So does the end of the block."""
        self._look()
        watch = threading.Thread(target=self._watch, daemon=True)
        watch.start()
        try:
            yield
        finally:
            self._ended.set()
            watch.join()
            for theirs in list(self.open):
                self.end(theirs, self._left)

    def add(self, theirs: Hashable) -> Future[Any]:
        """Our future of the cluster's."""
        ours: Future[Any] = Future()
        self.open[theirs] = ours
        return ours

    def end(self, theirs: Hashable, outcome: Callable[[], bytes]) -> None:
        """The cluster's future has ended: hand its outcome on. Whatever that raises is the
        machine's fault."""
        ours = self.open.pop(theirs, None)
        if ours is None:
            return
        try:
            result, error = pickle.loads(outcome())
        except MachineError as fault:
            error = fault
        except BaseException as fault:
            first = str(fault).partition("\n")[0]
            error = MachineError(
                f"the {self.cluster} did not do a job: {type(fault).__name__}: {first}",
                "see its logs: is synthgen installed there? What was finished is kept",
            )
        if error is None:
            ours.set_result(result)
        else:
            ours.set_exception(error)

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            self._look()
            if self.slots == 0 and time.monotonic() - self._last > PATIENCE:
                for theirs in list(self.open):
                    self.end(theirs, self._nobody)

    def _look(self) -> None:
        try:
            self.slots = self._ask()
        except Exception:  # whatever an unreachable cluster makes of the question
            self.slots = 0
        if self.slots:
            self._last = time.monotonic()

    def _left(self) -> bytes:
        raise MachineError(f"the {self.cluster} was left", "go on; what was finished is kept")

    def _nobody(self) -> bytes:
        raise MachineError(
            f"the {self.cluster} has no worker for such a job (one without synthgen ends of it)",
            "start one (docs/scaling.md), then go on; what was finished is kept",
        )


def not_installed(runner: str) -> MachineError:
    """The extra is missing."""
    return MachineError(
        f"the runner {runner} is not installed",
        f"install it with: pip install -c constraints.txt -e '.[{runner}]'",
    )


def killed(cluster: str) -> KilledError:
    """A job was tried as often as the engine allows."""
    return KilledError(
        f"a job ended {TRIES} workers of the {cluster}, perhaps for lack of memory",
        "give its workers more memory, then go on; what was finished is kept",
    )
