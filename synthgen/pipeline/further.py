"""Generators that are trained with further seeds: with test data of the user's own there are no
resamples behind the scores on them, so seeds have to show how they vary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from synthgen.config import Config
from synthgen.pipeline.facts import SEEDS
from synthgen.pipeline.machine import device
from synthgen.pipeline.seeds import derive
from synthgen.runs import Run
from synthgen.training.context import Context

C = TypeVar("C", bound=Config)


def further(run: Run, config: C, train: Any) -> Iterator[tuple[Any, C]]:
    """Each one's sampler, and the configuration with the seed that it is to be drawn from with.
    None without test data of the user's own."""
    if config.data.test is None:
        return
    for number in range(1, SEEDS[config.budget]):
        context = Context(
            seed=derive(config.seed, f"fit {number}"),
            device=device(config),
            checkpoints=run.scratch(f"sealed/{number}"),
        )
        sampler = config.generator.fit(train, context)
        yield sampler, config.model_copy(update={"seed": derive(config.seed, f"seed {number}")})
