"""The run in a few lines of plain text, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from synthgen.report import advice, numbers
from synthgen.report.sections import utility
from synthgen.report.sections.scores import score_rows
from synthgen.report.text import one_line
from synthgen.report.wording import DECISIONS
from synthgen.results import Report

_ARMS = 12


def summary(report: Report) -> str:
    """Verdict, arms, scores, advice and notices. No colour, no escape sequence in names."""
    found = report.verdict
    blocks = [
        [
            DECISIONS[found.decision].upper(),
            one_line(advice.sentence(found)),
            one_line(advice.measurement(report)),
        ],
        _arms(report),
        _scores(report),
        _numbered("What to do now", advice.steps(report)),
        _bulleted("Notices", report.notices),
    ]
    return numbers.plain("\n\n".join("\n".join(block) for block in blocks if block))


def _arms(report: Report) -> list[str]:
    view = utility.build(report)
    if not view.arms:
        return []
    unit = f" ({view.unit})" if view.unit else ""
    head = ("", f"{view.metric}{unit}", view.confidence, "")
    shown = view.arms[:_ARMS]
    rows = [("* " * arm.chosen + arm.arm, arm.effect, arm.interval, arm.reading) for arm in shown]
    return _columns([head, *rows])


def _scores(report: Report) -> list[str]:
    rows = [
        (row.title, row.value, row.reference)
        for pillar in ("utility", "fidelity", "privacy")
        for row in score_rows(report, pillar)
    ]
    return _columns([("", "score", "reference"), *rows]) if rows else []


def _numbered(head: str, items: Sequence[str]) -> list[str]:
    return [head, *(f"{i}. {one_line(item)}" for i, item in enumerate(items, start=1))]


def _bulleted(head: str, items: Sequence[str]) -> list[str]:
    return [head, *(f"- {one_line(item)}" for item in items)] if items else []


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(len(one_line(cell)) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            one_line(cell).ljust(width) if i == 0 else one_line(cell).rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
