"""The report of a run on a table: what was drawn against the sealed rows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.sealed import sealed_differences
from synthgen.benchmark.threads import single_thread
from synthgen.benchmark.utility import sealed_utility
from synthgen.config import TableConfig
from synthgen.data.assemble import join
from synthgen.data.infer import explain
from synthgen.data.table import Table
from synthgen.generators.description import read_privacy
from synthgen.metrics import TABULAR
from synthgen.metrics.base import Trio
from synthgen.metrics.marginals import marginals
from synthgen.metrics.pair_trends import pair_trends
from synthgen.metrics.score import score
from synthgen.pipeline.contents import verdict
from synthgen.pipeline.events import Event, Notify
from synthgen.pipeline.facts import chosen as chosen_of
from synthgen.pipeline.facts import curves, given_anyway, provenance
from synthgen.pipeline.further import further
from synthgen.pipeline.recipes import chosen_recipe
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.shortfall import shortfalls
from synthgen.pipeline.tables.contents import (
    origin,
    sealed_rows,
    settings,
    synthetic_rows,
    training_rows,
)
from synthgen.pipeline.tables.recipes import draw_recipe
from synthgen.report.choice import sentence
from synthgen.results import ColumnNote, Recipe, Report
from synthgen.runs import Run

EVALUATED = 100_000
"""Synthetic rows at most for fidelity and privacy scores, whose cost grows with the rows."""
HASHED = ("split/train.parquet", "split/test.parquet", "verdict.json", "synthetic.parquet")


def report(run: Run, board: Comparison, notify: Notify) -> Report:
    """Everything that the report shows; ``board`` is what ``decide`` measured."""
    config = settings(run)
    train, test = training_rows(run), sealed_rows(run)
    record = json.loads((run / "sample.json").read_text("utf-8"))
    drawn = synthetic_rows(run)
    # Fidelity is about rows as the model gives them, unconditionally; privacy about all.
    free = drawn.take(np.arange(min(record["unconditional"], len(train), EVALUATED)))
    chosen = drawn.take(np.arange(*record["chosen"]))
    trio = Trio(train, test, free, derive(config.seed, "evaluate"))
    with single_thread():
        resemblance, notices = score([m for m in TABULAR if m.pillar == "fidelity"], trio)
        everything = Trio(train, test, drawn.take(np.arange(min(len(drawn), EVALUATED))), trio.seed)
        privacy, more = score([m for m in TABULAR if m.pillar == "privacy"], everything)
    notify(Event("evaluate", 1, 2))
    answer = verdict(run)
    if len(chosen) == 0:
        more.append(
            "The augmented set holds no synthetic rows; the utility scores on the sealed rows "
            f"show what adding {len(free)} would have done"
        )
    told = given_anyway(config, len(chosen), answer.decision == "augment", "rows")
    if told is not None:
        more.append(told)
    recipe = chosen_recipe(config, answer) if len(chosen) else Recipe()
    utility = sealed_utility(
        train,
        chosen if len(chosen) else free,
        test,
        config.decide,
        recipe=recipe,
        synthetic=free,
        seed=derive(config.seed, "utility"),
        notice=more.append,
    )
    sealed = sealed_differences(
        train,
        [chosen if len(chosen) else free, *_further(run, config, train, recipe)],
        test,
        config.decide,
        arm=(answer.arm if len(chosen) and answer.arm else config.generator.name),
        learner=answer.learner or config.decide.learners[0],
        recipe=recipe,
        seed=derive(config.seed, "sealed"),
    )
    choice = chosen_of(run, board)
    return Report(
        title=config.data.source or "table",
        verdict=answer,
        differences=board.differences(),
        by_class=board.by_class(),
        by_subgroup=board.by_subgroup(),
        learning_curve=board.curve_points(),
        sealed=sealed,
        scores=[*utility, *resemblance, *privacy],
        marginals=marginals(trio),
        pair_trends=pair_trends(trio),
        curves=curves(run / "train.jsonl"),
        columns=_columns(train),
        notices=[
            *json.loads((run / "notices.json").read_text("utf-8")),
            *([sentence(choice)] if choice is not None else []),
            *record["notices"],
            *notices,
            *more,
        ],
        privacy=read_privacy(run / "model"),
        provenance=provenance(
            run,
            nameless="a table in memory",
            sha=origin(run).sha256,
            rows={
                "train": len(train),
                "test": len(test),
                "synthetic": record["drawn"],
                "augmented": len(train) + len(chosen),
            },
            hashed=HASHED,
            choice=choice,
        ),
    )


def _further(run: Run, config: TableConfig, train: Table, recipe: Recipe) -> Iterator[Table]:
    """What each of them gives."""
    for sampler, own in further(run, config, train):
        with shortfalls([]):
            drawn, more = draw_recipe(sampler, train, recipe, own)
        parts = more or [drawn]
        rows = join([part.rows for part in parts], derive(own.seed, "keys"))
        if not more:
            share = recipe.ratio if isinstance(recipe.ratio, float) else 1.0
            rows = rows.take(np.arange(min(len(rows), round(share * len(train)))))
        yield rows


def _columns(train: Table) -> list[ColumnNote]:
    notes = explain(train.schema)
    return [
        ColumnNote(name=c.name, kind=c.kind, dtype=c.dtype, note=notes[c.name])
        for c in train.schema.columns
    ]
