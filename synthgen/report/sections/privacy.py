"""Do synthetic rows repeat real ones? Counts beside what held-out rows do."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.report.sections.scores import ScoreRow, score_rows
from synthgen.results import Report


@dataclass(frozen=True)
class PrivacyView:
    scores: tuple[ScoreRow, ...]


def build(report: Report) -> PrivacyView:
    return PrivacyView(score_rows(report, "privacy"))
