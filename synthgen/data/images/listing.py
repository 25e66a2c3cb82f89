"""A folder, or a ZIP archive, with a CSV file that lists images and labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unicodedata import normalize

import pandas as pd

from synthgen.data.delimited import read_delimited
from synthgen.data.images.collect import Entry, Skipped
from synthgen.data.images.decode import BadImageError
from synthgen.data.images.files import Files
from synthgen.data.images.folders import is_image
from synthgen.data.images.found import Found
from synthgen.data.images.images import Class
from synthgen.data.images.labels import as_class
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.names import clean, points_outside
from synthgen.data.options import ReadOptions
from synthgen.data.origin import Origin
from synthgen.data.overrides import did_you_mean
from synthgen.data.quoting import some
from synthgen.errors import DataError

FILE_COLUMNS = ("file_name", "file", "filename", "image")
"""Names of the column of file names, in the order in which they are looked for; the first is that
of Hugging Face's imagefolder."""


def read_listing(files: Files, prefix: str, listing: str, target: str) -> Found:
    """The images that the CSV file ``prefix + listing`` names, in its order.

    A row is skipped without its file, without a label, with a file outside of the folder, or if
    its file has another label in another row; a row that says the same again is left out. Raises
    :class:`DataError` where the file cannot be read or lacks a column.
    """
    frame, csv, notices = _table(files, prefix + listing)
    source = f"{files.source}/{listing}"
    file_column = _file_column(frame, source)
    if target not in frame.columns:
        raise DataError(
            f"{source} has no column {target!r} to use as the target.",
            did_you_mean(target, frame.columns),
        )
    given = [None if pd.isna(cell) else str(cell) for cell in frame[file_column]]
    labels = _labels(frame[target], csv, source, target)
    rows = list(dict.fromkeys(zip(map(_plain, given), labels, strict=True)))
    if len(rows) < len(given):
        notices = (*notices, f"{source}: {len(given) - len(rows)} rows repeat others; left out.")
    wanted = {normalize("NFC", f"{prefix}{name}") for name, _ in rows}
    unlisted = sorted(
        name
        for name in files.names
        if name.startswith(prefix) and is_image(name) and normalize("NFC", name) not in wanted
    )
    if unlisted:
        notices = (
            *notices,
            f"{source}: {len(unlisted)} images have no row and are left out: {some(unlisted)}.",
        )
    return Found(
        entries=_entries(files, prefix, rows),
        count=len(rows),
        layout=ImageLayout(
            format="listing",
            zipped=files.zipped,
            prefix=prefix,
            target=target,
            listing=listing,
            columns=tuple(frame.columns),
            # Classes are text: they are written as they are spelled.
            csv=csv.model_copy(update={"booleans": {}}),
            file_column=file_column,
        ),
        notices=notices,
    )


def _table(files: Files, name: str) -> tuple[pd.DataFrame, Origin, tuple[str, ...]]:
    shown = f"{files.source}/{name}"
    try:
        data = files.read(name)
    except BadImageError as error:
        raise DataError(f"{shown} {error}.", "Check the file, or write it again.") from None
    return read_delimited(data, shown, ReadOptions(), ",")


def _file_column(frame: pd.DataFrame, source: str) -> str:
    for column in FILE_COLUMNS:
        if column in frame.columns:
            return column
    raise DataError(
        f"{source} has no column of file names.",
        f"Name it {FILE_COLUMNS[0]}; also known are {', '.join(FILE_COLUMNS[1:])}.",
    )


def _labels(series: pd.Series[Any], csv: Origin, source: str, target: str) -> list[Class | None]:
    words = csv.booleans.get(target)
    if words is not None:
        return [None if pd.isna(cell) else words[int(cell)] for cell in series]
    return [as_class(cell, source, target) for cell in series]


def _plain(name: str | None) -> str:
    """As the files are named: with slashes, without ``.``; what points outside stays as it is."""
    if name is None:
        return ""
    if points_outside(name):
        return name
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _entries(
    files: Files, prefix: str, rows: list[tuple[str, Class | None]]
) -> Iterator[Entry | Skipped]:
    # Old archives of macOS hold letters apart from their accents, lists hardly ever.
    known = {normalize("NFC", name): name for name in files.names}
    labels: dict[str, set[Class | None]] = {}
    for name, label in rows:
        labels.setdefault(name, set()).add(label)
    for name, label in rows:
        yield _entry(files, prefix, known, name, label, contradicted=len(labels[name]) > 1)


def _entry(
    files: Files,
    prefix: str,
    known: dict[str, str],
    name: str,
    label: Class | None,
    *,
    contradicted: bool,
) -> Entry | Skipped:
    if not name:
        return Skipped("A row", "has no file name")
    if points_outside(name):
        return Skipped(name, "is outside of the folder")
    file = known.get(normalize("NFC", prefix + name))
    if file is None:
        return Skipped(name, "does not exist")
    if contradicted:
        return Skipped(name, "has several labels")
    if label is None:
        return Skipped(name, "has no label")
    try:
        return Entry(clean(name), label, files.read(file))
    except BadImageError as error:
        return Skipped(name, str(error))
