"""One door for every source of a table."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pandas as pd
import pyarrow as pa

from synthgen.data.checks import check_names
from synthgen.data.delimited import read_delimited
from synthgen.data.named_sets import load_openml, load_sklearn
from synthgen.data.options import ReadOptions
from synthgen.data.origin import Origin, format_of
from synthgen.data.parquet import pack_schema, read_parquet
from synthgen.errors import ConfigError, DataError, MachineError

__all__ = ["Loaded", "Origin", "ReadOptions", "read"]


_DEFAULT = ReadOptions()


@dataclass(frozen=True)
class Loaded:
    """``frame`` has a RangeIndex; ``notices`` are for the user, one sentence each."""

    frame: pd.DataFrame
    origin: Origin
    notices: tuple[str, ...] = ()


def read(source: str | Path | pd.DataFrame, options: ReadOptions = _DEFAULT) -> Loaded:
    """Read a CSV, TSV or Parquet file (text also compressed), any fsspec URL of one,
    ``sklearn:NAME``, ``openml:NAME``, or take a frame as it is.

    Raises :class:`DataError` for what is wrong with the data, :class:`MachineError` for what
    keeps them from being read (permissions, network, a missing package), and
    :class:`ConfigError` for a source that cannot exist.
    """
    if isinstance(source, pd.DataFrame):
        return _from_frame(source)
    text = str(source)
    if text.startswith("sklearn:"):
        return Loaded(load_sklearn(text.removeprefix("sklearn:")), Origin(format="frame"))
    if text.startswith("openml:"):
        return Loaded(load_openml(text.removeprefix("openml:")), Origin(format="frame"))
    name = _shown(text)
    data = _fetch(text, name)
    digest = hashlib.sha256(data).hexdigest()
    if not data:
        raise DataError(f"{name} is empty.", "Give a file with a header line and rows.")
    found, compression = format_of(re.sub(r"[?#].*", "", text) if _is_url(text) else text)
    if compression is not None:
        data = _unpack(data, compression, name)
    if found == "parquet" or data[:4] == b"PAR1":
        frame, schema, notices = read_parquet(pa.BufferReader(data), name)
        if frame.empty:
            raise DataError(f"{name} has no rows or no columns.", "Give a file with rows of data.")
        origin = Origin(format="parquet", arrow_schema=pack_schema(schema))
    else:
        _refuse_archives(data, name)
        frame, origin, notices = read_delimited(
            data, name, options, "\t" if found == "tsv" else ","
        )
    update = {"sha256": digest, "compression": compression}
    return Loaded(frame, origin.model_copy(update=update), notices)


def _from_frame(frame: pd.DataFrame) -> Loaded:
    check_names(list(frame.columns))
    notices: tuple[str, ...] = ()
    if not isinstance(frame.index, pd.RangeIndex):
        notices = ("The frame's index is left out; frame.reset_index() would keep it.",)
    frame = frame.reset_index(drop=True)
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.SparseDtype):
            frame[name] = frame[name].sparse.to_dense()
    return Loaded(frame, Origin(format="frame"), notices)


def _is_url(text: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:(//|:)", text) is not None


def _shown(text: str) -> str:
    """A source as messages may name it: without password and signature."""
    if not _is_url(text):
        return text
    parts = urlsplit(text)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _fetch(text: str, name: str) -> bytes:
    try:
        return _remote(text) if _is_url(text) else Path(text).expanduser().read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"There is no file {name}.", "Check the path; sklearn:NAME and openml:NAME name sets."
        ) from None
    except IsADirectoryError:
        raise DataError(
            f"{name} is a folder, not a table.", "Give a CSV, TSV or Parquet file."
        ) from None
    except PermissionError:
        raise MachineError(
            f"{name} may not be read: permission denied.", "Change its permissions, or copy it."
        ) from None
    except ImportError as error:
        raise MachineError(
            f"{name} needs a package that is not installed: {error}.",
            "Install it with pip into the same environment.",
        ) from None
    except OSError as error:
        raise MachineError(
            f"{name} cannot be read: {error.strerror or error}.",
            "Check the path, the disk or the network, and try again.",
        ) from None


def _remote(text: str) -> bytes:
    import fsspec

    try:
        with fsspec.open(text, "rb") as file:
            data: bytes = file.read()
    except (OSError, ImportError):
        raise
    except ValueError as error:
        raise ConfigError(
            f"{_shown(text)} cannot be opened: {error}.",
            "Use a path, or a URL such as s3://, https:// or memory://.",
        ) from None
    except Exception as error:
        # Every file system has errors of its own (aiohttp, botocore, ...): all are the network's.
        raise OSError(f"{type(error).__name__}: {str(error).splitlines()[0]}") from None
    return data


def _unpack(data: bytes, compression: str, name: str) -> bytes:
    unpackers = {"gzip": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress}
    try:
        return unpackers[compression](data)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise DataError(
            f"{name} cannot be unpacked: {error}.", "It may be cut off: write or download it again."
        ) from None


def _refuse_archives(data: bytes, name: str) -> None:
    kinds = {
        b"PK\x03\x04": "a ZIP archive or an Excel workbook",
        b"\x1f\x8b": "packed with gzip",
        b"\xd0\xcf\x11\xe0": "an old Excel workbook",
        b"SQLite format 3": "a SQLite data base",
        b"\x89HDF": "an HDF5 file",
        b"ARROW1": "an Arrow file",
        b"\x89PNG": "an image",
        b"\xff\xd8\xff": "an image",
    }
    for magic, kind in kinds.items():
        if data.startswith(magic):
            raise DataError(
                f"{name} is {kind}, not delimited text.",
                "Save the table as CSV or Parquet (a packed file needs the extension .gz).",
            )
