"""One door for every source of labelled images."""

from __future__ import annotations

import hashlib
import re
import zipfile
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

from synthgen.data.images.arrays import SKLEARN, Arrays, check_arrays, each, load_sklearn
from synthgen.data.images.collect import Collected, Skipped, Stack, collect, listed
from synthgen.data.images.decode import EXTENSIONS, grey_if_equal
from synthgen.data.images.files import Files, FolderFiles, ZipFiles
from synthgen.data.images.folders import LISTINGS, prefix_of, read_folders
from synthgen.data.images.found import Found
from synthgen.data.images.images import Images
from synthgen.data.images.labels import coded
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.listing import read_listing
from synthgen.data.images.names import unique
from synthgen.data.images.options import ImageOptions
from synthgen.data.images.parquet import image_columns, read_images_parquet
from synthgen.data.parquet import opened
from synthgen.data.quoting import shown
from synthgen.errors import ConfigError, DataError, MachineError

__all__ = ["Arrays", "LoadedImages", "looks_like_images", "read_images"]

_DEFAULT = ImageOptions()
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PARQUET = (".parquet", ".pq")
_REMEDY = "Give a folder or ZIP of images, or a Parquet file: docs/images.md shows the layouts."


@dataclass(frozen=True)
class LoadedImages:
    """``skipped``: the images that cannot be used; ``notices`` are for the user, one sentence
    each."""

    images: Images
    layout: ImageLayout
    skipped: tuple[Skipped, ...] = ()
    notices: tuple[str, ...] = ()


def read_images(
    source: str | Path | tuple[ArrayLike, ArrayLike],
    target: str = "label",
    options: ImageOptions = _DEFAULT,
) -> LoadedImages:
    """Read a folder, a ZIP archive or a Parquet file of images (the files also by any fsspec URL),
    ``sklearn:digits``, or take a pair of arrays as :class:`Arrays` says. ``target``: the column of
    labels, where there are columns.

    Raises :class:`DataError` for what is wrong with the data, :class:`MachineError` for what
    keeps them from being read, and :class:`ConfigError` for a source that cannot exist.
    """
    if isinstance(source, tuple):
        return _from_arrays(Arrays(*source), target, options)
    text = str(source)
    if text.startswith("sklearn:"):
        return _from_arrays(load_sklearn(text.removeprefix("sklearn:")), target, options)
    name = _name(text)
    data = _located(text, name)
    if isinstance(data, Path) and data.is_dir():
        return _from_files(FolderFiles(data, name, options), target, options)
    head = _head(data, name)
    if head.startswith(_ZIP):
        with closing(ZipFiles(data, name, options)) as files:
            return _from_files(files, target, options)
    if head.startswith(b"PAR1"):
        return _from_parquet(data, name, target, options)
    if not head:
        raise DataError(f"{name} is empty.", _REMEDY)
    if Path(name).suffix.lower() in EXTENSIONS:
        raise DataError(f"{name} is a single image.", _REMEDY)
    raise DataError(f"{name} is neither a folder nor a ZIP archive nor a Parquet file.", _REMEDY)


def looks_like_images(source: str | Path) -> bool:
    """Whether a source is for :func:`read_images`: a folder (but none of Parquet files), a ZIP
    archive (but no workbook of a spreadsheet), a Parquet file with a column of images, images of
    scikit-learn; also what :func:`read_images` will refuse, a damaged archive or a single image.
    Nothing is decoded; what cannot be read is no image."""
    text = str(source)
    if text.startswith("sklearn:"):
        return text.removeprefix("sklearn:") in SKLEARN
    if _is_url(text):
        suffix = Path(urlsplit(text).path).suffix.lower()
        return suffix == ".zip" or (suffix in _PARQUET and _remote_has_images(text))
    path = Path(text).expanduser()
    try:
        if path.is_dir():
            return not any(inner.suffix.lower() in _PARQUET for inner in path.iterdir())
        with path.open("rb") as file:
            head = file.read(4)
        if path.suffix.lower() in EXTENSIONS:
            return True
        if head in _ZIP:
            with zipfile.ZipFile(path) as archive:
                return "[Content_Types].xml" not in archive.namelist()
        return head == b"PAR1" and _has_images(path)
    except zipfile.BadZipFile:
        return path.suffix.lower() == ".zip"
    except (OSError, ValueError, NotImplementedError):
        # Not there, not to be opened, a name that no file has, an archive of an unknown kind: the
        # reader that is asked next says which.
        return False


def _has_images(source: object) -> bool:
    try:
        with pq.ParquetFile(source) as file:
            return bool(image_columns(file))
    except (OSError, pa.ArrowException):
        return False


def _remote_has_images(text: str) -> bool:
    import fsspec

    # Every file system has errors of its own; the reader will name them.
    with suppress(Exception), fsspec.open(text, "rb") as file:
        return _has_images(file)
    return False


def _from_files(files: Files, target: str, options: ImageOptions) -> LoadedImages:
    prefix = prefix_of(files)
    for listing in LISTINGS:
        if prefix + listing in files.names:
            found = read_listing(files, prefix, listing, target)
            break
    else:
        found = read_folders(files, prefix, target)
    collected = collect(found.entries, found.count, options, files.source)
    loaded = _loaded(collected, found, files.source, files.notices)
    return _hashed(loaded, files.sha256())


def _from_parquet(
    data: Path | bytes, name: str, target: str, options: ImageOptions
) -> LoadedImages:
    try:
        with opened(pa.BufferReader(data) if isinstance(data, bytes) else data, name) as file:
            found = read_images_parquet(file, name, target)
            collected = collect(found.entries, found.count, options, name)
    except UnicodeDecodeError:
        raise DataError(
            f"{name} holds text that is no UTF-8.",
            "It may be damaged: write or download it again.",
        ) from None
    loaded = _loaded(collected, found, name, ())
    if isinstance(data, bytes):
        return _hashed(loaded, hashlib.sha256(data).hexdigest())
    with data.open("rb") as stream:
        return _hashed(loaded, hashlib.file_digest(stream, "sha256").hexdigest())


def _from_arrays(arrays: Arrays, target: str, options: ImageOptions) -> LoadedImages:
    pixels, labels = check_arrays(arrays)
    names = [f"{i:06}.png" for i in range(len(pixels))]
    stack = Stack(len(pixels), options, "The array")
    for image, name in zip(each(pixels), names, strict=True):
        stack.add(grey_if_equal(image), name)
    found = Found((), len(pixels), ImageLayout(format="arrays", target=target))
    return _loaded(Collected(stack.finished(), names, labels, ()), found, "The array", ())


def _loaded(
    collected: Collected, found: Found, source: str, notices: tuple[str, ...]
) -> LoadedImages:
    labels, classes = coded(collected.labels, found.declared)
    images = Images(collected.pixels, labels, classes, unique(collected.names))
    empty = [str(classes[i]) for i, count in enumerate(images.counts()) if count == 0]
    notices = (*notices, *found.notices)
    if empty:
        notices = (*notices, _of_empty(empty, source))
    if collected.skipped:
        notices = (
            *notices,
            f"{source}: {len(collected.skipped)} of {found.count} images cannot be used and are "
            f"left out: {listed(collected.skipped)}.",
        )
    return LoadedImages(images, found.layout, collected.skipped, notices)


def _of_empty(empty: list[str], source: str) -> str:
    more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
    names = ", ".join(map(shown, empty[:3]))
    return f"{source}: no image of the class{'es' if len(empty) > 1 else ''} {names}{more}."


def _hashed(loaded: LoadedImages, sha256: str) -> LoadedImages:
    layout = loaded.layout.model_copy(update={"sha256": sha256})
    return LoadedImages(loaded.images, layout, loaded.skipped, loaded.notices)


def _is_url(text: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:(//|:)", text) is not None


def _name(text: str) -> str:
    """A source as messages may name it: without password and signature, on one line."""
    if _is_url(text):
        parts = urlsplit(text)
        text = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return shown(text)


def _located(text: str, name: str) -> Path | bytes:
    """A path that exists, or the bytes behind a URL."""
    if _is_url(text):
        return _remote(text, name)
    path = Path(text).expanduser()
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise DataError(f"There is no file or folder {name}.", "Check the path.") from None
    except OSError as error:
        raise _unreadable(name, error) from None
    return path


def _head(data: Path | bytes, name: str) -> bytes:
    if isinstance(data, bytes):
        return data[:4]
    try:
        with data.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise _unreadable(name, error) from None


def _remote(text: str, name: str) -> bytes:
    import fsspec

    try:
        with fsspec.open(text, "rb") as file:
            data: bytes = file.read()
    except FileNotFoundError:
        raise DataError(f"There is no file {name}.", "Check the address.") from None
    except ImportError as error:
        raise MachineError(
            f"{name} needs a package that is not installed: {error}.",
            "Install it with pip into the same environment.",
        ) from None
    except ValueError as error:
        raise ConfigError(
            f"{name} cannot be opened: {error}.",
            "Use a path, or a URL such as s3://, https:// or memory://.",
        ) from None
    except Exception as error:
        # Every file system has errors of its own (aiohttp, botocore, ...): all are the network's.
        raise _unreadable(name, error) from None
    return data


def _unreadable(name: str, error: Exception) -> MachineError:
    reason = getattr(error, "strerror", None) or next(iter(str(error).splitlines()), "no reason")
    return MachineError(
        f"{name} cannot be read: {reason}.",
        "Check the permissions, the disk or the network, and try again.",
    )
