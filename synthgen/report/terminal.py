"""The run in a few lines of plain text, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from synthgen.report import advice, numbers
from synthgen.report.sections.scores import score_rows
from synthgen.report.sections.sealed import headline
from synthgen.report.sections.verdict import harmed_parts
from synthgen.report.steps import steps
from synthgen.report.text import one_line
from synthgen.report.wording import DECISIONS, Effects, name, noun, reading
from synthgen.report.worth import worth
from synthgen.results import Report

ARMS = 5
"""Arms shown, beside those that the verdict is about."""
_HARMED = 3
_SCORES = 2
"""Scores of fidelity and of privacy."""


def summary(report: Report) -> str:
    """Verdict, arms, first scores, advice and notices. No colour, no escape sequence in names."""
    found = report.verdict
    blocks = [
        [
            DECISIONS[found.decision].upper(),
            one_line(advice.sentence(found)),
            one_line(advice.measurement(report)),
            *([" ".join(said)] if (said := worth(report)) else []),
            *_harm(report),
            *_subgroups(report),
        ],
        _arms(report),
        _scores(report),
        _numbered("What to do now", steps(report)),
        _bulleted("Notices", report.notices),
    ]
    return numbers.plain("\n\n".join("\n".join(block) for block in blocks if block))


def _harm(report: Report) -> list[str]:
    found = harmed_parts(report)
    if not found:
        return []
    arm = name(report.verdict.harmed[0].difference.arm, report.modality)
    lines = [f"{arm} harms {one_line(one.subgroup)}: {one.effect}" for one in found[:_HARMED]]
    more = len(found) - _HARMED
    return [*lines, f"and {numbers.counted(more, 'more subgroup')}"] if more > 0 else lines


def _subgroups(report: Report) -> list[str]:
    """That somebody looked, and where there was too little to see."""
    verdict = report.verdict
    parts = {one.part for one in report.by_subgroup}
    tested = [p for p in parts if not any(one.startswith(f"{p}: ") for one in verdict.untested)]
    lines = []
    if tested and not verdict.harmed:
        lines.append(f"Harm is shown in none of {numbers.counted(len(tested), 'subgroup')}")
    if verdict.untested:
        shown = [one_line(one) for one in verdict.untested[:_HARMED]]
        more = len(verdict.untested) - len(shown)
        rest = [f"{more} more"] if more else []
        lines.append("Not tested for harm: " + "; ".join([*shown, *rest]))
    return lines


def _arms(report: Report) -> list[str]:
    found, arms = report.verdict, advice.primary(report)
    second = advice.beside(report)
    kept = {advice.shown_arm(report), second.arm if second else None}
    shown = [d for place, d in enumerate(arms) if place < ARMS or d.arm in kept]
    if not shown:
        return []
    words = Effects.of(found.metric, [d.interval for d in shown])
    unit = f" ({words.unit})" if words.unit else ""
    head = ("", f"{name(found.metric)}{unit}", advice.confidence(found), "")
    rows = [
        (
            "* " * (d.arm == found.arm) + name(d.arm, report.modality),
            words.signed(d.mean),
            words.interval(d.interval),
            "dropped early" if d.arm in found.dropped else reading(d.metric, d.interval),
        )
        for d in shown
    ]
    more = len(arms) - len(shown)
    rest = [f"and {numbers.counted(more, 'weaker arm')} in the report"] if more else []
    chosen = ["* what the verdict recommends"] if found.arm in {d.arm for d in shown} else []
    return aligned([head, *rows]) + rest + chosen


def _scores(report: Report) -> list[str]:
    rows = [
        (row.title, row.value, row.reference)
        for pillar in ("fidelity", "privacy")
        for row in score_rows(report, pillar)[:_SCORES]
    ]
    last = headline(report)
    if last is not None:
        words = Effects.of(last.metric, [last.interval])
        where = f"on sealed {noun(report.modality)}s"
        title = f"{name(last.metric)} {where}, {name(last.arm, report.modality)}"
        after, before = words.level(last.baseline + last.mean), words.level(last.baseline)
        rows.insert(0, (title, after, before))
    return aligned([("", "score", "reference"), *rows]) if rows else []


def _numbered(head: str, items: Sequence[str]) -> list[str]:
    return [head, *(f"{i}. {one_line(item)}" for i, item in enumerate(items, start=1))]


def _bulleted(head: str, items: Sequence[str]) -> list[str]:
    return [head, *(f"- {one_line(item)}" for item in items)] if items else []


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(len(one_line(cell)) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            one_line(cell).ljust(width) if i == 0 else one_line(cell).rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
