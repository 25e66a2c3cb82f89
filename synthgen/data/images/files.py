"""The files of a folder or of a ZIP archive, by relative names, without leaving either."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from synthgen.data.images.decode import BadImageError
from synthgen.data.images.names import is_hidden, points_outside
from synthgen.data.images.options import ImageOptions
from synthgen.data.quoting import shown, some
from synthgen.errors import DataError, MachineError

INFLATION, HARMLESS = 100, 2**26
"""An archive may inflate by this factor, or else to this many bytes."""


class Files(Protocol):
    """``names``: of regular visible files, relative with ``/``, sorted. ``folders``: likewise,
    those without a file as well. ``zipped``: as :class:`ImageLayout` has it."""

    source: str
    names: tuple[str, ...]
    folders: tuple[str, ...]
    notices: tuple[str, ...]
    zipped: bool

    def read(self, name: str) -> bytes:
        """The content. Raises :class:`BadImageError` where it cannot be had."""

    def sha256(self) -> str: ...


class FolderFiles:
    """Links are followed only to files inside of the folder: what lies elsewhere was not given."""

    zipped = False

    def __init__(self, root: Path, source: str, options: ImageOptions) -> None:
        self.source = source
        self._root = root.resolve()
        self._largest = _largest(options)
        self._hashes: dict[str, bytes] = {}
        self._links: list[str] = []
        names, folders = self._walk(options.max_files)
        self.names, self.folders = tuple(sorted(names)), tuple(sorted(folders))
        self.notices: tuple[str, ...] = ()
        if self._links:
            self.notices = (
                f"{source}: links out of the folder, or to folders, are not followed: "
                f"{some(sorted(self._links))}.",
            )

    def read(self, name: str) -> bytes:
        path = self._root / name
        try:
            if path.stat().st_size > self._largest:
                raise BadImageError(f"has more than {self._largest:,} bytes")
            data = path.read_bytes()
        except OSError as error:
            raise BadImageError(f"cannot be read: {error.strerror or error}") from None
        self._hashes[name] = hashlib.sha256(data).digest()
        return data

    def sha256(self) -> str:
        """Of the names read so far and the hashes of their contents."""
        total = hashlib.sha256()
        for name in sorted(self._hashes):
            total.update(os.fsencode(name) + b"\0" + self._hashes[name])
        return total.hexdigest()

    def _walk(self, max_files: int) -> tuple[list[str], list[str]]:
        names: list[str] = []
        folders: list[str] = []
        waiting = [""]
        while waiting:
            above = waiting.pop()
            for entry in self._entries(above):
                name = f"{above}{entry.name}"
                if is_hidden(entry.name):
                    continue
                if entry.is_symlink() and not self._stays_inside(Path(entry.path)):
                    self._links.append(name)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                    waiting.append(f"{name}/")
                # Neither pipes nor devices: reading those would wait for ever.
                elif entry.is_file():
                    names.append(name)
            if len(names) > max_files:
                raise _too_many(self.source, max_files)
        return names, folders

    def _entries(self, above: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._root / above) as entries:
                return list(entries)
        except OSError as error:
            raise MachineError(
                f"{shown(str(self._root / above))} cannot be listed: {error.strerror or error}.",
                "Change its permissions, or copy what it holds.",
            ) from None

    def _stays_inside(self, link: Path) -> bool:
        try:
            target = link.resolve(strict=True)
        except (OSError, RuntimeError):
            return False
        return target.is_file() and target.is_relative_to(self._root)


class ZipFiles:
    """Read entry by entry; nothing is unpacked to the disk."""

    zipped = True

    def __init__(self, data: Path | bytes, source: str, options: ImageOptions) -> None:
        self.source = source
        self._data = data
        self._largest = _largest(options)
        self.notices: tuple[str, ...] = ()
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
            raise DataError(
                f"{source} is not a readable ZIP archive: {shown(str(error))}.",
                "It may be cut off or damaged: write or download it again.",
            ) from None
        try:
            self._check(options)
        except DataError:
            self._archive.close()
            raise
        # Of entries with one name the last counts, as when unpacking.
        entries = {
            "/".join(part for part in info.filename.split("/") if part not in ("", ".")): info
            for info in self._archive.infolist()
        }
        visible = {name: info for name, info in entries.items() if name and not is_hidden(name)}
        self._infos = {name: info for name, info in visible.items() if not info.is_dir()}
        self.names = tuple(sorted(self._infos))
        folders = {name for name, info in visible.items() if info.is_dir()}
        for name in self.names:
            parts = name.split("/")[:-1]
            folders.update("/".join(parts[: i + 1]) for i in range(len(parts)))
        self.folders = tuple(sorted(folders))

    def read(self, name: str) -> bytes:
        info = self._infos[name]
        if info.file_size > self._largest:
            raise BadImageError(f"has more than {self._largest:,} bytes")
        try:
            # zipfile hands out no more than the declared size, which was checked.
            return self._archive.read(info)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, zlib.error) as error:
            raise BadImageError(f"cannot be unpacked: {shown(str(error))}") from None

    def close(self) -> None:
        self._archive.close()

    def sha256(self) -> str:
        if isinstance(self._data, bytes):
            return hashlib.sha256(self._data).hexdigest()
        with self._data.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _check(self, options: ImageOptions) -> None:
        infos = self._archive.infolist()
        if len(infos) > options.max_files:
            raise _too_many(self.source, options.max_files)
        for info in infos:
            # zipfile has made the system's separator a slash and cut at a zero byte.
            name = info.orig_filename
            if points_outside(name):
                raise DataError(
                    f"{self.source}: the entry {shown(name)} points out of the archive.",
                    "Pack the folder anew with relative names; nothing was unpacked.",
                )
            if stat.S_ISLNK(info.external_attr >> 16):
                raise DataError(
                    f"{self.source}: the entry {shown(name)} is a link.",
                    "Pack the files themselves; nothing was unpacked.",
                )
            if info.flag_bits & 1:
                raise DataError(
                    f"{self.source}: the entry {shown(name)} is encrypted.",
                    "Unpack the archive with its password, and give the folder.",
                )
        self._check_size(sum(info.file_size for info in infos), options.max_bytes)

    def _check_size(self, unpacked: int, max_bytes: int) -> None:
        packed = len(self._data) if isinstance(self._data, bytes) else self._data.stat().st_size
        if unpacked > max_bytes:
            raise DataError(
                f"{self.source} would unpack to {unpacked:,} bytes, more than {max_bytes:,}.",
                "Raise max_bytes if that is meant, or unpack the archive and give the folder.",
            )
        if unpacked > max(HARMLESS, INFLATION * packed):
            raise DataError(
                f"{self.source} would inflate {unpacked // packed}-fold, to {unpacked:,} bytes, "
                "as no archive of images does.",
                "If it is sound all the same, unpack it and give the folder.",
            )


def _largest(options: ImageOptions) -> int:
    """Bytes that a file can have whose image keeps to the limit: four channels of 16 bits."""
    return 8 * options.max_pixels + 2**20


def _too_many(source: str, limit: int) -> DataError:
    return DataError(
        f"{source} holds more than {limit:,} files.", "Give a smaller folder, or raise max_files."
    )
