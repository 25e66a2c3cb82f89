"""What a run on a table would cost, measured on a small part of it on this machine."""

from __future__ import annotations

import time

import numpy as np

from synthgen import config as configuration
from synthgen.benchmark import jobs, schedule
from synthgen.benchmark.arms import ROWS, Arm, Source
from synthgen.benchmark.records import Job
from synthgen.benchmark.subgroups import cuts
from synthgen.benchmark.threads import single_thread
from synthgen.config import TableConfig
from synthgen.data.checks import task_of
from synthgen.data.infer import explain, infer
from synthgen.data.read import read
from synthgen.data.table import Table
from synthgen.generators.auto import LEARNED, Auto
from synthgen.generators.base import Generator
from synthgen.metrics.two_sample import placements
from synthgen.pipeline.estimate import PROCESS_BYTES, Forecast
from synthgen.pipeline.machine import check_learners, device, workers
from synthgen.pipeline.tables.contents import overrides, reading
from synthgen.pipeline.tables.measuring import sources
from synthgen.pipeline.tables.splitting import parts
from synthgen.training.context import Context

PROBE_ROWS = 1_000


def forecast(config: TableConfig) -> Forecast:
    """Read the data, infer the schema, and time one small fit and one small job."""
    loaded = read(config.data.source, reading(config))
    kinds = overrides(config)
    task = task_of(loaded.frame, config.data.target, kinds)
    frame, held, notices = parts(loaded, config, task)
    schema = infer(frame, target=config.data.target, overrides=kinds, task=task)
    train = Table(frame, schema)
    cuts(train, config.data.subgroups)
    resolved = configuration.resolve(config, len(train), task)
    check_learners(resolved, task)
    todo = schedule.due(
        resolved.decide.model_copy(update={"drop_losers": False}),
        sources(resolved, task),
        0,
        [],
    )
    used = min(len(train), resolved.decide.max_rows or len(train))
    with single_thread():
        fit_seconds = _fit_seconds(resolved, train)
    learn_seconds = _learn_seconds(resolved, train) * used / min(used, PROBE_ROWS)
    decide = resolved.decide
    refined = (len(decide.filters) + len(decide.weights)) * (
        len(decide.ratios) if decide.every_ratio else 1
    )
    # Trainings of every learner: inner ones at each recipe and one for the mixture, of about half
    # the cost of the four outer ones; synthetic rows make them half as long again. The cheap arms
    # train once inside and once outside.
    generator = 1.5 * ((len(decide.ratios) + refined + 1) / 2 + 4)
    cheap = 1.5 * (len(decide.arms) - 1)
    per_resample = learn_seconds * (generator + cheap) + fit_seconds
    count = workers(resolved)
    serial = fit_seconds + 3 * learn_seconds
    table_bytes = float(frame.memory_usage(deep=True).sum())
    return Forecast(
        columns=[(c.name, c.kind, explain(schema)[c.name]) for c in schema.columns],
        train_rows=len(frame),
        test_rows=len(held),
        jobs=len(todo),
        workers=count,
        seconds=resolved.decide.resamples * per_resample / count + serial,
        memory=(count + 1) * (PROCESS_BYTES + 6 * table_bytes),
        notices=[*loaded.notices, *notices],
    )


def _probe(train: Table) -> Table:
    if len(train) <= PROBE_ROWS:
        return train
    return train.take(np.random.default_rng(0).permutation(len(train))[:PROBE_ROWS])


def _fit_seconds(config: TableConfig, train: Table) -> float:
    """A short fit, scaled to the optimiser steps of the whole one."""
    context = Context(seed=0, device=device(config))
    if isinstance(config.generator, Auto):
        # Each is fitted once and judged, and the chosen one fitted again: the longest at worst.
        each = [_trained_seconds(one, train, context) for one in config.generator.candidates]
        judging = len(each) * _judging_seconds(config.generator, train)
        return sum(each) + max(each) + judging
    return _trained_seconds(config.generator, train, context)


def _judging_seconds(generator: Auto, train: Table) -> float:
    """Telling one candidate's rows from real ones."""
    if generator.judging(len(train)) == 0:
        return 0.0
    probe = _probe(train)
    half = len(probe) // 2
    sides = probe.take(np.arange(half)), probe.take(np.arange(half, 2 * half))
    started = time.perf_counter()
    placements(*sides, *sides)
    each = (time.perf_counter() - started) / half
    return generator.draws * each * min(len(train), LEARNED)


def _trained_seconds(generator: Generator, train: Table, context: Context) -> float:
    probe = _probe(train)
    if not {"epochs", "batch_size"} <= type(generator).model_fields.keys():
        started = time.perf_counter()
        generator.fit(probe, context)
        return (time.perf_counter() - started) * len(train) / len(probe)
    steps: int = max(1, len(train) // generator.batch_size) * generator.epochs  # type: ignore[attr-defined]
    timed = []
    for epochs in (1, 6):
        started = time.perf_counter()
        generator.model_copy(update={"epochs": epochs}).fit(probe, context)
        timed.append(time.perf_counter() - started)
    probe_steps = max(1, len(probe) // generator.batch_size)  # type: ignore[attr-defined]
    per_step: float = max(timed[1] - timed[0], 1e-4) / (5 * probe_steps)
    return timed[0] + per_step * steps


def _learn_seconds(config: TableConfig, train: Table) -> float:
    """One plain arm: every learner fitted on the inner and on the outer part."""
    decide = config.decide.model_copy(update={"max_rows": None, "curve": ()})
    plain = Source(name=ROWS, arms=(Arm(name="nothing", treatment="plain"),))
    job = Job(resample=0, source=plain, seed=0)
    started = time.perf_counter()
    jobs.run_job(job, _probe(train), decide, None)
    return time.perf_counter() - started
