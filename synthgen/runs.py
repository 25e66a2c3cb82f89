"""The run directory: atomic commits, stage manifests, one writer, resume.

A stage writes into a private folder; when it has finished, its files are moved to their places one
rename at a time and its manifest, which names each file's SHA-256, is written last. A stage counts
as done only with a manifest whose files are all there, unchanged, and made from the present state
of the stage before it. So a killed run goes on where it was, and nothing half written is ever read.

Names that begin with a dot are the run's own workings (lock, stage manifests, checkpoints,
unfinished files); the final manifest does not list them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from synthgen.errors import ConfigError, MachineError

STAGES = ("split", "decide", "fit", "sample", "evaluate", "render")
MANIFEST = "manifest.json"
CONFIG = "config.yaml"
_STAGING = ".staging"
_LOCK = ".lock"


def sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def dump(value: Any) -> str:
    """JSON as it is written everywhere in a run: sorted, indented, no NaN."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file so that other readers see all of it or nothing, even after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


class Run:
    """One run directory. Reading needs no lock; ``writing`` takes it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @classmethod
    def open(cls, path: Path) -> Run:
        """An existing run. Raises ConfigError where there is none."""
        run = cls(path)
        if not run.begun:
            raise ConfigError(
                f"{path} is not a run directory", "list the runs with: synthgen runs ls"
            )
        return run

    @property
    def begun(self) -> bool:
        """Whether the first stage is committed: from there on a run can be resumed."""
        return self._manifest(STAGES[0]) is not None

    @property
    def finished(self) -> bool:
        return (self.path / MANIFEST).is_file()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the run against a second writer. Raises MachineError if another holds it."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self / _LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise _busy(self.path) from None
        try:
            yield
        finally:
            # The file stays: removing it could pull it from under a process that waits for it.
            lock.release()

    def scratch(self, name: str) -> Path:
        """A folder for checkpoints and unfinished records, which survives a kill."""
        folder = self / ".scratch" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    # ---- stages -------------------------------------------------------------------------------

    def stage(self, name: str, work: Callable[[Path], None]) -> bool:
        """Run ``work(folder)`` and commit what it left in ``folder``, unless that was done before.

        Returns whether it ran. Whatever ``work`` raises leaves the run as it was.
        """
        key = self._key(name)
        if self.done(name):
            return False
        folder = self / _STAGING / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        started = time.perf_counter()
        try:
            work(folder)
            files = _files(folder)
            hashes = {file: sha256(folder / file) for file in files}
            for file in files:
                target = self / file
                target.parent.mkdir(parents=True, exist_ok=True)
                (folder / file).replace(target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        seconds = round(time.perf_counter() - started, 3)
        record = {"stage": name, "key": key, "files": hashes, "seconds": seconds}
        write_atomic(self / ".stages" / f"{name}.json", dump(record))
        return True

    def undo(self, name: str) -> None:
        """Let a stage run again; its files stay until it commits."""
        (self / ".stages" / f"{name}.json").unlink(missing_ok=True)

    def _manifest(self, name: str) -> dict[str, Any] | None:
        path = self / ".stages" / f"{name}.json"
        try:
            record: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
            return None
        return record

    def _key(self, name: str) -> str:
        """What the stage is made from: everything that the stages before it committed."""
        place = STAGES.index(name)
        before = [self._manifest(stage) for stage in STAGES[:place]]
        if None in before:
            raise ValueError(f"stage {name} before its predecessors")
        content = [record["files"] for record in before if record is not None]
        return hashlib.sha256(dump(content).encode()).hexdigest()

    def done(self, name: str) -> bool:
        """Whether the stage is committed, its files unchanged, and what it was made from too."""
        record = self._manifest(name)
        if record is None or record["key"] != self._key(name):
            return False
        return not self.changed(name)

    def changed(self, name: str) -> list[str]:
        """The files of a committed stage that are missing or not as they were written."""
        record = self._manifest(name) or {"files": {}}
        return [
            file
            for file, digest in record["files"].items()
            if not (self / file).is_file() or sha256(self / file) != digest
        ]

    def seconds(self) -> dict[str, float]:
        """Wall-clock seconds of each committed stage (of its last attempt)."""
        records = ((stage, self._manifest(stage)) for stage in STAGES)
        return {stage: record["seconds"] for stage, record in records if record is not None}

    def done_stages(self) -> list[str]:
        return [stage for stage in STAGES if self._manifest(stage) is not None]

    # ---- the end ------------------------------------------------------------------------------

    def finish(self, facts: dict[str, Any]) -> None:
        """Write ``manifest.json``, the run's last file: hashes of all files, and ``facts``."""
        hashes = {file: sha256(self / file) for file in _files(self.path)}
        hashes.pop(MANIFEST, None)
        record = {**facts, "files": hashes, "seconds": self.seconds()}
        write_atomic(self / MANIFEST, dump(record))
        shutil.rmtree(self / ".scratch", ignore_errors=True)
        shutil.rmtree(self / _STAGING, ignore_errors=True)


@contextmanager
def fresh(path: Path, *, force: bool) -> Iterator[Run]:
    """A new run directory, held for writing; vanishes again if nothing was committed in it.

    An existing run is replaced only with ``force``, and comes back if the new one fails before its
    first commit. A folder that is not a run is never touched. Raises ConfigError.
    """
    run = Run(path)
    replaced = path.with_name(f".{path.name}.replaced")
    with _making(path):
        if replaced.exists():
            # A replacement was killed: without a commit of its own the old run comes back.
            shutil.rmtree(replaced if run.begun else path, ignore_errors=True)
            if replaced.exists():
                replaced.rename(path)
        if path.exists() and not _vacant(path):
            raise ConfigError(
                f"{path} exists and is not a synthgen run", "choose another folder with --out"
            )
        if run.begun and not force:
            raise occupied(path, run.finished)
        if run.begun:
            with run.writing():
                path.rename(replaced)
        try:
            with run.writing():
                for child in path.iterdir():
                    if child.name != _LOCK:
                        # What a start that was killed before its first commit left behind.
                        shutil.rmtree(child) if child.is_dir() else child.unlink()
                yield run
        finally:
            if not run.begun:
                shutil.rmtree(path, ignore_errors=True)
                if replaced.exists():
                    replaced.rename(path)
            else:
                shutil.rmtree(replaced, ignore_errors=True)


@contextmanager
def _making(path: Path) -> Iterator[None]:
    """Hold the name of a run against others that want to make or replace it.

    The run's own lock cannot do that: it moves away with a run that is replaced.
    """
    # In the temporary folder, so that a kill leaves nothing beside the user's runs.
    place = hashlib.sha256(f"{os.getuid()} {path.absolute()}".encode()).hexdigest()[:24]
    lock = FileLock(Path(tempfile.gettempdir()) / f"synthgen-{place}.lock", timeout=0)
    parents = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire()
    except Timeout:
        raise _busy(path) from None
    try:
        yield
    finally:
        lock.release()
        if not path.exists():
            for folder in parents:
                with suppress(OSError):  # Somebody else may use it by now.
                    folder.rmdir()


def occupied(place: Path | str, finished: bool) -> ConfigError:
    """For whoever wants to make a run where one is."""
    state = "a finished run" if finished else "an unfinished run"
    rest = "" if finished else f", go on with it by: synthgen resume {place}"
    return ConfigError(
        f"{place} already holds {state}",
        f"choose another folder with --out, replace it with --force{rest}",
    )


def _busy(path: Path) -> MachineError:
    return MachineError(
        f"another process is writing {path}",
        "wait for it to end, or choose another folder with --out",
    )


def _vacant(path: Path) -> bool:
    """Whether a run may be made here: an empty folder, or one of ours (the lock says so)."""
    return path.is_dir() and ((path / _LOCK).is_file() or not any(path.iterdir()))


def runs_in(folder: Path) -> list[Run]:
    """The runs directly below a folder, oldest first."""
    if not folder.is_dir():
        return []
    found = [Run(p) for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    begun = [run for run in found if run.begun]
    return sorted(begun, key=lambda run: ((run / CONFIG).stat().st_mtime_ns, run.path.name))


def _files(folder: Path) -> list[str]:
    """Relative POSIX paths of all files below, without those under a dotted name."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )
