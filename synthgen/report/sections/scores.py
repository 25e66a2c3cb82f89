"""Scores of one pillar, each beside its reference: the rows that three sections share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthgen.report import numbers
from synthgen.report.charts.bullet import Bullet, bullet
from synthgen.report.metrics import Unit
from synthgen.report.sections.figures import evidence, origin, remark, titles
from synthgen.report.wording import explained, gap, name, quantity
from synthgen.results import Goal, Pillar, Report, Score

_DETAILS = 6


@dataclass(frozen=True)
class ScoreRow:
    title: str
    value: str
    reference: str
    goal: Goal
    gap: str
    line: str
    """What the metric means, in one line."""
    bullet: Bullet
    ends: tuple[str, str]
    """What stands at the two ends of the drawing."""
    details: tuple[tuple[str, str], ...]
    origin: str
    """What a figure on images was made with; empty for a table's."""


def score_rows(report: Report, pillar: Pillar) -> tuple[ScoreRow, ...]:
    """In the order of the report."""
    found = [score for score in report.scores if score.pillar == pillar]
    return tuple(_row(*one) for one in zip(found, titles(found), strict=True))


def _row(score: Score, title: str) -> ScoreRow:
    words = explained(score)
    drawn = bullet(score.value, score.reference, words.axis)
    return ScoreRow(
        title=title,
        value=quantity(score.value, words.unit),
        reference=quantity(score.reference, words.unit),
        goal=score.goal,
        gap=gap(score, words.unit),
        line=words.line + remark(score),
        bullet=drawn,
        ends=(_end(drawn.low, words.unit), _end(drawn.high, words.unit)),
        details=tuple(
            _learners(score)
            if score.pillar == "utility"
            else [*evidence(score), *_details(score, words.details)]
        ),
        origin=origin(score),
    )


def _end(value: float, unit: Unit) -> str:
    if unit == "share":
        return quantity(value, unit)
    return numbers.significant(value * (100 if unit == "points" else 1))


def _learners(score: Score) -> list[tuple[str, str]]:
    """Each learner's value beside its reference, as the utility scores have them in the detail."""
    unit = explained(score).unit
    return [
        (name(learner), f"{quantity(value, unit)} against {quantity(reference, unit)}")
        for learner, value in score.detail.items()
        if (reference := score.detail.get(f"{learner}_reference")) is not None
    ]


def _details(score: Score, chosen: Sequence[tuple[str, str]] | None) -> list[tuple[str, str]]:
    """The parts of a score that are single numbers or words; lists belong to the JSON."""
    shown = []
    if chosen is None:
        chosen = [(key, key.replace("_", " ")) for key in score.detail]
    for key, words in chosen:
        part = score.detail.get(key)
        if isinstance(part, bool | str):
            shown.append((words, str(part)))
        elif isinstance(part, int):
            shown.append((words, numbers.count(part)))
        elif isinstance(part, float):
            shown.append((words, numbers.significant(part)))
    return shown[:_DETAILS]
