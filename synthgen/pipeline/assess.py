"""The last two stages: score what was drawn against the sealed part, and render the report."""

from __future__ import annotations

import base64
import platform
from pathlib import Path

from synthgen import devices
from synthgen.errors import ConfigError
from synthgen.pipeline.contents import PICTURES, settings
from synthgen.pipeline.deciding import comparison
from synthgen.pipeline.events import Event, Notify, spoken, unheard
from synthgen.pipeline.facts import versions
from synthgen.pipeline.kinds import kind_in
from synthgen.pipeline.machine import device
from synthgen.report import card, load, render
from synthgen.runs import Run, dump


def evaluate(run: Run, notify: Notify) -> None:
    """Write ``report.json``: everything that the report shows; its pictures also as files."""

    def work(folder: Path) -> None:
        with devices.held(device(settings(run)), run.path, "evaluate", spoken("evaluate", notify)):
            report = kind_in(run).report(run, comparison(run), notify)
        (folder / "report.json").write_text(dump(report.model_dump(mode="json")), "utf-8")
        for picture in report.pictures:
            (folder / PICTURES).mkdir(exist_ok=True)
            content = base64.b64decode(picture.png)
            (folder / PICTURES / f"{picture.name}.png").write_bytes(content)
        notify(Event("evaluate", 2, 2))

    run.stage("evaluate", work)


def draw_up(run: Run, notify: Notify) -> None:
    """Write ``report.html`` and ``card.md`` from ``report.json`` alone."""

    def work(folder: Path) -> None:
        report = load(run / "report.json")
        (folder / "report.html").write_text(render(report), "utf-8")
        (folder / "card.md").write_text(card(report), "utf-8")
        notify(Event("render", 1, 1))

    run.stage("render", work)


def finished(path: Path) -> Run:
    """The finished run there. Raises ConfigError for an unfinished one and for what is no run."""
    run = Run.open(path)
    if not run.finished:
        raise ConfigError(f"{path} is not finished", f"go on with: synthgen resume {path}")
    return run


def redraw(run: Run) -> None:
    """Render again with the templates of this version."""
    run.undo("render")
    draw_up(run, unheard)
    finish(run)


def finish(run: Run) -> None:
    """Write the manifest, the run's last file."""
    config = settings(run)
    facts = {
        "versions": versions(),
        "seed": config.seed,
        "device": device(config),
        "machine": {"processor": platform.machine(), "system": platform.system()},
    }
    run.finish(facts)
