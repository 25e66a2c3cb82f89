"""``synthgen bench``: data sets x generators x seeds, each an ordinary run, into one table.

The run directories are the state: a finished one is not repeated, an unfinished one goes on, and
what failed is tried again on the next start.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from synthgen import config as configuration
from synthgen.benchmark import learners, ranking
from synthgen.benchmark.ranking import ScoreTable
from synthgen.benchmark.scoring import SCORERS
from synthgen.config import Config
from synthgen.errors import ConfigError, GateError, SynthgenError
from synthgen.pipeline import bench_file, bench_running, gates, stages
from synthgen.pipeline.bench_file import BenchFile, Cell
from synthgen.pipeline.events import Notify, unheard
from synthgen.pipeline.facts import versions
from synthgen.report import bench as results
from synthgen.report import bench_text, load
from synthgen.report.bench import NOTHING, Bench, DataSet, Failure, Measured
from synthgen.results import Report
from synthgen.runs import Run, dump, write_atomic

COLUMNS = (
    "dataset",
    "generator",
    "seed",
    "method",
    "metric",
    "score",
    "difference",
    "low",
    "high",
    "decision",
    "seconds",
)
"""Of ``bench.csv``: one line per method of a cell, and one without a method per failed cell."""


def bench(
    file: BenchFile,
    out: Path,
    *,
    title: str = "bench",
    force: bool = False,
    notify: Notify = unheard,
) -> Bench:
    """Run every cell below ``out`` that has no result yet, and write ``bench.json``,
    ``bench.csv``, ``bench.md`` and ``bench.html`` there.

    With the runner dask or ray each cell is one job of the cluster, and several are under way.

    A cell that ends in a SynthgenError is part of the result, with its cause. Raises ConfigError
    before any work if the file is wrong, or if a run in the way has another configuration (with
    ``force`` it is replaced), and MachineError if a device or package is missing or the cluster is
    out of reach.
    """
    todo = bench_file.cells(file, out)
    for cell in todo:
        gates.check_names(cell.config)
        stages.device(cell.config)
        stages.check_packages(cell.config)
        _check_learners(cell.config)
    for cell in todo:
        objection = bench_running.objection(cell)
        if objection is not None and not (force and Run(cell.folder).begun):
            raise objection
    found = bench_running.run(todo, out, force, notify)
    result = conclude(file, todo, found, title)
    write(result, out)
    return result


def _check_learners(config: Config) -> None:
    """Raise for a learner that fits no task: which one it is, only the data tell."""
    for learner in config.decide.learners:
        try:
            learners.check(learner, "classification")
        except ConfigError:
            learners.check(learner, "regression")


# ---- what was found out -----------------------------------------------------------------------


def conclude(
    file: BenchFile, cells: Sequence[Cell], ends: Sequence[SynthgenError | None], title: str
) -> Bench:
    """The result of all cells, each with the error that it ended in, if any."""
    order = {name: i for i, name in enumerate(file.datasets)}
    both = sorted(zip(cells, ends, strict=True), key=lambda pair: order[pair[0].dataset])
    records = [_record(cell, end) for cell, end in both]
    methods = _methods(records, [entry["label"] for entry in file.generators])
    useful = {cell.dataset: cell.config.decide.minimum_effect for cell in cells}
    datasets = _datasets(file, records, methods, useful)
    table = ScoreTable(
        tuple(d.name for d in datasets),
        tuple(methods),
        np.array([[_oriented(d, m) for m in methods] for d in datasets]).reshape(
            len(datasets), len(methods)
        ),
    )
    ranked, unranked = _rankable(table)
    found = ranking.rank(ranked) if len(ranked.methods) > 1 else None
    measured = np.isfinite(ranked.scores)
    return Bench(
        title=title,
        generators=[entry["label"] for entry in file.generators],
        seeds=list(file.seeds),
        methods=methods,
        cells=records,
        datasets=datasets,
        ranking=None
        if found is None
        else results.Ranking(
            methods=list(found.methods),
            mean_ranks=list(found.mean_ranks),
            datasets=list(found.datasets),
            friedman=found.friedman,
            critical_difference=found.critical_difference,
            groups=[list(group) for group in found.groups],
        ),
        left_out={
            name: [m for m, there in zip(ranked.methods, row, strict=True) if not there]
            for name, row in zip(ranked.datasets, measured, strict=True)
            if not row.all()
        },
        unranked=unranked,
        pairs=[
            results.Pair(**asdict(pair))
            for pair in ranking.pairs(table, [d.minimum_effect for d in datasets])
        ],
        alpha=ranking.ALPHA,
        settings=_asked(file),
        versions=versions(),
    )


def _asked(file: BenchFile) -> dict[str, Any]:
    """What the file says, but for where the work is done."""
    asked = file.model_dump(mode="json", exclude_unset=True)
    for part in (asked, *asked["datasets"].values()):
        for name in set(configuration.PLACE) & set(part.get("settings", ())):
            del part["settings"][name]
    return asked


def _record(cell: Cell, end: SynthgenError | None) -> results.Cell:
    known = {
        "dataset": cell.dataset,
        "generator": cell.generator,
        "seed": cell.seed,
        "run": cell.name,
    }
    if end is not None and not isinstance(end, GateError):
        failure = Failure(cause=end.cause, remedy=end.remedy, exit_code=end.exit_code)
        return results.Cell.model_validate({**known, "failure": failure})
    run = Run(cell.folder)
    report = load(run / "report.json")
    return results.Cell.model_validate(
        {
            **known,
            "gate": None if end is None else end.cause,
            "metric": report.verdict.metric,
            "decision": report.verdict.decision,
            "sentence": report.verdict.sentence,
            "seconds": round(sum(run.seconds().values()), 3),
            "measured": _measured(report, cell),
        }
    )


def _measured(report: Report, cell: Cell) -> list[Measured]:
    """Doing nothing and every arm, by the learner that was best inside.

    An arm that lacks some resamples (it failed, or was dropped as a loser) has the baseline of
    those alone; its difference is a paired one, so it is put on the baseline of all of them.
    """
    primary = [
        d
        for d in report.differences
        if (d.learner, d.metric, d.part) == ("best", report.verdict.metric, None)
        and np.isfinite([d.baseline, d.mean, d.interval.low, d.interval.high]).all()
    ]
    if not primary:
        return []
    baseline = max(primary, key=lambda d: d.resamples).baseline
    nothing = Measured(method=NOTHING, score=baseline, difference=0.0, low=None, high=None)
    return [
        nothing,
        *(
            Measured(
                method=_method(d.arm, cell),
                score=baseline + d.mean,
                difference=d.mean,
                low=d.interval.low,
                high=d.interval.high,
            )
            for d in primary
        ),
    ]


def _method(arm: str, cell: Cell) -> str:
    """The generator's arms are called by its label; the others are those of every generator."""
    own = cell.config.generator.name
    if arm == own or arm.startswith(f"{own}-"):
        return cell.generator + arm.removeprefix(own)
    return arm


def _methods(records: Sequence[results.Cell], generators: Sequence[str]) -> list[str]:
    """Doing nothing, the arms without a generator, then each generator's."""
    found = dict.fromkeys(one.method for record in records for one in record.measured)
    owner = {
        one.method: generators.index(record.generator)
        for record in records
        for one in record.measured
        if one.method == record.generator or one.method.startswith(f"{record.generator}-")
    }
    return sorted(found, key=lambda method: (method != NOTHING, owner.get(method, -1)))


def _datasets(
    file: BenchFile,
    records: Sequence[results.Cell],
    methods: Sequence[str],
    useful: Mapping[str, float],
) -> list[DataSet]:
    """Scores over the seeds; arms without a generator, which every generator's cell measures
    alike, are averaged over those first."""
    seen: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    baselines: dict[tuple[str, int], list[float]] = defaultdict(list)
    metrics = {r.dataset: r.metric for r in records if r.metric is not None}
    for record in records:
        for one in record.measured:
            seen[record.dataset, record.seed, one.method].append(one.difference)
            if one.method == NOTHING:
                baselines[record.dataset, record.seed].append(one.score)
    scores = np.full((len(file.datasets), len(file.seeds), len(methods)), np.nan)
    for i, name in enumerate(file.datasets):
        for s, seed in enumerate(file.seeds):
            for m, method in enumerate(methods):
                if seen[name, seed, method]:
                    gain = float(np.mean(seen[name, seed, method]))
                    scores[i, s, m] = float(np.mean(baselines[name, seed])) + gain
    means = ranking.over_seeds(scores, 0) if methods else scores[:, 0]
    return [
        DataSet(
            name=name,
            source=entry.source,
            target=entry.target,
            metric=metrics.get(name),
            minimum_effect=useful[name],
            scores={m: float(v) for m, v in zip(methods, row, strict=True) if np.isfinite(v)},
        )
        for (name, entry), row in zip(file.datasets.items(), means, strict=True)
    ]


def _oriented(dataset: DataSet, method: str) -> float:
    """Higher is better."""
    score = dataset.scores.get(method, float("nan"))
    lower = dataset.metric is not None and SCORERS[dataset.metric].goal == "min"
    return -score if lower else score


def _rankable(table: ScoreTable) -> tuple[ScoreTable, list[str]]:
    """The table for the ranks, and methods that are left out of it.

    Where no data set has a score of every method (arms for classes have none on a numeric target),
    the methods that every measured data set has are ranked.
    """
    there = np.isfinite(table.scores)
    if table.complete().any() or not there.any():
        return table, []
    shared = np.all(there[np.any(there, axis=1)], axis=0)
    kept = tuple(m for m, all_ in zip(table.methods, shared, strict=True) if all_)
    left = [m for m in table.methods if m not in kept]
    return ScoreTable(table.datasets, kept, table.scores[:, shared]), left


# ---- files ------------------------------------------------------------------------------------


def write(result: Bench, out: Path) -> None:
    """The bench's four files, each whole or not at all."""
    write_atomic(out / "bench.json", dump(result.model_dump(mode="json")))
    write_atomic(out / "bench.csv", to_csv(result))
    write_atomic(out / "bench.md", bench_text.to_markdown(result))
    write_atomic(out / "bench.html", results.render(result))


def to_csv(result: Bench) -> str:
    """Tidy: see :data:`COLUMNS`. Doing nothing has no interval."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cell in result.cells:
        head = (cell.dataset, cell.generator, cell.seed)
        if cell.failure is not None:
            writer.writerow((*head, "", "", "", "", "", "", "failed", ""))
        for one in cell.measured:
            numbers = (one.score, one.difference, one.low, one.high)
            writer.writerow((*head, one.method, cell.metric, *numbers, cell.decision, cell.seconds))
    return text.getvalue()
