"""One machine at a time at a URL: numbered objects of which the highest says who holds it.

Whoever wants the lease makes the object of the next number, which of several only one can where the
store has conditional writes (S3, GCS, Azure); elsewhere two that ask in the same second may both
believe that they hold it. The holder writes its object anew every half minute; one that wrote
nothing for ``STALE`` seconds is gone. For that the clocks of the machines have to agree within a
minute or two. The object of the last holder stays: by it a working copy knows whether anyone was
here since.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from synthgen.errors import MachineError
from synthgen.remote.transfer import Store, StoreError
from synthgen.runs import dump

FOLDER = ".lease"
RENEWED = 30.0
"""Seconds between two signs of life."""
STALE = 300.0
"""Seconds without one after which the lease may be taken over."""
PATIENCE = 5.0
"""Seconds between two looks at a lease that another holds."""
_log = logging.getLogger(__name__)


class HeldError(MachineError):
    """Another process works at the URL."""


@dataclass(frozen=True)
class Holder:
    """Who holds the lease, or held it last."""

    number: int
    record: dict[str, Any]

    @property
    def token(self) -> str:
        """No two holders have the same."""
        return str(self.record["token"])

    @property
    def gone(self) -> bool:
        """Whether it gave the lease back, or fell silent."""
        silent = time.time() - float(self.record["renewed"])
        return bool(self.record["released"]) or silent > STALE

    def refusal(self, url: str) -> HeldError:
        """For whoever comes second."""
        since = _clock(self.record["since"])
        who = f"process {self.record['pid']} on {self.record['host']}"
        return HeldError(
            f"{url} is being worked at by {who}, since {since}",
            "wait for it to end; if that machine is lost, its hold ends by itself at "
            f"{_clock(float(self.record['renewed']) + STALE)}",
        )


class Lease:
    """The right to write at the store's URL, while it is held."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._number = 0
        self._record: dict[str, Any] = {}
        self.lost = False
        """Whether another machine took over, since this one fell silent for too long."""

    @property
    def token(self) -> str:
        return str(self._record["token"])

    def take(self, own: str | None = None, *, wait: bool = False) -> Holder | None:
        """Take the lease; returns who held it last. ``own`` is the token of a holder that is known
        to have ended, though it may not have been able to give it back.

        Raises HeldError if somebody else holds it, unless it is to ``wait``; and StoreError.
        """
        while True:
            try:
                return self._take(own)
            except HeldError:
                if not wait:
                    raise
                time.sleep(PATIENCE)

    def _take(self, own: str | None) -> Holder | None:
        last = self.last()
        if last is not None and not last.gone and last.token != own:
            raise last.refusal(self._store.url)
        self._number = 1 if last is None else last.number + 1
        now = time.time()
        self._record = {
            "token": secrets.token_hex(8),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": now,
            "renewed": now,
            "released": False,
        }
        made = self._store.create(self._name(), self._content())
        highest = self.last()
        if not made or (highest is not None and highest.number > self._number):
            # Another was faster, perhaps by several numbers.
            if made:
                self._store.remove([self._name()])
            if highest is None:
                raise StoreError(f"{self._store.url} loses what is written", "repeat the command")
            raise highest.refusal(self._store.url)
        self._forget()
        self._thread = threading.Thread(target=self._renew, daemon=True, name="synthgen-lease")
        self._thread.start()
        return last

    def last(self) -> Holder | None:
        """The holder with the highest number."""
        names = sorted(self._store.files(FOLDER))
        while names:
            name = names.pop()
            content = self._store.read(name)
            with suppress(ValueError, KeyError, TypeError):
                return Holder(int(Path(name).stem), json.loads(content or b""))
        return None

    def check(self) -> None:
        """Raises HeldError if another machine took over."""
        if self.lost:
            raise HeldError(
                f"{self._store.url} was taken over by another machine while it could not be "
                "reached from here",
                "what was done here since is not at the URL; see what it did with: "
                f"synthgen runs show {self._store.url}",
            )

    def renew(self) -> None:
        """A sign of life, unless another machine took over. Raises StoreError."""
        highest = self.last()
        if highest is not None and highest.token != self.token:
            self.lost = True
        self.check()
        self._record["renewed"] = time.time()
        self._store.write(self._name(), self._content())

    def release(self, *, leave_no_trace: bool = False) -> None:
        """Give it back; where the store does not answer it ends by itself."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        if self.lost:
            return
        self._record["released"] = True
        with suppress(StoreError):
            if leave_no_trace:
                self._store.remove([self._name()])
            else:
                self._store.write(self._name(), self._content())

    def _renew(self) -> None:
        while not self._end.wait(RENEWED):
            try:
                self.renew()
            except HeldError:
                return
            except Exception as error:  # The next time, perhaps; a training goes on meanwhile.
                _log.info("the lease was not renewed: %s", error)

    def _forget(self) -> None:
        """Remove the objects of those before."""
        names = self._store.files(FOLDER)
        self._store.remove(name for name in names if name < self._name())

    def _name(self) -> str:
        return f"{FOLDER}/{self._number:09d}.json"

    def _content(self) -> bytes:
        return dump(self._record).encode()


@contextmanager
def turn(url: str) -> Iterator[None]:
    """One at a time in the block, of all machines that name this URL; the others wait. Raises
    StoreError."""
    lease = Lease(Store(url))
    lease.take(wait=True)
    try:
        yield
    finally:
        lease.release()


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
