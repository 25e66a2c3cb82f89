"""Parts of the main job on a table on their own: training on all rows, drawing, scoring."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from synthgen import config as configuration
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.threads import single_thread
from synthgen.benchmark.utility import sealed_utility
from synthgen.config import TableConfig
from synthgen.data.checks import check_frame, task_of
from synthgen.data.infer import infer
from synthgen.data.origin import Origin
from synthgen.data.read import ReadOptions, read
from synthgen.data.schema import Value
from synthgen.data.stored import ParquetColumns, StoredTable
from synthgen.data.table import Table
from synthgen.errors import ConfigError
from synthgen.generators.base import PrivateSampler, Sampler
from synthgen.metrics import score_all
from synthgen.metrics.base import Trio
from synthgen.pipeline import models
from synthgen.pipeline.shortfall import shortfalls
from synthgen.pipeline.tables.conform import conform
from synthgen.pipeline.tables.contents import overrides, reading, training_rows
from synthgen.pipeline.tables.draw import draw
from synthgen.pipeline.whole import Whole
from synthgen.results import Recipe, Score
from synthgen.runs import Run, dump


def whole(config: TableConfig) -> Whole:
    """All rows of the source, to train on."""
    config = configuration.absorb_metadata(config)
    table, origin = _training_table(config)
    resolved = configuration.resolve(config, len(table), table.schema.task)
    rows = origin.sha256 or (_digest(table.frame) if isinstance(table, Table) else "")
    size = f"{len(table)} rows, {len(table.schema.columns)} columns"
    return Whole(table, origin, resolved, rows, size)


def _training_table(config: TableConfig) -> tuple[Table | StoredTable, Origin]:
    """The rows of the source, and how it was written. Parquet stays where it is and is read one
    column at a time, which gives the same schema, codes and numbers."""
    target, kinds = config.data.target, overrides(config)
    stored = ParquetColumns.find(config.data.source)
    if stored is not None:
        check_frame(stored, target, kinds)
        schema = infer(stored, target=target, overrides=kinds)
        stored.forget()
        return StoredTable(stored, schema), stored.origin()
    loaded = read(config.data.source, reading(config))
    check_frame(loaded.frame, target, kinds)
    schema = infer(loaded.frame, target=target, overrides=kinds)
    return Table(loaded.frame, schema), loaded.origin


def _digest(frame: pd.DataFrame) -> str:
    columns = dump([[str(name), str(dtype)] for name, dtype in frame.dtypes.items()])
    cells = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return hashlib.sha256(columns.encode() + cells.tobytes()).hexdigest()


def sample(source: RowSource, rows: int, out: Path | None, *, seed: int) -> list[str]:
    """Draw rows into a file in their training table's format (or CSV on standard output)."""
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
        """Raises ConfigError where there is no model of rows."""
        model = models.load(path, **({"trust_pickle": True} if trust_pickle else {}))
        return cls.of(path, model, where, allow_copies=allow_copies)

    @classmethod
    def of(
        cls, path: Path, model: models.Model, where: Mapping[str, Value], *, allow_copies: bool
    ) -> RowSource:
        """Of a model that was loaded from ``path``."""
        if not isinstance(model.origin, Origin):
            raise ConfigError(
                f"{path} is a model of images", "draw them without --shard-rows: synthgen sample"
            )
        # What a private model gives must not depend on training rows once more.
        private = isinstance(model.sampler, PrivateSampler)
        known = not allow_copies and not private and (path / "split").is_dir()
        train = training_rows(Run.open(path)) if known else None
        return cls(model.sampler, model.origin, train, where)

    def draw(self, rows: int, seed: int) -> tuple[Table, list[str]]:
        """So many rows, or fewer, and what the user should know of them."""
        notices: list[str] = []
        with shortfalls(notices):
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
