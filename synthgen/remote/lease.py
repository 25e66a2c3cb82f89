"""One machine at a time at a URL: numbered objects of which the highest says who holds it.

Whoever wants the lease makes the object of the next number, which of several only one can where the
store has conditional writes (S3, GCS, Azure); elsewhere two that ask in the same second may both
believe that they hold it. The holder writes its object anew every half minute, so one whose process
is gone is seen to be: at once on the machine of that process, and elsewhere when nothing was
written for ``STALE`` seconds. For that the clocks of the machines have to agree within a minute or
two. The object of the last holder stays: by it a working copy knows whether anyone was here since.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
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
        """Whether it gave the lease back, died, or fell silent."""
        record = self.record
        if record["released"]:
            return True
        if record["host"] == _host() and not _alive(record["pid"], record["born"]):
            return True
        return time.time() - float(record["renewed"]) > STALE

    def refusal(self, url: str) -> HeldError:
        """For whoever comes second."""
        since = _clock(self.record["since"])
        name = str(self.record["host"]).partition("/")[0]
        return HeldError(
            f"{url} is being worked at by process {self.record['pid']} on {name}, since {since}",
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

    def take(self) -> Holder | None:
        """Take the lease; returns who held it last. Raises HeldError if somebody does, and
        StoreError."""
        last = self.last()
        if last is not None and not last.gone:
            raise last.refusal(self._store.url)
        self._number = 1 if last is None else last.number + 1
        now = time.time()
        self._record = {
            "token": secrets.token_hex(8),
            "host": _host(),
            "pid": os.getpid(),
            "born": _born(os.getpid()),
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

    def release(self) -> None:
        """Give it back; where the store does not answer it ends by itself."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        if self.lost:
            return
        self._record["released"] = True
        with suppress(StoreError):
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


def _host() -> str:
    """This machine since it was started: processes of two such are not to be confused."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        boot = "?"
    return f"{socket.gethostname()}/{boot}"


def _born(pid: int) -> float | None:
    """When the process began: its number may be another's by now."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def _alive(pid: int, born: float | None) -> bool:
    began = _born(pid)
    return began is not None and (born is None or abs(began - born) < 1.0)


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
