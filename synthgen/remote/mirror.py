"""A run at a URL and its working copy on this machine.

**Pushed** are, within seconds of their commit: a stage's files, after them its manifest
(``.stages/NAME.json``), and when the run is finished its ``manifest.json``, last of all; results of
single decide jobs as they come; checkpoints of trainings every few minutes. Where something else
was at the URL, what said that it is whole (``manifest.json``, the stage's manifest) is taken away
before the first of its files is replaced. So a stage at the URL is done exactly if its manifest is
there and its files have the recorded hashes, as in a folder, and a push that was cut off leaves a
run that ``synthgen resume`` makes whole.

**Pulled** is before the work begins, under the lease, in one of three cases:

- Nobody held the lease since this copy did: the copy is the newest there is. Only what it lacks
  comes from the URL; what the URL lacks, or has otherwise, is pushed.
- Somebody did, and it is the same run (its ``split`` has the same files): the URL decides. Its
  stages replace those of the copy that differ, its checkpoints all of the copy's. What only the
  copy has is kept, for it was made from the same files and comes out the same: later stages, and
  results of decide jobs.
- It is another run, which took the place of this one: the copy is thrown away.

A URL without a run leaves the copy as it is; that is a first push that did not get through.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from synthgen.errors import ConfigError, SynthgenError
from synthgen.remote import Mode, called, transfer
from synthgen.remote.lease import FOLDER as LEASE
from synthgen.remote.lease import HeldError, Lease
from synthgen.remote.transfer import Store, StoreError, cache
from synthgen.runs import CONFIG, MANIFEST, STAGES, Run, occupied, sha256, write_atomic

EVERY = 2.0
"""Seconds between two looks for what is to be pushed."""
LATER = 60.0
"""The most seconds between two looks while the store does not answer."""
CHECKPOINTS = 300.0
"""Seconds between two pushes of checkpoints, which may be large: what a lost machine costs."""
SCRATCH = ".scratch"
RESULTS = f"{SCRATCH}/decide/"
HEAVY = ("split", "model", "synthetic", "augmented", "pictures", "weights")
"""What a look at the verdict and the scores does not need, by the beginnings of names."""
_log = logging.getLogger(__name__)
Records = dict[str, bytes]
"""Stage manifests by their stage."""


class Mirror:
    """The run at ``url``. Raises ConfigError for a URL that names no folder."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        name = self.url.partition("://")[2].partition("/")[2].rpartition("/")[2]
        if not name:
            raise ConfigError(
                f"{url} names no folder for a run", f"for example: {self.url}/runs/adult"
            )
        self.home = cache() / hashlib.sha256(self.url.encode()).hexdigest()[:16]
        self.path = self.home / name
        """The working copy."""
        self._store = Store(self.url)
        self._lease = Lease(self._store)
        self._there: dict[str, object] = {}
        """What is known to be at the URL: digests of committed files, marks of scratch files."""
        self._records: Records = {}
        self._manifest: bytes | None = None
        self._anew = False
        """Whether a new run is being made, so that what is at the URL has to go first."""
        self._pushing = threading.Lock()
        self._checkpointed = time.monotonic()

    # ---- working ------------------------------------------------------------------------------

    @contextmanager
    def working(self, mode: Mode = "old", *, wait: bool = False) -> Iterator[None]:
        """Hold the URL, and keep it up to date with the working copy for the time of the block.

        A lost connection does not end the work in the block: it is pushed when the store answers
        again. Raises ConfigError where the URL is not as ``mode`` wants it; HeldError if another
        process works there, unless it is to ``wait``; StoreError if the end of the work could not
        be pushed. All errors name the URL in place of the working copy.
        """
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with called(self.url, self.path), self._alone(wait):
            self._check(mode)
            # A holder with this copy's token has ended, for the lock of the copy is ours.
            own = self._token()
            last = self._lease.take(own, wait=wait)
            try:
                current = last is not None and last.token == own
                found = self._store.files()
                self._look(found)
                self._anew = mode in ("new", "replace")
                if not self._anew:
                    self._pull(current, found)
                if not current and (self._anew or last is None):
                    # Of a run that was replaced or removed there.
                    shutil.rmtree(self.path, ignore_errors=True)
                write_atomic(self.home / ".token", self._lease.token)
                with self._pushed():
                    yield
            finally:
                empty = all(name.startswith(f"{LEASE}/") for name in self._there)
                self._lease.release(leave_no_trace=empty and not Run(self.path).begun)

    @contextmanager
    def _alone(self, wait: bool) -> Iterator[None]:
        """One process of this machine at a time: the lease is for machines."""
        lock = FileLock(self.home / ".lock", timeout=-1 if wait else 0)
        try:
            lock.acquire(poll_interval=1.0)
        except Timeout:
            raise HeldError(
                f"another process of this machine is working at {self.url}", "wait for it to end"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _check(self, mode: Mode) -> None:
        """Before anything is written: is there what is to be worked on?"""
        found = self._store.files()
        ours = any(name.startswith(f"{LEASE}/") for name in found)
        # Without any lease the run was removed, and what is left of it here does not count.
        mine = Run(self.path) if ours else Run(self.home / "none")
        begun = f".stages/{STAGES[0]}.json" in found or mine.begun
        if mode == "old" and not begun:
            raise no_run(self.url)
        if mode == "new" and begun:
            raise occupied(self.url, MANIFEST in found or mine.finished)
        if mode != "old" and found and not begun and not ours:
            raise ConfigError(
                f"{self.url} exists and is not a synthgen run", "choose another folder with --out"
            )

    def _token(self) -> str | None:
        """Of the lease under which this copy was worked in last."""
        try:
            return (self.home / ".token").read_text("ascii")
        except FileNotFoundError:
            return None

    # ---- pulling ------------------------------------------------------------------------------

    def _look(self, found: dict[str, dict[str, Any]]) -> None:
        """What is at the URL?"""
        names = [stage for stage in STAGES if f".stages/{stage}.json" in found]
        texts = self._store.read_all(f".stages/{stage}.json" for stage in names)
        self._records = {
            stage: text
            for stage in names
            if (text := texts.get(f".stages/{stage}.json")) and _files(text) is not None
        }
        self._manifest = self._store.read(MANIFEST) if MANIFEST in found else None
        self._there = dict.fromkeys(found)
        for text in self._records.values():
            self._there |= {n: d for n, d in (_files(text) or {}).items() if n in found}

    def _pull(self, current: bool, found: dict[str, dict[str, Any]]) -> None:
        """See above for what comes and what stays. ``current``: nobody was here since this copy."""
        if STAGES[0] not in self._records:
            return
        mine = _records(self.path)
        if not current and not _same(mine.get(STAGES[0]), self._records[STAGES[0]]):
            shutil.rmtree(self.path, ignore_errors=True)
            mine = {}
        for stage, theirs in list(self._records.items()):
            if current and stage in mine and not _same(mine[stage], theirs):
                continue
            whole = self._fetch_stage(self.path, stage, theirs)
            names = _files(theirs) or {}
            lost = [n for n in names if n not in found or found[n]["size"] != _size(self.path / n)]
            if not whole or lost:
                # Cut off while it was replaced, or damaged there: it has to be pushed again.
                del self._records[stage]
                self._there |= dict.fromkeys(names if not whole else lost)
        self._pull_scratch(current)
        if current and (self.path / MANIFEST).is_file():
            return
        whole = len(self._records) == len(STAGES)
        if self._manifest is not None and whole and _records(self.path) == self._records:
            write_atomic(self.path / MANIFEST, self._manifest)

    def _fetch_stage(
        self, path: Path, stage: str, theirs: bytes, wanted: Callable[[str], bool] = lambda _: True
    ) -> bool:
        """Bring the stage's wanted files, then its manifest; returns whether that held."""
        files = _files(theirs) or {}
        needed = {name: digest for name, digest in files.items() if wanted(name)}
        missing = [name for name, digest in needed.items() if not _is(path / name, digest)]
        record = path / ".stages" / f"{stage}.json"
        if missing:
            (path / MANIFEST).unlink(missing_ok=True)
            record.unlink(missing_ok=True)
            drafts = {name: path / ".pulled" / name for name in missing}
            try:
                self._store.get_all(drafts)
                if any(not _is(drafts[name], needed[name]) for name in missing):
                    return False
                for name, draft in drafts.items():
                    (path / name).parent.mkdir(parents=True, exist_ok=True)
                    draft.replace(path / name)
            except FileNotFoundError:
                return False
            finally:
                shutil.rmtree(path / ".pulled", ignore_errors=True)
        if not record.is_file() or record.read_bytes() != theirs:
            write_atomic(record, theirs)
        return True

    def _pull_scratch(self, current: bool) -> None:
        names = [name for name in self._there if name.startswith(f"{SCRATCH}/")]
        if self._manifest is not None:
            return
        if not current and (self.path / SCRATCH).is_dir():
            # Checkpoints and the log beside them belong together: all from one machine.
            for child in (self.path / SCRATCH).iterdir():
                if f"{SCRATCH}/{child.name}/" != RESULTS:
                    shutil.rmtree(child) if child.is_dir() else child.unlink()
        bring = [
            name
            for name in names
            if (name.startswith(RESULTS) or not current) and not (self.path / name).exists()
        ]
        if any(name.startswith(RESULTS) for name in bring) and "decide" in self._records:
            bring = [name for name in bring if not name.startswith(RESULTS)]
        for name in bring:
            target = self.path / name
            draft = target.with_name(f".{target.name}.{os.getpid()}")
            try:
                self._store.get(name, draft)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
        for name in names:
            if (self.path / name).is_file():
                self._there[name] = _mark(self.path / name)

    # ---- pushing ------------------------------------------------------------------------------

    @contextmanager
    def _pushed(self) -> Iterator[None]:
        """Push meanwhile, in a thread, and in the end."""
        end = threading.Event()
        self._store.pauses = ()  # While the work goes on, the next look is the next try.
        thread = threading.Thread(target=self._keep, args=(end,), daemon=True, name="synthgen-push")
        thread.start()
        try:
            yield
        except BaseException:
            end.set()
            thread.join()
            self._push_what_is_there()
            raise
        end.set()
        thread.join()
        self._push_the_end()

    def _keep(self, end: threading.Event) -> None:
        failed = 0
        while not end.wait(min(EVERY * 2**failed, LATER)):
            try:
                due = time.monotonic() - self._checkpointed >= CHECKPOINTS
                self.push(checkpoints=due)
                failed = 0
            except HeldError as error:
                _log.warning("%s; the work goes on here", error.cause)
                return
            except Exception as error:  # Whatever it is: it must not end a training.
                if not failed:
                    cause = error.cause if isinstance(error, SynthgenError) else repr(error)
                    _log.warning("%s; the work goes on, and is pushed later", cause)
                failed += 1

    def _push_what_is_there(self) -> None:
        """Something else ended the work, and is what the user has to hear of."""
        if Run(self.path).finished:  # A gate failed: everything is written.
            self._push_the_end()
            return
        try:
            self.push(checkpoints=True)
        except (SynthgenError, OSError) as error:
            _log.warning(
                "not everything was pushed to %s: %s", self.url, str(error).splitlines()[0]
            )

    def _push_the_end(self) -> None:
        self._store.pauses = transfer.PAUSES
        try:
            self.push(checkpoints=True)
        except StoreError as error:
            self._store.pauses = ()  # Enough was waited.
            raise StoreError(
                error.cause,
                f"nothing is lost on this machine; {error.remedy.partition(', and repeat')[0]}, "
                f"then: synthgen resume {self.url}",
            ) from None

    def push(self, *, checkpoints: bool) -> None:
        """Bring the URL up to date with the copy. Raises HeldError if another machine took over,
        and StoreError."""
        with self._pushing:
            self._lease.check()
            mine = _records(self.path)
            if STAGES[0] not in mine:
                return
            first, there = mine[STAGES[0]], self._records.get(STAGES[0])
            if there not in (None, first) and (self._anew or not _same(there, first)):
                self._withdraw_all()
            for stage, text in mine.items():
                if self._records.get(stage) != text and not self._push_stage(stage, text):
                    return
            finished = (self.path / MANIFEST).is_file() and len(mine) == len(STAGES)
            if not finished:
                self._push_results("decide" in mine)
                if checkpoints:
                    self._push_checkpoints()
                    self._checkpointed = time.monotonic()
                return
            self._push_manifest((self.path / MANIFEST).read_bytes())

    def _push_stage(self, stage: str, text: bytes) -> bool:
        """Its files, then its manifest; returns whether it stayed the same meanwhile."""
        todo = {n: d for n, d in (_files(text) or {}).items() if self._there.get(n) != d}
        if not all(_is(self.path / name, digest) for name, digest in todo.items()):
            return False
        if todo and (stage in self._records or self._manifest is not None):
            self._withdraw(stage)
        self._store.put_all({name: self.path / name for name in todo})
        self._there |= todo
        self._lease.check()
        self._store.write(f".stages/{stage}.json", text)
        self._records[stage] = text
        return True

    def _push_manifest(self, text: bytes) -> None:
        if text != self._manifest:
            files: dict[str, str] = json.loads(text)["files"]
            todo = {n: d for n, d in files.items() if self._there.get(n) != d}
            if not all(_is(self.path / name, digest) for name, digest in todo.items()):
                return  # Of before a stage was made anew.
            self._store.put_all({name: self.path / name for name in todo})
            self._there |= todo
            self._lease.check()
            self._store.write(MANIFEST, text)
            self._manifest = text
        self._forget([name for name in self._there if name.startswith(f"{SCRATCH}/")])

    def _push_results(self, decided: bool) -> None:
        found = [] if decided else _below(self.path, RESULTS)
        todo = [name for name in found if self._there.get(name) is None]
        self._store.put_all({name: self.path / name for name in todo})
        self._there |= {name: _mark(self.path / name) for name in todo}

    def _push_checkpoints(self) -> None:
        """Logs before the checkpoints that were there before: a log may know more than a checkpoint
        but never less."""
        states = [n for n in _below(self.path, f"{SCRATCH}/") if n.endswith(".safetensors")]
        others = [
            name
            for name in _below(self.path, f"{SCRATCH}/")
            if not name.endswith(".safetensors") and not name.startswith(RESULTS)
        ]
        for name in (*others, *states):
            source = self.path / name
            try:
                mark = _mark(source)
                if self._there.get(name) != mark:
                    self._store.put(source, name)
                    self._there[name] = mark
            except FileNotFoundError:  # An older one, removed meanwhile.
                continue
        kept = {*states, *others}
        mine = [n for n in self._there if n.startswith(f"{SCRATCH}/") and not n.startswith(RESULTS)]
        self._forget([name for name in mine if name not in kept])

    def _withdraw(self, stage: str) -> None:
        """What says that the run, and this stage, are whole."""
        self._store.remove([MANIFEST])
        self._store.remove([f".stages/{stage}.json"])
        self._manifest = None
        self._records.pop(stage, None)

    def _withdraw_all(self) -> None:
        """The run that was here before: it is none from the first moment on."""
        first = [MANIFEST, *(f".stages/{stage}.json" for stage in STAGES)]
        self._store.remove(first[:1])
        self._store.remove(first[1:])
        self._manifest, self._records = None, {}
        rest = [n for n in self._there if n not in first and not n.startswith(f"{LEASE}/")]
        self._forget(rest)

    def _forget(self, names: list[str]) -> None:
        self._store.remove(names)
        for name in names:
            self._there.pop(name, None)

    # ---- reading ------------------------------------------------------------------------------

    def reading(self, *, light: bool = False) -> Path:
        """A copy of what is at the URL now, apart from the working copy; ``light``: without rows,
        images and weights.

        Raises ConfigError if there is no run, StoreError if the store cannot be read.
        """
        path = self.home / ".view" / self.path.name
        found = self._store.files()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            self._look(found)
            if STAGES[0] not in self._records:
                shutil.rmtree(path, ignore_errors=True)
                raise no_run(self.url)
            mine = _records(path)
            if not _same(mine.get(STAGES[0]), self._records[STAGES[0]]):
                shutil.rmtree(path, ignore_errors=True)
            wanted = _light if light else lambda _: True
            whole = True
            for stage in STAGES:
                text = self._records.get(stage)
                if text is None or not self._fetch_stage(path, stage, text, wanted):
                    (path / ".stages" / f"{stage}.json").unlink(missing_ok=True)
                    whole = False
            if self._manifest is None or not whole:
                (path / MANIFEST).unlink(missing_ok=True)
            else:
                write_atomic(path / MANIFEST, self._manifest)
            begun = found.get(CONFIG, {}).get("LastModified")
            if begun is not None and (path / CONFIG).is_file():
                os.utime(path / CONFIG, (begun.timestamp(), begun.timestamp()))
        return path

    def remove(self) -> None:
        """Remove the run at the URL and the copies of this machine. Raises ConfigError if there is
        none, HeldError if it is worked at, and StoreError."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone(wait=False):
            self._check("old")
            self._lease.take(self._token())
            try:
                self._look(self._store.files())
                # What makes it a run goes last, so that a removal that was cut off can be repeated.
                first, last = [MANIFEST], [f".stages/{STAGES[0]}.json"]
                kept = (*first, *last)
                rest = [n for n in self._there if n not in kept and not n.startswith(LEASE)]
                for names in (first, rest, last):
                    self._store.remove(names)
            finally:
                self._lease.release()
            self._store.remove(list(self._store.files(LEASE)))
        shutil.rmtree(self.home, ignore_errors=True)


def runs_at(url: str) -> list[tuple[str, Path]]:
    """The runs directly below a URL, each with a light copy of it. Raises StoreError."""
    found = []
    for name in Store(url).folders():
        with suppress(ConfigError):
            found.append((f"{url}/{name}", Mirror(f"{url}/{name}").reading(light=True)))
    return sorted(found, key=lambda one: ((one[1] / CONFIG).stat().st_mtime_ns, one[0]))


def no_run(url: str) -> ConfigError:
    """For whoever asks for a run where there is none."""
    return ConfigError(
        f"{url} is not a run directory",
        f"list the runs with: synthgen runs ls {url.rpartition('/')[0]}",
    )


def _light(name: str) -> bool:
    return not name.startswith(HEAVY) or name.endswith(".json")


def _records(path: Path) -> Records:
    """The stage manifests of a folder, in the order of the stages."""
    found = {}
    for stage in STAGES:
        try:
            text = (path / ".stages" / f"{stage}.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        if _files(text) is not None:
            found[stage] = text
    return found


def _files(record: bytes) -> dict[str, str] | None:
    """Digests of the files that a stage manifest names; None if it is none."""
    try:
        files: dict[str, str] = json.loads(record)["files"]
    except (ValueError, KeyError, TypeError):
        return None
    return files


def _same(mine: bytes | None, theirs: bytes) -> bool:
    """Whether two manifests of a stage say the same but for the time that it took."""
    if mine is None:
        return False
    a, b = json.loads(mine), json.loads(theirs)
    return bool(a["key"] == b["key"] and a["files"] == b["files"])


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _mark(path: Path) -> tuple[int, int]:
    """Tells two states of a file of this machine apart."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _below(path: Path, folder: str) -> list[str]:
    """Names of the whole files in a part of the run's scratch folder."""
    return sorted(
        (Path(parent) / name).relative_to(path).as_posix()
        for parent, _, names in os.walk(path / folder)
        for name in names
        if not name.startswith(".") and not name.endswith(".partial")
    )
