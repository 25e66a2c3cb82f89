"""How the training went: one small panel per logged quantity."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.report import numbers
from synthgen.report.charts.curve import Curve, curve
from synthgen.results import Report

PANELS = 9
"""Curves drawn at most."""


@dataclass(frozen=True)
class Panel:
    name: str
    curve: Curve
    labels: tuple[str, ...]
    first_step: str
    last_step: str
    last: str
    spoken: str


@dataclass(frozen=True)
class TrainingView:
    panels: list[Panel]
    left_out: int


def build(report: Report) -> TrainingView:
    drawn = [(c.name, line) for c in report.curves if (line := curve(c.steps, c.values))]
    return TrainingView([_panel(*one) for one in drawn[:PANELS]], len(drawn[PANELS:]))


def _panel(name: str, line: Curve) -> Panel:
    first, last = numbers.count(line.first_step), numbers.count(line.last_step)
    low, high, end = (numbers.significant(v) for v in (line.low, line.high, line.last))
    return Panel(
        name=name.replace("_", " "),
        curve=line,
        labels=tuple(numbers.short(value) for _, value in line.ticks),
        first_step=first,
        last_step=last,
        last=end,
        spoken=f"Steps {first} to {last}; between {low} and {high}, {end} at the end.",
    )
