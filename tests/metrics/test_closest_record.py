"""Nearest neighbours against a plain re-statement, and generators whose memory is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from synthgen.data.table import Table
from synthgen.metrics.base import NotComputable, Trio
from synthgen.metrics.closest_record import closest_record
from synthgen.metrics.levels import distinct
from synthgen.metrics.reference import privacy_pair
from tests.metrics.tables import categorical, numeric, real_trio, table

# The package's attribute of this name is the metric.
MODULE = sys.modules["synthgen.metrics.closest_record"]


def _world(n: int, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = np.where(rng.random(n) < 0.2, np.nan, np.exp(x + rng.normal(size=n)))
    kind = np.where(rng.random(n) < 0.1, None, rng.choice(["a", "b", "c"], n).astype(object))
    columns = [numeric("x", x), numeric("y", y), categorical("kind", "a", "b", "c")]
    return table(columns, x=x, y=y, kind=kind)


def _plain(trio: Trio) -> tuple[float, float]:
    """Share and ratio of medians, one pair of rows at a time."""
    real = [*trio.train.frame.itertuples(index=False), *trio.holdout.frame.itertuples(index=False)]
    knots = {}
    for place in (0, 1):
        known = np.array([row[place] for row in real if not np.isnan(row[place])])
        values = np.unique(known)
        middle = [((known < v).mean() + (known <= v).mean()) / 2 for v in values]
        knots[place] = values, middle

    def rank(value: float, place: int) -> float:
        return 0.5 if np.isnan(value) else float(np.interp(value, *knots[place]))

    def distance(a: tuple, b: tuple) -> float:
        total = float(a[2] != b[2])
        for place in (0, 1):
            total += abs(rank(a[place], place) - rank(b[place], place))
            total += np.isnan(a[place]) != np.isnan(b[place])
        return total

    def closest(rows: Table, others: Table) -> list[float]:
        there = list(others.frame.itertuples(index=False))
        return [min(distance(a, b) for b in there) for a in rows.frame.itertuples(index=False)]

    known, fresh = (closest(trio.synthetic, side) for side in (trio.train, trio.holdout))
    share = np.mean([k < f for k, f in zip(known, fresh, strict=True)])
    odds = share / len(trio.train) / ((1 - share) / len(trio.holdout))
    ratio = np.median(known) / np.median(closest(trio.holdout, trio.train))
    return float(odds / (1 + odds)), float(ratio)


def test_against_a_plain_restatement(monkeypatch: pytest.MonkeyPatch) -> None:
    trio = Trio(_world(90, 1), _world(40, 2), _world(45, 3))
    reading = closest_record(trio)
    share, ratio = _plain(trio)
    assert reading.value == pytest.approx(share)
    assert reading.detail["median_ratio"] == pytest.approx(ratio)
    # In pieces it is the same.
    monkeypatch.setattr(MODULE, "_CELLS", 7 * 60)
    assert closest_record(trio) == reading


def test_fresh_rows_of_the_same_world_are_ideal_at_unequal_numbers() -> None:
    readings = [
        closest_record(Trio(_world(900, s), _world(300, s + 50), _world(400, s + 90), s))
        for s in range(8)
    ]
    shares = [reading.value for reading in readings]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.04)
    # The error that is told is that of the queries; the records add theirs.
    told = np.mean([reading.detail["standard_error"] for reading in readings])
    assert 0.02 < told < np.std(shares) * 2 < 0.12


def test_coarse_rows_that_tie_with_both_sides_are_ideal_too() -> None:
    rng = np.random.default_rng(0)
    names = [f"v{i}" for i in range(60)]
    columns = [categorical(name, *names) for name in "ab"]

    def draw(n: int) -> Table:
        return table(columns, a=rng.choice(names, n), b=rng.choice(names, n))

    shares = [closest_record(Trio(draw(1500), draw(300), draw(500))).value for _ in range(5)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)


def test_a_copier_is_caught(shared_data: Path) -> None:
    trio = real_trio(shared_data, "adult-train", rows=5000)
    read, stand_in = privacy_pair(Trio(trio.train, trio.holdout, trio.train, 1))
    value, reference = closest_record(read), closest_record(stand_in)
    assert reference.value == pytest.approx(0.5, abs=0.1)
    assert reference.detail["median_ratio"] == pytest.approx(1, abs=0.15)
    assert value.value == 1
    assert value.detail["5th_percentile_ratio"] == value.detail["median_ratio"] == 0
    assert value.detail["median_holdout"] > 0.1
    # One copy in five among fresh rows shows as well.
    mixed = read.train.take(np.arange(100)).concat(stand_in.synthetic.take(np.arange(400)))
    some = closest_record(Trio(read.train, read.holdout, mixed, 1))
    assert reference.value + 0.03 < some.value < 0.8


def test_duplicates_on_one_side_of_the_split_do_not_bias_the_reference() -> None:
    rows = _world(500, 0)
    held = rows.take(np.repeat(np.arange(350, 500), 4))  # never in the training rows
    trio = Trio(rows.take(np.arange(350)), held, rows.take(np.arange(80)))
    read, stand_in = privacy_pair(trio)
    halves = read.holdout.concat(stand_in.synthetic)
    assert len(read.holdout) == 75
    assert len(distinct(halves)) == len(halves)
    assert closest_record(stand_in).value == pytest.approx(0.5, abs=0.15)


def test_deterministic_and_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "QUERIES", 30)
    monkeypatch.setattr(MODULE, "RECORDS", 100)
    trio = Trio(_world(300, 1), _world(200, 2), _world(150, 3), 7)
    reading = closest_record(trio)
    assert reading == closest_record(trio)
    assert reading.detail["queries"] == 30
    assert reading.detail["train_searched"] == reading.detail["holdout_searched"] == 100


def test_one_synthetic_row_and_too_few_real_ones() -> None:
    trio = Trio(_world(60, 1), _world(60, 2), _world(1, 3))
    assert closest_record(trio).value in (0, 1)
    same = table([numeric("x", [1, 1])], x=[1.0] * 40)
    with pytest.raises(NotComputable, match="distinct"):
        closest_record(Trio(same, same, same))
