"""Differences laid out in rows and columns, where no drawing is worth its space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synthgen.report.wording import OWN_UNIT, Effects, glossary, name, reading
from synthgen.results import Difference, Modality

ROWS = 40
"""Rows at most."""


@dataclass(frozen=True)
class GridCell:
    effect: str
    interval: str
    reading: str


@dataclass(frozen=True)
class Grid:
    """``baselines`` are the scores of doing nothing; empty where each row has its own."""

    heads: list[str]
    units: list[str]
    baselines: list[str]
    rows: list[tuple[str, list[GridCell | None]]]
    notes: list[str]
    """What the metrics among the heads mean."""


Key = Callable[[Difference], str]


def grid(
    differences: Sequence[Difference], row: Key, head: Key, modality: Modality, *, shared: bool
) -> Grid | None:
    """None where there is nothing to lay out. Heads and rows in the order of the report; ``shared``
    where all rows of a column have one baseline."""
    if not differences:
        return None
    heads = list(dict.fromkeys(head(d) for d in differences))
    rows = list(dict.fromkeys(row(d) for d in differences))[:ROWS]
    columns = {h: [d for d in differences if head(d) == h] for h in heads}
    effects = {
        h: Effects.of(column[0].metric, [d.interval for d in column])
        for h, column in columns.items()
    }
    cells = {
        (row(d), h): GridCell(
            effects[h].signed(d.mean),
            effects[h].interval(d.interval),
            reading(d.metric, d.interval),
        )
        for h, column in columns.items()
        for d in column
    }
    return Grid(
        heads=[name(h, modality) for h in heads],
        units=[unit(column[0].metric) for column in columns.values()],
        baselines=[effects[h].level(columns[h][0].baseline) for h in heads] if shared else [],
        rows=[(one, [cells.get((one, h)) for h in heads]) for one in rows],
        notes=glossary(heads, modality),
    )


def unit(metric: str) -> str:
    """What differences on this metric are printed in."""
    if metric in ("rmse", "mae"):
        return "unit of the target"
    return "as it is" if metric in OWN_UNIT else "points"
