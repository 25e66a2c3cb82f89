"""The main job from Python: ``synthgen.augment(frame, target="y")``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from synthgen import config as configuration
from synthgen import pipeline, remote
from synthgen.data.read import ReadOptions
from synthgen.data.read import read as read_source
from synthgen.generators.base import Generator
from synthgen.pipeline import stages
from synthgen.pipeline.events import Event
from synthgen.pipeline.images import contents as images
from synthgen.pipeline.tables import contents as tables
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
    def augmented(self) -> Any:
        """Training data, then the chosen synthetic data (none if they would not help): a frame, or
        :class:`~synthgen.data.images.images.Images`."""
        if self._of_images:
            return images.augmented_images(self._run)
        return tables.augmented(self._run)

    @property
    def synthetic(self) -> Any:
        """All that was drawn."""
        if self._of_images:
            return images.synthetic_images(self._run, images.training_images(self._run))
        return tables.synthetic_rows(self._run).frame

    @property
    def test(self) -> Any:
        """The sealed part: nothing was learned from it."""
        if self._of_images:
            return images.sealed_images(self._run, images.training_images(self._run))
        return tables.sealed_rows(self._run).frame

    @property
    def _of_images(self) -> bool:
        return stages.settings(self._run).modality == "images"

    def __repr__(self) -> str:
        return summary(self.report)

    def _repr_html_(self) -> str:
        # A frame keeps the report's styles from the notebook's and the other way round.
        from html import escape

        page = escape((self._run / "report.html").read_text("utf-8"))
        return f'<iframe srcdoc="{page}" width="100%" height="800" style="border:0"></iframe>'


def augment(
    data: pd.DataFrame | tuple[ArrayLike, ArrayLike] | str | Path,
    target: str | None = None,
    *,
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = True,
    **settings: Any,
) -> AugmentedRun:
    """Decide whether synthetic rows or images help a classifier of ``target``, and make them.

    ``data`` is a frame, a pair of arrays (images as :class:`~synthgen.data.images.arrays.Arrays`
    takes them, and their labels), or anything that ``synthgen augment`` reads. Of a table
    ``target`` is the column to predict; of images it is the column of labels, if not "label".
    ``out`` is the run directory, or its URL (then the result reads the copy on this machine); by
    default a new folder below the system's temporary one, which holds your training data.
    Further keywords are settings of the configuration: ``budget="quick"``, ``generator="tvae"`` or
    ``generator={"name": "ctgan", "epochs": 50}``, and nested ones with two underscores:
    ``sample__ratio="balanced"``, ``data__group="patient"``.

    Raises the errors of :mod:`synthgen.errors`.
    """
    given = data if isinstance(data, pd.DataFrame | tuple) else None
    nested: dict[str, Any] = {"data": {} if target is None else {"target": target}}
    if given is None:
        nested["data"]["source"] = str(data)
    else:
        nested["modality"] = "images" if isinstance(given, tuple) else "table"
    for name, value in settings.items():
        part: Any = value
        if name == "generator" and not isinstance(value, Mapping):
            part = value.model_dump() if isinstance(value, Generator) else {"name": value}
        for key in reversed(name.split("__")):
            part = {key: part}
        nested = configuration.merge(nested, part)
    config = configuration.build(nested)
    place = out if out is not None else Path(tempfile.mkdtemp(prefix="synthgen-")) / "run"
    with remote.working(remote.place(place), "replace" if force else "new") as folder:
        run = pipeline.augment(
            config, folder, data=given, force=force, notify=_print if progress else _quiet
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
