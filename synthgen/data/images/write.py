"""Images written back as their source held them; every image as PNG, which loses nothing."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from synthgen.data.images.atomic import written_whole
from synthgen.data.images.decode import encode_png
from synthgen.data.images.folders import LISTINGS
from synthgen.data.images.images import Images
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.listing import FILE_COLUMNS
from synthgen.data.images.names import is_hidden, portable, unique, written_names
from synthgen.data.images.write_parquet import write_images_parquet
from synthgen.data.origin import Origin
from synthgen.data.quoting import shown
from synthgen.errors import DataError


def write_images(images: Images, layout: ImageLayout, path: Path) -> None:
    """Write a folder, a ZIP archive or a Parquet file, as a whole or not at all; reading it again
    gives the same pixels, labels and classes, and names that
    :func:`synthgen.data.images.names.written_names` leaves alone. What the source's other columns
    held is not known: their cells are empty.

    Raises :class:`DataError` where a class cannot name a directory, :class:`ConfigError` where a
    folder is in the way, :class:`MachineError` where the disk does not take it.
    """
    with written_whole(path) as place:
        if layout.format in ("parquet", "arrays"):
            write_images_parquet(images, layout, place)
        elif layout.zipped:
            _pack(_members(images, layout), place)
        else:
            _unpacked(_members(images, layout), place, layout.prefix)


def written_as(images: Images, layout: ImageLayout) -> tuple[str, ...]:
    """The name of each image in what :func:`write_images` writes, as it is read from there."""
    match layout.format:
        case "folders":
            return _names_by_class(images, [_folder(name) for name in images.classes])
        case "listing":
            return written_names(images.names)
        case "parquet" | "arrays":
            return images.names


def _members(images: Images, layout: ImageLayout) -> Iterator[tuple[str, bytes | None]]:
    """Names and contents; None for a directory."""
    names = written_as(images, layout)
    if layout.format == "folders":
        words = [_folder(name) for name in images.classes]
        yield from ((f"{layout.prefix}{word}", None) for word in words)
    else:
        listing = layout.listing or LISTINGS[0]
        yield f"{layout.prefix}{listing}", _csv(images, names, layout)
    for name, pixels in zip(names, images.pixels, strict=True):
        yield f"{layout.prefix}{name}", encode_png(pixels)


def _folder(name: str | int) -> str:
    word = str(name)
    if not word or "/" in word or "\0" in word or is_hidden(word):
        raise DataError(
            f"The class {shown(repr(word))} cannot be the name of a directory.",
            "Rename the class, or give the images in Parquet or with a labels.csv.",
        )
    return word


def _names_by_class(images: Images, words: list[str]) -> tuple[str, ...]:
    placed = []
    for name, label in zip(images.names, images.labels.tolist(), strict=True):
        word = words[label]
        placed.append(f"{word}/{portable(name.removeprefix(f'{word}/'))}")
    return unique(placed, fold=True)


def _csv(images: Images, names: tuple[str, ...], layout: ImageLayout) -> bytes:
    file_column = layout.file_column or FILE_COLUMNS[0]
    classes = np.array(images.classes, dtype=object)
    columns = {
        file_column: pd.Series(names, dtype=object),
        layout.target: pd.Series(classes[images.labels]).infer_objects(),
    }
    empty = pd.Series([None] * len(images), dtype=object)
    frame = pd.DataFrame(
        {name: columns.get(name, empty) for name in layout.columns or tuple(columns)}
    )
    with tempfile.TemporaryDirectory(prefix="synthgen-") as folder:
        path = Path(folder) / "listing"
        (layout.csv or Origin(format="csv")).write(frame, path)
        return path.read_bytes()


def _unpacked(members: Iterator[tuple[str, bytes | None]], place: Path, prefix: str) -> None:
    (place / prefix).mkdir(parents=True)
    for name, data in members:
        path = place / name
        if data is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            continue
        try:
            path.mkdir()
        except FileExistsError:
            raise DataError(
                f"The class {shown(path.name)} and another are one directory on this disk, which "
                "does not tell upper from lower case.",
                "Rename one of the classes, or give the images as a ZIP archive.",
            ) from None


def _pack(members: Iterator[tuple[str, bytes | None]], place: Path) -> None:
    with zipfile.ZipFile(place, "w") as archive:
        for name, data in members:
            # The oldest time that ZIP knows: the same images give the same bytes.
            info = zipfile.ZipInfo(name if data is not None else f"{name}/")
            info.external_attr = (0o100644 if data is not None else 0o40755) << 16
            archive.writestr(info, data or b"")
