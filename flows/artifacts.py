"""What the UI shows of a run: a link to its report, the scorecard, a table of scores.

The report is a file, which a static server hands out (the UI strips HTML of its own pages);
``SYNTHGEN_REPORTS_URL`` says where. An artifact that is what it was is not made again.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, cast

from prefect.artifacts import (
    Artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)

from flows.job import store
from synthgen.remote import Place, below, name_of
from synthgen.report import card, load
from synthgen.report.sections.utility import build
from synthgen.results import Report

REPORTS = "SYNTHGEN_REPORTS_URL"
"""Variable: the address under which the store is served."""
OPEN = "Open the report"
WIDTH = 48
"""Characters of the plot in the scorecard."""


def publish_artifacts(out: Path, given: Place) -> None:
    """Of the finished run at ``given``, which may be read at ``out``."""
    report, name = load(out / "report.json"), key(out)
    link = address(below(given, "report.html"))
    if _new(f"report-{name}", f"[{OPEN}]({link})"):
        create_link_artifact(link, OPEN, key=f"report-{name}", description="Report")
    board = scorecard(report)
    if _new(f"scorecard-{name}", board):
        create_markdown_artifact(board, key=f"scorecard-{name}", description="Verdict and scores")
    rows = scores(report)
    if rows and _new(f"scores-{name}", rows):
        create_table_artifact(
            rows, key=f"scores-{name}", description="Scores beside their references"
        )


def key(out: Place) -> str:
    """Artifacts of one run directory have one name: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name_of(out).lower()).strip("-") or "run"


def address(file: Place) -> str:
    """Where a browser finds a file of the store."""
    base, runs = os.environ.get(REPORTS), store()
    inside = None
    if isinstance(file, Path) and isinstance(runs, Path):
        if file.resolve().is_relative_to(runs.resolve()):
            inside = file.resolve().relative_to(runs.resolve()).as_posix()
    elif str(file).startswith(f"{runs}/"):
        inside = str(file).removeprefix(f"{runs}/")
    if base and inside is not None:
        return f"{base.rstrip('/')}/{inside}"
    return file.resolve().as_uri() if isinstance(file, Path) else file


def scorecard(report: Report) -> str:
    """The data card, verdict first, with a plot of what each arm changes."""
    first, *rest = card(report).split("\n## ")
    return "\n## ".join([first + plot(report), *rest])


def plot(report: Report) -> str:
    """Differences to doing nothing with their intervals, in characters."""
    view = build(report)
    zero = _at(view.forest.chart.zero)
    lines = []
    across = max((len(row.label) for row in view.forest.rows), default=0)
    for row in view.forest.rows:
        line = [" "] * WIDTH
        if row.whisker is not None:
            low, high = _at(row.whisker.low), _at(row.whisker.high)
            line[low : high + 1] = ["-"] * (high + 1 - low)
        line[zero] = "|"
        if row.whisker is not None and row.whisker.middle is not None:
            line[_at(row.whisker.middle)] = "o"
        lines.append(f"{row.label:<{across}}  {''.join(line)}  {row.effect}")
    if not lines:
        return ""
    drawn = "\n".join(lines)
    return f"\n```\n{drawn}\n```\n\nChange of {view.metric} against doing nothing (the bar).\n"


def _at(percent: float) -> int:
    return min(WIDTH - 1, max(0, round(percent / 100 * (WIDTH - 1))))


def scores(report: Report) -> list[dict[str, Any]]:
    """A row for each score."""
    return [
        {
            "pillar": score.pillar,
            "score": score.title,
            "value": round(score.value, 4),
            "reference": None if score.reference is None else round(score.reference, 4),
            "better": {"max": "higher", "min": "lower"}.get(score.goal, "near the reference"),
        }
        for score in report.scores
    ]


def _new(name: str, content: str | list[dict[str, Any]]) -> bool:
    """Whether the last artifact of this name holds something else."""
    last = cast("Artifact | None", Artifact.get(name))
    known = None if last is None else last.data
    return known != (content if isinstance(content, str) else json.dumps(content))
