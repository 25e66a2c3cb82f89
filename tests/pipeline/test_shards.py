"""A stream of shards: each follows from the model, the plan and its number."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthgen
from synthgen.config import build
from synthgen.data.parquet import read_parquet
from synthgen.data.stored import ParquetColumns
from synthgen.errors import ConfigError, DataError, MachineError
from synthgen.pipeline import alone, shards
from synthgen.pipeline.shards import MANIFEST, Plan, sample_shards
from synthgen.pipeline.tables.alone import RowSource
from tests.pipeline.tables import people


def keyed(rows: int = 400) -> pd.DataFrame:
    frame = people(rows)
    frame.insert(1, "number", np.arange(rows) + 10)
    return frame


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    keyed().to_parquet(folder / "people.parquet")
    generator = {"name": "ctgan", "epochs": 3, "batch_size": 50}
    source = {"source": str(folder / "people.parquet"), "target": "sick"}
    config = build({"data": source, "generator": generator})
    alone.train(config, folder / "model", force=False, notify=lambda event: None)
    return folder / "model"


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def rows_of(folder: Path) -> pd.DataFrame:
    files = sorted(folder.glob("*.parquet"))
    return pd.concat([read_parquet(file, "x")[0] for file in files], ignore_index=True)


def test_the_shards_are_the_whole_and_the_manifest_says_what_they_are(
    model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    drawn = sample_shards(model, out, 1050, shard_rows=250, seed=3)
    assert [file.name for file in drawn.files] == [f"part-{k:05}.parquet" for k in range(5)]
    assert drawn.notices == ()
    record = json.loads((out / MANIFEST).read_text())
    assert [shard["rows"] for shard in record["shards"]] == [250, 250, 250, 250, 50]
    assert len({shard["seed"] for shard in record["shards"]}) == 5
    assert (record["rows"], record["seed"], record["where"]) == (1050, 3, {})
    rows = rows_of(out)
    assert len(rows) == 1050
    assert list(rows.columns) == list(keyed().columns)
    assert rows["key"].is_unique
    assert rows["number"].is_unique
    assert rows["key"].str.fullmatch(r"P-\d+").all()
    assert (
        not rows.drop(columns=["key", "number"])
        .iloc[:250]
        .equals(rows.drop(columns=["key", "number"]).iloc[250:500].reset_index(drop=True))
    )
    # The folder is a table that can be trained on.
    columns = ParquetColumns.find(str(out))
    assert columns is not None
    assert len(columns) == 1050


def test_parts_in_any_order_and_processes_give_the_same_bytes(model: Path, tmp_path: Path) -> None:
    draw = partial(sample_shards, model, rows=1050, shard_rows=250, seed=3)
    draw(tmp_path / "whole")
    draw(tmp_path / "parts", shards=(3, 4))
    draw(tmp_path / "parts", shards=(0, 0))
    assert len(contents(tmp_path / "parts")) == 4
    draw(tmp_path / "parts", shards=(0, 3))
    draw(tmp_path / "workers", workers=2)
    whole = contents(tmp_path / "whole")
    assert contents(tmp_path / "parts") == whole
    assert contents(tmp_path / "workers") == whole
    shutil.copytree(model, tmp_path / "copied")
    sample_shards(tmp_path / "copied", tmp_path / "again", 1050, shard_rows=250, seed=3)
    assert contents(tmp_path / "again") == whole


def test_finished_shards_are_kept_and_killed_ones_made(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, made = tmp_path / "out", []
    make = shards._make

    def killing(*arguments: Any) -> None:
        made.append(arguments[-1])
        if arguments[-1] == 2:
            raise KeyboardInterrupt
        make(*arguments)

    monkeypatch.setattr(shards, "_make", killing)
    with pytest.raises(KeyboardInterrupt):
        sample_shards(model, out, 1000, shard_rows=250)
    assert sorted(contents(out)) == [MANIFEST, "part-00000.parquet", "part-00001.parquet"]
    monkeypatch.setattr(shards, "_make", make)
    before = contents(out)
    sample_shards(model, out, 1000, shard_rows=250)
    assert {name: contents(out)[name] for name in before} == before
    sample_shards(model, tmp_path / "whole", 1000, shard_rows=250)
    assert contents(out) == contents(tmp_path / "whole")


def test_conditions_hold_in_every_shard(model: Path, tmp_path: Path) -> None:
    sample_shards(model, tmp_path / "out", 600, shard_rows=200, where={"sick": "yes"})
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 600
    assert (rows["sick"] == "yes").all()
    assert rows["number"].is_unique


def test_another_plan_in_the_folder_is_refused(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sample_shards(model, out, 600, shard_rows=200, seed=1)
    before = contents(out)
    for other, differing in (
        ({"seed": 2}, "seed"),
        ({"rows": 800}, "rows"),
        ({"shard_rows": 100}, "shard_rows"),
        ({"where": {"sick": "no"}}, "where"),
        ({"allow_copies": True}, "copies"),
    ):
        asked: dict[str, Any] = {"rows": 600, "shard_rows": 200, "seed": 1, **other}
        with pytest.raises(ConfigError, match=f"its setting {differing!r} differs"):
            sample_shards(model, out, **asked)
    assert contents(out) == before
    sample_shards(model, out, 300, shard_rows=300, force=True)
    assert sorted(contents(out)) == [MANIFEST, "part-00000.parquet"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(ConfigError, match="holds other files"):
        sample_shards(model, tmp_path / "mine", 300, force=True)


def test_nothing_is_written_for_what_cannot_be(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for wrong, error in (
        ({"rows": 0}, "positive"),
        ({"shards": (0, 4)}, "0:3"),
        ({"shards": (2, 1)}, "0:3"),
        ({"shard_rows": 1, "rows": 200_000}, "--shard-rows"),
        ({"where": {"sick": "maybe"}}, "'yes'"),
        ({"where": {"nothing": "x"}}, "use one of"),
    ):
        asked: dict[str, Any] = {"rows": 1000, "shard_rows": 250, **wrong}
        with pytest.raises(ConfigError) as raised:
            sample_shards(model, out, **asked)
        assert error in raised.value.remedy
    with pytest.raises(ConfigError, match="holds no model"):
        sample_shards(tmp_path, out, 10)
    assert not out.exists()


def test_keys_without_room_are_refused(tmp_path: Path) -> None:
    frame = people().assign(key=np.arange(400, dtype="int16"))
    frame.to_parquet(tmp_path / "people.parquet")
    config = build(
        {
            "data": {"source": str(tmp_path / "people.parquet"), "target": "sick"},
            "generator": {"name": "resample"},
        }
    )
    alone.train(config, tmp_path / "model", force=False, notify=lambda event: None)
    with pytest.raises(DataError, match="70000 fresh keys do not fit in int16"):
        sample_shards(tmp_path / "model", tmp_path / "out", 70_000, shard_rows=10_000)
    sample_shards(tmp_path / "model", tmp_path / "out", 60_000, shard_rows=30_000)
    rows = rows_of(tmp_path / "out")
    assert rows["key"].dtype == np.int16
    assert rows["key"].is_unique


def test_rows_that_do_not_come_are_told(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = RowSource.draw
    monkeypatch.setattr(
        RowSource,
        "draw",
        lambda self, rows, seed: (whole(self, rows, seed)[0].take(np.arange(rows // 2)), []),
    )
    drawn = sample_shards(model, tmp_path / "out", 400, shard_rows=100)
    assert drawn.notices == ("200 of 400 rows came: too few draws were new and met the conditions",)
    assert rows_of(tmp_path / "out")["number"].is_unique


def test_a_disk_that_takes_no_more_leaves_whole_shards(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from synthgen.data import origin

    written: list[Path] = []
    write = origin.write_parquet

    def full(frame: pd.DataFrame, path: Path, like: Any) -> None:
        written.append(path)
        if len(written) == 3:
            path.write_bytes(b"PAR1")
            raise OSError(28, "No space left on device")
        write(frame, path, like)

    monkeypatch.setattr(origin, "write_parquet", full)
    with pytest.raises(MachineError, match="No space left"):
        sample_shards(model, tmp_path / "out", 1000, shard_rows=250)
    assert sorted(contents(tmp_path / "out")) == [
        MANIFEST,
        "part-00000.parquet",
        "part-00001.parquet",
    ]


def test_a_billion_rows_are_a_plan_of_a_thousand_seeds() -> None:
    plan = Plan(10**9, 10**6, 5, {}, "drop", "")
    assert len(plan) == 1000
    assert len({plan.seed_of(shard) for shard in range(len(plan))}) == 1000
    assert plan.numbers(999) == range(999_000_000, 10**9)
    assert max(plan.seed_of(shard) for shard in range(1000)) < 2**53
    assert synthgen.sample_shards is sample_shards


def test_drafts_of_commands_that_were_killed_are_removed(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sample_shards(model, out, 100, shard_rows=50)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    here = shards._machine()
    killed = out / f".part-00000.{here}-{dead.pid}.parquet"
    others = [
        out / f".part-00001.{here}-{os.getpid()}.parquet",
        out / f".part-00001.00000000-{dead.pid}.parquet",
    ]
    for draft in (killed, *others):
        draft.write_bytes(b"PAR1")
    sample_shards(model, out, 100, shard_rows=50)
    assert not killed.exists()
    assert all(draft.exists() for draft in others)
