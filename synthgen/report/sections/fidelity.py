"""How alike are the rows? Scores, the worst columns drawn, and the worst pairs; of images scores,
and those of each class."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from synthgen.report import numbers
from synthgen.report.charts.bars import Bar, Histogram, bars, histogram
from synthgen.report.charts.heatmap import STEPS, Heatmap, Pair, heatmap, worst
from synthgen.report.sections.per_class import ClassTable, class_tables
from synthgen.report.sections.scores import ScoreRow, score_rows
from synthgen.report.text import truncated, visible, width
from synthgen.results import Marginal, PairTrends, Report

DRAWN = 40
"""Columns whose distribution is drawn."""
OPEN = 12
"""Of these, so many are in view; the others unfold."""
MAPPED = 30
"""Columns in the heat map."""
LABEL = 20
"""Width of a name in the heat map's margin, in narrow characters."""
TICK = 15
"""Width of a bin's label under its drawing."""
PAIRS = 10
"""Pairs named one by one."""
CULPRITS = 8
"""Columns that give synthetic rows away, and broken rules, named one by one."""


@dataclass(frozen=True)
class Tick:
    """``place`` says where its text hangs: at the start, middle or end of the drawing."""

    position: float
    place: str
    label: str


@dataclass(frozen=True)
class Row:
    label: str
    real: str
    synthetic: str


@dataclass(frozen=True)
class MarginalView:
    column: str
    kind: str
    score: str
    reference: str
    histogram: Histogram | None
    bars: tuple[Bar, ...]
    tallest: str
    """The share that the longest bar stands for."""
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class PairRow:
    rank: int
    first: str
    second: str
    score: str


@dataclass(frozen=True)
class PairsView:
    map: Heatmap
    names: list[str]
    labels: list[str]
    """The names, short enough for the margin."""
    total: int
    ranks: dict[tuple[int, int], int]
    """Where a pair of the list stands in the map: (x, y) to its rank."""
    worst: list[PairRow]
    legend: list[str]
    label_width: int
    """Of the drawn names, in pixels of the drawing."""


@dataclass(frozen=True)
class FidelityView:
    scores: tuple[ScoreRow, ...]
    classes: list[ClassTable]
    marginals: list[MarginalView]
    folded: list[MarginalView]
    not_drawn: list[tuple[str, str, str]]
    total: int
    pairs: PairsView | None
    telling: list[tuple[str, str]]
    """Columns that give synthetic rows away, and how much ROC-AUC is lost without each."""
    broken: list[tuple[str, str, str]]
    """Rules that synthetic rows break: kind, columns, rows."""


def build(report: Report) -> FidelityView:
    drawn = [_marginal(m) for m in report.marginals[:DRAWN]]
    return FidelityView(
        scores=score_rows(report, "fidelity"),
        classes=class_tables(report, "fidelity"),
        marginals=drawn[:OPEN],
        folded=drawn[OPEN:],
        not_drawn=[
            (m.column, numbers.percent(m.score), numbers.percent(m.reference))
            for m in report.marginals[DRAWN:]
        ],
        total=len(report.marginals),
        pairs=_pairs(report.pair_trends),
        telling=[
            (str(one["column"]), numbers.score(float(one["auc_lost"])))
            for one in _parts(report, "two_sample_auc", "telling_columns", {"column", "auc_lost"})
        ][:CULPRITS],
        broken=[
            (str(one["kind"]), ", ".join(map(str, one["columns"])), numbers.count(one["rows"]))
            for one in _parts(report, "violations", "constraints", {"kind", "columns", "rows"})
            if one["rows"]
        ][:CULPRITS],
    )


def _parts(report: Report, metric: str, key: str, fields: set[str]) -> list[dict[str, Any]]:
    """A list in a score's detail, of those entries that have the fields; empty without it."""
    found = [score.detail.get(key) for score in report.scores if score.metric == metric]
    parts = found[0] if found and isinstance(found[0], list) else []
    return [part for part in parts if isinstance(part, dict) and fields <= part.keys()]


def _marginal(marginal: Marginal) -> MarginalView:
    edges = marginal.edges
    binned = edges is not None and len(edges) == len(marginal.labels) + 1 and len(edges) > 2
    parts = () if binned else bars(marginal.labels, marginal.real, marginal.synthetic)
    if binned:
        shares = list(zip(marginal.labels, marginal.real, marginal.synthetic, strict=True))
    else:
        shares = [(bar.label, bar.real, bar.synthetic) for bar in parts]
    return MarginalView(
        column=marginal.column,
        kind=marginal.kind,
        score=numbers.percent(marginal.score),
        reference=numbers.percent(marginal.reference),
        histogram=histogram(marginal.real, marginal.synthetic) if binned else None,
        bars=parts,
        tallest=numbers.percent(max((max(r, s) for _, r, s in shares), default=0.0)),
        ticks=_ticks(marginal.labels, edges, marginal.kind) if binned and edges is not None else (),
        rows=tuple(Row(label, numbers.percent(r), numbers.percent(s)) for label, r, s in shares),
    )


def _ticks(labels: list[str], edges: list[float], kind: str) -> tuple[Tick, ...]:
    """The first, middle and last bin; where their labels are too long, an edge of each."""
    last = len(labels) - 1
    places = {0: (0.0, "start", 0), last: (100.0, "end", last + 1)}
    if last > 1:
        middle = last // 2
        places[middle] = (100 * (middle + 0.5) / (last + 1), "middle", middle)
    fits = all(width(labels[i]) <= TICK for i in places)
    return tuple(
        Tick(position, place, labels[i] if fits else numbers.edge(edges[at], kind))
        for i, (position, place, at) in places.items()
    )


def _pairs(trends: PairTrends | None) -> PairsView | None:
    if trends is None or len(trends.columns) < 2:
        return None
    drawn = heatmap(trends.score, MAPPED)
    place = {position: spot for spot, position in enumerate(drawn.order)}
    labels = [truncated(visible(trends.columns[position]), LABEL) for position in drawn.order]
    listed = worst(trends.score, PAIRS)
    return PairsView(
        map=drawn,
        names=[trends.columns[position] for position in drawn.order],
        labels=labels,
        total=len(trends.columns),
        ranks={
            (place[pair.column], place[pair.row]): rank
            for rank, pair in enumerate(listed, start=1)
            if pair.row in place and pair.column in place
        },
        worst=[_pair(rank, pair, trends.columns) for rank, pair in enumerate(listed, start=1)],
        legend=_legend(),
        label_width=round(max(width(label) for label in labels) * 6.5) + 34,
    )


def _pair(rank: int, pair: Pair, columns: list[str]) -> PairRow:
    return PairRow(rank, columns[pair.column], columns[pair.row], numbers.percent(pair.score))


def _legend() -> list[str]:
    """One label per shade, worst first."""
    ends = [numbers.fixed(100 * step, 0) for step in STEPS]
    between = [f"{low}–{high}" for low, high in pairwise(ends)]
    return [f"below {ends[0]}", *between, f"{ends[-1]} and above"]
