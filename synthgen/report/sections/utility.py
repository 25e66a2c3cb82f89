"""Does it help? Every arm against doing nothing, what that is worth, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.report import advice, numbers
from synthgen.report.sections.arms import ForestTable, arm_forest
from synthgen.report.sections.grid import Grid, grid
from synthgen.report.sections.growth import GrowthView, growth_view
from synthgen.report.sections.parts import PartsView, classes, subgroups
from synthgen.report.sections.per_class import ClassTable, class_tables
from synthgen.report.sections.scores import ScoreRow, score_rows
from synthgen.report.sections.sealed import SealedTable, sealed_tables
from synthgen.report.wording import LOWER_IS_BETTER, REGRESSION, Effects, name
from synthgen.results import Difference, Report


@dataclass(frozen=True)
class UtilityView:
    model: str
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
    forest: ForestTable
    growth: GrowthView | None
    sealed: list[SealedTable]
    scores: tuple[ScoreRow, ...]
    scored_classes: list[ClassTable]
    classes: PartsView | None
    subgroups: PartsView | None
    learners: Grid | None
    metrics: Grid | None


def build(report: Report) -> UtilityView:
    found = report.verdict
    main = advice.primary(report)
    learner = main[0].learner if main else "best"
    shown = Effects.of(found.metric, [d.interval for d in main] or [found.interval])

    def arm(difference: Difference) -> str:
        return name(difference.arm, report.modality)

    return UtilityView(
        model="model" if found.metric in REGRESSION else "classifier",
        metric=name(found.metric),
        learner=name(learner),
        unit=shown.unit,
        lower_is_better=found.metric in LOWER_IS_BETTER,
        confidence=advice.confidence(found),
        minimum=shown.amount(found.minimum_effect),
        measured=advice.measured(found),
        detectable=shown.amount(found.detectable_effect),
        baseline=shown.level(main[0].baseline) if main else numbers.NOTHING,
        resamples=numbers.counted(found.resamples, "resample"),
        forest=arm_forest(report, main),
        growth=growth_view(report),
        sealed=sealed_tables(report),
        scores=score_rows(report, "utility"),
        scored_classes=class_tables(report, "utility"),
        classes=classes(report),
        subgroups=subgroups(report),
        learners=grid(
            [d for d in report.differences if d.learner != "best" and d.metric == found.metric],
            arm,
            lambda d: d.learner,
            report.modality,
            shared=True,
        ),
        metrics=grid(
            [d for d in report.differences if d.learner == learner and d.metric != found.metric],
            arm,
            lambda d: d.metric,
            report.modality,
            shared=True,
        ),
    )
