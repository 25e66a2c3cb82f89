"""A folder at a URL: its files, transfers that are tried again, and plain words for what fails."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from synthgen.errors import DISK, ConfigError, MachineError

T = TypeVar("T")
PAUSES = (1.0, 3.0, 9.0, 27.0)
"""Seconds before a transfer that failed is tried again."""
AT_ONCE = 8
"""Transfers side by side: a run of images has thousands of small files."""
DRAFT = ".part"
"""Ends the names of files that are not whole yet."""
_FLAT = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"}
"""Protocols of stores without folders. To make one there may even make a bucket."""
_EXTRAS = {"s3": "s3", "s3a": "s3"}
"""Protocols whose package is an extra of ours."""
_log = logging.getLogger(__name__)


class StoreError(MachineError):
    """The store at a URL does not do what it is asked for."""


class Store:
    """The folder at ``url``: names of its files are relative to it.

    Raises ConfigError for a URL with credentials in it; StoreError if the store cannot be used or,
    after ``pauses``, does not answer. What fails on this machine's disk stays an OSError.
    """

    def __init__(self, url: str, pauses: Sequence[float] | None = None) -> None:
        import fsspec

        scheme = urlsplit(url).scheme
        if "@" in urlsplit(url).netloc:
            raise ConfigError(
                f"the address of the {scheme} store holds credentials",
                "give them where the store's own tools look for them, such as AWS_PROFILE",
            )
        self.url = url.rstrip("/") or url
        self.pauses = PAUSES if pauses is None else tuple(pauses)
        try:
            self._system, root = fsspec.core.url_to_fs(url, **_options(scheme))
        except (ImportError, ValueError) as error:
            extra = _EXTRAS.get(scheme)
            remedy = (
                f"pip install -c constraints.txt -e '.[{extra}]'"
                if extra
                else "install what opens such URLs"
            )
            raise StoreError(f"{url} cannot be opened: {_line(error)}", remedy) from None
        if scheme in ("s3", "s3a"):
            self._system.retries = 1
        self.root = str(root).rstrip("/") or str(root)
        given = self._system.protocol
        self._protocols = {given} if isinstance(given, str) else set(given)

    # ---- reading ------------------------------------------------------------------------------

    def files(self, below: str = "") -> dict[str, dict[str, Any]]:
        """Name of every file below, and what the store says of it."""
        base = f"{self.root}/{below}".rstrip("/")

        def find() -> dict[str, dict[str, Any]]:
            self._system.invalidate_cache()
            try:
                found: dict[str, dict[str, Any]] = self._system.find(base, detail=True)
            except FileNotFoundError:
                return {}
            return found

        start = self.root.rstrip("/") + "/"
        found = self._patiently(find)
        # Some stores list a folder as an empty object, or a path as the file that it is.
        return {
            str(path).removeprefix(start): about
            for path, about in found.items()
            if str(path).startswith(start) and not str(path).endswith("/")
        }

    def folders(self) -> list[str]:
        """Names of the folders directly below, but for hidden ones."""

        def look() -> list[dict[str, Any]]:
            self._system.invalidate_cache()
            found: list[dict[str, Any]] = self._system.ls(self.root, detail=True)
            return found

        try:
            found = self._patiently(look)
        except FileNotFoundError:
            return []
        paths = [str(one["name"]).rstrip("/") for one in found if one["type"] == "directory"]
        names = [path.rpartition("/")[2] for path in paths]
        return sorted(name for name in names if not name.startswith("."))

    def read(self, name: str) -> bytes | None:
        """A small file's content; None if there is no such file."""
        try:
            content: bytes = self._patiently(lambda: self._system.cat_file(self._at(name)))
        except FileNotFoundError:
            return None
        return content

    def read_all(self, names: Iterable[str]) -> dict[str, bytes]:
        """The content of those of them that are there."""
        wanted = list(names)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            contents = pool.map(self.read, wanted)
            return {name: text for name, text in zip(wanted, contents, strict=True) if text}

    def get(self, name: str, target: Path) -> None:
        """Copy a file to ``target``. Raises FileNotFoundError if there is no such file."""
        target.parent.mkdir(parents=True, exist_ok=True)
        self._patiently(lambda: self._system.get_file(self._at(name), str(target)))

    # ---- writing ------------------------------------------------------------------------------

    def write(self, name: str, content: bytes) -> None:
        """A small file, which is replaced if it is there."""
        self._prepare(name)
        self._written(lambda: self._system.pipe_file(self._at(name), content))

    def create(self, name: str, content: bytes) -> bool:
        """A small file, if it is not there; returns whether this call made it."""
        self._prepare(name)

        def make() -> None:
            try:
                self._system.pipe_file(self._at(name), content, mode="create")
            except (OSError, ValueError):
                # Stores have different words for it: what counts is whether it is there now.
                if not self._there(name):
                    raise

        self._written(make)
        return self.read(name) == content

    def put(self, source: Path, name: str) -> None:
        """Copy a file of this machine; it is there whole or not at all."""
        self._prepare(name)
        if "file" in self._protocols:
            # An object store shows a file when it is complete; a disk shows it from its first byte.
            draft = Path(f"{self._at(name)}{DRAFT}")
            shutil.copyfile(source, draft)
            draft.replace(self._at(name))
            return
        self._written(lambda: self._system.put_file(str(source), self._at(name)), source)

    def put_all(self, sources: dict[str, Path]) -> None:
        """Copy several files, in no certain order."""
        _all_of(lambda name: self.put(sources[name], name), sources)

    def get_all(self, targets: dict[str, Path]) -> None:
        """Copy several files to this machine."""
        _all_of(lambda name: self.get(name, targets[name]), targets)

    def remove(self, names: Iterable[str]) -> None:
        """Remove those of the files that are there, in no certain order."""

        def work(name: str) -> None:
            with suppress(FileNotFoundError):
                self._patiently(partial(self._system.rm_file, self._at(name)))

        _all_of(work, names)

    # ---- how ----------------------------------------------------------------------------------

    def _at(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}"

    def _there(self, name: str) -> bool:
        self._system.invalidate_cache()
        return bool(self._system.exists(self._at(name)))

    def _prepare(self, name: str) -> None:
        if not self._protocols & _FLAT:
            parent = self._at(name).rpartition("/")[0]
            self._patiently(lambda: self._system.makedirs(parent, exist_ok=True))

    def _written(self, work: Callable[[], object], source: Path | None = None) -> None:
        try:
            self._patiently(work)
        except FileNotFoundError:
            if source is not None and not source.exists():
                raise
            bucket = "/".join(self.url.split("/")[:3])
            raise StoreError(
                f"there is no {bucket} to write to", "make the bucket, or check its name"
            ) from None

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do it, and try again after each pause while the store does not answer."""
        for pause in (*self.pauses, None):
            try:
                return work()
            except (FileNotFoundError, FileExistsError, StoreError):
                raise
            except Exception as error:
                # Every store has errors of its own (aiohttp, botocore, ...), and few are OSErrors.
                if _of_this_machine(error):
                    raise
                if refused(error):
                    raise StoreError(
                        f"{self.url} refuses access: {_line(error)}",
                        "check the credentials, and what the bucket's rules allow them",
                    ) from None
                if pause is None:
                    raise StoreError(
                        f"{self.url} does not answer: {_line(error)}",
                        "check the connection, and repeat the command",
                    ) from None
                _log.info("%s: trying again in %g s: %s", self.url, pause, _line(error))
                time.sleep(pause)
        raise AssertionError


def _options(scheme: str) -> dict[str, Any]:
    """One try of a transfer is one or two of the store's client: by default it makes up to 25,
    which takes minutes where nobody answers."""
    import fsspec

    if scheme not in ("s3", "s3a") or "config_kwargs" in fsspec.config.conf.get(scheme, {}):
        return {}
    return {"config_kwargs": {"retries": {"total_max_attempts": 2, "mode": "standard"}}}


def refused(error: Exception) -> bool:
    """Whether the store knows who asks, or what for, and says no: to ask again is no use."""
    return isinstance(error, PermissionError) or "Credentials" in type(error).__name__


def _of_this_machine(error: Exception) -> bool:
    """A file of this machine is named by its path; and a wrong type or value is a bug of ours."""
    if isinstance(error, OSError):
        return error.filename is not None or error.errno in DISK
    return type(error).__module__ == "builtins" and not isinstance(error, RuntimeError)


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _all_of(work: Callable[[str], None], names: Iterable[str]) -> None:
    """For each name; the first failure ends what has not begun."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(work, name) for name in names]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def cache() -> Path:
    """Where copies of runs at URLs are on this machine; made readable to the user alone.

    ``SYNTHGEN_CACHE`` names another folder.
    """
    given = os.environ.get("SYNTHGEN_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = (Path(given) if given else Path(home) / "synthgen") / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder.absolute()
