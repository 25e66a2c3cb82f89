"""Many runs at once as plain data, and ``bench.html``: one page about all of them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import quote

import yaml
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict

from synthgen.report import numbers
from synthgen.report.charts.critical import Diagram, diagram
from synthgen.report.page import environment
from synthgen.report.wording import DECISIONS, LOWER_IS_BETTER, Effects, name
from synthgen.results import Decision, Interval

LISTED = 40
"""Pairs of methods in the page's list of tests at most."""
NOTHING = "nothing"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Measured(_Data):
    """One method in one cell, on the cell's metric."""

    method: str
    score: float
    """That of doing nothing in this cell plus ``difference``."""
    difference: float
    """Mean over the resamples of the method minus doing nothing."""
    low: float | None
    high: float | None
    """Ends of its interval; None for doing nothing."""


class Failure(_Data):
    cause: str
    remedy: str
    exit_code: int


class Cell(_Data):
    """One run: a data set, a generator and a seed."""

    dataset: str
    generator: str
    seed: int
    run: str
    """The run directory, relative to the bench's folder."""
    failure: Failure | None = None
    """Why there is no result; all that follows is empty then."""
    gate: str | None = None
    """The quality gate that failed; the run is complete all the same."""
    metric: str | None = None
    decision: Decision | None = None
    sentence: str | None = None
    seconds: float | None = None
    measured: list[Measured] = []


class DataSet(_Data):
    """``scores`` are those of each method, averaged over the seeds."""

    name: str
    source: str
    target: str
    metric: str | None
    """None where no run has finished."""
    minimum_effect: float
    scores: dict[str, float]


class Ranking(_Data):
    """See :class:`synthgen.benchmark.ranking.Ranking`."""

    methods: list[str]
    mean_ranks: list[float]
    datasets: list[str]
    friedman: float | None
    critical_difference: float | None
    groups: list[list[str]]


class Pair(_Data):
    """See :class:`synthgen.benchmark.ranking.Pair`."""

    first: str
    second: str
    wins: int
    ties: int
    losses: int
    p_value: float
    adjusted: float


class Bench(_Data):
    """``methods`` are doing nothing, the arms without a generator, and each generator's arms."""

    schema_version: Literal[1] = 1
    title: str
    generators: list[str]
    seeds: list[int]
    methods: list[str]
    cells: list[Cell]
    datasets: list[DataSet]
    ranking: Ranking | None
    """None where no data set has a score of two methods or more."""
    left_out: dict[str, list[str]]
    """Data sets that are not in the ranks, and the methods that they lack."""
    unranked: list[str]
    """Methods that are not in the ranks, because no data set has a score of all methods."""
    pairs: list[Pair]
    alpha: float
    settings: dict[str, Any]
    """The bench file."""
    versions: dict[str, str]


def render(bench: Bench) -> str:
    """The page as HTML; the same bench gives the same bytes. Nothing in it is loaded or runs."""
    pages = environment()
    style = "".join(pages.get_template(sheet).render() for sheet in ("style.css", "bench.css"))
    return pages.get_template("bench.html").render(
        title=bench.title,
        style=Markup(style),
        style_hash=b64encode(sha256(style.encode()).digest()).decode(),
        view=build(bench),
    )


# ---- what every rendering says -----------------------------------------------------------------


def called(method: str) -> str:
    """What a reader calls a method."""
    return "doing nothing" if method == NOTHING else name(method)


def ranked(bench: Bench) -> list[str]:
    """All methods: by mean rank, then those without one in their own order."""
    first = bench.ranking.methods if bench.ranking is not None else []
    return [*first, *(m for m in bench.methods if m not in first)]


def mean_rank(bench: Bench, method: str) -> str:
    found = bench.ranking
    if found is None or method not in found.methods:
        return numbers.NOTHING
    return numbers.fixed(found.mean_ranks[found.methods.index(method)], 2)


def effects(bench: Bench, dataset: DataSet) -> Effects:
    """How scores and differences of a data set are printed."""
    intervals = [
        Interval(low=one.low, high=one.high)
        for cell in bench.cells
        if cell.dataset == dataset.name
        for one in cell.measured
        if one.low is not None and one.high is not None
    ]
    return Effects.of(dataset.metric or "", intervals)


def best(bench: Bench, dataset: DataSet) -> set[str]:
    """The methods with the best score; usually one."""
    lower = dataset.metric in LOWER_IS_BETTER
    if not dataset.scores:
        return set()
    top = (min if lower else max)(dataset.scores.values())
    return {m for m, score in dataset.scores.items() if abs(score - top) < 1e-12}


def record(bench: Bench, first: str, second: str) -> str | None:
    """Wins, ties and losses of ``first`` against ``second``: ``3 / 1 / 0``; None if never met."""
    for pair in bench.pairs:
        if (pair.first, pair.second) == (first, second):
            return f"{pair.wins} / {pair.ties} / {pair.losses}"
        if (pair.first, pair.second) == (second, first):
            return f"{pair.losses} / {pair.ties} / {pair.wins}"
    return None


def verdicts(bench: Bench) -> list[tuple[str, dict[str, int]]]:
    """Per generator the number of cells by decision, and of those that failed."""
    return [
        (
            generator,
            {
                **{words: sum(c.decision == d for c in own) for d, words in DECISIONS.items()},
                "Failed": sum(c.failure is not None for c in own),
            },
        )
        for generator in bench.generators
        for own in ([c for c in bench.cells if c.generator == generator],)
    ]


def failures(bench: Bench) -> list[str]:
    return [
        f"{cell.run}: {cell.failure.cause.rstrip('.')}. Remedy: {cell.failure.remedy.rstrip('.')}."
        for cell in bench.cells
        if cell.failure is not None
    ] + [
        f"{cell.run}: {cell.gate.rstrip('.')} (the run is complete)."
        for cell in bench.cells
        if cell.gate is not None
    ]


def size(bench: Bench) -> str:
    """How large the bench is, and how many of its cells failed."""
    failed = sum(cell.failure is not None for cell in bench.cells)
    parts = ", ".join(
        numbers.counted(len(list_), noun)
        for list_, noun in (
            (bench.datasets, "data set"),
            (bench.generators, "generator"),
            (bench.seeds, "seed"),
        )
    )
    return f"{parts}: {numbers.counted(len(bench.cells), 'cell')}" + (
        f", {numbers.count(failed)} of them failed" if failed else ""
    )


def findings(bench: Bench) -> list[str]:
    """What the ranks say, in sentences."""
    found = bench.ranking
    if found is None:
        return ["There are no scores to rank."]
    over = numbers.counted(len(found.datasets), "data set")
    empty = {dataset.name for dataset in bench.datasets if not dataset.scores}
    said = [
        f"Best mean rank over {over}: {called(found.methods[0])}, "
        f"{numbers.fixed(found.mean_ranks[0], 2)} among {len(found.methods)} methods."
    ]
    level = numbers.significant(bench.alpha * 100)
    if found.friedman is not None:
        differ = found.friedman <= bench.alpha
        said.append(
            f"Friedman test: p {_relation(found.friedman)}, so the methods "
            + ("differ." if differ else f"are not shown to differ at the {level} % level.")
        )
    if found.critical_difference is None:
        said.append("A single data set ranks methods, but nothing can be tested on it.")
    else:
        said.append(
            f"Critical difference of mean ranks: {numbers.fixed(found.critical_difference, 2)} "
            f"(Nemenyi test, {level} %)."
        )
        said += [f"Not told apart: {_listed(group)}." for group in found.groups]
    said += [
        f"{dataset} is not in the ranks: "
        + ("it has no result." if dataset in empty else f"it lacks {_listed(lacking)}.")
        for dataset, lacking in bench.left_out.items()
    ]
    if bench.unranked:
        said.append(
            f"Not in the ranks, since no data set has a score of all methods: "
            f"{_listed(bench.unranked)}."
        )
    return [numbers.unbroken(sentence) for sentence in said]


def _listed(methods: list[str]) -> str:
    return ", ".join(map(called, methods))


# ---- the page ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScoreCell:
    score: str
    difference: str
    best: bool


@dataclass(frozen=True)
class DataRow:
    name: str
    note: str
    cells: list[ScoreCell | None]


@dataclass(frozen=True)
class RunRow:
    dataset: str
    generator: str
    seed: str
    decision: str
    effect: str
    seconds: str
    link: str | None


@dataclass(frozen=True)
class BenchView:
    headline: str
    size: str
    findings: list[str]
    failures: list[str]
    methods: list[str]
    labels: list[str]
    ranks: list[str]
    diagram: Diagram | None
    critical_difference: str
    rows: list[DataRow]
    matrix: list[tuple[str, list[str]]]
    tests: list[tuple[str, str, str, str, str]]
    left_tests: int
    minimum: str
    decisions: list[str]
    verdicts: list[tuple[str, list[str]]]
    runs: list[RunRow]
    settings: str
    versions: list[tuple[str, str]]


def build(bench: Bench) -> BenchView:
    methods = ranked(bench)
    tests = sorted(bench.pairs, key=lambda p: (p.adjusted, p.p_value))
    counts = verdicts(bench)
    said = findings(bench)
    found = bench.ranking
    reach = found.critical_difference if found is not None else None
    return BenchView(
        headline=said[0],
        size=size(bench),
        findings=said[1:],
        failures=failures(bench),
        methods=[called(m) for m in methods],
        labels=[] if found is None else [called(m) for m in found.methods],
        ranks=[mean_rank(bench, m) for m in methods],
        diagram=_diagram(found),
        critical_difference="" if reach is None else numbers.fixed(reach, 2),
        rows=[_row(bench, dataset, methods) for dataset in bench.datasets],
        matrix=[
            (
                called(one),
                ["" if one == two else record(bench, one, two) or "–" for two in methods],
            )
            for one in methods
        ],
        tests=[
            (
                called(p.first),
                called(p.second),
                f"{p.wins} / {p.ties} / {p.losses}",
                p_value(p.p_value),
                p_value(p.adjusted),
            )
            for p in tests[:LISTED]
        ],
        left_tests=max(0, len(tests) - LISTED),
        minimum=_minimum(bench),
        decisions=list(counts[0][1]) if counts else [],
        verdicts=[(name(g), [numbers.count(n) for n in of.values()]) for g, of in counts],
        runs=[_run(bench, cell) for cell in bench.cells],
        settings=yaml.safe_dump(bench.settings, sort_keys=False, allow_unicode=True),
        versions=sorted(bench.versions.items()),
    )


def p_value(p: float) -> str:
    return "<\N{NO-BREAK SPACE}0.001" if p < 0.001 else numbers.fixed(p, 3)


def _relation(p: float) -> str:
    return p_value(p) if p < 0.001 else f"= {p_value(p)}"


def _diagram(found: Ranking | None) -> Diagram | None:
    if found is None or len(found.methods) < 2:
        return None
    places = {method: i for i, method in enumerate(found.methods)}
    groups = [(places[group[0]], places[group[-1]]) for group in found.groups]
    return diagram(found.mean_ranks, groups, found.critical_difference)


def _row(bench: Bench, dataset: DataSet, methods: list[str]) -> DataRow:
    shown, top = effects(bench, dataset), best(bench, dataset)
    nothing = dataset.scores.get(NOTHING)
    cells: list[ScoreCell | None] = []
    for method in methods:
        score = dataset.scores.get(method)
        if score is None:
            cells.append(None)
            continue
        apart = "" if nothing is None or method == NOTHING else shown.signed(score - nothing)
        cells.append(ScoreCell(shown.level(score), apart, method in top))
    metric = name(dataset.metric) if dataset.metric else "no result"
    return DataRow(dataset.name, metric + (f", {shown.unit}" if shown.unit else ""), cells)


def _run(bench: Bench, cell: Cell) -> RunRow:
    dataset = next(d for d in bench.datasets if d.name == cell.dataset)
    shown = effects(bench, dataset)
    own = [m for m in cell.measured if m.method == cell.generator]
    effect = ""
    for one in own:
        if one.low is not None and one.high is not None:
            interval = shown.interval(Interval(low=one.low, high=one.high))
            effect = f"{shown.signed(one.difference)} ({interval})"
    return RunRow(
        dataset=cell.dataset,
        generator=name(cell.generator),
        seed=str(cell.seed),
        decision="Failed" if cell.decision is None else DECISIONS[cell.decision],
        effect=effect,
        seconds="" if cell.seconds is None else numbers.significant(cell.seconds),
        link=None if cell.failure is not None else quote(f"{cell.run}/report.html"),
    )


def _minimum(bench: Bench) -> str:
    """The smallest difference that is no tie, where all data sets have the same."""
    found: Mapping[str, None] = dict.fromkeys(
        effects(bench, d).amount(d.minimum_effect) for d in bench.datasets if d.metric
    )
    return next(iter(found)) if len(found) == 1 else "the data set's minimum effect"
