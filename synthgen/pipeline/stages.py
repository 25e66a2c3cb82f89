"""The stages: each reads what the ones before it committed, and commits its own files.

    split → decide → fit → sample → evaluate → render

They are plain functions of a run; the command line, the flows and the notebook call the same ones.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial, reduce
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from synthgen import config as configuration
from synthgen.benchmark import executor, jobs
from synthgen.benchmark.arms import ladder
from synthgen.benchmark.jobs import Job, JobResult
from synthgen.benchmark.threads import single_thread
from synthgen.benchmark.verdict import conclude
from synthgen.config import Config
from synthgen.data.checks import check_frame
from synthgen.data.infer import infer
from synthgen.data.options import ReadOptions
from synthgen.data.origin import Origin
from synthgen.data.overrides import ColumnOverride
from synthgen.data.parquet import write_parquet
from synthgen.data.read import Loaded, read
from synthgen.data.schema import Boolean, Categorical, Ordered, Schema
from synthgen.data.sdv_metadata import to_sdv
from synthgen.data.split import split_rows
from synthgen.data.table import Table
from synthgen.errors import ShortfallWarning
from synthgen.generators.base import Generator, Sampler
from synthgen.generators.resample import Resample
from synthgen.generators.smote import Smote
from synthgen.pipeline import models
from synthgen.pipeline.conform import conform
from synthgen.pipeline.draw import Drawn, balancing, draw
from synthgen.pipeline.events import Event, Notify
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.trainlog import TrainLog
from synthgen.results import Difference, Verdict
from synthgen.runs import Run, dump, write_atomic
from synthgen.training.context import Context

# ---- what a run holds -------------------------------------------------------------------------


def settings(run: Run) -> Config:
    """The resolved configuration."""
    return configuration.read(run / "config.yaml")


def schema(run: Run) -> Schema:
    """The schema, inferred from the training rows."""
    return Schema.model_validate_json((run / "schema.json").read_text("utf-8"))


def origin(run: Run) -> Origin:
    """How the source was written."""
    return Origin.model_validate_json((run / "origin.json").read_text("utf-8"))


def training_rows(run: Run) -> Table:
    """The rows that everything may be learned from."""
    return Table.load(run / "split" / "train.parquet", schema(run))


def sealed_rows(run: Run) -> Table:
    """The test rows. Only ``evaluate`` calls this: nothing is learned or chosen from them."""
    return Table.load(run / "split" / "test.parquet", schema(run))


def synthetic_rows(run: Run) -> Table:
    """All rows that were drawn."""
    return Table.load(run / "synthetic.parquet", schema(run))


def verdict(run: Run) -> Verdict:
    """The answer."""
    return Verdict.model_validate_json((run / "verdict.json").read_text("utf-8"))


def overrides(config: Config) -> dict[str, ColumnOverride]:
    """The user's column kinds; a group column is a key, unless the user says otherwise."""
    group = {config.data.group: ColumnOverride(kind="identifier")} if config.data.group else {}
    return {**group, **config.data.columns}


def reading(config: Config) -> ReadOptions:
    """How the source is read: words are meant where the user calls a column one of words."""
    worded = ("categorical", "ordered", "text", "identifier")
    named = [name for name, column in overrides(config).items() if column.kind in worded]
    options = config.data.read
    return options.model_copy(update={"text": tuple(dict.fromkeys((*options.text, *named)))})


# ---- split ------------------------------------------------------------------------------------


def split(run: Run, config: Config, loaded: Loaded, notify: Notify) -> None:
    """Seal the test rows; infer the schema from the rest; resolve the configuration."""

    def work(folder: Path) -> None:
        data = config.data
        check_frame(loaded.frame, data.target, overrides(config))
        if data.test is None:
            train_rows, test_rows = split_rows(
                loaded.frame,
                target=data.target,
                share=config.split.test_share,
                seed=derive(config.seed, "split"),
                group=data.group,
                time=data.time,
            )
            train = loaded.frame.iloc[train_rows].reset_index(drop=True)
            test = loaded.frame.iloc[test_rows].reset_index(drop=True)
        else:
            train, test = loaded.frame, _given_test(loaded.frame, config)
        inferred = infer(train, target=data.target, overrides=overrides(config))
        (folder / "split").mkdir()
        write_parquet(train, folder / "split" / "train.parquet")
        write_parquet(test, folder / "split" / "test.parquet")
        notices = [*loaded.notices, *_left_out(inferred)]
        (folder / "notices.json").write_text(dump(notices), "utf-8")
        (folder / "schema.json").write_text(dump(inferred.model_dump(mode="json")), "utf-8")
        (folder / "sdv-metadata.json").write_text(dump(to_sdv(inferred)), "utf-8")
        (folder / "origin.json").write_text(dump(loaded.origin.model_dump(mode="json")), "utf-8")
        configuration.save(configuration.resolve(config, len(train)), folder / "config.yaml")
        for notice in notices:
            notify(Event("split", notice=notice))
        notify(Event("split", len(loaded.frame), len(loaded.frame)))

    run.stage("split", work)


def _left_out(inferred: Schema) -> list[str]:
    """Columns that no generator and no classifier sees, in one sentence per kind."""
    texts = {
        "identifier": "kept out of training and made afresh in synthetic rows (keys)",
        "text": "kept out of training and left empty in synthetic rows (free text)",
    }
    found = {kind: [c.name for c in inferred.columns if c.kind == kind] for kind in texts}
    return [f"{', '.join(names)}: {texts[kind]}" for kind, names in found.items() if names]


def _given_test(like: pd.DataFrame, config: Config) -> pd.DataFrame:
    """The test file's rows, in the training file's columns and dtypes."""
    assert config.data.test is not None
    test = read(config.data.test, reading(config)).frame
    check_frame(test, config.data.target, overrides(config))
    return conform(test, like, config.data.test)


# ---- decide -----------------------------------------------------------------------------------


def plan(run: Run) -> list[Job]:
    """The jobs of ``decide``: plain data, in the order in which they are best run."""
    return jobs_of(settings(run))


def jobs_of(config: Config) -> list[Job]:
    """The jobs that a resolved configuration asks for."""
    arms = ladder(config.decide, (config.generator.name,))
    return jobs.plan(config.decide, arms, derive(config.seed, "decide"))


def pending(run: Run) -> list[Job]:
    """The jobs that have no result yet."""
    if run.done("decide"):
        return []
    return [job for job in plan(run) if not result_file(run.path, job).is_file()]


def result_file(path: Path, job: Job) -> Path:
    """Where a job's result stands until the stage commits."""
    return Run(path).scratch("decide") / f"{job.name}.json"


def run_job(path: Path, job: Job) -> None:
    """Do one job of the run at ``path``, unless its result is there already."""
    target = result_file(path, job)
    if target.is_file():
        return
    run = Run(path)
    config = settings(run)
    result = jobs.run_job(
        job,
        training_rows(run),
        config.decide,
        _arm_generator(config, job),
        group=config.data.group,
        time=config.data.time,
        overrides=overrides(config),
        checkpoints=run.scratch(f"checkpoints/{job.name}"),
        device=device(config),
    )
    write_atomic(target, dump(result.model_dump(mode="json")))


def _arm_generator(config: Config, job: Job) -> Generator | None:
    """Oversampling and SMOTE are generators too; the plain arms have none."""
    if job.kind != "synthetic":
        return None
    if job.arm == config.generator.name:
        return config.generator
    return {"oversample": Resample(), "smote": Smote()}[job.arm]


def decide(run: Run, notify: Notify) -> None:
    """Do the jobs that have no result yet, then conclude."""

    def work(folder: Path) -> None:
        todo, rest = plan(run), pending(run)
        done = len(todo) - len(rest)
        notify(Event("decide", done, len(todo)))
        work_on = partial(run_job, run.path)
        with closing(executor.run_all(rest, work_on, workers(settings(run)))) as finished:
            for _ in finished:
                done += 1
                notify(Event("decide", done, len(todo)))
        (folder / "decide").mkdir()
        for job in todo:
            content = result_file(run.path, job).read_bytes()
            (folder / "decide" / f"{job.name}.json").write_bytes(content)
        results = [_result(folder / "decide" / f"{job.name}.json") for job in todo]
        answer, _ = _conclude(settings(run), results)
        (folder / "verdict.json").write_text(dump(answer.model_dump(mode="json")), "utf-8")

    run.stage("decide", work)


def differences(run: Run) -> list[Difference]:
    """Every arm against ``nothing``, from the committed job results."""
    results = [_result(path) for path in sorted((run / "decide").glob("*.json"))]
    return _conclude(settings(run), results)[1]


def _conclude(config: Config, results: list[JobResult]) -> tuple[Verdict, list[Difference]]:
    fixed = None if config.sample.ratio == "auto" else config.sample.ratio
    return conclude(results, config.decide, candidates=(config.generator.name,), fixed_ratio=fixed)


def _result(path: Path) -> JobResult:
    return JobResult.model_validate_json(path.read_text("utf-8"))


def workers(config: Config) -> int:
    """Parallel decide jobs: one per core, or one if they share a GPU."""
    if config.workers is not None:
        return config.workers
    return 1 if device(config).startswith("cuda") else (os.cpu_count() or 1)


def device(config: Config) -> str:
    """The device that trains: what was asked for, or a GPU where there is one."""
    if config.device != "auto":
        return config.device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


# ---- fit, sample ------------------------------------------------------------------------------


def fit(run: Run, notify: Notify) -> None:
    """Train the generator on all training rows."""

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

    run.stage("fit", work)


def sample(run: Run, notify: Notify) -> None:
    """Draw as many rows as there are training rows, and those that the augmented set takes."""

    def work(folder: Path) -> None:
        config, train = settings(run), training_rows(run)
        ratio = chosen_ratio(config, verdict(run))
        sampler = models.load(run.path, **_trusted(config)).sampler
        notices: list[str] = []
        with shortfalls(notices), single_thread():
            rows = round(max(1.0, ratio if isinstance(ratio, float) else 0.0) * len(train))
            seed = derive(config.seed, "sample")
            drawn = draw(sampler, train, rows, seed=seed, policy=config.sample.copies)
            parts = [drawn, *_balanced(config, train, sampler)] if ratio == "balanced" else [drawn]
        match ratio:
            case "balanced":
                chosen = [part.rows for part in parts[1:]]
            case None:
                chosen = []
            case number:
                chosen = [
                    drawn.rows.take(np.arange(min(len(drawn.rows), round(number * len(train)))))
                ]
        synthetic = reduce(Table.concat, [part.rows for part in parts])
        synthetic.save(folder / "synthetic.parquet")
        augmented = reduce(Table.concat, chosen, train)
        form = origin(run)
        form.write(augmented.frame, folder / f"augmented{form.extension}")
        notices += [part.notice for part in parts if part.notice]
        record = {
            "unconditional": len(drawn.rows),
            "chosen": len(augmented) - len(train),
            "notices": notices,
        }
        (folder / "sample.json").write_text(dump(record), "utf-8")
        for notice in notices:
            notify(Event("sample", notice=notice))
        notify(Event("sample", len(synthetic), len(synthetic)))

    run.stage("sample", work)


def chosen_ratio(config: Config, answer: Verdict) -> float | Literal["balanced"] | None:
    """What the user fixed, else what the verdict chose; None: no synthetic rows."""
    if config.sample.ratio != "auto":
        return config.sample.ratio
    return answer.ratio if answer.decision == "augment" else None


def _balanced(config: Config, train: Table, sampler: Sampler) -> list[Drawn]:
    """For each smaller class the rows that it lacks to the largest one."""
    target = train.schema.target
    assert target is not None
    column = train.schema[target]
    assert isinstance(column, Categorical | Ordered | Boolean)
    return [
        draw(
            sampler,
            train,
            lack,
            seed=derive(config.seed, f"balance {code}"),
            where={target: column.values[code]},
            policy=config.sample.copies,
        )
        for code, lack in balancing(train).items()
    ]


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


def _trusted(config: Config) -> dict[str, Any]:
    """A run trusts the model file that it wrote itself a moment ago."""
    return {"trust_pickle": True} if "trust_pickle" in type(config.generator).model_fields else {}


def augmented(run: Run) -> pd.DataFrame:
    """The augmented table as a frame in the source's dtypes."""
    form, config = origin(run), settings(run)
    path = str(run / f"augmented{form.extension}")
    return conform(read(path, reading(config)).frame, training_rows(run).frame, path)
