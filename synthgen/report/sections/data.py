"""What was read: notices first, then every column and what it was taken for, or of images every
class and how many there are."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.report import numbers
from synthgen.results import ColumnNote, Report

SHOWN = 30
"""Columns or classes up to which the list is unfolded."""
PARTS = ("train", "test", "synthetic", "augmented")


@dataclass(frozen=True)
class DataView:
    """``classes``: a name and its number of images in each of ``PARTS``; none of a table."""

    notices: list[str]
    columns: list[ColumnNote]
    classes: list[tuple[str, list[str]]]
    target: str
    count: str
    unfolded: bool
    rows: list[tuple[str, str]]


def build(report: Report) -> DataView:
    if report.modality == "images":
        listed, count = len(report.classes), counted_classes(report)
    else:
        listed = len(report.columns)
        count = numbers.counted(listed, "column")
    return DataView(
        notices=report.notices,
        columns=report.columns,
        classes=class_rows(report),
        target=report.provenance.target,
        count=count,
        unfolded=listed <= SHOWN,
        rows=[(part, numbers.count(n)) for part, n in report.provenance.rows.items()],
    )


def class_rows(report: Report) -> list[tuple[str, list[str]]]:
    """In the order of the classes."""
    return [
        (name, [numbers.count(images.get(part, 0)) for part in PARTS])
        for name, images in report.classes.items()
    ]


def counted_classes(report: Report) -> str:
    """``1 class``, ``10 classes``."""
    count = len(report.classes)
    return f"{numbers.count(count)}\N{NO-BREAK SPACE}{'class' if count == 1 else 'classes'}"
