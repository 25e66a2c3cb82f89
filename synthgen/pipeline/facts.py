"""What a report tells of every run: versions, training curves, where it came from."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from synthgen.benchmark.comparison import Comparison
from synthgen.config import Config
from synthgen.pipeline.contents import choice, settings
from synthgen.pipeline.machine import device
from synthgen.pipeline.trainlog import read as read_log
from synthgen.results import Choice, Curve, Provenance
from synthgen.runs import CONFIG, Run, sha256

SEEDS: Mapping[str, int] = {"quick": 3, "standard": 5, "thorough": 10}
"""Seeds of the generator that scores on given test data rest on, by budget."""
CURVE_POINTS = 400
"""Points of a training curve in the report; more than a screen shows."""
PACKAGES = ("synthgen", "torch", "numpy", "pandas", "scikit-learn", "imbalanced-learn")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found}


def curves(path: Path) -> list[Curve]:
    """One curve per logged quantity that ever was other than 0, thinned evenly."""
    records = read_log(path)
    found = dict.fromkeys(name for record in records for name in record)
    names = [name for name in found if name not in ("step", "steps", "epoch")]
    curves = []
    for name in names:
        points = [(int(r["step"]), float(r[name])) for r in records if r.get(name) is not None]
        if not any(value for _, value in points):
            continue
        kept = np.unique(np.linspace(0, len(points) - 1, CURVE_POINTS).round().astype(int))
        curves.append(
            Curve(
                name=name,
                steps=[points[i][0] for i in kept],
                values=[points[i][1] for i in kept],
            )
        )
    return curves


def chosen(run: Run, board: Comparison) -> Choice | None:
    """What was chosen for the final model, and how often what in the resamples."""
    found = choice(run)
    if found is None:
        return None
    inside = Counter(r.choice.chosen for r in board.results if r.choice is not None)
    return found.model_copy(update={"resamples": dict(inside.most_common())})


def given_anyway(config: Config, chosen: int, asked_for: bool, noun: str) -> str | None:
    """A notice on an augmented set that the verdict does not ask for."""
    if chosen == 0 or config.sample.ratio == "auto" or asked_for:
        return None
    return (
        f"The augmented set holds {chosen} synthetic {noun} because the ratio was given; the "
        "verdict does not ask for them"
    )


def provenance(
    run: Run,
    *,
    nameless: str,
    sha: str | None,
    rows: Mapping[str, int],
    hashed: Sequence[str],
    choice: Choice | None = None,
) -> Provenance:
    """``nameless``: what a source in memory is called; ``sha``: the source's hash; ``hashed``: the
    files and folders of the run whose hashes are told."""
    config = settings(run)
    return Provenance(
        source=config.data.source or nameless,
        source_sha256=sha,
        rows=dict(rows),
        target=config.data.target,
        generator=config.generator.name,
        choice=choice,
        seed=config.seed,
        budget=config.budget,
        device=device(config),
        versions=versions(),
        config=config.model_dump(mode="json"),
        command=f"synthgen augment --config THIS_RUN/{CONFIG} --out NEW_FOLDER",
        hashes={name: digest(run / name) for name in hashed},
    )


def digest(path: Path) -> str:
    """SHA-256 of a file; of a folder, of the names in it and the hashes of their contents."""
    if path.is_file():
        return sha256(path)
    whole = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            whole.update(f"{file.relative_to(path).as_posix()}\0{sha256(file)}\n".encode())
    return whole.hexdigest()
