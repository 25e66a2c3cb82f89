"""The stages: each reads what the ones before it committed, and commits its own files.

    split → decide → fit → sample → evaluate → render

They are plain functions of a run; the command line, the flows and the notebook call the same ones.
"""

from __future__ import annotations

import importlib.util
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
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
from synthgen.data.assemble import join
from synthgen.data.checks import check_frame
from synthgen.data.infer import infer
from synthgen.data.keys import is_key
from synthgen.data.options import ReadOptions
from synthgen.data.origin import Origin
from synthgen.data.overrides import ColumnOverride
from synthgen.data.parquet import write_parquet
from synthgen.data.read import Loaded, read
from synthgen.data.schema import RARE, Boolean, Categorical, Ordered, Schema
from synthgen.data.sdv_metadata import to_sdv
from synthgen.data.split import split_rows
from synthgen.data.table import Table
from synthgen.errors import ConfigError, DataError, MachineError, ShortfallWarning
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
        train, test, notices = parts(loaded, config)
        described = _protected(config, train)
        inferred = infer(train, target=config.data.target, overrides=overrides(described))
        notices += [*loaded.notices, *_left_out(inferred)]
        (folder / "split").mkdir()
        write_parquet(train, folder / "split" / "train.parquet")
        write_parquet(test, folder / "split" / "test.parquet")
        (folder / "notices.json").write_text(dump(notices), "utf-8")
        (folder / "schema.json").write_text(dump(inferred.model_dump(mode="json")), "utf-8")
        (folder / "sdv-metadata.json").write_text(dump(to_sdv(inferred)), "utf-8")
        (folder / "origin.json").write_text(dump(loaded.origin.model_dump(mode="json")), "utf-8")
        configuration.save(configuration.resolve(described, len(train)), folder / "config.yaml")
        for notice in notices:
            notify(Event("split", notice=notice))
        notify(Event("split", len(loaded.frame), len(loaded.frame)))

    run.stage("split", work)


def check_split(run: Run) -> None:
    """Raise DataError if the first stage's files were changed, naming one."""
    changed = run.changed("split")
    if changed:
        raise DataError(
            f"{run / changed[0]} is not what the run wrote",
            "restore the file, or start again: synthgen augment ... --force",
        )


def check_same(run: Run, config: Config) -> None:
    """Raise ConfigError if the run was begun with another configuration."""
    train = training_rows(run).frame
    described = _protected(configuration.absorb_metadata(config), train)
    asked = configuration.resolve(described, len(train))
    if asked.model_dump(mode="json") != settings(run).model_dump(mode="json"):
        raise ConfigError(
            f"{run.path} was begun with another configuration",
            "choose another folder with --out, or replace the run with --force",
        )


def _left_out(inferred: Schema) -> list[str]:
    """Columns that no generator and no classifier sees, in one sentence per kind."""
    texts = {
        "identifier": "kept out of training and made afresh in synthetic rows (keys)",
        "text": "kept out of training and left empty in synthetic rows (free text)",
    }
    found = {kind: [c.name for c in inferred.columns if c.kind == kind] for kind in texts}
    return [f"{', '.join(names)}: {texts[kind]}" for kind, names in found.items() if names]


def _protected(config: Config, train: pd.DataFrame) -> Config:
    """The configuration without the declared values that fewer than RARE training rows hold: it
    is shared with the run, and SDV's metadata list such values too."""
    target = config.data.target
    declared = {n for n, c in config.data.columns.items() if c.values and n != target}
    if not declared:
        return config
    table = Table(train, infer(train, target=target, overrides=overrides(config)))
    columns = dict(config.data.columns)
    for column in table.schema.discrete:
        if column.name in declared:
            codes = table.codes(column.name)
            counts = np.bincount(codes[codes >= 0], minlength=len(column.values))
            kept = tuple(v for v, n in zip(column.values, counts, strict=True) if n >= RARE)
            update = {"values": kept or None}
            columns[column.name] = columns[column.name].model_copy(update=update)
    data = config.data.model_copy(update={"columns": columns})
    return config.model_copy(update={"data": data})


def parts(loaded: Loaded, config: Config) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Training rows, test rows, and notices. Raises DataError and ConfigError for what is wrong
    with the table, its target or the given test file."""
    data = config.data
    check_frame(loaded.frame, data.target, overrides(config))
    if data.test is not None:
        return _given_test(loaded.frame, config)
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
    return _without_foreign_categories(train, test), test, []


def _without_foreign_categories(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """A categorical dtype lists the values of all rows: those of test rows alone are taken out."""
    columns = {}
    for name, series in train.items():
        if isinstance(series.dtype, pd.CategoricalDtype):
            foreign = set(test[name].dropna().unique()) - set(series.dropna().unique())
            series = series.cat.remove_categories(list(foreign))
        columns[name] = series
    return pd.DataFrame(columns)


def _given_test(
    train: pd.DataFrame, config: Config
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """The test file's rows in the training rows' columns and dtypes, beside the training rows."""
    data = config.data
    assert data.test is not None
    test = conform(read(data.test, reading(config)).frame, train, data.test)
    missing = int(test[data.target].isna().sum())
    if missing:
        raise DataError(
            f"{data.test}: the target {data.target!r} is missing in {missing} of {len(test)} rows",
            "remove those rows",
        )
    unknown = ~test[data.target].isin(train[data.target].unique())
    if unknown.any():
        raise DataError(
            f"{data.test}: the target {data.target!r} has classes in {int(unknown.sum())} rows "
            "that the training rows lack",
            "remove those rows, or add rows of these classes to the training file",
        )
    if test[data.target].nunique() < 2:
        raise DataError(
            f"{data.test}: the target {data.target!r} has one class only",
            "give test rows of at least two classes",
        )
    keys = [c for c in train.columns if is_key(train[c])]
    known = set(pd.util.hash_pandas_object(train.drop(columns=keys), index=False))
    shared = pd.util.hash_pandas_object(test.drop(columns=keys), index=False).isin(known)
    notices = []
    if shared.any():
        notices.append(
            f"{int(shared.sum())} of {len(test)} test rows stand in the training file too: "
            "scores on the test rows flatter"
        )
    return train, test, notices


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
    """The device that trains: what was asked for, or a GPU where there is one.

    Raises ConfigError for what is no device, MachineError for one that is not there.
    """
    import torch

    if config.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if re.fullmatch(r"cpu|cuda(:\d+)?", config.device) is None:
        raise ConfigError(
            f"device: there is no device {config.device!r}", "choose auto, cpu, cuda or cuda:N"
        )
    number = int(config.device.partition(":")[2] or 0)
    if config.device != "cpu" and number >= torch.cuda.device_count():
        raise MachineError(
            f"the device {config.device} is not on this machine, or torch cannot use it",
            "use --device cpu, or look at: synthgen doctor",
        )
    return config.device


def check_packages(config: Config) -> None:
    """Raise MachineError if the generator needs a package that is not installed."""
    if config.generator.name.startswith("sdv-") and importlib.util.find_spec("sdv") is None:
        raise MachineError(
            f"the generator {config.generator.name} needs SDV, which is not installed",
            "install it with: pip install -c constraints.txt -e '.[sdv]'",
        )


# ---- fit, sample ------------------------------------------------------------------------------


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

    return run.stage("fit", work)


def sample(run: Run, notify: Notify, *, trust_pickle: bool = False) -> None:
    """Draw as many rows as there are training rows, and those that the augmented set takes.

    ``trust_pickle`` allows to load a model in SDV's own format, which can run code.
    """

    def work(folder: Path) -> None:
        config, train = settings(run), training_rows(run)
        ratio = chosen_ratio(config, verdict(run))
        sampler = models.load(run.path, **_opt_in(config, trust_pickle)).sampler
        notices: list[str] = []
        with shortfalls(notices), single_thread():
            rows = round(max(1.0, ratio if isinstance(ratio, float) else 0.0) * len(train))
            seed = derive(config.seed, "sample")
            drawn = draw(sampler, train, rows, seed=seed, policy=config.sample.copies)
            parts = [drawn, *_balanced(config, train, sampler)] if ratio == "balanced" else [drawn]
        # Keys are made anew over the whole, so that none repeats.
        everything = join([part.rows for part in parts], derive(config.seed, "keys"))
        everything.save(folder / "synthetic.parquet")
        match ratio:
            case "balanced":
                chosen = (len(drawn.rows), len(everything))
            case None:
                chosen = (0, 0)
            case number:
                chosen = (0, min(len(drawn.rows), round(number * len(train))))
        augmented = train.concat(everything.take(np.arange(*chosen)))
        form = origin(run)
        form.write(augmented.frame, folder / f"augmented{form.extension}")
        notices += [notice for part in parts for notice in part.notices]
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


def _opt_in(config: Config, trust_pickle: bool) -> dict[str, Any]:
    wanted = trust_pickle and "trust_pickle" in type(config.generator).model_fields
    return {"trust_pickle": True} if wanted else {}


def augmented(run: Run) -> pd.DataFrame:
    """The augmented table as a frame in the source's dtypes."""
    form, config = origin(run), settings(run)
    path = str(run / f"augmented{form.extension}")
    return conform(read(path, reading(config)).frame, training_rows(run).frame, path)
