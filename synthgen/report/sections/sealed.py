"""The verdict's arm on the rows that were sealed before anything else happened."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.report import numbers
from synthgen.report.sections.arms import p_value
from synthgen.report.sections.grid import unit
from synthgen.report.wording import Effects, name, noun, reading
from synthgen.results import Report, Sealed


@dataclass(frozen=True)
class SealedRow:
    metric: str
    unit: str
    baseline: str
    effect: str
    interval: str
    p_value: str
    reading: str


@dataclass(frozen=True)
class SealedTable:
    """``basis``: seeds and rows, as half a sentence."""

    arm: str
    learner: str
    basis: str
    rows: list[SealedRow]


def sealed_tables(report: Report) -> list[SealedTable]:
    """One per arm and learner, the verdict's metric first."""
    groups: dict[tuple[str, str, int, int], list[Sealed]] = {}
    for one in report.sealed:
        groups.setdefault((one.arm, one.learner, one.seeds, one.rows), []).append(one)
    main = report.verdict.metric
    return [
        SealedTable(
            arm=name(arm, report.modality),
            learner=name(learner),
            basis=f"{numbers.counted(rows, f'sealed {noun(report.modality)}')}, "
            f"{numbers.counted(seeds, 'seed')}",
            rows=[_row(one) for one in sorted(group, key=lambda one: one.metric != main)],
        )
        for (arm, learner, seeds, rows), group in groups.items()
    ]


def headline(report: Report) -> Sealed | None:
    """The first arm on the verdict's metric."""
    return next((one for one in report.sealed if one.metric == report.verdict.metric), None)


def _row(one: Sealed) -> SealedRow:
    shown = Effects.of(one.metric, [one.interval])
    return SealedRow(
        metric=name(one.metric),
        unit=unit(one.metric),
        baseline=shown.level(one.baseline),
        effect=shown.signed(one.mean),
        interval=shown.interval(one.interval),
        p_value=p_value(one.p_value),
        reading=reading(one.metric, one.interval),
    )
