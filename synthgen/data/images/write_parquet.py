"""Images to a column of a Parquet file that Hugging Face ``datasets`` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from synthgen.data.images.decode import encode_png
from synthgen.data.images.images import Class, Images
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.names import written_names
from synthgen.data.images.parquet import HUGGING_FACE, NOTE, class_names
from synthgen.data.parquet import unpack_schema

IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
"""As ``datasets`` has it."""
ROWS = 1000
"""Rows of a row group, which are encoded at a time."""


def write_images_parquet(images: Images, layout: ImageLayout, path: Path) -> None:
    """In the layout's schema and with its notes; for arrays in a schema of our own. All classes
    are noted beside, for a column of labels cannot declare them."""
    schema = _schema(images, layout)
    image_column = layout.image_column or "image"
    names = written_names(images.names)
    labels = _labels(images, schema.field(layout.target).type, schema.metadata, layout.target)
    with pq.ParquetWriter(path, schema) as writer:
        for rows in batches(len(images)):
            columns = {
                image_column: encoded(
                    images.pixels[rows],
                    names[rows] if layout.paths else [None] * (rows.stop - rows.start),
                    schema.field(image_column).type,
                ),
                layout.target: labels[rows.start : rows.stop],
            }
            empty = rows.stop - rows.start
            writer.write_table(
                pa.Table.from_arrays(
                    [
                        columns[f.name] if f.name in columns else pa.nulls(empty, f.type)
                        for f in schema
                    ],
                    schema=schema,
                )
            )


def batches(count: int) -> Iterator[slice]:
    """Slices of at most :data:`ROWS` that cover so many rows."""
    for start in range(0, count, ROWS):
        yield slice(start, min(start + ROWS, count))


def encoded(pixels: NDArray[np.uint8], names: Iterable[str | None], kind: pa.DataType) -> pa.Array:
    """Images as PNG in a column of this type, binary or a struct with ``bytes``."""
    data = [encode_png(image) for image in pixels]
    if not pa.types.is_struct(kind):
        return pa.array(data, kind)
    return pa.array(
        [{"bytes": png, "path": name} for png, name in zip(data, names, strict=True)], kind
    )


def note_of(classes: tuple[Class, ...]) -> bytes:
    return json.dumps({"classes": classes}).encode()


def _schema(images: Images, layout: ImageLayout) -> pa.Schema:
    metadata = {NOTE: note_of(images.classes)}
    if layout.arrow_schema is not None:
        if layout.features is not None:
            metadata[HUGGING_FACE] = layout.features.encode()
        return unpack_schema(layout.arrow_schema).with_metadata(metadata)
    numbers = all(isinstance(name, int) for name in images.classes)
    label: dict[str, Any] = {"dtype": "int64", "_type": "Value"}
    if not numbers:
        label = {"names": list(images.classes), "_type": "ClassLabel"}
    noted = {"info": {"features": {"image": {"_type": "Image"}, layout.target: label}}}
    metadata[HUGGING_FACE] = json.dumps(noted).encode()
    return pa.schema(
        [pa.field("image", IMAGE), pa.field(layout.target, pa.int64())], metadata=metadata
    )


def _labels(
    images: Images, kind: pa.DataType, metadata: dict[bytes, bytes] | None, target: str
) -> pa.Array:
    declared = class_names(metadata, target)
    cells: list[Any]
    if declared is not None and not _is_text(kind):
        cells = [declared.index(str(name)) for name in images.classes]
    elif _is_text(kind):
        cells = [str(name) for name in images.classes]
    elif pa.types.is_boolean(kind):
        cells = [name == "True" for name in images.classes]
    elif pa.types.is_floating(kind):
        cells = [float(name) for name in images.classes]
    else:
        cells = [int(name) for name in images.classes]
    return pa.array([cells[label] for label in images.labels.tolist()], kind)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
