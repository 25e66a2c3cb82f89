from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen.benchmark.subgroups import cuts, masks
from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.errors import DataError


def _table() -> Table:
    rng = np.random.default_rng(0)
    n = 200
    frame = pd.DataFrame(
        {
            "key": [f"P-{i:05d}" for i in range(n)],
            "age": rng.normal(40, 10, n),
            "town": rng.choice(["Bern", "Rome"], n),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, n), "D"),
            "same": 1,
            "y": rng.choice(["a", "b"], n),
        }
    )
    frame.loc[:3, "town"] = "Atlantis"
    frame.loc[10:19, ["age", "town"]] = [np.nan, None]
    return Table(frame, infer(frame, target="y"))


def test_values_and_quartiles_divide_the_rows() -> None:
    table = _table()
    found = masks(cuts(table, ["town", "age", "when"]), table.frame)
    towns = [name for name in found if name.startswith("town")]
    assert sorted(towns) == ["town = Bern", "town = Rome", "town missing"]
    assert found["town missing"].sum() == 10
    ages = [mask for name, mask in found.items() if "age" in name]
    assert len(ages) == 5
    assert (np.sum(ages, axis=0) == 1).all()
    assert all(abs(mask.sum() - 47.5) <= 1 for mask in ages[:4])
    assert any("2024-" in name for name in found)


def test_a_rare_value_is_in_no_subgroup() -> None:
    table = _table()
    found = masks(cuts(table, ["town"]), table.frame)
    assert not any("Atlantis" in name for name in found)
    rare = (table.frame["town"] == "Atlantis").to_numpy()
    assert not np.any([mask & rare for mask in found.values()])


def test_the_cuts_are_those_of_the_training_rows() -> None:
    table = _table()
    later = table.frame.assign(age=table.frame["age"] + 1000)
    found = masks(cuts(table, ["age"]), later)
    assert [int(mask.sum()) for mask in found.values()] == [0, 0, 0, 190, 10]


def test_a_number_with_one_value_in_most_rows_has_fewer_parts() -> None:
    frame = pd.DataFrame(
        {"gain": np.r_[np.zeros(180), np.arange(1, 21) * 1.5], "y": ["a", "b"] * 100}
    )
    table = Table(frame, infer(frame, target="y", overrides={}))
    assert sum(m.sum() for m in masks(cuts(table, ["gain"]), frame).values()) == 200


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("agee", "no column 'agee'"),
        ("y", "The target 'y' is no subgroup"),
        ("key", "'key' is identifier"),
        ("same", "'same' is constant"),
    ],
)
def test_columns_that_divide_nothing_are_refused(name: str, cause: str) -> None:
    with pytest.raises(DataError, match=cause):
        cuts(_table(), [name])
