"""A trained model as a directory that a later command can draw from.

Beside the generator's own files, ``generator.json`` says which generator it is and how the table
that it learned from was written, so that drawn rows leave in the same format.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from synthgen.data.images.layout import ImageLayout
from synthgen.data.origin import Origin
from synthgen.data.schema import Schema
from synthgen.errors import ConfigError
from synthgen.generators import AnyGenerator
from synthgen.generators.base import Generator, PrivateSampler
from synthgen.generators.images import AnyImageGenerator
from synthgen.runs import Run, dump

FILE = "generator.json"
Form = Origin | ImageLayout
"""How the source of a model's training data was written."""
_generator: TypeAdapter[Any] = TypeAdapter(
    Annotated[AnyGenerator | AnyImageGenerator, Field(discriminator="name")]
)
_form: TypeAdapter[Form] = TypeAdapter(Form)


@dataclass(frozen=True)
class Model:
    """What a directory holds."""

    generator: Generator
    sampler: Any
    """Of rows, or of images."""
    origin: Form


def save(model: Model, path: Path) -> None:
    """Write into ``path``, which is created."""
    path.mkdir(parents=True, exist_ok=True)
    model.sampler.save(path)
    origin = model.origin
    if isinstance(model.sampler, PrivateSampler) and isinstance(origin, Origin):
        origin = _without_rows(origin, model.sampler.schema)
    record = {
        "generator": model.generator.model_dump(mode="json"),
        "origin": origin.model_dump(mode="json"),
    }
    (path / FILE).write_text(dump(record), "utf-8")
    # safetensors lets nobody but the owner read its files; all of a model is as its folder says.
    mode = (path / FILE).stat().st_mode
    for file in path.glob("*.safetensors"):
        file.chmod(mode)


def _without_rows(origin: Origin, schema: Schema) -> Origin:
    """The form of the source without what depends on its cells: the hash of all of them, and which
    columns have gaps, other than a private schema says."""
    gaps = {c.name for c in schema.columns if c.missing}
    missing = {name: token for name, token in origin.missing.items() if name in gaps}
    return origin.model_copy(update={"sha256": None, "missing": missing})


def folder_of(path: Path) -> Path:
    """The model directory of a run directory, or the path itself."""
    return path / "model" if (path / "model" / FILE).is_file() else path


def load(path: Path, **opt_in: Any) -> Model:
    """Read a model directory, or the model of a run directory.

    ``opt_in`` overrides fields of the generator (``trust_pickle=True`` for SDV's own format).
    Raises ConfigError where there is no model.
    """
    folder = folder_of(path)
    try:
        record = json.loads((folder / FILE).read_text("utf-8"))
        generator = _generator.validate_python(record["generator"] | opt_in)
        origin = _form.validate_python(record["origin"])
    except (FileNotFoundError, NotADirectoryError):
        if Run(path).begun:
            raise ConfigError(
                f"the run {path} has no model yet", f"go on with it by: synthgen resume {path}"
            ) from None
        raise ConfigError(
            f"{path} holds no model", "make one with: synthgen train DATA --target COLUMN"
        ) from None
    except (json.JSONDecodeError, KeyError, ValidationError) as error:
        raise ConfigError(
            f"{folder / FILE} is damaged: {str(error).splitlines()[0]}", "train the model again"
        ) from None
    return Model(generator, generator.load(folder), origin)
