"""Delimited text to a frame: separator, header, rows, types."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from synthgen.data.cells import Cells, OffendingCellError, type_cells
from synthgen.data.charset import Charset, detect
from synthgen.data.checks import check_names
from synthgen.data.options import ReadOptions
from synthgen.data.origin import Origin
from synthgen.errors import DataError

SEPARATORS = (",", ";", "\t", "|")
_HEAD = 1 << 18
"""Bytes of the file that are looked at to find the separator."""
_BLOCK = 1 << 24
"""Bytes that are parsed at a time; a row may not be longer."""


def read_delimited(
    data: bytes, name: str, options: ReadOptions, usual: str
) -> tuple[pd.DataFrame, Origin, tuple[str, ...]]:
    """The table in these bytes, how it was written, and notices for the user.

    ``usual`` is the separator that the file's extension suggests. Raises :class:`DataError`
    naming the file, and the line or column where there is one.
    """
    charset = detect(data, name, options.encoding)
    utf8 = data[charset.mark :]
    if charset.encoding != "utf-8":
        utf8 = utf8.decode(charset.encoding).encode("utf-8")
    if not utf8.endswith((b"\n", b"\r")):
        # Arrow takes a single line without an end for no line at all.
        utf8 += b"\n"
    head = _head(utf8)
    if not head.strip():
        raise DataError(f"{name} is empty.", "Give a file with a header line and rows.")
    separator = options.separator or _sniff(head, usual)
    names = _header(head, separator, name)
    table = _parse(utf8, separator, len(names), name)
    if table.num_rows == 0:
        raise DataError(f"{name} has a header but no rows.", "Give a file with rows of data.")
    columns: dict[str, Cells] = {}
    for column, cells in zip(names, table.columns, strict=True):
        try:
            columns[column] = type_cells(column, cells, options)
        except OffendingCellError as offence:
            line = _line_of(utf8, separator, offence.row + 1)
            raise DataError(
                f"{name}: {offence.cause}, the first in line {line}.", offence.remedy
            ) from None
    frame = pd.DataFrame({column: found.series for column, found in columns.items()}, copy=False)
    origin = Origin(
        format="tsv" if separator == "\t" else "csv",
        separator=separator,
        encoding=charset.encoding,
        bom=charset.mark > 0,
        newline=_newline(head),
        decimal=options.decimal,
        missing={column: c.missing for column, c in columns.items() if c.missing},
        booleans={column: c.booleans for column, c in columns.items() if c.booleans},
    )
    return frame, origin, _notices(charset, name)


def _notices(charset: Charset, name: str) -> tuple[str, ...]:
    if not charset.guessed:
        return ()
    return (
        f"{name} was read as {charset.encoding}, which is a guess; "
        "if letters look wrong, name the encoding (data.read.encoding).",
    )


def _head(utf8: bytes) -> str:
    """The beginning of the file, to the end of a line where it is cut."""
    head = utf8[:_HEAD].decode("utf-8", errors="ignore")
    if len(utf8) > _HEAD and "\n" in head:
        head = head[: head.rindex("\n") + 1]
    return head


def _records(text: str, separator: str, limit: int | None = None) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return list(itertools.islice(filter(None, reader), limit))


def _sniff(head: str, usual: str) -> str:
    """The separator by which most of the first rows have as many cells as the header, which has
    several; the usual one where there is no better."""

    def quality(separator: str) -> float:
        try:
            header, *rows = _records(head, separator, 200)
        except (csv.Error, ValueError):
            return 0.0
        if len(header) < 2:
            return 0.0
        return (1 + sum(len(row) == len(header) for row in rows)) / (1 + len(rows))

    # max keeps the first of equals, so the usual one goes first.
    return max([usual, *(s for s in SEPARATORS if s != usual)], key=quality)


def _header(head: str, separator: str, name: str) -> list[str]:
    try:
        names = _records(head, separator, 1)[0]
    except csv.Error as error:
        raise DataError(
            f"{name}: the header cannot be read: {error}.", "Check its quotes."
        ) from None
    try:
        check_names(names)
    except DataError as error:
        raise DataError(f"{name}: {error.cause}", error.remedy) from None
    if any("." in cell for cell in names) and all(_is_number(cell) for cell in names):
        raise DataError(
            f"{name}: the first line holds numbers, not column names.",
            "Add a header line with the names of the columns.",
        )
    return names


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _parse(utf8: bytes, separator: str, width: int, name: str) -> pa.Table:
    """All cells below the header as text."""
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(utf8),
            pa.csv.ReadOptions(autogenerate_column_names=True, block_size=_BLOCK),
            pa.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            pa.csv.ConvertOptions(
                column_types={f"f{i}": pa.string() for i in range(width)},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise _ragged(utf8, separator, width, name, str(error)) from None
    if table.num_columns != width:
        raise _ragged(utf8, separator, width, name, "header and rows differ")
    # A quote that is never closed swallows the rest of the file into the last row.
    if any("\n" in str(column[-1].as_py()) for column in table.columns):
        _check_quotes(utf8, separator, name)
    return table.slice(1)


def _numbered(utf8: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Every record with the line on which it begins; slow, for messages only."""
    text = io.TextIOWrapper(io.BytesIO(utf8), encoding="utf-8", newline="")
    reader = csv.reader(text, delimiter=separator, strict=True)
    line = 1
    for record in reader:
        if record:
            yield line, record
        line = reader.line_num + 1


def _ragged(utf8: bytes, separator: str, width: int, name: str, reason: str) -> DataError:
    remedy = "Correct the line: every row needs as many cells as the header; quote cells that hold "
    remedy += f"the separator {separator!r}."
    try:
        for line, record in _numbered(utf8, separator):
            if len(record) != width:
                return DataError(
                    f"{name}: line {line} has {_cells(len(record))}, but the header has {width}.",
                    remedy,
                )
    except csv.Error as error:
        return DataError(f"{name}: the rows cannot be told apart: {error}.", "Check its quotes.")
    return DataError(f"{name}: the rows cannot be told apart: {reason.splitlines()[0]}.", remedy)


def _cells(count: int) -> str:
    return f"{count} cell{'s' if count != 1 else ''}"


def _check_quotes(utf8: bytes, separator: str, name: str) -> None:
    begins = 1
    try:
        for line, _ in _numbered(utf8, separator):
            begins = line
    except csv.Error:
        raise DataError(
            f"{name}: a quote that is opened after line {begins} is never closed.",
            "Close the quote, or double it if it belongs to the text.",
        ) from None


def _line_of(utf8: bytes, separator: str, record: int) -> int:
    return next(itertools.islice(_numbered(utf8, separator), record, None))[0]


def _newline(head: str) -> Literal["\n", "\r\n", "\r"]:
    if "\r\n" in head:
        return "\r\n"
    return "\n" if "\n" in head or "\r" not in head else "\r"
