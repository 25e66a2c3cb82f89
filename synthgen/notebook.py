"""The main job from Python: ``synthgen.augment(frame, target="y")``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from synthgen import config as configuration
from synthgen import pipeline
from synthgen.data.read import ReadOptions
from synthgen.data.read import read as read_source
from synthgen.generators.base import Generator
from synthgen.pipeline import stages
from synthgen.pipeline.events import Event
from synthgen.report import load, summary
from synthgen.results import Report, Verdict
from synthgen.runs import Run


class AugmentedRun:
    """A finished run. In a notebook it shows its report."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def path(self) -> Path:
        """The run directory."""
        return self._run.path

    @property
    def verdict(self) -> Verdict:
        """The answer: ``decision``, ``sentence``, ``difference``, ``interval`` ..."""
        return stages.verdict(self._run)

    @property
    def report(self) -> Report:
        """Everything that was found out."""
        return load(self._run / "report.json")

    @property
    def augmented(self) -> pd.DataFrame:
        """Training rows, then the chosen synthetic rows (none if they would not help)."""
        return stages.augmented(self._run)

    @property
    def synthetic(self) -> pd.DataFrame:
        """All rows that were drawn."""
        return stages.synthetic_rows(self._run).frame

    @property
    def test(self) -> pd.DataFrame:
        """The sealed rows: nothing was learned from them."""
        return stages.sealed_rows(self._run).frame

    def __repr__(self) -> str:
        return summary(self.report)

    def _repr_html_(self) -> str:
        # A frame keeps the report's styles from the notebook's and the other way round.
        from html import escape

        page = escape((self._run / "report.html").read_text("utf-8"))
        return f'<iframe srcdoc="{page}" width="100%" height="800" style="border:0"></iframe>'


def augment(
    data: pd.DataFrame | str | Path,
    target: str,
    *,
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = True,
    **settings: Any,
) -> AugmentedRun:
    """Decide whether synthetic rows help a classifier of ``target``, and make them.

    ``data`` is a frame, or anything that ``synthgen augment`` reads. ``out`` is the run directory;
    by default a new folder below the system's temporary one, which holds your training rows.
    Further keywords are settings of the configuration: ``budget="quick"``, ``generator="tvae"`` or
    ``generator={"name": "ctgan", "epochs": 50}``, and nested ones with two underscores:
    ``sample__ratio="balanced"``, ``data__group="patient"``.

    Raises the errors of :mod:`synthgen.errors`.
    """
    nested: dict[str, Any] = {"data": {"target": target}}
    if not isinstance(data, pd.DataFrame):
        nested["data"]["source"] = str(data)
    for name, value in settings.items():
        part: Any = value
        if name == "generator" and not isinstance(value, Mapping):
            part = value.model_dump() if isinstance(value, Generator) else {"name": value}
        for key in reversed(name.split("__")):
            part = {key: part}
        nested = configuration.merge(nested, part)
    config = configuration.build(nested)
    folder = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="synthgen-")) / "run"
    frame = data if isinstance(data, pd.DataFrame) else None
    run = pipeline.augment(
        config, folder, frame=frame, force=force, notify=_print if progress else _quiet
    )
    return AugmentedRun(run)


def read(source: str | Path, **options: Any) -> pd.DataFrame:
    """A table as synthgen reads it: a file, a URL, ``sklearn:NAME`` or ``openml:NAME``."""
    return read_source(str(source), ReadOptions(**options)).frame


def _quiet(event: Event) -> None:
    pass


def _print(event: Event) -> None:
    if event.notice is not None:
        print(f"note: {event.notice}")
    elif event.total and event.done >= event.total:
        print(f"{event.stage} done")
