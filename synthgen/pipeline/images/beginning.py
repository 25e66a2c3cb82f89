"""The model that a training begins with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthgen.config import ImageConfig, merge
from synthgen.errors import ConfigError
from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.networks.shape import ImageShape
from synthgen.generators.images.sampler import ImageSampler
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
    networks, and of size and channels of the images, that which was not set is the model's.

    Raises ConfigError for what is no model of the same kind of generator.
    """
    generator = config.generator
    if generator.begin is None:
        return config
    folder, known, shape = _begun(generator.begin)
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
    given = config.data.read
    like = {"size": (shape.height, shape.width), "channels": shape.channels}
    read = given.model_copy(
        update={name: value for name, value in like.items() if name not in given.model_fields_set}
    )
    data = config.data.model_copy(update={"read": read})
    return config.model_copy(update={"generator": begun, "data": data})


def _begun(begin: str) -> tuple[Path, ImageGAN, ImageShape]:
    """The folder of the model, the generator that it is of, and the shape of its images."""
    folder = models.folder_of(Path(begin).expanduser()).absolute()
    model = models.load(folder)
    known = model.generator
    if not (isinstance(known, ImageGAN) and isinstance(model.sampler, ImageSampler)):
        raise ConfigError(
            f"{begin} is a model of {known.name}, which makes rows of a table",
            "name a model of images",
        )
    return folder, known, model.sampler.shape
