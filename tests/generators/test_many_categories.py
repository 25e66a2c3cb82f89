"""A column of very many categories: narrow networks, all values within reach, exact conditions."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.generators import AnyGenerator
from synthgen.generators.base import Generator, Sampler
from synthgen.training.context import Context

ROWS, VALUES, CODES = 6_000, 300, 20
NAMES = ("ctgan", "tvae", "arn", "mixture")
ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyGenerator)


@cache
def train() -> Table:
    """The word's first letter goes with the group of ``kind``; three words are rare."""
    rng = np.random.default_rng(0)
    number = (VALUES * rng.random(ROWS) ** 2).astype(int)
    word = pd.Series([f"w{i:03}" for i in number], dtype=object)
    word[[7, 8, 9]] = "qxzcanaryzxq"
    kind = np.where(number < 12, "head", rng.choice(["tail", "end"], ROWS))
    frame = pd.DataFrame({"word": word, "kind": kind, "x": rng.normal(size=ROWS)})
    frame["y"] = np.where(rng.random(ROWS) < 0.5, "yes", "no")
    return Table(frame, infer(frame, target="y"))


@cache
def fitted(name: str) -> Sampler:
    small = {"ctgan": {"epochs": 20}, "tvae": {"epochs": 20}, "arn": {"epochs": 5}}
    generator: Generator = ADAPTER.validate_python(
        {"name": name, "max_codes": CODES, **small.get(name, {})}
    )
    return generator.fit(train(), Context(seed=1))


@pytest.mark.parametrize("name", NAMES)
def test_the_network_is_narrow_and_every_value_within_reach(name: str, tmp_path: Path) -> None:
    sampler: Any = fitted(name)
    column = train().schema["word"]
    assert len(column.values) > 250  # type: ignore[union-attr]
    span = sampler.encoder.spans[0]
    # Words held by fewer than five rows have a code of their own.
    assert span.size == CODES + 1
    rows = sampler.sample(40_000, seed=3)
    drawn = rows.frame["word"].value_counts()
    assert set(drawn.index) == set(column.values)  # type: ignore[union-attr]
    # Within a group members come as often as in training.
    real = train().frame["word"].value_counts()
    codes = sampler.encoder.encodings[0]._shared
    members = [v for v, code in zip(column.values, codes, strict=True) if code == 12]  # type: ignore[union-attr]
    shares = drawn[members] / drawn[members].sum()
    assert np.abs(shares - real[members] / real[members].sum()).max() < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_a_condition_on_a_member_is_exact(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler: Any = fitted(name)
    column = train().schema["word"]
    codes = sampler.encoder.encodings[0]._shared
    inside = [v for v, code in zip(column.values, codes, strict=True) if code == 15]  # type: ignore[union-attr]
    one, other = inside[0], inside[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = sampler.sample(300, seed=5, where={"word": one})
        same = sampler.sample(300, seed=5, where={"word": other})
    assert (rows.frame["word"] == one).all()
    assert (same.frame["word"] == other).all()
    # The group is all that the model knows: any member gets the same rows around it.
    pd.testing.assert_frame_equal(rows.frame.drop(columns="word"), same.frame.drop(columns="word"))


@pytest.mark.parametrize("name", NAMES)
def test_saved_models_are_small_and_draw_the_same(name: str, tmp_path: Path) -> None:
    sampler: Any = fitted(name)
    sampler.save(tmp_path)
    assert (tmp_path / "model.json").stat().st_size < 60_000
    again = ADAPTER.validate_python({"name": name}).load(tmp_path)
    where = {"word": "w150"}
    pd.testing.assert_frame_equal(
        again.sample(50, seed=2, where=where).frame, sampler.sample(50, seed=2, where=where).frame
    )
    assert b"qxzcanaryzxq" not in (tmp_path / "model.json").read_bytes()
    assert not sampler.sample(5000, seed=1).frame["word"].eq("qxzcanaryzxq").any()


@pytest.mark.parametrize("name", NAMES)
def test_the_classes_of_the_target_are_never_grouped(name: str) -> None:
    frame = train().frame.rename(columns={"y": "z", "word": "y"}).iloc[:2000]
    frame = frame[frame["y"].map(frame["y"].value_counts()) > 1].reset_index(drop=True)
    table = Table(frame, infer(frame, target="y"))
    fast = {"mixture": {}}.get(name, {"epochs": 1})
    generator = ADAPTER.validate_python({"name": name, "max_codes": CODES, **fast})
    sampler = generator.fit(table, Context(seed=1))
    assert sampler.encoder.spans[0].size == len(table.schema["y"].values) > 200  # type: ignore[union-attr]
