"""Does it help? Every arm against doing nothing, and the sealed test rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synthgen.report import advice, numbers
from synthgen.report.charts.forest import Forest, Whisker, forest
from synthgen.report.sections.scores import ScoreRow, score_rows
from synthgen.report.wording import LOWER_IS_BETTER, Effects, name, reading
from synthgen.results import Difference, Report

ARMS = 40
"""Arms drawn at most."""


@dataclass(frozen=True)
class ArmRow:
    arm: str
    chosen: bool
    whisker: Whisker | None
    effect: str
    interval: str
    p_value: str
    reading: str


@dataclass(frozen=True)
class GridCell:
    effect: str
    interval: str
    reading: str


@dataclass(frozen=True)
class Grid:
    """Arms by learner or by metric; ``baselines`` are the scores of doing nothing."""

    heads: list[str]
    units: list[str]
    baselines: list[str]
    rows: list[tuple[str, list[GridCell | None]]]


@dataclass(frozen=True)
class UtilityView:
    metric: str
    learner: str
    unit: str
    lower_is_better: bool
    confidence: str
    minimum: str
    measured: bool
    detectable: str
    baseline: str
    resamples: str
    arms: list[ArmRow]
    left_out: int
    chart: Forest
    tick_labels: tuple[str, ...]
    learners: Grid | None
    metrics: Grid | None
    sealed: tuple[ScoreRow, ...]


def build(report: Report) -> UtilityView:
    found = report.verdict
    primary = [d for d in report.differences if d.metric == found.metric]
    # Without the combined learner the first one listed stands for it.
    learner = "best" if any(d.learner == "best" for d in primary) else _first(primary)
    main = _strongest([d for d in primary if d.learner == learner], found.metric)
    drawn = main[:ARMS]
    shown = Effects.of(found.metric, [d.interval for d in drawn] or [found.interval])
    chart = forest(
        [
            (d.interval.low * shown.factor, d.mean * shown.factor, d.interval.high * shown.factor)
            for d in drawn
        ],
        found.minimum_effect * shown.factor,
    )
    return UtilityView(
        metric=name(found.metric),
        learner=name(learner),
        unit=shown.unit,
        lower_is_better=found.metric in LOWER_IS_BETTER,
        confidence=advice.confidence(found),
        minimum=shown.amount(found.minimum_effect),
        measured=advice.measured(found),
        detectable=shown.amount(found.detectable_effect),
        baseline=shown.level(drawn[0].baseline) if drawn else numbers.NOTHING,
        resamples=numbers.counted(found.resamples, "resample"),
        arms=[
            ArmRow(
                arm=name(d.arm),
                chosen=d.arm == found.arm,
                whisker=whisker,
                effect=shown.signed(d.mean),
                interval=shown.interval(d.interval),
                p_value=_p_value(d.p_value),
                reading=reading(d.metric, d.interval),
            )
            for d, whisker in zip(drawn, chart.whiskers, strict=True)
        ],
        left_out=len(main) - len(drawn),
        chart=chart,
        tick_labels=tuple(numbers.significant(value) for _, value in chart.ticks),
        learners=_grid([d for d in primary if d.learner != "best"], lambda d: d.learner),
        metrics=_grid(
            [d for d in report.differences if d.learner == learner and d.metric != found.metric],
            lambda d: d.metric,
        ),
        sealed=score_rows(report, "utility"),
    )


def _first(differences: Sequence[Difference]) -> str:
    return differences[0].learner if differences else "best"


def _strongest(differences: Sequence[Difference], metric: str) -> list[Difference]:
    sign = -1 if metric in LOWER_IS_BETTER else 1
    # NaN compares with nothing: such a row goes last.
    return sorted(differences, key=lambda d: (d.mean != d.mean, -sign * d.mean, d.arm))


def _grid(differences: Sequence[Difference], head: Callable[[Difference], str]) -> Grid | None:
    """None where there is nothing to lay out. Heads and arms in the order of the report."""
    if not differences:
        return None
    heads = list(dict.fromkeys(head(d) for d in differences))
    arms = list(dict.fromkeys(d.arm for d in differences))[:ARMS]
    columns = {h: [d for d in differences if head(d) == h] for h in heads}
    effects = {
        h: Effects.of(column[0].metric, [d.interval for d in column])
        for h, column in columns.items()
    }
    cells: dict[tuple[str, str], GridCell] = {}
    for h, column in columns.items():
        for d in column:
            cells[d.arm, h] = GridCell(
                effects[h].signed(d.mean),
                effects[h].interval(d.interval),
                reading(d.metric, d.interval),
            )
    return Grid(
        heads=[name(h) for h in heads],
        units=[effects[h].unit or "as it is" for h in heads],
        baselines=[effects[h].level(columns[h][0].baseline) for h in heads],
        rows=[(name(arm), [cells.get((arm, h)) for h in heads]) for arm in arms],
    )


def _p_value(p: float) -> str:
    if p < 0.001:
        return "<\N{NO-BREAK SPACE}0.001"
    return numbers.fixed(p, 3)
