"""The encoding of a text file: marked, valid UTF-8, guessed, or refused."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from synthgen.errors import ConfigError, DataError

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    # UTF-32's mark begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LIKELY = [f"cp{page}" for page in (1252, 1250, 1251, 1253, 1254, 1255, 1256, 1257, 932, 949)]
_LIKELY += ["koi8_r", "euc_jp", "big5", "gb18030"]
"""What tables are found in. Without this list short samples are taken for DOS and Mac sets."""
_SAMPLE = 200_000


@dataclass(frozen=True)
class Charset:
    """A codec's name; the mark's length in bytes (0: none); whether it was a guess."""

    encoding: str
    mark: int
    guessed: bool = False

    def mark_bytes(self) -> bytes:
        """The byte order mark that stood at the beginning."""
        return next((m for m, e in _MARKS if e == self.encoding), b"") if self.mark else b""


def detect(data: bytes, name: str, wanted: str | None) -> Charset:
    """The encoding of ``data``, in which all of it decodes.

    Raises :class:`DataError` with the position of the first byte that does not, and
    :class:`ConfigError` for a ``wanted`` encoding that does not exist.
    """
    if wanted is not None:
        return _wanted(data, name, wanted)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            _require(data, name, encoding, len(mark))
            return Charset(encoding, len(mark))
    if wide := _wide(data[:_SAMPLE]):
        _require(data, name, wide, 0)
        return Charset(wide, 0, guessed=True)
    if (zero := data.find(0)) >= 0:
        raise DataError(
            f"{name} is not text: byte {zero} is zero.",
            "Give a CSV, TSV or Parquet file; other formats have to be converted first.",
        )
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _guess(data, name, error.start)
    return Charset("utf-8", 0)


def _wanted(data: bytes, name: str, wanted: str) -> Charset:
    try:
        encoding = codecs.lookup(wanted).name
    except LookupError:
        raise ConfigError(
            f"There is no encoding {wanted!r}.", "Use a name such as utf-8, cp1252 or latin-1."
        ) from None
    # The generic names expect a mark and swallow it; keep it apart instead.
    for mark, marked in _MARKS:
        generic = encoding in ("utf-16", "utf-32", "utf-8-sig")
        if data.startswith(mark) and (
            marked == encoding or (generic and marked.startswith(encoding.removesuffix("-sig")))
        ):
            _require(data, name, marked, len(mark))
            return Charset(marked, len(mark))
    encoding = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}.get(
        encoding, encoding
    )
    _require(data, name, encoding, 0)
    return Charset(encoding, 0)


def _require(data: bytes, name: str, encoding: str, mark: int) -> None:
    try:
        data[mark:].decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(data, name, mark + error.start, f"is not {encoding}") from None


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: of mostly ASCII text every other byte is zero."""
    zeros = (sample[0::2].count(0), sample[1::2].count(0))
    half = len(sample) // 2
    if half and zeros[1] > 0.4 * half and zeros[0] < 0.1 * half:
        return "utf-16-le"
    if half and zeros[0] > 0.4 * half and zeros[1] < 0.1 * half:
        return "utf-16-be"
    return ""


def _guess(data: bytes, name: str, position: int) -> Charset:
    # Only lines with other than ASCII bytes tell encodings apart.
    sample, size = [], 0
    for line in re.finditer(rb"[^\n]*[\x80-\xff][^\n]*", data):
        sample.append(line[0])
        size += len(line[0]) + 1
        if size > _SAMPLE:
            break
    best = from_bytes(b"\n".join(sample), cp_isolation=_LIKELY).best()
    if best is None:
        raise _undecodable(data, name, position, "is not UTF-8, and no other encoding fits")
    _require(data, name, best.encoding, 0)
    return Charset(best.encoding, 0, guessed=True)


def _undecodable(data: bytes, name: str, position: int, why: str) -> DataError:
    line = data.count(b"\n", 0, position) + 1
    return DataError(
        f"{name} {why}: byte {position} (line {line}) cannot be decoded.",
        "Save the file as UTF-8, or name its encoding (data.read.encoding).",
    )
