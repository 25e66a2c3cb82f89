"""Settings -> a validated configuration of the modality that they are about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from synthgen.config.explain import explain
from synthgen.config.images import ImageConfig
from synthgen.config.sections import Config
from synthgen.config.tables import TableConfig
from synthgen.config.text import load, merge
from synthgen.config.unions import names
from synthgen.data.images.read import looks_like_images
from synthgen.errors import ConfigError, DataError
from synthgen.results import Modality

CONFIGS: Mapping[Modality, type[TableConfig] | type[ImageConfig]] = {
    "table": TableConfig,
    "images": ImageConfig,
}
_DEFAULT: Mapping[Modality, str] = {"table": "ctgan", "images": "cdcgan"}
BOTH = "sklearn:digits"
"""A table of pixels as scikit-learn has it, or images: images where nothing speaks of a table."""


def build(settings: Mapping[str, Any]) -> TableConfig | ImageConfig:
    """Validate nested settings. Raises ConfigError naming each wrong field and its neighbours.

    Where they do not say whether they are about a table or images, the generator does, or the
    source, of which the first bytes are looked at.
    """
    modality = modality_of(settings)
    generator = settings.get("generator")
    if isinstance(generator, Mapping) and "name" not in generator:
        # Hyper-parameters without a name are the default generator's.
        settings = merge(settings, {"generator": {"name": _DEFAULT[modality]}})
    kind = CONFIGS[modality]
    try:
        return kind.model_validate(dict(settings) | {"modality": modality})
    except ValidationError as error:
        if any(p["loc"] == ("data", "target") and p["type"] == "missing" for p in error.errors()):
            _check_there(settings)
        raise ConfigError(*explain(error, settings, kind)) from None


def _check_there(settings: Mapping[str, Any]) -> None:
    """Of a source that is not there the path is wrong, whatever is missing else: a mistyped folder
    of images would be asked for the target of a table."""
    source = str(settings["data"].get("source") or "")
    if source and ":" not in source and not Path(source).expanduser().exists():
        raise DataError(
            f"There is no file or folder {source}.", "Check the path, and where you are."
        )


def modality_of(settings: Mapping[str, Any]) -> Modality:
    """What the settings are about. Raises ConfigError where generator and source contradict."""
    given = settings.get("modality")
    if given is not None:
        if given not in CONFIGS:
            raise ConfigError(f"modality: there is no {given!r}", "choose table or images")
        found: Modality = given
        return found
    generator, data = settings.get("generator"), settings.get("data")
    name = generator.get("name") if isinstance(generator, Mapping) else None
    data = data if isinstance(data, Mapping) else {}
    source = str(data.get("source") or "")
    if name in names("images"):
        if Path(source).is_file() and not looks_like_images(source):
            raise ConfigError(
                f"generator.name: {name} makes images, but {source} holds none",
                f"choose one of: {', '.join(names('table'))}",
            )
        return "images"
    if source == BOTH:
        plain = name not in names("table") and data.get("target") in (None, "label")
        return "images" if plain else "table"
    if not source or not looks_like_images(source):
        return "table"
    if name in names("table"):
        raise ConfigError(
            f"generator.name: {name} makes rows of a table, but {source} holds images",
            f"choose one of: {', '.join(names('images'))}; or say: --set modality=table",
        )
    return "images"


def save(config: Config, path: Path) -> None:
    """Write the configuration as YAML that :func:`load` reads back to the same."""
    settings = config.model_dump(mode="json")
    path.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), "utf-8")


def read(path: Path) -> TableConfig | ImageConfig:
    """The configuration in a file, validated."""
    return build(load(path))


def json_schema() -> dict[str, Any]:
    """JSON Schema of configuration files."""
    each = [kind.model_json_schema() for kind in CONFIGS.values()]
    shared: dict[str, Any] = {}
    for schema in each:
        shared |= schema.pop("$defs", {})
    return {"$defs": shared, "anyOf": each, "title": "Config"}
