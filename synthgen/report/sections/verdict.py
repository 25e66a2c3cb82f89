"""The answer, first: decision, sentence, effect, what to do now, and one figure per pillar."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.report import advice, numbers
from synthgen.report.charts.forest import Forest, forest
from synthgen.report.sections.scores import score_rows
from synthgen.report.wording import DECISIONS, name, reading
from synthgen.results import Decision, Report


@dataclass(frozen=True)
class Tile:
    pillar: str
    anchor: str
    value: str
    note: str


@dataclass(frozen=True)
class VerdictView:
    decision: Decision
    label: str
    sentence: str
    effect: str
    interval: str
    confidence: str
    metric: str
    arm: str | None
    chart: Forest
    reading: str
    tick_labels: tuple[str, ...]
    minimum: str
    detectable: str
    measured: bool
    basis: str
    steps: list[str]
    reasons: list[str]
    tiles: list[Tile]


def build(report: Report) -> VerdictView:
    found = report.verdict
    shown = advice.effects(found)
    low, mean, high = (
        v * shown.factor for v in (found.interval.low, found.difference, found.interval.high)
    )
    chart = forest([(low, mean, high)], found.minimum_effect * shown.factor)
    learners = ", ".join(name(learner) for learner in found.learners)
    return VerdictView(
        decision=found.decision,
        label=DECISIONS[found.decision],
        sentence=numbers.unbroken(advice.sentence(found)),
        measured=advice.measured(found),
        effect=shown.difference(found.difference),
        interval=shown.interval(found.interval),
        confidence=advice.confidence(found),
        metric=name(found.metric),
        arm=None if (arm := advice.shown_arm(report)) is None else name(arm),
        chart=chart,
        reading=reading(found.metric, found.interval),
        tick_labels=tuple(numbers.significant(value) for _, value in chart.ticks),
        minimum=shown.amount(found.minimum_effect),
        detectable=shown.amount(found.detectable_effect),
        basis=numbers.counted(found.resamples, "resample") + (f"; {learners}" * bool(learners)),
        steps=advice.steps(report),
        reasons=[numbers.unbroken(reason) for reason in found.reasons],
        tiles=_tiles(report),
    )


def _tiles(report: Report) -> list[Tile]:
    """The first score of each pillar; utility is the verdict's own difference."""
    found = report.verdict
    shown = advice.effects(found)
    tiles = []
    if advice.measured(found):
        note = f"{name(found.metric)}, {shown.interval(found.interval)}"
        tiles.append(Tile("Utility", "utility", shown.difference(found.difference), note))
    for pillar in ("fidelity", "privacy"):
        for row in score_rows(report, pillar)[:1]:
            against = "" if row.reference == numbers.NOTHING else f"; real rows {row.reference}"
            tiles.append(Tile(pillar.capitalize(), pillar, row.value, row.title + against))
    return tiles
