"""The generators of each modality."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from synthgen.generators import AnyGenerator
from synthgen.generators.base import Generator
from synthgen.generators.images import AnyImageGenerator
from synthgen.results import Modality

KINDS: Mapping[Modality, tuple[type[Generator], ...]] = {
    "table": typing.get_args(typing.get_args(AnyGenerator)[0]),
    "images": typing.get_args(typing.get_args(AnyImageGenerator)[0]),
}


def generators() -> tuple[type[Generator], ...]:
    """All generator classes, those of tables first."""
    return tuple(kind for kinds in KINDS.values() for kind in kinds)


def names(modality: Modality) -> list[str]:
    """What its generators are called, in the order of the union."""
    return [name_of(kind) for kind in KINDS[modality]]


def name_of(kind: type[Any]) -> str:
    """What a generator is called in a configuration."""
    return str(kind.model_fields["name"].default)
