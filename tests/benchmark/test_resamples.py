from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.benchmark.resamples import Resample, split
from synthgen.benchmark.settings import DecideSettings
from synthgen.data.infer import infer
from synthgen.data.overrides import ColumnOverride
from synthgen.data.schema import Categorical
from synthgen.data.table import Table
from synthgen.errors import DataError
from tests.benchmark.worlds import World


def _split(
    table: Table,
    number: int = 0,
    *,
    seed: int = 0,
    group: str | None = None,
    time: str | None = None,
    overrides: Mapping[str, ColumnOverride] = {},
    **settings: Any,
) -> Resample:
    return split(
        table,
        DecideSettings(**settings),
        seed=seed,
        number=number,
        group=group,
        time=time,
        overrides=overrides,
    )


def _rows(table: Table) -> set[tuple[Any, ...]]:
    return set(table.frame.fillna(-99).itertuples(index=False, name=None))


def test_the_parts_are_disjoint_and_make_up_the_whole() -> None:
    table = World(gaps=0.1).table(200, 0)
    found = _split(table)
    inner_train, inner, train, test = map(
        _rows, (found.inner_train, found.inner, found.train, found.test)
    )
    assert inner_train | inner == train
    assert train | test == _rows(table)
    assert not (inner_train & inner) | (train & test)
    sizes = found.sizes
    assert (len(inner_train), len(inner), len(train), len(test)) == (
        sizes.inner_train,
        sizes.inner,
        sizes.train,
        sizes.test,
    )
    assert (sizes.available, sizes.used, sizes.test) == (200, 200, 50)


def test_resamples_differ_and_repeat() -> None:
    table = World().table(200, 0)
    first, again, other = _split(table), _split(table), _split(table, 1)
    pd.testing.assert_frame_equal(first.test.frame, again.test.frame)
    assert _rows(first.test) != _rows(other.test)
    assert _rows(first.test) != _rows(_split(table, seed=1).test)


def test_the_schema_knows_inner_train_only_but_all_classes_and_the_kinds() -> None:
    frame = World(classes=3, majority=0.9).frame(240, 0)
    rng = np.random.default_rng(0)
    frame["code"] = rng.permutation(np.arange(240) % 40)  # six rows each
    frame["when"] = pd.Series(
        pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(240) // 4, "D")
    )
    frame["when"] = frame["when"].dt.strftime("%d/%m/%Y")
    kinds = {"code": ColumnOverride(kind="categorical")}
    table = Table(frame, infer(frame, target="y", overrides=kinds))
    found = _split(table, overrides=kinds)
    whole, part = table.schema, found.train.schema
    assert part["y"] == whole["y"]
    assert part["code"].kind == "categorical"
    assert isinstance(part["code"], Categorical)
    # Listed are values of at least five rows; few codes have so many in inner train.
    counts = found.inner_train.frame["code"].value_counts()
    assert set(part["code"].values) == set(counts.index[counts >= 5])
    assert part["when"].kind == "datetime"
    assert part["x0"] != whole["x0"]
    assert found.test.schema == found.inner.schema == part


def test_what_the_user_said_about_a_column_holds_in_every_resample() -> None:
    table = World().table(200, 0)
    found = _split(table, overrides={"x0": ColumnOverride(low=-7.5, decimals=1)})
    assert (found.train.schema["x0"].low, found.train.schema["x0"].decimals) == (-7.5, 1)  # type: ignore[union-attr]


def test_max_rows_keeps_the_same_rows_in_every_resample() -> None:
    table = World().table(400, 0)
    parts = [_split(table, number, max_rows=100) for number in range(3)]
    wholes = [_rows(part.train) | _rows(part.test) for part in parts]
    assert wholes[0] == wholes[1] == wholes[2]
    assert (parts[0].sizes.available, parts[0].sizes.used) == (400, len(wholes[0]))
    assert len(wholes[0]) == pytest.approx(100, abs=2)


def test_groups_stay_on_one_side_everywhere() -> None:
    frame = World().frame(300, 0)
    frame["who"] = np.random.default_rng(0).integers(0, 40, 300)
    table = Table(frame, infer(frame, target="y"))
    for number in range(3):
        found = _split(table, number, group="who", max_rows=250)
        whos = [set(t.frame["who"]) for t in (found.inner_train, found.inner, found.test)]
        assert not whos[0] & whos[1]
        assert not (whos[0] | whos[1]) & whos[2]


def test_later_rows_test_earlier_ones_from_several_origins() -> None:
    frame = World().frame(400, 0)
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.random.default_rng(9).permutation(400), "h"
    )
    table = Table(frame, infer(frame, target="y"))
    ends = []
    for number in range(5):
        found = _split(table, number, time="when")
        clock = [t.frame["when"] for t in (found.inner_train, found.inner, found.test)]
        assert clock[0].max() < clock[1].min()
        assert clock[1].max() < clock[2].min()
        ends.append(clock[2].max())
    assert ends[0] == frame["when"].max()
    assert len(set(ends)) == 5
    assert min(ends) >= frame["when"].sort_values().iloc[199]
    capped = _split(table, time="when", max_rows=100)
    latest = frame["when"].sort_values().iloc[-100]
    assert capped.train.frame["when"].min() >= latest


def test_too_few_rows_are_a_data_error() -> None:
    frame = World().frame(60, 0)
    frame["y"] = ["rare", "rare"] + ["common"] * 58
    table = Table(frame, infer(frame, target="y"))
    with pytest.raises(DataError):
        _split(table)
