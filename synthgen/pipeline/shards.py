"""More rows than one file or one process should hold: a folder of Parquet files, each drawn from a
seed of its own.

What a shard holds follows from the model, the plan and the shard's number, so shards can be divided
among processes and machines, in any order, and a killed command goes on where it was. The plan
stands in ``_manifest.json``, which readers of Parquet folders pass over. A shard is written under
another name and renamed when it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

from synthgen.benchmark.executor import run_all
from synthgen.benchmark.threads import single_thread
from synthgen.data.assemble import number
from synthgen.data.origin import Origin
from synthgen.data.schema import Value
from synthgen.errors import ConfigError
from synthgen.pipeline import models
from synthgen.pipeline.events import Event, Notify, unheard
from synthgen.pipeline.seeds import derive, numbered
from synthgen.pipeline.tables.alone import RowSource
from synthgen.runs import dump, sha256, write_atomic

MANIFEST = "_manifest.json"
MOST = 100_000
"""Shards of one plan at most: more files make a folder slow."""
SHARD_ROWS = 1_000_000


@dataclass(frozen=True)
class Plan:
    """``rows`` in shards of ``shard_rows``, the last one with what remains."""

    rows: int
    shard_rows: int
    seed: int
    where: Mapping[str, Value]
    copies: str
    """``drop`` or ``allow``: rows that equal a training row."""
    model: str
    """SHA-256 of the model's files."""

    def __len__(self) -> int:
        """How many shards there are."""
        return -(-self.rows // self.shard_rows)

    def numbers(self, shard: int) -> range:
        """The numbers of the shard's rows among all."""
        first = shard * self.shard_rows
        return range(first, min(first + self.shard_rows, self.rows))

    def seed_of(self, shard: int) -> int:
        """The seed of the shard alone."""
        return numbered(self.seed, "shard", shard)

    def name_of(self, shard: int) -> str:
        """The file's name; names are in the order of the shards."""
        return f"part-{shard:0{len(str(MOST - 1))}}.parquet"

    def record(self) -> dict[str, Any]:
        """The manifest: the plan, and rows, seed and file of every shard."""
        shards = [
            {"file": self.name_of(k), "rows": len(self.numbers(k)), "seed": self.seed_of(k)}
            for k in range(len(self))
        ]
        return {"format": 1, **asdict(self), "shards": shards}


@dataclass(frozen=True)
class Sharded:
    """``files`` of the shards that were asked for, in order, and what the user should know."""

    files: tuple[Path, ...]
    notices: tuple[str, ...]


def sample_shards(
    model: Path | str,
    out: Path | str,
    rows: int,
    *,
    shard_rows: int = SHARD_ROWS,
    shards: tuple[int, int] | None = None,
    seed: int = 0,
    where: Mapping[str, Value] | None = None,
    workers: int = 1,
    allow_copies: bool = False,
    trust_pickle: bool = False,
    force: bool = False,
    notify: Notify = unheard,
) -> Sharded:
    """Draw ``rows`` rows of a model (or of a run's model) into Parquet files in the folder ``out``.

    ``shards``: the first and the last number of those to draw now, from 0 on, both included; None:
    all of them. Shards that are there are kept. ``workers``: processes that draw; each holds one
    shard in memory. ``where``: conditions that every row meets. Keys are different over all shards.
    ``force``: remove the shards of another plan first. From a run, rows that equal a training row
    are replaced unless ``allow_copies``.

    Raises ConfigError for wrong numbers, conditions or models, and where ``out`` holds anything
    else or shards of another plan; MachineError where the disk does not take a shard; DataError
    where the key column has no room for so many keys.
    """
    model, out = Path(model), Path(out)
    if rows < 1 or shard_rows < 1 or workers < 1:
        raise ConfigError(
            "rows, rows per shard and workers are counted from 1", "give positive numbers"
        )
    plan = Plan(
        rows,
        shard_rows,
        seed,
        dict(where or {}),
        "allow" if allow_copies else "drop",
        _fingerprint(model),
    )
    wanted = _wanted(plan, shards)
    make = partial(_make, model, out, plan, trust_pickle, f"{_machine()}-{os.getpid()}")
    try:
        # What is wrong with the conditions or the keys is told before anything is written.
        source = _source(model, plan, trust_pickle)
        trial, _ = source.draw(1, plan.seed_of(0))
        number(trial, range(len(trial)), rows, seed)
        _claim(out, plan, force)
        _forget_drafts(out)
        due = [k for k in wanted if not (out / plan.name_of(k)).is_file()]
        done = len(wanted) - len(due)
        notify(Event("sample", done, len(wanted)))
        for _ in run_all(due, make, workers):
            done += 1
            notify(Event("sample", done, len(wanted)))
    except BaseException:
        # Workers were ended wherever they were.
        for draft in out.glob(f".part-*.{_machine()}-{os.getpid()}.parquet"):
            draft.unlink()
        raise
    finally:
        _cached.cache_clear()
    files = tuple(out / plan.name_of(k) for k in wanted)
    return Sharded(files, _shortfall(files, sum(len(plan.numbers(k)) for k in wanted)))


def _wanted(plan: Plan, shards: tuple[int, int] | None) -> range:
    if len(plan) > MOST:
        raise ConfigError(
            f"{plan.rows} rows in shards of {plan.shard_rows} are {len(plan)} files, "
            f"more than {MOST}",
            "put more rows into a shard with --shard-rows",
        )
    first, last = shards or (0, len(plan) - 1)
    if not 0 <= first <= last < len(plan):
        raise ConfigError(
            f"there are no shards {first}:{last}",
            f"{plan.rows} rows make the shards 0:{len(plan) - 1}; name the first and the last one",
        )
    return range(first, last + 1)


def _fingerprint(model: Path) -> str:
    folder = models.folder_of(model)
    if not (folder / models.FILE).is_file():
        return ""  # What is no model is refused when it is loaded.
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "train.jsonl")
    return hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()


def _claim(out: Path, plan: Plan, force: bool) -> None:
    """Write the manifest into the folder, or find that it is there."""
    record = plan.record()
    path = out / MANIFEST
    if path.is_file():
        try:
            there = json.loads(path.read_text("utf-8"))
        except ValueError:
            there = None
        there = there if isinstance(there, dict) else {}
        if there == record:
            return
        if not force:
            differing = next(key for key in record if there.get(key) != record[key])
            raise ConfigError(
                f"{out} holds shards of another plan: its setting {differing!r} differs",
                "repeat the command with the same settings, choose another folder with --out, "
                "or replace the shards with --force",
            )
        for shard in out.glob("part-*.parquet"):
            shard.unlink()
    elif out.exists() and any(not p.name.startswith(".") for p in out.iterdir()):
        raise ConfigError(
            f"{out} holds other files than shards", "choose another folder with --out"
        )
    write_atomic(path, dump(record))


def _source(model: Path, plan: Plan, trust_pickle: bool) -> RowSource:
    return _cached(model, tuple(plan.where.items()), plan.copies, plan.model, trust_pickle)


@lru_cache(maxsize=1)
def _cached(
    model: Path,
    where: tuple[tuple[str, Value], ...],
    copies: str,
    fingerprint: str,
    trust_pickle: bool,
) -> RowSource:
    """A process reads the model once for all its shards; ``fingerprint`` tells when it changed."""
    allow = copies == "allow"
    return RowSource.open(model, dict(where), allow_copies=allow, trust_pickle=trust_pickle)


def _make(model: Path, out: Path, plan: Plan, trust_pickle: bool, author: str, shard: int) -> None:
    """Draw one shard. Another process that draws it at the same time writes the same bytes.
    ``author``: the command that the draft is of."""
    source = _source(model, plan, trust_pickle)
    numbers = plan.numbers(shard)
    with single_thread():
        table, _ = source.draw(len(numbers), plan.seed_of(shard))
    numbers = numbers[: len(table)]
    table = number(table, numbers, plan.rows, derive(plan.seed, "keys"))
    path = out / plan.name_of(shard)
    draft = path.with_name(f".{path.stem}.{author}.parquet")
    try:
        Origin.of(path, source.origin).write(table.frame, draft)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _forget_drafts(out: Path) -> None:
    """Remove what commands of this machine left that were killed."""
    for draft in out.glob(f".part-*.{_machine()}-*.parquet"):
        number = draft.stem.rpartition("-")[2]
        if number.isdecimal() and not psutil.pid_exists(int(number)):
            draft.unlink(missing_ok=True)


def _machine() -> str:
    """A word for this machine: others may draw into the same folder."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _shortfall(files: tuple[Path, ...], planned: int) -> tuple[str, ...]:
    found = sum(pq.read_metadata(file).num_rows for file in files)
    if found == planned:
        return ()
    return (f"{found} of {planned} rows came: too few draws were new and met the conditions",)
