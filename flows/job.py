"""What a flow is asked to do, as a form of a few fields."""

from __future__ import annotations

import os
from functools import reduce
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from synthgen import config as configuration
from synthgen import remote
from synthgen.config import Config
from synthgen.config.unions import KINDS, name_of
from synthgen.errors import ConfigError
from synthgen.pipeline import named_folder
from synthgen.pipeline.identity import identity
from synthgen.pipeline.images.beginning import named
from synthgen.remote import Place, below

STORE = "SYNTHGEN_RUNS"
"""Variable: the folder where flows keep their runs, or its URL; ``runs`` without it."""
GENERATORS = tuple(name_of(kind) for kinds in KINDS.values() for kind in kinds)


class AugmentJob(BaseModel):
    """One table or set of labelled images: would synthetic data help?"""

    model_config = ConfigDict(extra="forbid", title="Augmentation job")

    source: str = Field(
        title="Data",
        min_length=1,
        description="A CSV, TSV or Parquet file, a URL, sklearn:NAME or openml:NAME; or a folder "
        "of images by class, a ZIP of them, an image Parquet. Paths are the worker's.",
    )
    target: str | None = Field(
        None, title="Target", description="The column to predict; of images it may be left out."
    )
    test: str | None = Field(
        None, title="Test data", description="A source of test data; none: a part is set aside."
    )
    generator: Literal[GENERATORS] | None = Field(  # type: ignore[valid-type]
        None, title="Generator", description="None: ctgan for tables, cdcgan for images."
    )
    budget: configuration.Budget = Field(
        "standard", title="Budget", description="How much computing the answer is worth."
    )
    seed: int = Field(0, ge=0, lt=2**31, title="Seed")
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", title="Device", description="auto, cpu, cuda."
    )
    settings: dict[str, Any] = Field(
        {},
        title="Further settings",
        description='As in a configuration file, nested or with dots: {"decide.minimum_effect": '
        "0.01}. The fields above win.",
    )
    out: str | None = Field(
        None,
        title="Run directory",
        description="None: below the store, named by the data and by what tells jobs apart.",
    )

    @model_validator(mode="after")
    def _settings_are_known(self) -> Self:
        try:
            self.config()
        except ConfigError as error:
            raise ValueError(f"{error.cause}; {error.remedy}") from None
        return self

    @classmethod
    def of(cls, settings: dict[str, Any], out: str | None = None) -> AugmentJob:
        """The job of a configuration file's settings. Raises ConfigError."""
        configuration.build(named(settings))
        data, generator = settings.get("data", {}), settings.get("generator", {})
        given = {
            "source": data.get("source"),
            "target": data.get("target"),
            "test": data.get("test"),
            "generator": generator.get("name"),
            **{k: settings.get(k) for k in ("budget", "seed", "device")},
        }
        if not given["source"]:
            raise ConfigError("the configuration names no source", "set data.source in it")
        return cls(
            **{name: value for name, value in given.items() if value is not None},
            settings=settings,
            out=out,
        )

    def config(self) -> Config:
        """The whole configuration. Raises ConfigError."""
        given: dict[str, Any] = {
            "data": {"source": self.source, "target": self.target, "test": self.test},
            "generator": {"name": self.generator},
        }
        given = {
            section: kept
            for section, fields in given.items()
            if (kept := {k: v for k, v in fields.items() if v is not None})
        }
        given |= {"budget": self.budget, "seed": self.seed, "device": self.device}
        nested = [_nested(key, value) for key, value in self.settings.items()]
        return configuration.build(named(reduce(configuration.merge, [*nested, given], {})))

    def absolute(self) -> AugmentJob:
        """The same job, whose data another process of this machine finds from anywhere."""
        found = {
            name: str(Path(value).absolute())
            for name in ("source", "test", "out")
            if (value := getattr(self, name)) is not None
            and (name == "out" or Path(value).exists())
            and "://" not in value
        }
        return self.model_copy(update=found)

    def place(self) -> Place:
        """Its run directory. Jobs that must give the same run have the same one; the sources are
        read to tell. Raises the errors of reading."""
        if self.out is not None:
            return remote.place(self.out)
        config = self.config()
        return below(store(), f"{named_folder(config.data.source)}-{identity(config)}")


def store() -> Place:
    """The folder of all runs of flows, or its URL."""
    return remote.place(os.environ.get(STORE, "runs"))


def _nested(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    found: dict[str, Any] = value
    return found
