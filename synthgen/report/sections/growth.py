"""The learning curve of the real rows, and where it meets what the verdict's arm reaches."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.report import advice, numbers
from synthgen.report.charts.growth import Growth, growth
from synthgen.report.wording import Effects, name, noun, phrase
from synthgen.report.worth import amount, worth
from synthgen.results import Report


@dataclass(frozen=True)
class GrowthView:
    chart: Growth
    score_labels: tuple[str, ...]
    row_labels: tuple[str, ...]
    metric: str
    unit: str
    goal: str
    """What the horizontal line is."""
    meeting: str
    """How many rows more or fewer its meeting with the curve is."""
    confidence: str
    said: str
    spoken: str


def growth_view(report: Report) -> GrowthView | None:
    """None without a curve of at least two points."""
    found, known = report.verdict, report.verdict.equivalents
    if not advice.measured(found):
        return None
    points = [(p.rows, p.score) for p in report.learning_curve]
    more, interval = None, None
    if known is not None and known.rows is not None and known.rows < known.ceiling:
        more = known.rows
        if known.low is not None and known.high is not None:
            interval = (known.low, known.high)
    chart = growth(points, found.difference, more, interval)
    if chart is None:
        return None
    arm, unit = advice.shown_arm(report), noun(report.modality)
    with_arm = phrase(arm, report.modality) if arm else ""
    shown = Effects.of(found.metric, [found.interval])
    after = shown.level(points[-1][1] + found.difference)
    meeting = ""
    if known is not None and more is not None:
        number = amount(more, known).removeprefix("about ")
        meeting = f"{number} {'more' if more > 0 else 'fewer'}" if more else "none more"
    return GrowthView(
        chart=chart,
        score_labels=tuple(numbers.significant(v * shown.factor) for _, v in chart.scores),
        row_labels=tuple(_rows(rows) for _, rows in chart.rows),
        metric=name(found.metric),
        unit=shown.unit,
        goal=f"{after} with all your {unit}s and {with_arm}" if arm else f"{after} with the arm",
        meeting=meeting,
        confidence=advice.confidence(found),
        said=_said(report, more),
        spoken="; ".join(
            [f"{shown.level(score)} with {numbers.counted(rows, unit)}" for rows, score in points]
        ),
    )


def _rows(count: int) -> str:
    return numbers.count(count) if count < 100_000 else numbers.short(count)


def _said(report: Report, more: int | None) -> str:
    """What to look for in the drawing."""
    arm, known = advice.shown_arm(report), report.verdict.equivalents
    if known is None or more is None:
        return " ".join(worth(report))
    with_arm = phrase(arm, report.modality) if arm else "the arm"
    unit = noun(report.modality)
    if more <= 0:
        rows = f"just your own {unit}s" if more == 0 else f"{amount(more, known)} {unit}s fewer"
        return f"With {with_arm} the score is that of {rows}: where the two lines meet."
    return (
        f"To score as high without {with_arm}, {amount(more, known)} more real {unit}s would be "
        "needed: where the two lines meet."
    )
