"""What every run holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from synthgen import config as configuration
from synthgen.config import Config, ImageConfig, TableConfig
from synthgen.errors import ConfigError
from synthgen.generators.auto import CHOICE
from synthgen.results import Choice, Verdict
from synthgen.runs import Run, dump, write_atomic

PICTURES = "pictures"
"""The folder of what a report shows to be looked at."""
PROGRESS = f"{PICTURES}/progress"
"""Pictures that a training left of its progress, by step."""

PLACE = ".place.json"
"""Where the run's jobs are done: beside its configuration, since no file of the run depends on
it."""


def settings(run: Run) -> TableConfig | ImageConfig:
    """The resolved configuration."""
    return configuration.read(run / "config.yaml")


def settle(run: Run, config: Config) -> None:
    """From now on the run's jobs are done where the configuration says."""
    told = {name: getattr(config, name) for name in configuration.PLACE}
    write_atomic(run / PLACE, dump(told))


def move(run: Run, place: Mapping[str, Any]) -> None:
    """From now on the run's jobs are done elsewhere: these settings replace what was said.

    Raises ConfigError for a wrong setting, and for one that is not about the place.
    """
    for name in place:
        if name not in configuration.PLACE:
            raise ConfigError(
                f"{name} cannot change once a run is begun",
                f"only these can: {', '.join(configuration.PLACE)}",
            )
    now = settled(run)
    known = {name: getattr(now, name) for name in configuration.PLACE}
    if "runner" in place:
        known["cluster"] = None  # that of the other one
    written = configuration.load(run / "config.yaml")
    settle(run, configuration.build(configuration.merge(written, known | dict(place))))


def settled(run: Run) -> TableConfig | ImageConfig:
    """The resolved configuration, with where the run's jobs are done."""
    config = settings(run)
    if not (run / PLACE).is_file():  # of a run that an earlier version began
        return config
    return config.model_copy(update=json.loads((run / PLACE).read_text("utf-8")))


def verdict(run: Run) -> Verdict:
    """The answer."""
    return Verdict.model_validate_json((run / "verdict.json").read_text("utf-8"))


def choice(run: Run) -> Choice | None:
    """Which generator was chosen for the final model; None where there was none to choose."""
    path = run / "model" / CHOICE
    return Choice.model_validate_json(path.read_text("utf-8")) if path.is_file() else None
