"""Images in one compact, exact file: what run directories hold."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from synthgen.data.images.atomic import written_whole
from synthgen.data.images.images import Images
from synthgen.data.images.parquet import NOTE
from synthgen.data.images.write_parquet import IMAGE, ROWS, batches, encoded
from synthgen.data.parquet import opened
from synthgen.errors import DataError


def save(images: Images, path: Path) -> None:
    """Parquet with PNG bytes, names, positions of classes and groups, as a whole or not at all;
    the classes and the shape of an image are in its metadata.

    Raises :class:`MachineError` where the disk does not take it.
    """
    note = {"classes": images.classes, "shape": images.pixels.shape[1:]}
    fields = [pa.field("image", IMAGE), pa.field("label", pa.int64())]
    if images.groups is not None:
        fields.append(pa.field("group", pa.int64()))
    schema = pa.schema(fields, metadata={NOTE: json.dumps(note).encode()})
    with written_whole(path) as place, pq.ParquetWriter(place, schema) as writer:
        for rows in batches(len(images)):
            columns = [
                encoded(images.pixels[rows], images.names[rows], IMAGE),
                pa.array(images.labels[rows]),
            ]
            if images.groups is not None:
                columns.append(pa.array(images.groups[rows]))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def load(path: Path) -> Images:
    """What :func:`save` wrote, exactly. Raises :class:`DataError` for any other file."""
    try:
        with opened(path, str(path)) as file:
            return _images(file)
    except (KeyError, ValueError, TypeError, SyntaxError):
        # The last is Pillow's word for a damaged PNG.
        raise DataError(
            f"{path} is damaged, or was not written by this program.",
            "Write it again, or read it as a source of images.",
        ) from None


def _images(file: pq.ParquetFile) -> Images:
    note = json.loads((file.schema_arrow.metadata or {})[NOTE])
    count, grouped = file.metadata.num_rows, "group" in file.schema_arrow.names
    pixels = np.empty((count, *note["shape"]), dtype=np.uint8)
    names: list[str] = []
    labels = np.empty(count, dtype=np.int64)
    groups = np.empty(count, dtype=np.int64)
    for batch in file.iter_batches(ROWS):
        rows = slice(len(names), len(names) + len(batch))
        labels[rows] = batch.column("label")
        if grouped:
            groups[rows] = batch.column("group")
        for image in batch.column("image").to_pylist():
            with Image.open(io.BytesIO(image["bytes"]), formats=("PNG",)) as png:
                square = np.asarray(png)
            pixels[len(names)] = square if square.ndim == 2 else square.transpose(2, 0, 1)
            names.append(image["path"])
    return Images(pixels, labels, tuple(note["classes"]), tuple(names), groups if grouped else None)
