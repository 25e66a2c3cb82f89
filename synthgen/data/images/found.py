"""What the reader of a layout has found before a pixel is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from synthgen.data.images.collect import Entry, Skipped
from synthgen.data.images.images import Class
from synthgen.data.images.layout import ImageLayout


@dataclass(frozen=True)
class Found:
    """``entries`` are ``count``, read as they are asked for. ``declared``: classes that the source
    names, whether or not they have images."""

    entries: Iterable[Entry | Skipped]
    count: int
    layout: ImageLayout
    declared: tuple[Class, ...] = ()
    notices: tuple[str, ...] = ()
