"""The model that a training begins with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthgen.config import ImageConfig, merge
from synthgen.errors import ConfigError
from synthgen.generators.images.image_gan import ImageGAN
from synthgen.pipeline import models

SHAPES = ("network", "critic_norm", "told_generator", "told_critic", "latent_dim", "width")
"""Settings that say which weights there are."""


def named(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings whose generator begins with a model and has no name, with the name of the model's.

    Raises ConfigError for what is no model.
    """
    generator = settings.get("generator")
    if not isinstance(generator, Mapping) or "name" in generator or not generator.get("begin"):
        return settings
    return merge(settings, {"generator": {"name": _begun(str(generator["begin"]))[1].name}})


def beginning(config: ImageConfig) -> ImageConfig:
    """The configuration with the folder of the model that ``generator.begin`` names, which may also
    be a run, as an absolute path: a run does not depend on where it was started. Of what shapes the
    networks, that which was not set is the model's.

    Raises ConfigError for what is no model of the same kind of generator.
    """
    generator = config.generator
    if generator.begin is None:
        return config
    folder, known = _begun(generator.begin)
    if known.name != generator.name:
        raise ConfigError(
            f"{generator.begin} is a model of {known.name}, and {generator.name} cannot begin "
            "with its weights",
            f"add --generator {known.name}, or name a model of {generator.name}",
        )
    theirs = {
        name: getattr(known, name) for name in SHAPES if name not in generator.model_fields_set
    }
    begun = generator.model_copy(update={**theirs, "begin": str(folder)})
    return config.model_copy(update={"generator": begun})


def _begun(begin: str) -> tuple[Path, ImageGAN]:
    """The folder of the model, and the generator that it is of."""
    folder = models.folder_of(Path(begin).expanduser()).absolute()
    known = models.load(folder).generator
    if not isinstance(known, ImageGAN):
        raise ConfigError(
            f"{begin} is a model of {known.name}, which makes rows of a table",
            "name a model of images",
        )
    return folder, known
