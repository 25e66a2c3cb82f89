"""All that a training needs and that is not a hyper-parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synthgen.training.parallel import ALONE, Ranks

Log = Callable[[dict[str, float]], None]
"""Receives one flat record per logged step; the key ``step`` counts from 1, ``steps`` is the
total. Values are plain floats."""


def silent(record: dict[str, float]) -> None:
    """A log that keeps nothing."""


@dataclass(frozen=True)
class Context:
    """``seed`` fixes every random choice; ``checkpoints`` is a directory of this training alone
    (None: none are written), from which a killed training goes on. ``log_every``: steps between
    two records (None: so many that about 1000 are written), which are the means since the last."""

    seed: int = 0
    device: str = "cpu"
    log: Log = silent
    checkpoints: Path | None = None
    log_every: int | None = None
    progress: Path | None = None
    """Where a training may leave pictures of its progress, by step; None: none are made."""
    ranks: Ranks = ALONE
    """The processes that take part. All have the same context, but only the first one's log,
    checkpoints and pictures are written."""
