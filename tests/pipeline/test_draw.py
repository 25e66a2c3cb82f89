"""Drawing without copies, from samplers made by hand whose every row is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen.benchmark.arms import lacking
from synthgen.data.assemble import assemble, join
from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.generators.base import Where
from synthgen.pipeline.tables.draw import coincidence_rate, draw

TOWNS = ["Bern", "Oslo", "Rome"]


def known(rows: int = 200, key: str = "text", seed: int = 0) -> Table:
    """Rows that are all different, with a key, and a category held by three rows only."""
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(rows)
    keys = {
        "text": np.array([f"K-{number:03d}" for number in numbers], dtype=object),
        "int16": numbers.astype("int16"),
    }
    towns = rng.choice(TOWNS, rows)
    towns[:3] = "Atlantis"
    frame = pd.DataFrame(
        {
            "id": keys[key],
            "x": rng.normal(size=rows),
            "town": pd.Categorical(towns, [*TOWNS, "Atlantis"]),
            "y": rng.choice(["no", "yes"], rows, p=[0.7, 0.3]),
        }
    )
    table = Table(frame, infer(frame, target="y"))
    assert [column.kind for column in table.schema.columns] == [
        "identifier", "numeric", "categorical", "categorical",
    ]  # fmt: skip
    return table


class Fake:
    """Every other row repeats a training row (``share`` 0.5), or all do (1), or none (0)."""

    def __init__(self, train: Table, share: float) -> None:
        listed = train.frame["town"].isin(TOWNS).to_numpy()
        self.train = train.take(listed)
        self.share = share
        self.asked: list[tuple[int, int, Where | None]] = []
        self.copied = 0

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        self.asked.append((n, seed, where))
        rng = np.random.default_rng(seed)
        pool = self.train.frame
        for name, value in (where or {}).items():
            pool = pool[pool[name] == value]
        rows = pool.iloc[rng.integers(len(pool), size=n)].reset_index(drop=True)
        repeated = np.arange(n) < round(self.share * n)
        self.copied += int(repeated.sum())
        x = np.where(repeated, rows["x"], rng.normal(size=n))
        parts = {
            "x": pd.Series(x),
            "town": rows["town"].cat.set_categories(TOWNS),
            "y": rows["y"],
        }
        return assemble(parts, self.train.schema, n, seed).take(rng.permutation(n))

    def save(self, path: Path) -> None:
        raise AssertionError("nothing is saved here")


class Grid(Fake):
    """Coarse rows: two values in each of two columns, nothing else."""

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        self.asked.append((n, seed, where))
        rng = np.random.default_rng(seed)
        parts = {name: pd.Series(rng.choice(["no", "yes"], n)) for name in ("town", "y")}
        return assemble(parts, self.train.schema, n, seed)


class Dry(Fake):
    """Has no row to give."""

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        return super().sample(0, seed=seed, where=where)


def grid(rows: int = 200) -> Table:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({name: rng.choice(["no", "yes"], rows) for name in ("town", "y")})
    return Table(frame, infer(frame, target="y"))


def repeated(train: Table, rows: Table) -> int:
    """How many rows stand in the training rows too, told by pandas alone."""
    columns = [column.name for column in train.schema.modelled]
    real = set(map(tuple, train.frame[columns].astype(object).to_numpy().tolist()))
    made = map(tuple, rows.frame[columns].astype(object).to_numpy().tolist())
    return sum(row in real for row in made)


def test_the_fakes_repeat_what_they_should() -> None:
    train = known()
    assert repeated(train, Fake(train, 0.5).sample(100, seed=0)) == 50
    assert repeated(train, Fake(train, 1.0).sample(100, seed=0)) == 100
    assert repeated(train, Fake(train, 0.0).sample(100, seed=0)) == 0


def test_copies_are_replaced_and_counted() -> None:
    train = known()
    sampler = Fake(train, 0.5)
    drawn = draw(sampler, train, 150, seed=3)
    assert len(drawn.rows) == drawn.wanted == 150
    assert repeated(train, drawn.rows) == 0
    assert drawn.dropped == sampler.copied >= 75
    assert drawn.kept == 0
    assert any(str(drawn.dropped) in notice for notice in drawn.notices)
    assert not any("rows came" in notice for notice in drawn.notices)


def test_nothing_is_said_where_nothing_was_dropped() -> None:
    train = known()
    sampler = Fake(train, 0.0)
    drawn = draw(sampler, train, 50, seed=0)
    assert (len(drawn.rows), drawn.dropped, drawn.kept, drawn.notices) == (50, 0, 0, [])
    assert len(sampler.asked) == 1


def test_a_sampler_that_only_repeats_gives_nothing() -> None:
    train = known()
    drawn = draw(Fake(train, 1.0), train, 40, seed=0)
    assert (len(drawn.rows), drawn.kept, drawn.wanted) == (0, 0, 40)
    assert any("0 of 40 rows came" in notice for notice in drawn.notices)
    assert drawn.rows.schema == train.schema


def test_only_repeats_where_real_rows_come_in_pairs() -> None:
    single = known(100)
    train = single.concat(single)  # Of two halves, one holds 50 of 99 partners of the other's rows.
    drawn = draw(Fake(train, 1.0), train, 200, seed=0)
    assert drawn.kept == len(drawn.rows) == repeated(train, drawn.rows)
    assert drawn.kept / 200 == pytest.approx(100 / 199, abs=0.1)
    assert any(f"{drawn.kept} of 200 rows came" in notice for notice in drawn.notices)


def test_copies_are_welcome_where_the_user_allows_them() -> None:
    train = known()
    sampler = Fake(train, 1.0)
    drawn = draw(sampler, train, 40, seed=0, policy="allow")
    assert len(drawn.rows) == repeated(train, drawn.rows) == 40
    assert drawn.dropped == 0
    assert not any("rows came" in notice for notice in drawn.notices)
    assert len(sampler.asked) == 1


def test_a_sampler_without_rows_ends_the_search() -> None:
    train = known()
    sampler = Dry(train, 0.0)
    drawn = draw(sampler, train, 40, seed=0)
    assert (len(drawn.rows), drawn.dropped, drawn.kept) == (0, 0, 0)
    assert len(sampler.asked) == 1
    assert any("0 of 40 rows came" in notice for notice in drawn.notices)


def test_in_a_coarse_table_coincidences_stay() -> None:
    train = grid()
    drawn = draw(Grid(train, 0.0), train, 120, seed=0)
    assert len(drawn.rows) == drawn.kept == repeated(train, drawn.rows) == 120
    assert any("120 coincidences" in notice for notice in drawn.notices)
    assert not any("rows came" in notice for notice in drawn.notices)


class Common(Fake):
    """Six rows in ten are one training row, the others are new."""

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        fresh = super().sample(n - round(0.6 * n), seed=seed, where=where)
        return self.train.take(np.full(round(0.6 * n), 5)).concat(fresh)


@pytest.mark.parametrize(("copies", "kept"), [(4, False), (40, True)])
def test_a_row_that_many_share_comes_as_often_as_it_is_there(copies: int, kept: bool) -> None:
    single = known(100)
    sampler = Common(single, 0.0)
    common = sampler.train.take(np.full(copies - 1, 5))
    train = single.concat(common)
    drawn = draw(sampler, train, 209, seed=0)
    assert len(drawn.rows) == 209
    assert drawn.kept == repeated(train, drawn.rows)
    assert drawn.kept == (61 if kept else 0)  # 40 of 139 rows are alike, rounded up
    assert drawn.dropped > 0


def test_conditions_reach_every_redraw() -> None:
    train = known()
    sampler = Fake(train, 0.5)
    where = {"town": "Oslo", "y": "yes"}
    drawn = draw(sampler, train, 60, seed=0, where=where)
    assert len(sampler.asked) > 1
    assert all(asked[2] == where for asked in sampler.asked)
    assert len(drawn.rows) == 60
    assert (drawn.rows.frame["town"] == "Oslo").all()
    assert (drawn.rows.frame["y"] == "yes").all()
    draw(sampler, train, 60, seed=0)
    assert sampler.asked[-1][2] is None


def test_redraws_have_seeds_of_their_own() -> None:
    train = known()
    sampler = Fake(train, 0.9)
    draw(sampler, train, 100, seed=0)
    seeds = [seed for _, seed, _ in sampler.asked]
    assert len(seeds) > 2
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("key", ["text", "int16"])
def test_keys_are_unique_over_redraws_and_joined_draws(key: str) -> None:
    train = known(key=key)
    sampler = Fake(train, 0.9)
    parts = [draw(sampler, train, 300, seed=seed) for seed in (0, 1, 2)]
    assert len(sampler.asked) > 6  # Many redraws: keys of many samples meet.
    for part in parts:
        assert part.rows.frame["id"].is_unique
        assert part.rows.frame["id"].dtype == train.frame["id"].dtype
    whole = join([part.rows for part in parts], 0)
    assert len(whole) == 900
    assert whole.frame["id"].is_unique
    cells = pd.concat([part.rows.frame["x"] for part in parts], ignore_index=True)
    pd.testing.assert_series_equal(whole.frame["x"], cells)


def test_coincidences_have_keys_of_their_own_too() -> None:
    single = known(100)
    train = single.concat(single)
    rows = draw(Fake(train, 0.98), train, 400, seed=0).rows
    assert repeated(train, rows) > 0
    assert rows.frame["id"].is_unique


@pytest.mark.parametrize("policy", ["drop", "allow"])
def test_the_same_seed_gives_the_same_rows(policy: str) -> None:
    train = known()
    first, same, other = (
        draw(Fake(train, 0.5), train, 80, seed=seed, policy=policy).rows.frame  # type: ignore[arg-type]
        for seed in (5, 5, 6)
    )
    pd.testing.assert_frame_equal(first, same)
    assert not first["x"].isin(other["x"]).all()
    assert set(first["id"]) != set(other["id"])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_rare_categories_of_the_training_rows_are_not_named(share: float) -> None:
    train = known()
    assert "Atlantis" in train.frame["town"].cat.categories
    rows = draw(Fake(train, share), train, 60, seed=0).rows
    assert list(rows.frame["town"].cat.categories) == TOWNS
    single = known(100)
    pairs = single.concat(single)
    drawn = draw(Fake(pairs, share), pairs, 60, seed=0)
    assert list(drawn.rows.frame["town"].cat.categories) == TOWNS


def test_the_rate_of_coincidences_in_closed_form() -> None:
    alike = grid(40)
    assert coincidence_rate(alike.take(np.zeros(30, dtype=np.int64)), 0) == 1.0
    assert coincidence_rate(known(), 0) == 0.0
    assert coincidence_rate(known().take(np.arange(1)), 0) == 0.0
    assert coincidence_rate(known().take(np.arange(0)), 0) == 0.0
    # Rows A, A, B, C: two halves share A in 2 of 3 orders, and A is half of the first half.
    four = known().take(np.array([5, 5, 6, 7]))
    rates = [coincidence_rate(four, seed) for seed in range(600)]
    assert set(rates) == {0.0, 0.5}
    assert np.mean(rates) == pytest.approx(1 / 3, abs=0.04)
    assert coincidence_rate(four, 7) == coincidence_rate(four, 7)


def test_balancing_fills_up_to_the_largest_class() -> None:
    labels = ["a"] * 7 + ["b"] * 30 + ["c"] * 12 + ["d"] * 30
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=79), "y": labels})
    train = Table(frame, infer(frame, target="y"))
    values = train.schema["y"].values  # type: ignore[union-attr]
    found = {values[code]: count for code, count in lacking(train).items()}
    assert found == {"a": 23, "c": 18}
    assert lacking(train.take(np.flatnonzero(frame["y"].isin(["b", "d"])))) == {}
