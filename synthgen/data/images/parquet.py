"""Images in a column of a Parquet file, as Hugging Face ``datasets`` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthgen.data.images.collect import Entry, Skipped
from synthgen.data.images.found import Found
from synthgen.data.images.images import Class
from synthgen.data.images.labels import as_class
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.names import clean
from synthgen.data.overrides import did_you_mean
from synthgen.data.parquet import pack_schema
from synthgen.errors import DataError

HUGGING_FACE = b"huggingface"
"""The key of the schema's metadata under which ``datasets`` notes its features."""
NOTE = b"synthgen.images"
"""The key under which files written here name all classes, as JSON."""
_BATCH = 256
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"GIF8", b"II*\0", b"MM\0*", b"RIFF")


def image_columns(file: pq.ParquetFile) -> list[str]:
    """Columns of images: noted as such, a struct of ``bytes``, or binary that begins like one."""
    schema = file.schema_arrow
    noted = features(schema.metadata)
    return [
        field.name
        for field in schema
        if (_is_binary(_bytes_type(field.type)))
        and (
            noted.get(field.name, {}).get("_type") == "Image"
            or pa.types.is_struct(field.type)
            or _begins_like_an_image(file, field.name)
        )
    ]


def features(metadata: dict[bytes, bytes] | None) -> dict[str, dict[str, Any]]:
    """What ``datasets`` notes of each column, empty where it has noted nothing that is usable."""
    try:
        noted = json.loads((metadata or {})[HUGGING_FACE])["info"]["features"]
        return {name: value for name, value in noted.items() if isinstance(value, dict)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def class_names(metadata: dict[bytes, bytes] | None, target: str) -> tuple[str, ...] | None:
    """The names of a ``ClassLabel`` feature by the number that stands for each."""
    feature = features(metadata).get(target, {})
    names = feature.get("names")
    if feature.get("_type") != "ClassLabel" or not isinstance(names, list):
        return None
    return tuple(map(str, names))


def read_images_parquet(file: pq.ParquetFile, source: str, target: str) -> Found:
    """Row by row. A row is skipped without an image, or without a label (``datasets`` writes -1).

    Raises :class:`DataError` where the column of images or of labels cannot be told.
    """
    schema = file.schema_arrow
    column = _image_column(file, source)
    if target not in schema.names:
        raise DataError(
            f"{source} has no column {target!r} to use as the target.",
            did_you_mean(target, schema.names),
        )
    names = class_names(schema.metadata, target)
    kind = schema.field(column).type
    has_paths = pa.types.is_struct(kind) and kind.get_field_index("path") >= 0
    note = (schema.metadata or {}).get(HUGGING_FACE)
    return Found(
        entries=_entries(file, source, column, target, names),
        count=file.metadata.num_rows,
        layout=ImageLayout(
            format="parquet",
            target=target,
            image_column=column,
            arrow_schema=pack_schema(schema),
            features=None if note is None else note.decode("utf-8", "replace"),
            paths=has_paths,
        ),
        declared=names or _noted_classes(schema.metadata),
    )


def _entries(
    file: pq.ParquetFile, source: str, column: str, target: str, names: tuple[str, ...] | None
) -> Iterator[Entry | Skipped]:
    row = 0
    for batch in file.iter_batches(_BATCH, columns=[column, target]):
        images, labels = batch.column(column), batch.column(target)
        for image, label in zip(images, labels, strict=True):
            yield _entry(image.as_py(), label.as_py(), row, source, target, names)
            row += 1


def _entry(
    image: Any, label: Any, row: int, source: str, target: str, names: tuple[str, ...] | None
) -> Entry | Skipped:
    if not isinstance(image, dict):
        image = {"bytes": image}
    data, path = image.get("bytes"), image.get("path")
    name = clean(path) if isinstance(path, str) else ""
    name = name or f"{row:06}.png"
    if data is None:
        return Skipped(name, "has no bytes in the file")
    found = as_class(label, source, target)
    if names is not None and isinstance(found, int):
        found = names[found] if 0 <= found < len(names) else None
    if found is None:
        return Skipped(name, "has no label")
    return Entry(name, found, data)


def _image_column(file: pq.ParquetFile, source: str) -> str:
    columns = image_columns(file)
    if len(columns) == 1:
        return columns[0]
    if columns:
        raise DataError(
            f"{source} has several columns of images: {', '.join(map(repr, columns))}.",
            "Keep one of them.",
        )
    raise DataError(
        f"{source} has no column of images.",
        "Write them as a struct of bytes and path, or as binary, of PNG or JPEG files.",
    )


def _noted_classes(metadata: dict[bytes, bytes] | None) -> tuple[Class, ...]:
    try:
        noted = json.loads((metadata or {})[NOTE])["classes"]
        return tuple(name for name in noted if type(name) in (str, int))
    except (KeyError, TypeError, ValueError):
        return ()


def _bytes_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return kind.field(place).type if place >= 0 else None
    return kind


def _is_binary(kind: pa.DataType | None) -> bool:
    return kind is not None and (pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _begins_like_an_image(file: pq.ParquetFile, column: str) -> bool:
    for batch in file.iter_batches(16, columns=[column]):
        for value in batch.column(0):
            if value.is_valid:
                return bool(value.as_py().startswith(_MAGIC))
    return False
