"""The stages: each reads what the ones before it committed, and commits its own files.

    split → decide → fit → sample → evaluate → render

They are plain functions of a run; the command line, the flows and the notebook call the same ones.
Here are ``fit`` and ``sample``, and all that others need of the stages under one name; ``evaluate``
and ``render`` are in :mod:`synthgen.pipeline.assess`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthgen.benchmark.learners import rows_of
from synthgen.benchmark.threads import single_thread
from synthgen.benchmark.weighting import sample_weights
from synthgen.config import Config
from synthgen.data.assemble import join
from synthgen.errors import ShortfallWarning
from synthgen.generators.base import Chosen
from synthgen.pipeline import models
from synthgen.pipeline.contents import (
    augmented,
    choice,
    origin,
    overrides,
    reading,
    schema,
    sealed_rows,
    settings,
    synthetic_rows,
    training_rows,
    verdict,
)
from synthgen.pipeline.deciding import comparison, decide, pending, run_job, sources
from synthgen.pipeline.events import Event, Notify
from synthgen.pipeline.machine import check_learners, check_packages, device, workers
from synthgen.pipeline.recipes import chosen_recipe, draw_recipe
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.splitting import check_same, check_split, parts, split
from synthgen.pipeline.trainlog import TrainLog
from synthgen.report.choice import sentence
from synthgen.results import Recipe, Verdict
from synthgen.runs import Run, dump
from synthgen.training.context import Context

__all__ = [
    "augmented",
    "check_learners",
    "check_packages",
    "check_same",
    "check_split",
    "choice",
    "comparison",
    "decide",
    "device",
    "fit",
    "origin",
    "overrides",
    "parts",
    "pending",
    "reading",
    "run_job",
    "sample",
    "schema",
    "sealed_rows",
    "settings",
    "shortfalls",
    "sources",
    "split",
    "synthetic_rows",
    "training_rows",
    "verdict",
    "workers",
]

WEIGHTS = "weights.csv"
"""Sample weights of the augmented rows, in their order, where the recipe has any."""


def fit(run: Run, notify: Notify) -> bool:
    """Train the generator on all training rows. Returns whether that was still to be done."""

    def work(folder: Path) -> None:
        config = settings(run)
        scratch = run.scratch("fit")
        log = TrainLog(scratch / "train.jsonl", notify)
        context = Context(
            seed=derive(config.seed, "fit"),
            device=device(config),
            log=log,
            checkpoints=scratch / "checkpoints",
        )
        # More threads gain little on networks of this size, and on a busy machine they wait for
        # each other at every operation (docs/log.md has the figure).
        with single_thread():
            sampler = config.generator.fit(training_rows(run), context)
        models.save(models.Model(config.generator, sampler, origin(run)), folder / "model")
        log.commit(folder / "train.jsonl")
        if isinstance(sampler, Chosen):
            notify(Event("fit", notice=sentence(sampler.choice)))

    return run.stage("fit", work)


def sample(run: Run, notify: Notify, *, trust_pickle: bool = False) -> None:
    """Draw as many rows as there are training rows, and those that the augmented set takes.

    ``trust_pickle`` allows to load a model in SDV's own format, which can run code.
    """

    def work(folder: Path) -> None:
        config, train = settings(run), training_rows(run)
        recipe = chosen_recipe(config, verdict(run))
        sampler = models.load(run.path, **_opt_in(config, trust_pickle)).sampler
        notices: list[str] = []
        with shortfalls(notices), single_thread():
            drawn, more = draw_recipe(sampler, train, recipe, config)
        # Keys are made anew over the whole, so that none repeats.
        everything = join([part.rows for part in (drawn, *more)], derive(config.seed, "keys"))
        everything.save(folder / "synthetic.parquet")
        if more:
            chosen = (len(drawn.rows), len(everything))
        else:
            wanted = round(recipe.ratio * len(train)) if isinstance(recipe.ratio, float) else 0
            chosen = (0, min(len(drawn.rows), wanted))
        augmented = train.concat(everything.take(np.arange(*chosen)))
        form = origin(run)
        form.write(augmented.frame, folder / f"augmented{form.extension}")
        weighted = recipe if chosen[0] < chosen[1] else _instead(verdict(run))
        weights = sample_weights(rows_of(augmented), len(train), weighted)
        if weights is not None:
            pd.DataFrame({"sample_weight": weights}).to_csv(folder / WEIGHTS, index=False)
        notices += [notice for part in (drawn, *more) for notice in part.notices]
        record = {
            "drawn": len(everything),
            "unconditional": len(drawn.rows),
            "chosen": chosen,
            "notices": notices,
        }
        (folder / "sample.json").write_text(dump(record), "utf-8")
        for notice in notices:
            notify(Event("sample", notice=notice))
        notify(Event("sample", len(everything), len(everything)))

    run.stage("sample", work)


def _instead(answer: Verdict) -> Recipe:
    """What the verdict recommends for the training rows alone."""
    recipe = answer.recipe
    return recipe if recipe is not None and recipe.ratio is None else Recipe()


@contextmanager
def shortfalls(notices: list[str]) -> Iterator[None]:
    """Turn shortfall warnings into notices."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ShortfallWarning)
        yield
    for warning in caught:
        if issubclass(warning.category, ShortfallWarning):
            notices.append(str(warning.message))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


def _opt_in(config: Config, trust_pickle: bool) -> dict[str, Any]:
    wanted = trust_pickle and "trust_pickle" in type(config.generator).model_fields
    return {"trust_pickle": True} if wanted else {}
