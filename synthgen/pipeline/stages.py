"""The stages: each reads what the ones before it committed, and commits its own files.

    split → decide → fit → sample → evaluate → render

They are plain functions of a run; the command line, the flows and the notebook call the same ones.
Here are ``fit`` and ``sample``, and all that others need of the stages under one name; ``evaluate``
and ``render`` are in :mod:`synthgen.pipeline.assess`. What differs between tables and images is in
:mod:`synthgen.pipeline.kinds`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from synthgen import devices
from synthgen.benchmark.threads import single_thread
from synthgen.config import Config
from synthgen.generators.base import Chosen
from synthgen.pipeline import models
from synthgen.pipeline.contents import PROGRESS, choice, move, settings, settle, verdict
from synthgen.pipeline.deciding import comparison, decide, engine, pending, run_job
from synthgen.pipeline.events import Event, Notify, spoken
from synthgen.pipeline.kinds import kind_in
from synthgen.pipeline.machine import check_packages, device
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.shortfall import shortfalls
from synthgen.pipeline.splitting import check_same, check_split, split
from synthgen.pipeline.trainlog import TrainLog
from synthgen.report.choice import sentence
from synthgen.runs import Run, dump
from synthgen.training.context import Context

__all__ = [
    "check_packages",
    "check_same",
    "check_split",
    "choice",
    "comparison",
    "decide",
    "device",
    "engine",
    "fit",
    "move",
    "pending",
    "run_job",
    "sample",
    "settings",
    "settle",
    "shortfalls",
    "split",
    "verdict",
]


def fit(run: Run, notify: Notify) -> bool:
    """Train the generator on all training data. Returns whether that was still to be done."""

    def work(folder: Path) -> None:
        config, kind = settings(run), kind_in(run)
        scratch = run.scratch("fit")
        log = TrainLog(scratch / "train.jsonl", notify)
        context = Context(
            seed=derive(config.seed, "fit"),
            device=device(config),
            log=log,
            checkpoints=scratch / "checkpoints",
            progress=scratch / "progress",
        )
        # More threads gain little on networks of this size, and on a busy machine they wait for
        # each other at every operation (docs/log.md has the figure).
        with devices.held(context.device, run.path, "fit", spoken("fit", notify)), single_thread():
            sampler = config.generator.fit(kind.training(run), context)
        models.save(models.Model(config.generator, sampler, kind.form(run)), folder / "model")
        log.commit(folder / "train.jsonl")
        if (scratch / "progress").is_dir():
            shutil.copytree(scratch / "progress", folder / PROGRESS)
        if isinstance(sampler, Chosen):
            notify(Event("fit", notice=sentence(sampler.choice)))

    return run.stage("fit", work)


def sample(run: Run, notify: Notify, *, trust_pickle: bool = False) -> None:
    """Draw as much as there is training data, and what the augmented set takes.

    ``trust_pickle`` allows to load a model in SDV's own format, which can run code.
    """

    def work(folder: Path) -> None:
        sampler = models.load(run.path, **_opt_in(settings(run), trust_pickle)).sampler
        short: list[str] = []
        with shortfalls(short), single_thread():
            record = kind_in(run).deliver(run, sampler, verdict(run), folder)
        record["notices"] = [*short, *record["notices"]]
        (folder / "sample.json").write_text(dump(record), "utf-8")
        for notice in record["notices"]:
            notify(Event("sample", notice=notice))
        notify(Event("sample", record["drawn"], record["drawn"]))

    run.stage("sample", work)


def _opt_in(config: Config, trust_pickle: bool) -> dict[str, Any]:
    wanted = trust_pickle and "trust_pickle" in type(config.generator).model_fields
    return {"trust_pickle": True} if wanted else {}
