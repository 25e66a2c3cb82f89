"""How a table was written, so that what comes out looks like what came in."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from synthgen.data.charset import Charset
from synthgen.data.parquet import unpack_schema, write_parquet
from synthgen.errors import ConfigError, DataError, MachineError

_SUFFIXES: dict[str, Literal["csv", "tsv", "parquet"]] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz"}


class Origin(BaseModel):
    """The form of a source; holds nothing of its rows. A frame in memory is written as Parquet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["csv", "tsv", "parquet", "frame"]
    compression: Literal["gzip", "bz2", "xz"] | None = None
    sha256: str | None = None
    """Of the bytes that were read."""
    separator: str = ","
    encoding: str = "utf-8"
    bom: bool = False
    newline: Literal["\n", "\r\n", "\r"] = "\n"
    decimal: Literal[".", ","] = "."
    missing: dict[str, str] = {}
    """Column to its way of writing a missing cell, where that is not the empty cell."""
    booleans: dict[str, tuple[str, str]] = {}
    """Column to its words for false and true, where those are not False and True."""
    arrow_schema: str | None = None
    """Parquet: the columns' Arrow types (:func:`synthgen.data.parquet.pack_schema`)."""

    @classmethod
    def of(cls, path: Path, like: Origin) -> Origin:
        """The form of a file of this name: that of ``like`` where the formats agree.

        Raises :class:`ConfigError` for an extension that is not known.
        """
        found, compression = format_of(path.name)
        if found is None:
            raise ConfigError(
                f"The extension of {path.name} is not known.",
                f"Use one of {' '.join(_SUFFIXES)}, text also with {' '.join(_COMPRESSIONS)}.",
            )
        if found == "parquet":
            schema = like.arrow_schema if like.format == "parquet" else None
            return cls(format="parquet", arrow_schema=schema)
        if like.format == found:
            return like.model_copy(update={"compression": compression})
        textual = like.format in ("csv", "tsv")
        return cls(
            format=found,
            compression=compression,
            separator="\t" if found == "tsv" else ",",
            missing=like.missing if textual else {},
            booleans=like.booleans if textual else {},
        )

    @property
    def extension(self) -> str:
        """With the dot: ``.csv``, ``.tsv.gz``, ``.parquet``."""
        if self.format in ("parquet", "frame"):
            return ".parquet"
        packed = next((s for s, c in _COMPRESSIONS.items() if c == self.compression), "")
        return f".{self.format}{packed}"

    def write(self, frame: pd.DataFrame, path: Path) -> None:
        """Write the frame in this form, and make the folders above it; reading it again gives the
        same cells and dtypes.

        Raises :class:`MachineError` where the disk does not take it; nothing half written stays.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if self.format in ("parquet", "frame"):
                schema = unpack_schema(self.arrow_schema) if self.arrow_schema else None
                write_parquet(frame, path, schema)
            else:
                path.write_bytes(self._pack(self._text(frame)))
        except OSError as error:
            if path.is_file():
                path.unlink()
            raise MachineError(
                f"{path} cannot be written: {error.strerror or error}.",
                "Check the disk's free space and the folder's permissions.",
            ) from None

    def _pack(self, text: str) -> bytes:
        try:
            encoded = text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise DataError(
                f"The text holds {text[error.start]!r}, which {self.encoding} cannot write.",
                "Save the source as UTF-8.",
            ) from None
        data = Charset(self.encoding, int(self.bom)).mark_bytes() + encoded
        match self.compression:
            case "gzip":
                # No time stamp: the same table gives the same bytes.
                return gzip.compress(data, mtime=0)
            case "bz2":
                return bz2.compress(data)
            case "xz":
                return lzma.compress(data)
            case None:
                return data

    def _text(self, frame: pd.DataFrame) -> str:
        columns = {name: self._cells(str(name), frame[name]) for name in frame.columns}
        shown = pd.DataFrame(columns, index=frame.index)
        # Python's writer quotes the line end in use, but readers take the others for ends as well.
        ends = set("\r\n") - set(self.newline)
        textual = [shown[name].astype(str) for name in shown if shown[name].dtype == object]
        stray = any(
            cells.str.contains(end, regex=False).any()
            for end in ends
            for cells in [*textual, pd.Series(shown.columns, dtype=object).astype(str)]
        )
        buffer = io.StringIO(newline="")
        shown.to_csv(
            buffer,
            index=False,
            sep=self.separator,
            lineterminator=self.newline,
            quoting=csv.QUOTE_NONNUMERIC if stray else csv.QUOTE_MINIMAL,
        )
        return buffer.getvalue()

    def _cells(self, name: str, series: pd.Series[Any]) -> pd.Series[Any]:
        missing = series.isna()
        if name in self.booleans and pd.api.types.is_bool_dtype(series.dtype):
            false, true = self.booleans[name]
            series = series.astype(object).map({False: false, True: true}, na_action="ignore")
        elif self.decimal == "," and pd.api.types.is_float_dtype(series.dtype):
            series = series.astype(object).map(_with_comma, na_action="ignore")
        token = self.missing.get(name, "")
        if token and missing.any():
            return series.astype(object).mask(missing, token)
        return series


def format_of(
    name: str,
) -> tuple[Literal["csv", "tsv", "parquet"] | None, Literal["gzip", "bz2", "xz"] | None]:
    """Format and compression by the extension; None where it says nothing."""
    path = Path(name.lower())
    compression: Any = _COMPRESSIONS.get(path.suffix)
    if compression is not None:
        path = path.with_suffix("")
    return _SUFFIXES.get(path.suffix), compression


def _with_comma(cell: float) -> str:
    return repr(float(cell)).replace(".", ",")
