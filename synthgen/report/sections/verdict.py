"""The answer, first: decision, sentence, effect, what it is worth, whom it harms, what to do now,
and one figure per pillar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthgen.report import advice, numbers
from synthgen.report.charts.forest import Forest, Whisker, forest
from synthgen.report.sections.scores import score_rows
from synthgen.report.sections.sealed import headline
from synthgen.report.steps import steps
from synthgen.report.wording import DECISIONS, Effects, name, noun, phrase, reading
from synthgen.report.worth import worth
from synthgen.results import Decision, Difference, Interval, Report

LISTED = 6
"""Subgroups named one by one."""


@dataclass(frozen=True)
class Tile:
    pillar: str
    anchor: str
    value: str
    note: str


@dataclass(frozen=True)
class Compared:
    """One arm against doing nothing. ``what`` it is to the verdict; empty for its own arm."""

    arm: str | None
    what: str
    effect: str
    interval: str
    whisker: Whisker | None
    reading: str


@dataclass(frozen=True)
class HarmedPart:
    subgroup: str
    effect: str


@dataclass(frozen=True)
class VerdictView:
    decision: Decision
    label: str
    sentence: str
    compared: list[Compared]
    confidence: str
    metric: str
    chart: Forest
    tick_labels: tuple[str, ...]
    minimum: str
    measured: bool
    basis: str
    worth: list[str]
    harmful: str
    """The arm that harms subgroups."""
    harmed: list[HarmedPart]
    steps: list[str]
    reasons: list[str]
    small_print: list[str]
    tiles: list[Tile]


_BETTER = {"min": "; lower is better", "max": "; higher is better"}


def build(report: Report) -> VerdictView:
    found = report.verdict
    second = advice.beside(report)
    intervals = [found.interval] + ([second.interval] if second else [])
    shown = Effects.of(found.metric, intervals)
    means = [found.difference] + ([second.mean] if second else [])
    chart = forest(
        [
            (i.low * shown.factor, mean * shown.factor, i.high * shown.factor)
            for i, mean in zip(intervals, means, strict=True)
        ],
        found.minimum_effect * shown.factor,
    )
    learners = ", ".join(name(learner) for learner in found.learners)
    return VerdictView(
        decision=found.decision,
        label=DECISIONS[found.decision],
        sentence=numbers.unbroken(advice.sentence(found)),
        compared=_compared(report, second, chart, shown),
        confidence=advice.confidence(found),
        metric=name(found.metric),
        chart=chart,
        tick_labels=tuple(numbers.significant(value) for _, value in chart.ticks),
        minimum=shown.amount(found.minimum_effect),
        measured=advice.measured(found),
        basis=numbers.counted(found.resamples, "resample") + (f"; {learners}" * bool(learners)),
        worth=worth(report),
        harmful=name(found.harmed[0].difference.arm, report.modality) if found.harmed else "",
        harmed=harmed_parts(report),
        steps=steps(report),
        reasons=[numbers.unbroken(reason) for reason in found.reasons],
        small_print=small_print(report),
        tiles=_tiles(report),
    )


def harmed_parts(report: Report) -> list[HarmedPart]:
    """Worst first, with the effect in words: ``-2.1 points ROC-AUC (...), from 82.1 to 80.0``."""
    parts = []
    for one in sorted(report.verdict.harmed, key=lambda one: one.difference.mean):
        d = one.difference
        shown = Effects.of(d.metric, [d.interval])
        parts.append(
            HarmedPart(
                one.subgroup,
                f"{shown.difference(d.mean)} {name(d.metric)} "
                f"({advice.confidence(report.verdict)} {shown.interval(d.interval)}), "
                f"from {shown.level(d.baseline)} to {shown.level(d.baseline + d.mean)}",
            )
        )
    return parts


def small_print(report: Report) -> list[str]:
    """What was not tested, and what was not measured to the end."""
    found, said = report.verdict, []
    if found.untested:
        said.append(f"Subgroups that were not tested: {_listed(found.untested)}.")
    if found.dropped:
        arms = [
            f"{name(arm, report.modality)} after {n} resamples" for arm, n in found.dropped.items()
        ]
        said.append(f"Dropped as clear losers: {_listed(arms)}.")
    return said


def _listed(items: Sequence[str]) -> str:
    more = len(items) - LISTED
    rest = f"; and {numbers.count(more)} more, in report.json" if more > 0 else ""
    return "; ".join(items[:LISTED]) + rest


def _compared(
    report: Report, second: Difference | None, chart: Forest, shown: Effects
) -> list[Compared]:
    found = report.verdict
    arm = advice.shown_arm(report)

    def row(arm: str | None, what: str, mean: float, interval: Interval, place: int) -> Compared:
        return Compared(
            arm=None if arm is None else phrase(arm, report.modality),
            what=what,
            effect=shown.difference(mean),
            interval=shown.interval(interval),
            whisker=chart.whiskers[place],
            reading=reading(found.metric, interval),
        )

    rows = [row(arm, "", found.difference, found.interval, 0)]
    if second is not None:
        made = advice.generated(second.arm, report)
        drawn = f"synthetic {noun(report.modality)}s"
        what = f"the best with {drawn}" if made else "the strongest cheap alternative"
        rows.append(row(second.arm, what, second.mean, second.interval, 1))
    return rows


def _tiles(report: Report) -> list[Tile]:
    """Utility is the effect on the sealed rows, or else the verdict's own; of each other pillar
    its first score."""
    found, unit = report.verdict, noun(report.modality)
    tiles = []
    last = headline(report)
    if last is not None:
        shown = Effects.of(last.metric, [last.interval])
        rows = numbers.counted(last.rows, f"sealed {unit}")
        arm = name(last.arm, report.modality)
        note = f"{name(last.metric)} with {arm} on {rows}, {shown.interval(last.interval)}"
        tiles.append(Tile("Utility", "utility", shown.difference(last.mean), note))
    elif advice.measured(found):
        shown = advice.effects(found)
        note = f"{name(found.metric)}, {shown.interval(found.interval)}"
        tiles.append(Tile("Utility", "utility", shown.difference(found.difference), note))
    for pillar in ("fidelity", "privacy"):
        for row in score_rows(report, pillar)[:1]:
            against = "" if row.reference == numbers.NOTHING else f"; real {unit}s {row.reference}"
            note = f"{row.title}{against}{_BETTER.get(row.goal, '')}"
            tiles.append(Tile(pillar.capitalize(), pillar, row.value, note))
    return tiles
