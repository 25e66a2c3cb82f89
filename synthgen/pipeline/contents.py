"""What every run holds."""

from __future__ import annotations

from synthgen import config as configuration
from synthgen.config import ImageConfig, TableConfig
from synthgen.generators.auto import CHOICE
from synthgen.results import Choice, Verdict
from synthgen.runs import Run

PICTURES = "pictures"
"""The folder of what a report shows to be looked at."""
PROGRESS = f"{PICTURES}/progress"
"""Pictures that a training left of its progress, by step."""


def settings(run: Run) -> TableConfig | ImageConfig:
    """The resolved configuration."""
    return configuration.read(run / "config.yaml")


def verdict(run: Run) -> Verdict:
    """The answer."""
    return Verdict.model_validate_json((run / "verdict.json").read_text("utf-8"))


def choice(run: Run) -> Choice | None:
    """Which generator was chosen for the final model; None where there was none to choose."""
    path = run / "model" / CHOICE
    return Choice.model_validate_json(path.read_text("utf-8")) if path.is_file() else None
