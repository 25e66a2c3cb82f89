"""The last two stages: score what was drawn against the sealed rows, and render the report."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.sealed import sealed_differences
from synthgen.benchmark.threads import single_thread
from synthgen.benchmark.utility import sealed_utility
from synthgen.config import Config
from synthgen.data.assemble import join
from synthgen.data.infer import explain
from synthgen.data.table import Table
from synthgen.errors import ConfigError
from synthgen.generators.description import read_privacy
from synthgen.metrics import TABULAR
from synthgen.metrics.base import Trio
from synthgen.metrics.marginals import marginals
from synthgen.metrics.pair_trends import pair_trends
from synthgen.metrics.score import score
from synthgen.pipeline import stages
from synthgen.pipeline.events import Event, Notify, unheard
from synthgen.pipeline.recipes import chosen_recipe, draw_recipe
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.trainlog import read as read_log
from synthgen.report import card, load, render
from synthgen.report.choice import sentence
from synthgen.results import Choice, ColumnNote, Curve, Provenance, Recipe, Report
from synthgen.runs import CONFIG, Run, dump, sha256
from synthgen.training.context import Context

EVALUATED = 100_000
"""Synthetic rows at most for fidelity and privacy scores, whose cost grows with the rows."""
SEEDS: dict[str, int] = {"quick": 3, "standard": 5, "thorough": 10}
"""Seeds of the generator that scores on a given test file rest on, by budget."""
CURVE_POINTS = 400
"""Points of a training curve in the report; more than a screen shows."""
HASHED = ("split/train.parquet", "split/test.parquet", "verdict.json", "synthetic.parquet")
PACKAGES = ("synthgen", "torch", "numpy", "pandas", "scikit-learn", "imbalanced-learn")


def evaluate(run: Run, notify: Notify) -> None:
    """Write ``report.json``: everything that the report shows."""

    def work(folder: Path) -> None:
        config = stages.settings(run)
        train, test = stages.training_rows(run), stages.sealed_rows(run)
        record = json.loads((run / "sample.json").read_text("utf-8"))
        drawn = stages.synthetic_rows(run)
        # Fidelity is about rows as the model gives them, unconditionally; privacy about all.
        free = drawn.take(np.arange(min(record["unconditional"], len(train), EVALUATED)))
        chosen = drawn.take(np.arange(*record["chosen"]))
        trio = Trio(train, test, free, derive(config.seed, "evaluate"))
        with single_thread():
            resemblance, notices = score([m for m in TABULAR if m.pillar == "fidelity"], trio)
            everything = Trio(
                train, test, drawn.take(np.arange(min(len(drawn), EVALUATED))), trio.seed
            )
            privacy, more = score([m for m in TABULAR if m.pillar == "privacy"], everything)
        notify(Event("evaluate", 1, 2))
        answer = stages.verdict(run)
        if len(chosen) == 0:
            more.append(
                "The augmented set holds no synthetic rows; the utility scores on the sealed rows "
                f"show what adding {len(free)} would have done"
            )
        elif config.sample.ratio != "auto" and answer.decision != "augment":
            more.append(
                f"The augmented set holds {len(chosen)} synthetic rows because the ratio was "
                "given; the verdict does not ask for them"
            )
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
        board = stages.comparison(run)
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
        choice = _choice(run, board)
        report = Report(
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
            curves=_curves(run / "train.jsonl"),
            columns=_columns(train),
            notices=[
                *json.loads((run / "notices.json").read_text("utf-8")),
                *([sentence(choice)] if choice is not None else []),
                *record["notices"],
                *notices,
                *more,
            ],
            privacy=read_privacy(run / "model"),
            provenance=_provenance(run, config, train, test, record, choice),
        )
        (folder / "report.json").write_text(dump(report.model_dump(mode="json")), "utf-8")
        notify(Event("evaluate", 2, 2))

    run.stage("evaluate", work)


def _further(run: Run, config: Config, train: Table, recipe: Recipe) -> Iterator[Table]:
    """The rows of generators that are trained with further seeds: with a test file of the user's
    own there are no resamples behind the scores on it, so seeds have to show how they vary."""
    if config.data.test is None:
        return
    for number in range(1, SEEDS[config.budget]):
        context = Context(
            seed=derive(config.seed, f"fit {number}"),
            device=stages.device(config),
            checkpoints=run.scratch(f"sealed/{number}"),
        )
        sampler = config.generator.fit(train, context)
        own = config.model_copy(update={"seed": derive(config.seed, f"seed {number}")})
        with stages.shortfalls([]):
            drawn, more = draw_recipe(sampler, train, recipe, own)
        parts = more or [drawn]
        rows = join([part.rows for part in parts], derive(own.seed, "keys"))
        if not more:
            share = recipe.ratio if isinstance(recipe.ratio, float) else 1.0
            rows = rows.take(np.arange(min(len(rows), round(share * len(train)))))
        yield rows


def draw_up(run: Run, notify: Notify) -> None:
    """Write ``report.html`` and ``card.md`` from ``report.json`` alone."""

    def work(folder: Path) -> None:
        report = load(run / "report.json")
        (folder / "report.html").write_text(render(report), "utf-8")
        (folder / "card.md").write_text(card(report), "utf-8")
        notify(Event("render", 1, 1))

    run.stage("render", work)


def finished(path: Path) -> Run:
    """The finished run there. Raises ConfigError for an unfinished one and for what is no run."""
    run = Run.open(path)
    if not run.finished:
        raise ConfigError(f"{path} is not finished", f"go on with: synthgen resume {path}")
    return run


def redraw(run: Run) -> None:
    """Render again with the templates of this version."""
    run.undo("render")
    draw_up(run, unheard)
    finish(run)


def finish(run: Run) -> None:
    """Write the manifest, the run's last file."""
    config = stages.settings(run)
    facts = {
        "versions": versions(),
        "seed": config.seed,
        "device": stages.device(config),
        "machine": {"processor": platform.machine(), "system": platform.system()},
    }
    run.finish(facts)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found}


def _columns(train: Table) -> list[ColumnNote]:
    notes = explain(train.schema)
    return [
        ColumnNote(name=c.name, kind=c.kind, dtype=c.dtype, note=notes[c.name])
        for c in train.schema.columns
    ]


def _curves(path: Path) -> list[Curve]:
    """One curve per logged quantity, thinned evenly."""
    records = read_log(path)
    found = dict.fromkeys(name for record in records for name in record)
    names = [name for name in found if name not in ("step", "steps", "epoch")]
    curves = []
    for name in names:
        points = [(int(r["step"]), float(r[name])) for r in records if r.get(name) is not None]
        if not points:
            continue
        kept = np.unique(np.linspace(0, len(points) - 1, CURVE_POINTS).round().astype(int))
        curves.append(
            Curve(
                name=name,
                steps=[points[i][0] for i in kept],
                values=[points[i][1] for i in kept],
            )
        )
    return curves


def _choice(run: Run, board: Comparison) -> Choice | None:
    """What was chosen for the final model, and how often what in the resamples."""
    found = stages.choice(run)
    if found is None:
        return None
    inside = Counter(r.choice.chosen for r in board.results if r.choice is not None)
    return found.model_copy(update={"resamples": dict(inside.most_common())})


def _provenance(
    run: Run,
    config: Config,
    train: Table,
    test: Table,
    record: dict[str, Any],
    choice: Choice | None,
) -> Provenance:
    return Provenance(
        source=config.data.source or "a table in memory",
        source_sha256=stages.origin(run).sha256,
        rows={
            "train": len(train),
            "test": len(test),
            "synthetic": record["drawn"],
            "augmented": len(train) + record["chosen"][1] - record["chosen"][0],
        },
        target=config.data.target,
        generator=config.generator.name,
        choice=choice,
        seed=config.seed,
        budget=config.budget,
        device=stages.device(config),
        versions=versions(),
        config=config.model_dump(mode="json"),
        command=f"synthgen augment --config THIS_RUN/{CONFIG} --out NEW_FOLDER",
        hashes={name: sha256(run / name) for name in HASHED},
    )
