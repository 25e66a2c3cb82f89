"""Classes and subgroups: what the verdict's arm does to each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from synthgen.report import advice, numbers
from synthgen.report.sections.arms import ForestTable, part_forest
from synthgen.report.sections.grid import Grid, grid
from synthgen.report.wording import LOWER_IS_BETTER, Effects, name
from synthgen.results import Difference, Report

PARTS = 16
"""Classes or subgroups drawn at most: those that lose most; tables hold more."""
RECALL = "recall"
_FIRST = (RECALL, "precision")
"""Metrics of a class that a reader looks for first."""


@dataclass(frozen=True)
class PartsView:
    """``forest``: the verdict's arm on one metric; ``metrics``: the same arm on the others;
    ``arms``: the other arms on that metric."""

    arm: str
    metric: str
    unit: str
    lower_is_better: bool
    note: str
    """Why it is another metric than the verdict's."""
    forest: ForestTable
    left_out: str
    metrics: Grid | None
    arms: Grid | None


def classes(report: Report) -> PartsView | None:
    """In the order of the report, as long as all of them are shown."""
    return _build(report, report.by_class, worst_first=False)


def subgroups(report: Report) -> PartsView | None:
    """Those that lose most come first."""
    return _build(report, report.by_subgroup, worst_first=True)


def _build(
    report: Report, differences: Sequence[Difference], *, worst_first: bool
) -> PartsView | None:
    known = [d for d in differences if d.part is not None]
    arms = dict.fromkeys(d.arm for d in known)
    metrics = dict.fromkeys([*_FIRST, *(d.metric for d in known)])
    if not known:
        return None
    shown, wanted = advice.shown_arm(report), report.verdict.metric
    arm = shown if shown in arms else known[0].arm
    metric = wanted if wanted in metrics else known[0].metric
    note = ""
    if (
        not worst_first
        and mirrored([d for d in known if (d.arm, d.metric) == (arm, metric)])
        and any((d.arm, d.metric) == (arm, RECALL) for d in known)
    ):
        note = f"The {name(metric)} of two classes is one number, so their recall is shown."
        metric = RECALL
    own = [d for d in known if (d.arm, d.metric) == (arm, metric)]
    listed = _weakest(own) if worst_first or len(own) > PARTS else own
    drawn = listed[:PARTS]
    place = {d.part: i for i, d in enumerate(listed)}
    # Metrics and parts in the order in which they are to be read.
    order = {m: i for i, m in enumerate(metrics)}
    others = sorted(
        (d for d in known if d.part in place),
        key=lambda d: (order[d.metric], place[d.part]),
    )
    harmed = [h.subgroup for h in report.verdict.harmed if h.difference.arm == arm]
    left_out = len(own) - len(drawn)
    return PartsView(
        arm=name(arm, report.modality),
        metric=name(metric),
        unit=Effects.of(metric, []).unit,
        lower_is_better=metric in LOWER_IS_BETTER,
        note=note,
        forest=part_forest(report, drawn, harmed if worst_first else []),
        left_out=numbers.count(left_out) if left_out else "",
        metrics=_grid(
            report, [d for d in others if d.arm == arm and d.metric != metric], by_arm=False
        ),
        arms=_grid(report, [d for d in others if d.arm != arm and d.metric == metric], by_arm=True),
    )


def mirrored(differences: Sequence[Difference]) -> bool:
    """Whether the metric is the same for either of two classes, as ROC-AUC is."""
    if len(differences) != 2:
        return False
    one, two = differences
    return all(
        math.isclose(a, b, abs_tol=1e-9)
        for a, b in ((one.mean, two.mean), (one.baseline, two.baseline))
    )


def _weakest(differences: Sequence[Difference]) -> list[Difference]:
    # NaN compares with nothing: such a row goes last.
    return sorted(
        differences,
        key=lambda d: (d.mean != d.mean, -d.mean if d.metric in LOWER_IS_BETTER else d.mean),
    )


def _grid(report: Report, differences: Sequence[Difference], *, by_arm: bool) -> Grid | None:
    def part(d: Difference) -> str:
        return d.part or ""

    def head(d: Difference) -> str:
        return d.arm if by_arm else d.metric

    return grid(differences, part, head, report.modality, shared=False)
