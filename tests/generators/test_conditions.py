"""Conditions: what they may say, which rows meet them, and bounded rejection."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from synthgen.data.schema import Boolean, Categorical, Identifier, Numeric, Ordered, Schema
from synthgen.data.table import Table
from synthgen.errors import ConfigError, ShortfallWarning
from synthgen.generators.conditions import (
    LARGEST_DRAW,
    SMALLEST_DRAW,
    draw_until,
    matching,
    resolve,
)

SCHEMA = Schema(
    columns=(
        Identifier(name="key", dtype="int64"),
        Categorical(name="colour", dtype="object", missing=True, values=("red", "green", "blue")),
        Categorical(name="code", dtype="int64", values=(1, 2, 12)),
        Categorical(name="text code", dtype="object", values=("1", "02")),
        Ordered(name="size", dtype="object", values=("small", "large")),
        Boolean(name="member", dtype="bool"),
        Numeric(name="age", dtype="int64", integer=True, low=0, high=99),
    ),
    target="colour",
)


def table(n: int, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "key": np.arange(n) + 10 * seed,
            "colour": rng.choice(np.array(["red", "green", "blue", None], dtype=object), n),
            "code": rng.choice([1, 2, 12], n, p=[0.6, 0.399, 0.001]),
            "text code": rng.choice(np.array(["1", "02"], dtype=object), n),
            "size": rng.choice(np.array(["small", "large"], dtype=object), n),
            "member": rng.random(n) < 0.5,
            "age": rng.integers(0, 99, n),
        }
    )
    return Table(frame, SCHEMA)


@pytest.mark.parametrize(
    ("column", "given", "listed"),
    [
        ("colour", "red", "red"),
        ("colour", " red ", "red"),
        ("code", 2, 2),
        ("code", np.int64(2), 2),
        ("code", "12", 12),
        ("code", "2.0", 2),
        ("text code", 1, "1"),
        ("text code", "02", "02"),
        ("size", "large", "large"),
        ("member", True, True),
        ("member", "false", False),
        ("member", "1", True),
        ("member", 0, False),
    ],
)
def test_a_value_reaches_the_listed_one_that_it_spells(
    column: str, given: object, listed: object
) -> None:
    found = resolve(SCHEMA, {column: given})[column]  # type: ignore[dict-item]
    assert found == listed
    assert type(found) is type(listed)


@pytest.mark.parametrize(
    ("where", "named"),
    [
        ({"color": "red"}, "'colour'"),
        ({"colour": "gren"}, "'green'"),
        ({"colour": "purple"}, "'red'"),
        ({"code": 3}, "1, 2, 12"),
        ({"code": True}, "1, 2, 12"),
        ({"text code": 2}, "'02'"),
        ({"age": 4}, "'age' is numeric"),
        ({"key": 4}, "'key' is identifier"),
        ({"colour": None}, "missing"),
        ({"colour": float("nan")}, "missing"),
        ({"colour": pd.NA}, "missing"),
        ({"member": "perhaps"}, "False, True"),
    ],
)
def test_a_wrong_condition_names_the_nearest_right_ones(
    where: dict[str, object], named: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        resolve(SCHEMA, where)  # type: ignore[arg-type]
    assert named in str(raised.value)
    assert raised.value.remedy


def test_matching_agrees_with_pandas() -> None:
    rows = table(500)
    frame = rows.frame
    expected = (frame["colour"] == "red") & (frame["code"] == 2) & frame["member"]
    mask = matching(rows, {"colour": "red", "code": "2", "member": "true"})
    assert mask.tolist() == expected.tolist()
    assert matching(rows, {}).all()
    assert matching(rows, None).all()


def test_without_conditions_one_draw_is_all() -> None:
    calls = []

    def draw(count: int, attempt: int) -> Table:
        calls.append((count, attempt))
        return table(count)

    assert len(draw_until(draw, 7, None, tries=3)) == 7
    assert calls == [(7, 0)]


@pytest.mark.parametrize("where", [None, {"colour": "red"}])
def test_no_rows_are_a_table_too(where: dict[str, str] | None) -> None:
    none = draw_until(lambda count, attempt: table(count), 0, where, tries=3)
    assert len(none) == 0
    assert none.frame.dtypes.equals(table(1).frame.dtypes)


def test_rejection_returns_the_accepted_rows_in_the_order_drawn() -> None:
    drawn: list[Table] = []

    def draw(count: int, attempt: int) -> Table:
        drawn.append(table(count, seed=attempt))
        return drawn[-1]

    found = draw_until(draw, 2000, {"colour": "red", "member": True}, tries=20)
    assert len(drawn) > 1
    assert len(found) == 2000
    every = pd.concat([t.frame for t in drawn])
    met = every[(every["colour"] == "red") & every["member"]].head(2000)
    columns = [column.name for column in SCHEMA.modelled]
    assert found.frame[columns].equals(met[columns].reset_index(drop=True))


def test_joined_draws_have_fresh_keys_throughout() -> None:
    found = draw_until(lambda n, attempt: table(n, seed=attempt), 2000, {"code": 2}, tries=20)
    assert found.frame["key"].is_unique


def test_a_shortfall_is_reported_with_its_counts() -> None:
    sizes: list[int] = []

    def draw(count: int, attempt: int) -> Table:
        sizes.append(count)
        return table(count, seed=attempt)

    with pytest.warns(ShortfallWarning) as caught:
        found = draw_until(draw, 1000, {"code": 12, "colour": "blue"}, tries=2)
    assert 0 < len(found) < 1000
    assert matching(found, {"code": 12, "colour": "blue"}).all()
    message = str(caught[0].message)
    assert f"{len(found)} rows instead of 1000" in message
    # A row was found, so ten times as many draws were made.
    assert f"{sum(sizes)} rows were drawn in 20 tries" in message
    assert len(sizes) == 20


def test_draws_are_bounded_in_size_and_number() -> None:
    sizes: list[int] = []

    def draw(count: int, attempt: int) -> Table:
        sizes.append(count)
        return table(10).take(np.zeros(count, dtype=np.int64))

    rows = table(10)
    never = next(c for c in ("red", "green", "blue") if c != rows.frame["colour"][0])
    with pytest.warns(ShortfallWarning):
        assert len(draw_until(draw, 3, {"colour": never}, tries=12)) == 0
    assert len(sizes) == 12
    assert sizes[0] == SMALLEST_DRAW
    assert max(sizes) == LARGEST_DRAW
    assert sizes == sorted(sizes)


def test_nothing_is_warned_when_all_rows_are_found() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_until(lambda n, a: table(n, a), 50, {"code": 1}, tries=5)
