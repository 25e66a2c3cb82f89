"""Parts of the main job on their own: train, sample, evaluate."""

from __future__ import annotations

import hashlib
import logging
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from synthgen import config as configuration
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.threads import single_thread
from synthgen.benchmark.utility import sealed_utility
from synthgen.config import Config
from synthgen.data.checks import check_frame, task_of
from synthgen.data.infer import infer
from synthgen.data.origin import Origin
from synthgen.data.read import ReadOptions, read
from synthgen.data.schema import Value
from synthgen.data.stored import ParquetColumns, StoredTable
from synthgen.data.table import Table
from synthgen.errors import ConfigError, MachineError
from synthgen.generators.base import Chosen, PrivateSampler, Sampler
from synthgen.metrics import score_all
from synthgen.metrics.base import Trio
from synthgen.pipeline import models, stages
from synthgen.pipeline.conform import conform
from synthgen.pipeline.draw import draw
from synthgen.pipeline.events import Event, Notify
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.trainlog import TrainLog
from synthgen.report.choice import sentence
from synthgen.report.sections.privacy import guarantee
from synthgen.results import Recipe, Score
from synthgen.runs import Run, dump
from synthgen.training import parallel
from synthgen.training.context import Context

log = logging.getLogger(__name__)
_LOCK = ".lock"


def train(config: Config, out: Path, *, force: bool, notify: Notify) -> None:
    """Train on all rows of the source; ``out`` appears when the model is complete.

    A killed training of the same configuration on the same rows goes on from its last checkpoint.
    Processes that ``torchrun`` started train together; the first of them does all the writing.
    Raises MachineError if another process trains ``out``, ConfigError for a generator that trains
    in one process only, and the errors of the generator.
    """
    with parallel.joined(stages.device(config)) as ranks:
        if ranks.first:
            _refuse_existing(out, force)
        config = configuration.absorb_metadata(config)
        table, origin = _training_table(config)
        resolved = configuration.resolve(config, len(table), table.schema.task)
        if ranks.size > 1 and not resolved.generator.parallel:
            raise ConfigError(
                f"{resolved.generator.name} trains in one process", "start it without torchrun"
            )
        fingerprint = _fingerprint(resolved, table, origin)
        context = Context(
            seed=derive(config.seed, "fit"),
            device=parallel.device_of(stages.device(config)),
            checkpoints=unfinished(out) / fingerprint / "checkpoints",
            ranks=ranks,
        )
        if ranks.first:
            _train(resolved, table, origin, out, fingerprint, context, force=force, notify=notify)
        else:
            with single_thread():
                resolved.generator.fit(table, context)


def _train(
    resolved: Config,
    table: Table | StoredTable,
    origin: Origin,
    out: Path,
    fingerprint: str,
    context: Context,
    *,
    force: bool,
    notify: Notify,
) -> None:
    with _working(out, fingerprint) as work:
        _recover(out)
        _refuse_existing(out, force)
        steps = TrainLog(work / "train.draft.jsonl", notify)
        context = replace(context, log=steps)
        size = len(table), len(table.schema.columns)
        log.info("%d rows, %d columns; training on %s", *size, context.device)
        with single_thread():
            sampler = resolved.generator.fit(table, context)
        if isinstance(sampler, PrivateSampler):
            notify(Event("fit", notice=guarantee(sampler.privacy)))
        draft = work / "model"
        shutil.rmtree(draft, ignore_errors=True)
        models.save(models.Model(resolved.generator, sampler, origin), draft)
        steps.commit(draft / "train.jsonl")
        _put(draft, out)
        shutil.rmtree(work)
    if isinstance(sampler, Chosen):
        notify(Event("fit", notice=sentence(sampler.choice)))


def unfinished(out: Path) -> Path:
    """Where the checkpoints of a training of ``out`` are, until it is complete."""
    return out.with_name(f".{out.name}.training")


def _refuse_existing(out: Path, force: bool) -> None:
    if out.exists() and not (force and (out / models.FILE).is_file()):
        raise ConfigError(
            f"{out} exists", "choose another folder with --out, or replace a model with --force"
        )


def _training_table(config: Config) -> tuple[Table | StoredTable, Origin]:
    """The rows of the source, and how it was written. Parquet stays where it is and is read one
    column at a time, which gives the same schema, codes and numbers."""
    target, overrides = config.data.target, stages.overrides(config)
    stored = ParquetColumns.find(config.data.source)
    if stored is not None:
        check_frame(stored, target, overrides)
        schema = infer(stored, target=target, overrides=overrides)
        stored.forget()
        return StoredTable(stored, schema), stored.origin()
    loaded = read(config.data.source, stages.reading(config))
    check_frame(loaded.frame, target, overrides)
    schema = infer(loaded.frame, target=target, overrides=overrides)
    return Table(loaded.frame, schema), loaded.origin


def _fingerprint(resolved: Config, table: Table | StoredTable, origin: Origin) -> str:
    """What tells one training from another: every setting, and the rows."""
    rows = origin.sha256 or (_digest(table.frame) if isinstance(table, Table) else "")
    settings = resolved.model_dump(mode="json")
    return hashlib.sha256(dump([settings, rows]).encode()).hexdigest()[:16]


def _digest(frame: pd.DataFrame) -> str:
    columns = dump([[str(name), str(dtype)] for name, dtype in frame.dtypes.items()])
    cells = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return hashlib.sha256(columns.encode() + cells.tobytes()).hexdigest()


@contextmanager
def _working(out: Path, fingerprint: str) -> Iterator[Path]:
    """The work folder of one training, held against others of the same ``out``.

    What trainings with another fingerprint left is removed; what this one leaves stays only if
    there is a checkpoint to go on from.
    """
    folder = unfinished(out)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise MachineError(
            f"another process is training {out}",
            "wait for it to end, or choose another folder with --out",
        ) from None
    try:
        for child in folder.iterdir():
            if child.name not in (_LOCK, fingerprint):
                shutil.rmtree(child) if child.is_dir() else child.unlink()
        work = folder / fingerprint
        work.mkdir(exist_ok=True)
        yield work
    finally:
        if not any(folder.glob("*/checkpoints/*")):
            # Together with the lock: one that was deleted meanwhile is never taken by filelock.
            shutil.rmtree(folder)
        lock.release()


def _put(draft: Path, out: Path) -> None:
    """Move a model to its place. The one that it replaces goes only when the new one is there."""
    try:
        if out.exists():
            out.rename(_aside(out))
        draft.rename(out)
    finally:
        _recover(out)


def _recover(out: Path) -> None:
    """Finish a replacement, or take it back if it was cut short."""
    aside = _aside(out)
    if aside.exists() and not out.exists():
        aside.rename(out)
    shutil.rmtree(aside, ignore_errors=True)


def _aside(out: Path) -> Path:
    return out.with_name(f".{out.name}.former")


def sample(
    path: Path,
    rows: int,
    out: Path | None,
    *,
    seed: int,
    where: dict[str, str],
    allow_copies: bool,
    trust_pickle: bool,
    force: bool,
) -> list[str]:
    """Draw rows into a file in its training table's format (or CSV on standard output)."""
    if out is not None and out.exists() and not force:
        raise ConfigError(f"{out} exists", "choose another file, or replace it with --force")
    source = RowSource.open(path, where, allow_copies=allow_copies, trust_pickle=trust_pickle)
    table, notices = source.draw(rows, seed)
    if out is None:
        table.frame.to_csv(sys.stdout, index=False)
    else:
        draft = out.with_name(f".{out.name}.draft{out.suffix}")
        Origin.of(out, source.origin).write(table.frame, draft)
        draft.replace(out)
    return notices


@dataclass(frozen=True)
class RowSource:
    """A model, or the model of a run together with the training rows that it must not copy."""

    sampler: Sampler
    origin: Origin
    train: Table | None
    where: Mapping[str, Value]

    @classmethod
    def open(
        cls, path: Path, where: Mapping[str, Value], *, allow_copies: bool, trust_pickle: bool
    ) -> RowSource:
        """Raises ConfigError where there is no model."""
        model = models.load(path, **({"trust_pickle": True} if trust_pickle else {}))
        # What a private model gives must not depend on training rows once more.
        private = isinstance(model.sampler, PrivateSampler)
        known = not allow_copies and not private and (path / "split").is_dir()
        train = stages.training_rows(Run.open(path)) if known else None
        return cls(model.sampler, model.origin, train, where)

    def draw(self, rows: int, seed: int) -> tuple[Table, list[str]]:
        """So many rows, or fewer, and what the user should know of them."""
        notices: list[str] = []
        with stages.shortfalls(notices):
            if self.train is None:
                return self.sampler.sample(rows, seed=seed, where=self.where), notices
            drawn = draw(self.sampler, self.train, rows, seed=seed, where=self.where)
        return drawn.rows, notices + drawn.notices


def evaluate(
    real: str, synthetic: str, *, holdout: str | None, target: str | None, seed: int
) -> tuple[list[Score], list[str]]:
    """Scores of synthetic rows from any tool, and what the reader should know of them."""
    rows = read(real, ReadOptions()).frame
    if target is not None:
        check_frame(rows, target)
    task = None if target is None else task_of(rows, target)
    notices = []
    if holdout is None:
        notices.append("no --holdout: a fifth of REAL stands in for it, and privacy is flattered")
        order = np.random.default_rng(seed).permutation(len(rows))
        fifth = len(rows) // 5
        held = rows.iloc[order[:fifth]].reset_index(drop=True)
        rows = rows.iloc[order[fifth:]].reset_index(drop=True)
    else:
        held = conform(read(holdout, ReadOptions()).frame, rows, holdout)
    made = conform(read(synthetic, ReadOptions()).frame, rows, synthetic)
    schema = infer(rows, target=target, task=task)
    trio = Trio(Table(rows, schema), Table(held, schema), Table(made, schema), seed)
    with single_thread():
        scores, more = score_all(trio)
    if target is not None:
        utility = sealed_utility(
            trio.train, trio.synthetic, trio.holdout, DecideSettings(), recipe=Recipe()
        )
        scores = [*utility, *scores]
    return scores, notices + more
