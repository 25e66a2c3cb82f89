"""Differences as a forest: every row with its whisker on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthgen.report import advice, numbers
from synthgen.report.charts.forest import Forest, Whisker, forest
from synthgen.report.wording import Effects, name, noun, reading, source, treatment
from synthgen.results import Difference, Report

ARMS = 40
"""Arms drawn at most."""


@dataclass(frozen=True)
class ForestRow:
    """``label`` may be a name of the data's own. ``extra`` stands in the last column."""

    label: str
    line: str
    badge: str
    faint: bool
    whisker: Whisker | None
    effect: str
    interval: str
    extra: str
    reading: str
    """What the interval says, in words."""


@dataclass(frozen=True)
class ForestTable:
    """``groups``: a heading (empty for none) and its rows."""

    groups: list[tuple[str, list[ForestRow]]]
    chart: Forest
    tick_labels: tuple[str, ...]
    left_out: int = 0

    @property
    def rows(self) -> list[ForestRow]:
        return [row for _, rows in self.groups for row in rows]


def arm_forest(report: Report, differences: Sequence[Difference]) -> ForestTable:
    """``differences`` on the verdict's metric, one per arm, strongest first: the generator's arms
    under its name, then what costs less."""
    found = report.verdict
    drawn = differences[:ARMS]
    chart = _chart(report, drawn, [d.arm not in found.dropped for d in drawn])
    shown = Effects.of(found.metric, [d.interval for d in drawn] or [found.interval])
    whole = max([found.resamples, *(d.resamples for d in report.differences)])
    groups: dict[str, list[ForestRow]] = {}
    for d, whisker in zip(drawn, chart.whiskers, strict=True):
        made = advice.generated(d.arm, report)
        early = found.dropped.get(d.arm)
        dropped = "" if early is None else f"dropped after {early} of {whole} resamples"
        row = ForestRow(
            label=name(d.arm, report.modality),
            line="; ".join(part for part in (treatment(d.arm, report.modality), dropped) if part),
            badge="in the verdict" if d.arm == found.arm else "",
            faint=early is not None,
            whisker=whisker,
            effect=shown.signed(d.mean),
            interval=shown.interval(d.interval),
            extra=p_value(d.p_value),
            reading=reading(d.metric, d.interval),
        )
        groups.setdefault(source(d.arm) if made else "", []).append(row)
    made_by = f"Synthetic {noun(report.modality)}s from"
    ordered = [(f"{made_by} {name(g)}", rows) for g, rows in groups.items() if g]
    if "" in groups:
        ordered.append(("Without a generator", groups[""]))
    return ForestTable(
        groups=ordered if len(ordered) > 1 else [("", rows) for _, rows in ordered],
        chart=chart,
        tick_labels=_labels(chart),
        left_out=len(differences) - len(drawn),
    )


def part_forest(
    report: Report, differences: Sequence[Difference], harmed: Sequence[str]
) -> ForestTable:
    """One arm on several parts of the test rows; the last column is the score of ``nothing``."""
    chart = _chart(report, differences, None)
    shown = Effects.of(differences[0].metric, [d.interval for d in differences])
    rows = [
        ForestRow(
            label=d.part or "",
            line="",
            badge="harmed" if d.part in harmed else "",
            faint=False,
            whisker=whisker,
            effect=shown.signed(d.mean),
            interval=shown.interval(d.interval),
            extra=shown.level(d.baseline),
            reading=reading(d.metric, d.interval),
        )
        for d, whisker in zip(differences, chart.whiskers, strict=True)
    ]
    return ForestTable([("", rows)], chart, _labels(chart))


def _chart(
    report: Report, differences: Sequence[Difference], framing: Sequence[bool] | None
) -> Forest:
    metric = differences[0].metric if differences else report.verdict.metric
    factor = Effects.of(metric, []).factor
    own = metric == report.verdict.metric
    return forest(
        [(d.interval.low * factor, d.mean * factor, d.interval.high * factor) for d in differences],
        report.verdict.minimum_effect * factor if own else 0.0,
        framing,
    )


def _labels(chart: Forest) -> tuple[str, ...]:
    return tuple(numbers.significant(value) for _, value in chart.ticks)


def p_value(p: float) -> str:
    """Three decimals."""
    return "<\N{NO-BREAK SPACE}0.001" if p < 0.001 else numbers.fixed(p, 3)
