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
from synthgen.data.images.write_parquet import IMAGE, batches, encoded
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
    with opened(path, str(path)) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows
        try:
            note = json.loads((schema.metadata or {})[NOTE])
            classes, shape = tuple(note["classes"]), tuple(note["shape"])
        except (KeyError, ValueError):
            raise DataError(
                f"{path} was not written by this program.", "Read it as a source of images."
            ) from None
        pixels = np.empty((count, *shape), dtype=np.uint8)
        names: list[str] = []
        labels: list[int] = []
        groups: list[int] = []
        for batch in file.iter_batches(1000):
            for image in batch.column("image"):
                with Image.open(io.BytesIO(image["bytes"].as_py()), formats=("PNG",)) as png:
                    square = np.asarray(png)
                pixels[len(names)] = square if square.ndim == 2 else square.transpose(2, 0, 1)
                names.append(image["path"].as_py())
            labels.extend(batch.column("label").to_pylist())
            if "group" in schema.names:
                groups.extend(batch.column("group").to_pylist())
    return Images(
        pixels=pixels,
        labels=np.array(labels, dtype=np.int64),
        classes=classes,
        names=tuple(names),
        groups=np.array(groups, dtype=np.int64) if "group" in schema.names else None,
    )
