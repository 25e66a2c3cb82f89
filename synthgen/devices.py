"""One training at a time on a device, and a record that shows it.

Work pools and limits of concurrency only order what waits; whatever starts a training (a command, a
flow, a worker that was thought dead and comes back) has to pass here. The fence is a lock on a file
for each device, which the kernel gives back when its holder dies. The record is a file beside it,
which only the holder writes: a line when it begins and one when it ends, or, of a holder that died,
one by the next.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from synthgen.errors import MachineError

Tell = Callable[[str], None]
"""Told a sentence for the user when a device has to be waited for."""

FOLDER = "SYNTHGEN_DEVICES"
"""Variable: where locks and records are. All who share a device have to share that folder."""
CPU_TOO = "SYNTHGEN_LOCK_CPU"
"""Variable: set to 1, trainings on the CPU take turns as well."""
TAIL = 65_536
"""Bytes at the end of a record that hold its last line."""
PATIENCE = 1.0
"""Seconds between two looks at a lock that another holds."""


def folder() -> Path:
    """Of the locks and records on this machine."""
    given = os.environ.get(FOLDER)
    if given:
        return Path(given)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "synthgen" / "devices"


def name_of(device: str) -> str | None:
    """What the device is called by its lock; None of one that needs none.

    A GPU goes by its UUID: number 0 of one process may be number 1 of another.
    """
    if device.startswith("cuda"):
        import torch

        number = int(device.partition(":")[2] or torch.cuda.current_device())
        return f"gpu-{torch.cuda.get_device_properties(number).uuid}"
    return "cpu" if os.environ.get(CPU_TOO) == "1" else None


@contextmanager
def held(
    devices: str | Sequence[str], run: Path, what: str, tell: Tell | None = None
) -> Iterator[None]:
    """Hold the device, or all of them, for the time of the block; wait for it first, as long as it
    takes.

    ``run`` and ``what`` say in the record what it was held for. Raises MachineError if locks cannot
    be written.
    """
    wanted = [devices] if isinstance(devices, str) else devices
    with ExitStack() as stack:
        # In one order everywhere: of two that want both of two, none waits for the other's.
        for name in sorted({name for device in wanted if (name := name_of(device))}):
            stack.enter_context(_held(name, run, what, tell or _unheard))
        yield


@contextmanager
def _held(name: str, run: Path, what: str, tell: Tell) -> Iterator[None]:
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place / f"{name}.lock")
        _acquire(lock, place / f"{name}.jsonl", name, tell)
    except OSError as error:
        raise MachineError(
            f"the lock of {name} in {place} cannot be written: {error.strerror or error}",
            f"set {FOLDER} to a folder that all who use the device can write to",
        ) from None
    path = place / f"{name}.jsonl"
    try:
        last = _last(path)
        if last is not None and last["event"] == "begin":
            _note(path, "lost", last["pid"], last["run"], last["what"])
        _note(path, "begin", os.getpid(), str(run.absolute()), what)
        try:
            yield
        finally:
            _note(path, "end", os.getpid(), str(run.absolute()), what)
    finally:
        lock.release()


def _unheard(sentence: str) -> None:
    """For callers that tell nobody."""


def _acquire(lock: FileLock, path: Path, name: str, tell: Tell) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = _last(path)
        by = f" by process {holder['pid']} for {holder['run']}" if holder else ""
        tell(f"Waiting for {name}, which is held{by}.")
        lock.acquire(poll_interval=PATIENCE)


def _note(path: Path, event: str, pid: int, run: str, what: str) -> None:
    """A line that is whole or, after a power cut, the last and left out."""
    record = {
        "event": event,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "pid": pid,
        "run": run,
        "what": what,
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def records(path: Path) -> list[dict[str, Any]]:
    """Of one device's file; lines that a power cut left in pieces are left out."""
    try:
        return list(_whole(path.read_text("utf-8").splitlines()))
    except FileNotFoundError:
        return []


def _whole(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with suppress(json.JSONDecodeError):
            yield json.loads(line)


def _last(path: Path) -> dict[str, Any] | None:
    """The last whole line, without reading the years before it."""
    try:
        with path.open("rb") as file:
            file.seek(-min(TAIL, file.seek(0, os.SEEK_END)), os.SEEK_END)
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return None
    found = list(_whole(lines))
    return found[-1] if found else None


def overlaps(found: Sequence[dict[str, Any]]) -> list[str]:
    """What a device's record should not hold, in words; empty if all took turns."""
    wrong, holder = [], None
    for number, record in enumerate(found, 1):
        event, pid = record["event"], record["pid"]
        if event == "begin":
            if holder is not None:
                wrong.append(f"line {number}: process {pid} began while {holder} held the device")
            holder = pid
        else:
            if holder != pid:
                wrong.append(f"line {number}: process {pid} ended what it did not hold")
            holder = None
    return wrong
