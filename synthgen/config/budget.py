"""What a budget decides, and the user did not set."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from synthgen.config.images import ImageConfig
from synthgen.config.sections import Budget, Config
from synthgen.config.tables import TableConfig
from synthgen.data.images.images import Images
from synthgen.data.schema import Task
from synthgen.errors import ConfigError
from synthgen.generators.auto import Auto
from synthgen.generators.base import Generator
from synthgen.results import Filter

log = logging.getLogger(__name__)
C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Effort:
    """What a budget buys."""

    resamples: int
    steps: int
    """Optimiser steps of a neural generator; where it has epochs, turned into these by the number
    of rows."""
    ratios: tuple[float | Literal["balanced"], ...]
    filters: tuple[Filter, ...]
    weights: tuple[float, ...]
    every_ratio: bool
    max_rows: int | None
    candidates: tuple[str, ...] = ()
    """Generators that ``auto`` tries, the cheapest first; images have no ``auto``."""

    def protocol(self) -> dict[str, Any]:
        """The part that is settings of ``decide``."""
        return {
            "resamples": self.resamples,
            "ratios": self.ratios,
            "filters": self.filters,
            "weights": self.weights,
            "every_ratio": self.every_ratio,
            "max_rows": self.max_rows,
        }


_ALL_RATIOS: tuple[float | Literal["balanced"], ...] = (0.1, 0.25, 0.5, 1.0, 2.0, "balanced")
TABLES: Mapping[Budget, Effort] = {
    "quick": Effort(
        resamples=5,
        steps=1_200,
        candidates=("mixture", "arn"),
        ratios=(0.5, 1.0, "balanced"),
        filters=("density_ratio",),
        weights=(0.3,),
        every_ratio=False,
        max_rows=10_000,
    ),
    "standard": Effort(
        resamples=10,
        steps=6_000,
        candidates=("mixture", "arn", "tvae", "ctgan"),
        ratios=_ALL_RATIOS,
        filters=("density_ratio", "teacher", "boundary"),
        weights=(0.3,),
        every_ratio=False,
        max_rows=50_000,
    ),
    "thorough": Effort(
        resamples=20,
        steps=20_000,
        candidates=("mixture", "arn", "tvae", "ctgan"),
        ratios=_ALL_RATIOS,
        filters=("density_ratio", "teacher", "boundary"),
        weights=(0.1, 0.3),
        every_ratio=True,
        max_rows=None,
    ),
}
IMAGES: Mapping[Budget, Effort] = {
    "quick": Effort(
        resamples=5,
        steps=2_000,
        ratios=(1.0, "balanced"),
        filters=("teacher",),
        weights=(0.3,),
        every_ratio=False,
        max_rows=2_500,
    ),
    "standard": Effort(
        resamples=10,
        steps=10_000,
        ratios=(0.5, 1.0, 2.0, "balanced"),
        filters=("teacher",),
        weights=(0.3,),
        every_ratio=False,
        max_rows=20_000,
    ),
    "thorough": Effort(
        resamples=20,
        steps=40_000,
        ratios=(0.25, 0.5, 1.0, 2.0, 4.0, "balanced"),
        filters=("teacher",),
        weights=(0.1, 0.3),
        every_ratio=True,
        max_rows=None,
    ),
}
_MOST_EPOCHS = 300
"""More passes over a small table than the field's default only memorise it."""


def resolve(config: TableConfig, rows: int, task: Task = "classification") -> TableConfig:
    """Fill what the budget and the task decide and the user did not set, for this many training
    rows.

    A ratio that the user fixed is the only one that is measured. Resolving again changes nothing.
    Raises ConfigError for a setting that does not fit the task.
    """
    if task == "regression" and config.sample.ratio == "balanced":
        raise ConfigError(
            "sample.ratio is balanced, but the target is numeric: it has no classes to balance",
            "give a number, for example: --ratio 1",
        )
    if task == "regression" and config.split.rows_per_class is not None:
        raise ConfigError(
            "split.rows_per_class is set, but the target is numeric: it has no classes",
            "leave it out; decide.max_rows limits the rows that are measured",
        )
    protocol = TABLES[config.budget].protocol()
    if task == "regression":
        protocol["ratios"] = tuple(r for r in protocol["ratios"] if r != "balanced")
        protocol["filters"] = tuple(f for f in protocol["filters"] if f != "boundary")
    return _filled(config, protocol, rows, task)


def resolve_images(config: ImageConfig, train: Images) -> ImageConfig:
    """The same for these training images; size and channels are then theirs. Where a mirrored image
    is as good to the classifiers, so it is to the generator, unless that is set otherwise."""
    channels, height, width = train.pixels.shape[1:]
    read = config.data.read.model_copy(update={"size": (height, width), "channels": channels})
    data = config.data.model_copy(update={"read": read})
    config = config.model_copy(update={"data": data})
    generator = config.generator
    if "mirrored" not in generator.model_fields_set and config.decide.mirrored:
        generator = generator.model_copy(update={"mirrored": True})
        config = config.model_copy(update={"generator": generator})
    return _filled(config, IMAGES[config.budget].protocol(), len(train), "classification")


def _filled(config: C, protocol: dict[str, Any], rows: int, task: Task) -> C:
    given = config.decide.model_fields_set
    unset = {k: v for k, v in protocol.items() if k not in given}
    if config.sample.ratio != "auto":
        unset["ratios"] = (config.sample.ratio,)
    # Lists that pydantic does not re-validate on copy: build the section anew instead.
    kind = type(config.decide)
    decide = kind.model_validate(config.decide.model_dump(include=set(given)) | unset)
    decide = kind.model_validate(decide.for_task(task).model_dump())
    generator = with_budget(config.generator, config.budget, rows)
    log.info(
        "budget %s for %d rows: %d resamples, ratios %s, at most %s rows; %s",
        config.budget,
        rows,
        decide.resamples,
        ", ".join(map(str, decide.ratios)),
        decide.max_rows or "all",
        generator,
    )
    return config.model_copy(update={"decide": decide, "generator": generator})


def with_budget(generator: Generator, budget: Budget, rows: int) -> Generator:
    """The generator with what the budget buys for this many training rows and was not set: epochs
    or steps where it has them, and of ``auto`` the candidates, each with its own epochs."""
    fields, given = type(generator).model_fields, generator.model_fields_set
    if isinstance(generator, Auto):
        if "candidates" not in given:
            affordable = {"candidates": TABLES[budget].candidates}
            generator = Auto.model_validate(
                generator.model_dump(exclude={"candidates"}) | affordable
            )
        trained = [with_budget(one, budget, rows) for one in generator.candidates]
        return generator.model_copy(update={"candidates": tuple(trained)})
    if "steps" in fields and "steps" not in given:
        return generator.model_copy(update={"steps": IMAGES[budget].steps})
    if not {"epochs", "batch_size"} <= fields.keys() or "epochs" in given:
        return generator
    steps_per_epoch = max(1, rows // generator.batch_size)  # type: ignore[attr-defined]
    epochs = max(1, min(_MOST_EPOCHS, round(TABLES[budget].steps / steps_per_epoch)))
    return generator.model_copy(update={"epochs": epochs})
