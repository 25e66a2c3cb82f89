"""What every generator owes: one suite over all of them and over tables of every kind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import subprocess
import sys
import typing
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from synthgen.data.infer import infer
from synthgen.data.schema import Identifier, Schema
from synthgen.data.table import Table
from synthgen.errors import ConfigError, DataError, ShortfallWarning
from synthgen.generators import AnyGenerator
from synthgen.generators.base import Generator, Sampler
from synthgen.generators.conditions import matching
from synthgen.training.context import Context
from tests.generators.tables import TABLES, mixed, quantity, table, tables

EXAMPLES: dict[str, dict[str, Any]] = {
    "ctgan": {"epochs": 2, "batch_size": 100, "generator_dim": [32], "discriminator_dim": [32]},
    "ctgan-paper": {"epochs": 2, "batch_size": 100, "generator_dim": [32]},
    "tvae": {"epochs": 2, "batch_size": 100},
    "mixture": {"epochs": 5},
    "dp-ctgan": {
        "epochs": 2,
        "batch_size": 100,
        "epsilon": 1e6,
        "discriminator_steps": 1,
        "generator_dim": [32],
        "discriminator_dim": [32],
        "insecure_seeded_noise": True,
    },
    "arn": {"epochs": 2, "batch_size": 100, "hidden_dim": 16},
    "auto": {
        "candidates": [{"name": "mixture", "epochs": 5}, {"name": "arn", "epochs": 2}],
        "draws": 2,
    },
    "sdv-ctgan": {"epochs": 1, "batch_size": 100, "generator_dim": [32]},
    "sdv-tvae": {"epochs": 1, "batch_size": 100, "compress_dims": [32]},
    "sdv-gaussian-copula": {"default_distribution": "norm"},
    "sdv-copulagan": {"epochs": 1, "batch_size": 100, "default_distribution": "norm"},
    "smote": {"k_neighbors": 3},
    "resample": {},
}
"""One line per generator: hyper-parameters with which it fits in about a second."""

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyGenerator)
NAMES = sorted(EXAMPLES)
CHECKPOINTED = ("arn", "ctgan", "ctgan-paper", "dp-ctgan", "mixture", "tvae")
"""The others fit in one go and begin anew after a kill; ``auto`` has a test of its own."""
SEED = 3


def example(name: str) -> Generator:
    generator: Generator = ADAPTER.validate_python({"name": name, **EXAMPLES[name]})
    return generator


@cache
def fitted(name: str, kind: str) -> Sampler:
    return example(name).fit(table(kind), Context(seed=SEED))


PRIVATE = ("dp-ctgan",)
"""Their rows come in a schema of their own: that of the training table is not private."""


def check(rows: Table, n: int, like: Table) -> None:
    """That these are ``n`` rows in the schema of ``like``, with nothing that it does not allow."""
    schema = like.schema
    if rows.schema != schema:
        # A private model has categories and bounds of its own; the rest is the training table's.
        facts = ("name", "kind", "dtype")
        assert [[getattr(c, fact) for fact in facts] for c in rows.schema.columns] == [
            [getattr(c, fact) for fact in facts] for c in schema.columns
        ]
        assert rows.schema.target == schema.target
        schema = rows.schema
    assert len(rows) == n
    assert rows.frame.index.equals(pd.RangeIndex(n))
    assert rows.frame.dtypes.astype(str).to_dict() == like.frame.dtypes.astype(str).to_dict()
    for column in schema.columns:
        if not getattr(column, "missing", False) and column.kind != "text":
            assert not rows.frame[column.name].isna().any(), column.name
    for discrete in schema.discrete:
        assert (rows.codes(discrete.name) >= -1).all(), discrete.name
    for continuous in schema.continuous:
        numbers = rows.numbers(continuous.name)
        present = numbers[~np.isnan(numbers)]
        assert (present >= continuous.low).all(), continuous.name
        assert (present <= continuous.high).all(), continuous.name


def same(one: Table, other: Table) -> bool:
    return one.frame.equals(other.frame)


# ---- configuration ----------------------------------------------------------------------------


def test_no_generator_is_absent_here() -> None:
    classes = typing.get_args(typing.get_args(AnyGenerator)[0])
    assert sorted(c.model_fields["name"].default for c in classes) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_settings_survive_json(name: str) -> None:
    generator = example(name)
    assert ADAPTER.validate_json(generator.model_dump_json()) == generator
    assert ADAPTER.validate_python({"name": name}).name == name


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_setting_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="no_such_setting"):
        ADAPTER.validate_python({"name": name, "no_such_setting": 1})


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_described(name: str) -> None:
    fields = type(example(name)).model_fields
    assert [f for f, info in fields.items() if f != "name" and not info.description] == []


# ---- rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("name", NAMES)
def test_as_many_rows_as_asked_for_in_the_same_schema(name: str, kind: str) -> None:
    sampler = fitted(name, kind)
    for n in (0, 1, 333):
        check(sampler.sample(n, seed=7), n, table(kind))


@pytest.mark.parametrize("name", NAMES)
def test_missing_values_come_back_where_there_were_some(name: str) -> None:
    rows = fitted(name, "mixed").sample(400, seed=7).frame
    missing = set(rows.columns[rows.isna().any()])
    allowed = {c.name for c in table("mixed").schema.modelled if c.missing}
    # Two epochs of a network teach it little, so only that some column has them is asked of all.
    assert missing
    assert missing <= allowed


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_fixes_fit_and_sample(name: str) -> None:
    first = fitted(name, "mixed")
    again = example(name).fit(table("mixed"), Context(seed=SEED))
    drawn = first.sample(60, seed=1)
    assert not same(drawn, first.sample(60, seed=2))
    assert same(drawn, first.sample(60, seed=1)), "a sampler keeps no state between samples"
    assert same(drawn, again.sample(60, seed=1))


def digests(frame: pd.DataFrame, schema: Schema) -> dict[str, str]:
    """A hash of twenty rows of every generator."""
    found = {}
    for name in NAMES:
        rows = example(name).fit(Table(frame, schema), Context(seed=SEED)).sample(20, seed=1)
        found[name] = hashlib.sha256(rows.frame.to_csv().encode()).hexdigest()
    return found


def test_another_process_draws_the_same(tmp_path: Path) -> None:
    """Not only the seed, but nothing else of a process has a say: no hash order, no identity."""
    here = table("mixed").take(np.arange(120))
    here.save(tmp_path / "rows.parquet")
    (tmp_path / "schema.json").write_text(here.schema.model_dump_json())
    code = """
import json, sys
from pathlib import Path
from tests.generators.test_contract import Schema, digests, pd
folder = Path(sys.argv[1])
schema = Schema.model_validate_json((folder / "schema.json").read_text())
print(json.dumps(digests(pd.read_parquet(folder / "rows.parquet"), schema)))
"""
    there = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "17"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(there.stdout) == digests(here.frame, here.schema)


@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith(("gan", "tvae"))])
def test_another_seed_trains_another_network(name: str) -> None:
    other = example(name).fit(table("mixed"), Context(seed=SEED + 1))
    assert not same(fitted(name, "mixed").sample(60, seed=1), other.sample(60, seed=1))


@pytest.mark.parametrize("name", NAMES)
def test_identifiers_are_fresh(name: str) -> None:
    rows = fitted(name, "mixed").sample(300, seed=9, where={"flag": False})
    assert isinstance(rows.schema["ID"], Identifier)
    assert rows.frame["ID"].is_unique
    assert not set(rows.frame["ID"]) & set(table("mixed").frame["ID"])


# ---- conditions -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_discrete_column_can_be_fixed(name: str) -> None:
    sampler = fitted(name, "mixed")
    for column in table("mixed").schema.discrete:
        where = {column.name: column.values[-1]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ShortfallWarning)
            rows = sampler.sample(15, seed=2, where=where)
        assert matching(rows, where).all()
        check(rows, len(rows), table("mixed"))


@pytest.mark.parametrize("name", ["ctgan", "smote", "resample", "sdv-gaussian-copula"])
def test_a_rare_class_is_drawn_in_full(name: str) -> None:
    rows = fitted(name, "imbalanced").sample(200, seed=2, where={"y": "yes"})
    check(rows, 200, table("imbalanced"))
    assert (rows.frame["y"] == "yes").all()


@pytest.mark.parametrize("name", NAMES)
def test_several_conditions_hold_together_or_the_shortfall_is_told(name: str) -> None:
    where = {"y": "yes", "flag": True, "level": "high"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = fitted(name, "mixed").sample(40, seed=2, where=where)
    assert matching(rows, where).all()
    told = [w for w in caught if w.category is ShortfallWarning]
    assert len(told) == (len(rows) < 40)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", [{"flog": True}, {"y": "maybe"}, {"zeros": 0}, {"y": None}])
def test_wrong_conditions_are_refused(name: str, where: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        fitted(name, "mixed").sample(5, seed=1, where=where)


@pytest.mark.parametrize("kind", ["quantity", "quantities"])
@pytest.mark.parametrize("name", NAMES)
def test_a_quantity_as_the_target_cannot_be_fixed(name: str, kind: str) -> None:
    with pytest.raises(ConfigError, match="'y' is numeric") as raised:
        fitted(name, kind).sample(5, seed=1, where={"y": 40.0})
    assert "'y'" not in raised.value.remedy


@pytest.mark.parametrize("name", NAMES)
def test_conditions_beside_a_quantity_hold(name: str) -> None:
    rows = fitted(name, "quantity").sample(40, seed=2, where={"flag": False})
    check(rows, 40, table("quantity"))
    assert not rows.frame["flag"].any()
    assert len(np.unique(rows.targets)) > 1


# ---- what must not leak -----------------------------------------------------------------------

RARE_CATEGORY = "qxzcanaryzxq"
HELD_OUT_CATEGORY = "wvkcanarykvw"
EXTREMES = (987654.3218, -987654.3218, 876543.2109)


@cache
def canaries() -> Table:
    """240 training rows of 300, with a category of three rows and two extreme numbers among
    them, and a common category and a number that only the other sixty have."""
    frame = mixed(300, seed=8)
    frame.loc[[3, 77, 130], "job\nline"] = RARE_CATEGORY
    frame.loc[5, "zeros"], frame.loc[6, "zeros"] = EXTREMES[:2]
    frame.loc[240:, "job\nline"] = HELD_OUT_CATEGORY
    frame.loc[240:, "zeros"] = EXTREMES[2]
    train = frame.iloc[:240]
    return Table(train, infer(train, target="y"))


@pytest.mark.parametrize("name", NAMES)
def test_rare_extreme_and_held_out_values_stay_secret(name: str, tmp_path: Path) -> None:
    train = canaries()
    sampler = example(name).fit(train, Context(seed=SEED))
    rows = sampler.sample(1500, seed=4)
    check(rows, 1500, train)
    assert not rows.frame["job\nline"].isin([RARE_CATEGORY, HELD_OUT_CATEGORY]).any()
    sampler.save(tmp_path)
    written = b"".join(p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file())
    assert RARE_CATEGORY.encode() not in written
    assert HELD_OUT_CATEGORY.encode() not in written
    for number in EXTREMES:
        assert str(abs(number)).encode() not in written
        for form in ("<d", ">d", "<f"):
            assert struct.pack(form, number) not in written


@pytest.mark.parametrize("name", NAMES)
def test_the_extremes_of_a_quantity_stay_secret(name: str, tmp_path: Path) -> None:
    frame = quantity(300, seed=8)
    frame.loc[5, "y"], frame.loc[6, "y"] = EXTREMES[:2]
    frame.loc[240:, "y"] = EXTREMES[2]
    part = frame.iloc[:240]
    train = Table(part, infer(part, target="y"))
    assert train.schema.task == "regression"
    sampler = example(name).fit(train, Context(seed=SEED))
    # The check holds every number to the bounds, which the extremes are beyond.
    check(sampler.sample(1500, seed=4), 1500, train)
    assert np.abs(train.targets).max() > 10 * np.sort(np.abs(train.targets))[-3]
    assert train.schema["y"].high < 1000  # type: ignore[union-attr]
    sampler.save(tmp_path)
    written = b"".join(p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file())
    for number in EXTREMES:
        assert str(abs(number)).encode() not in written
        for form in ("<d", ">d", "<f"):
            assert struct.pack(form, number) not in written


@pytest.mark.parametrize("name", NAMES)
def test_categories_that_only_the_schema_knows_do_not_fail(name: str) -> None:
    """A resample may lack a category that the training rows have, and all of some column."""
    whole = table("mixed")
    lacking = (whole.frame["level"] != "mid") & whole.frame["born"].notna()
    part = whole.take(lacking.to_numpy())
    rows = example(name).fit(part, Context(seed=SEED)).sample(100, seed=1)
    check(rows, 100, whole)


@pytest.mark.parametrize("name", NAMES)
def test_the_input_and_the_global_generators_are_left_alone(name: str) -> None:
    train = Table(tables()["mixed"], table("mixed").schema)
    before = train.frame.copy(deep=True)
    states = _global_states()
    sampler = example(name).fit(train, Context(seed=SEED))
    sampler.sample(20, seed=1)
    sampler.sample(5, seed=1, where={"flag": False})
    assert _global_states() == states
    pd.testing.assert_frame_equal(train.frame, before)


def _global_states() -> list[bytes]:
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002
    return [repr((kind, rest)).encode(), bytes(keys), torch.get_rng_state().numpy().tobytes()]


# ---- saving and resuming ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mixed", "nullable", "categorical", "quantity"])
@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_draws_the_same(name: str, kind: str, tmp_path: Path) -> None:
    sampler = fitted(name, kind)
    sampler.save(tmp_path)
    column = table(kind).schema.discrete[-1]
    where = {column.name: column.values[0]}
    loaded = _trusting(name).load(tmp_path)
    assert same(loaded.sample(50, seed=5), sampler.sample(50, seed=5))
    assert same(loaded.sample(9, seed=5, where=where), sampler.sample(9, seed=5, where=where))


def _trusting(name: str) -> Generator:
    opt_in = {"trust_pickle": True} if name.startswith("sdv-") else {}
    generator: Generator = ADAPTER.validate_python({"name": name, **opt_in})
    return generator


@pytest.mark.parametrize("name", NAMES)
def test_only_sdv_writes_pickles_and_they_need_trust(name: str, tmp_path: Path) -> None:
    fitted(name, "mixed").save(tmp_path)
    files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert "model.json" in files
    if name.startswith("sdv-"):
        assert files == {"model.json", "sdv/synthesizer.pkl", "sdv/README.txt"}
        with pytest.raises(ConfigError, match="trust_pickle"):
            example(name).load(tmp_path)
    else:
        more = {"choice.json"} if name == "auto" else set()
        assert files == {"model.json", "model.safetensors"} | more


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["absent", "truncated", "of another"])
def test_a_damaged_model_is_refused(name: str, damage: str, tmp_path: Path) -> None:
    other = "smote" if name == "resample" else "resample"
    if damage != "absent":
        fitted(other if damage == "of another" else name, "mixed").save(tmp_path)
    if damage == "truncated":
        for file in tmp_path.rglob("*"):
            if file.is_file():
                file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(DataError) as raised:
        _trusting(name).load(tmp_path)
    assert name in raised.value.cause


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_fit_goes_on_to_the_same_model(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthgen.training.loop.SNAPSHOT_STEPS", 1)
    monkeypatch.setattr("synthgen.training.loop.CHECKPOINT_SECONDS", 0.0)
    generator, folder = example(name), tmp_path / "checkpoints"
    folder.mkdir()
    whole: list[dict[str, float]] = []
    undisturbed = generator.fit(table("mixed"), Context(seed=SEED, log=whole.append))
    before: list[dict[str, float]] = []

    def kill(record: dict[str, float]) -> None:
        before.append(record)
        if len(before) > len(whole) // 2:
            raise Killed

    with contextlib.suppress(Killed):
        generator.fit(table("mixed"), Context(seed=SEED, log=kill, checkpoints=folder))
    after: list[dict[str, float]] = []
    context = Context(seed=SEED, log=after.append, checkpoints=folder)
    resumed = generator.fit(table("mixed"), context)
    assert same(resumed.sample(80, seed=6), undisturbed.sample(80, seed=6))
    if name in CHECKPOINTED:
        assert 1 < after[0]["step"] <= before[-1]["step"] < whole[-1]["step"]


@pytest.mark.parametrize("name", NAMES)
def test_the_log_counts_steps(name: str) -> None:
    records: list[dict[str, float]] = []
    example(name).fit(table("numeric"), Context(seed=SEED, log=records.append))
    # Some judge held-out rows at the end of a step, in a record of their own; and of ``auto`` each
    # candidate has records of its own.
    kinds: dict[frozenset[str], list[float]] = {}
    for record in records:
        kinds.setdefault(frozenset(record), []).append(record["step"])
    for steps in kinds.values():
        assert steps == sorted(set(steps))
    for record in records:
        assert 1 <= record["step"] <= record["steps"]
        assert all(type(value) in (int, float) for value in record.values())
    if name.endswith(("arn", "gan", "tvae")):
        assert records
