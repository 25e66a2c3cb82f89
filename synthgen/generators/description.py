"""``model.json``: which generator made a model, with which hyper-parameters, for which schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from synthgen.data.schema import Schema
from synthgen.errors import DataError
from synthgen.generators.base import Generator
from synthgen.results import Privacy

G = TypeVar("G", bound=Generator)
DESCRIPTION = "model.json"
FORMAT = 1


def write_description(path: Path, generator: Generator, schema: Schema) -> None:
    """Write into the existing directory ``path``."""
    description = {
        "format": FORMAT,
        "generator": generator.model_dump(mode="json"),
        "schema": schema.model_dump(mode="json"),
    }
    (path / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def read_description(path: Path, kind: type[G]) -> tuple[G, Schema]:
    """What :func:`write_description` wrote.

    Raises :class:`~synthgen.errors.DataError` where there is no model of this kind.
    """
    try:
        description = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
        generator = kind.model_validate(description["generator"])
        return generator, Schema.model_validate(description["schema"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, kind, error) from error


def read_privacy(path: Path) -> Privacy | None:
    """What the model in this directory guarantees; None for one that is not differentially
    private, and where there is no description."""
    try:
        found = json.loads((path / DESCRIPTION).read_text(encoding="utf-8")).get("privacy")
        return None if found is None else Privacy.model_validate(found)
    except (OSError, ValueError, AttributeError):
        return None


def damaged(path: Path, kind: type[Generator], error: Exception) -> DataError:
    """The error for a directory that does not hold what it should."""
    name = kind.model_fields["name"].default
    return DataError(
        f"{path} does not hold a whole {name!r} model ({type(error).__name__})",
        "name the directory 'model' of a finished run, and the generator that it was made with",
    )
