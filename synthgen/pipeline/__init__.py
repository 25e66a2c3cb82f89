"""The straight line: read → split → decide → fit → sample → evaluate → render."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from synthgen.config import Config
from synthgen.pipeline import assess, gates, stages
from synthgen.pipeline.events import Event, Notify, unheard
from synthgen.pipeline.kinds import kind_of
from synthgen.runs import Run, fresh

__all__ = [
    "Event",
    "Notify",
    "augment",
    "default_folder",
    "execute",
    "named_folder",
    "resume",
    "start",
]


def augment(
    config: Config,
    out: Path,
    *,
    data: Any = None,
    force: bool = False,
    notify: Notify = unheard,
) -> Run:
    """The main job, in a new run directory ``out``. Reads ``config.data.source`` unless ``data``
    are handed over: a frame, or for images a pair of arrays (pixels, labels).

    Raises the errors of :mod:`synthgen.errors`; a GateError comes after everything is written.
    """
    config, loaded = _prepared(config, data)
    with fresh(out, force=force) as run:
        stages.split(run, config, loaded, notify)
        execute(run, notify)
    return run


def start(
    config: Config,
    out: Path,
    *,
    data: Any = None,
    force: bool = False,
    notify: Notify = unheard,
) -> Run:
    """Only the first stage: a new run directory with its sealed split and resolved settings."""
    config, loaded = _prepared(config, data)
    with fresh(out, force=force) as run:
        stages.split(run, config, loaded, notify)
    return run


def _prepared(config: Config, data: Any) -> tuple[Config, Any]:
    """What can be checked before any work is; the configuration with its metadata file, and what
    was read."""
    kind = kind_of(config)
    gates.check_names(config)
    config = kind.check(config)
    stages.device(config)
    return config, kind.read(config, data)


def resume(
    path: Path,
    notify: Notify = unheard,
    *,
    trust_pickle: bool = False,
    now: bool = False,
    place: Mapping[str, Any] = MappingProxyType({}),
) -> Run:
    """Go on with a run where it was; a finished run is only checked.

    ``now`` concludes from the measurements that are there, without making further ones.
    ``place``: settings among runner, cluster and workers, where other ones are wanted than before.
    ``trust_pickle`` is needed to draw from a model that SDV wrote in its own format before.
    """
    run = Run.open(path)
    with run.writing():
        if place:
            stages.move(run, place)
        execute(run, notify, trust_pickle=trust_pickle, now=now)
    return run


def execute(
    run: Run, notify: Notify = unheard, *, trust_pickle: bool = False, now: bool = False
) -> None:
    """The stages after ``split`` that are not done yet. The caller holds the run.

    Raises DataError if a file of the first stage is not what it was: there is no way to make it
    again.
    """
    stages.check_split(run)
    stages.decide(run, notify, now=now)
    fitted = stages.fit(run, notify)
    # What this process wrote a moment ago it may also load.
    stages.sample(run, notify, trust_pickle=trust_pickle or fitted)
    assess.evaluate(run, notify)
    assess.draw_up(run, notify)
    assess.finish(run)
    gates.check(run)


def default_folder(source: str) -> Path:
    """``runs/NAME-DATE-TIME`` below the working directory."""
    return Path("runs") / f"{named_folder(source)}-{time.strftime('%Y%m%d-%H%M%S')}"


def named_folder(source: str) -> str:
    """What a run on this source is called: the source's own name, as far as folders allow."""
    stem = Path(re.sub(r"^\w+:(//)?", "", source) or "table").name.split(".")[0]
    return re.sub(r"[^\w-]+", "-", stem).strip("-") or "table"
