"""Figures on images that have a value for each class, class by class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from synthgen.report import numbers
from synthgen.report.sections.figures import titles
from synthgen.report.wording import explained, gap, quantity
from synthgen.results import Pillar, Report, Score

SHOWN = 20
"""Classes of a table: the worst ones."""
METRICS = ("frechet_per_class", "classification_accuracy")


@dataclass(frozen=True)
class ClassRow:
    name: str
    value: str
    reference: str
    gap: str
    images: str


@dataclass(frozen=True)
class ClassTable:
    """``rows``: worst first. ``note``: which classes are not among them; empty for none."""

    title: str
    rows: list[ClassRow]
    note: str


def class_tables(report: Report, pillar: Pillar) -> list[ClassTable]:
    """One per figure that has values for classes; in the order of the report."""
    scores = [score for score in report.scores if score.pillar == pillar]
    return [
        _table(score, title)
        for score, title in zip(scores, titles(scores), strict=True)
        if score.metric in METRICS and score.detail.get("classes")
    ]


def _table(score: Score, title: str) -> ClassTable:
    sign = 1 if score.goal == "max" else -1

    def distance(parts: dict[str, Any]) -> float:
        ahead = sign * (float(parts["value"]) - float(parts["floor"]))
        return math.inf if math.isnan(ahead) else ahead  # NaN compares with nothing.

    found = sorted(score.detail["classes"].items(), key=lambda one: distance(one[1]))
    rows = [_row(score, name, parts) for name, parts in found[:SHOWN]]
    said = []
    if len(found) > SHOWN:
        said.append(f"{numbers.count(len(found) - SHOWN)} better ones are in report.json.")
    if left_out := score.detail.get("left_out"):
        some = ", ".join(map(str, left_out[:SHOWN]))
        more = f" and {len(left_out) - SHOWN} more" if len(left_out) > SHOWN else ""
        said.append(f"Too few images to be judged: {some}{more}.")
    return ClassTable(title, rows, " ".join(said))


def _row(score: Score, name: str, parts: dict[str, Any]) -> ClassRow:
    # JSON has numbers that are none as text.
    known = {"value": float(parts["value"]), "reference": float(parts["floor"])}
    own = score.model_copy(update=known)
    unit = explained(score).unit
    return ClassRow(
        name=name,
        value=quantity(own.value, unit),
        reference=quantity(own.reference, unit),
        gap=gap(own, unit),
        images=numbers.count(parts["images"]),
    )
