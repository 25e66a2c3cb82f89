"""What was read: notices first, then every column and what it was taken for."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.report import numbers
from synthgen.results import ColumnNote, Report

SHOWN = 30
"""Columns up to which the list is unfolded."""


@dataclass(frozen=True)
class DataView:
    notices: list[str]
    columns: list[ColumnNote]
    target: str
    count: str
    unfolded: bool
    rows: list[tuple[str, str]]


def build(report: Report) -> DataView:
    return DataView(
        notices=report.notices,
        columns=report.columns,
        target=report.provenance.target,
        count=numbers.counted(len(report.columns), "column"),
        unfolded=len(report.columns) <= SHOWN,
        rows=[(part, numbers.count(n)) for part, n in report.provenance.rows.items()],
    )
