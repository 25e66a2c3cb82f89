"""The placebo: bootstrap draws of protected training rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.data.values import MISSING
from synthgen.errors import ShortfallWarning
from synthgen.generators.resample import Resample
from synthgen.generators.rows import Rows, protect
from synthgen.training.context import Context


def frame(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": rng.normal(size=rows).round(4),
            "kind": rng.choice(np.array(["u", "v", "w", None], dtype=object), rows),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D"),
            "y": rng.choice(["p", "q"], rows),
        }
    )


def table() -> Table:
    data = frame()
    return Table(data, infer(data, target="y"))


def test_each_row_is_a_training_row_but_for_its_extremes() -> None:
    train = table()
    drawn = Resample().fit(train, Context()).sample(1000, seed=1)
    clipped = train.frame.assign(
        x=train.frame["x"].clip(train.schema["x"].low, train.schema["x"].high),  # type: ignore[union-attr]
        day=train.frame["day"].clip(
            pd.Timestamp(train.schema["day"].low, unit="s"),  # type: ignore[union-attr]
            pd.Timestamp(train.schema["day"].high, unit="s"),  # type: ignore[union-attr]
        ),
    )
    merged = drawn.frame.merge(clipped.drop_duplicates(), how="left", indicator=True)
    assert (merged["_merge"] == "both").all()


def test_rows_come_with_the_same_chance() -> None:
    train = table()
    n = 40_000
    drawn = Resample().fit(train, Context()).sample(n, seed=1).frame
    inner = train.frame["x"].sort_values().iloc[10:-10]
    counts = drawn["x"].value_counts().reindex(inner.unique(), fill_value=0)
    expected = inner.value_counts() * n / len(train)
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert chi2 < len(counts) + 5 * np.sqrt(2 * len(counts))


def test_conditions_choose_among_the_matching_rows() -> None:
    train = table()
    where = {"y": "q", "kind": "v"}
    matching = train.frame[(train.frame["y"] == "q") & (train.frame["kind"] == "v")]
    drawn = Resample().fit(train, Context()).sample(2000, seed=1, where=where).frame
    assert (drawn["y"] == "q").all()
    assert (drawn["kind"] == "v").all()
    assert drawn["day"].nunique() >= 0.9 * matching["day"].nunique()
    assert len(drawn) == 2000


def test_what_no_row_meets_is_a_shortfall() -> None:
    train = table()
    part = train.take((train.frame["kind"] != "w").to_numpy())
    sampler = Resample().fit(part, Context())
    with pytest.warns(ShortfallWarning, match="0 rows instead of 7"):
        none = sampler.sample(7, seed=1, where={"kind": "w"})
    assert len(none) == 0
    assert none.frame.dtypes.equals(train.frame.dtypes)


def test_protected_rows_hold_nothing_rare_or_extreme() -> None:
    data = frame()
    data.loc[:2, "kind"] = "three rows"
    data.loc[7, "x"] = 1e9
    schema = infer(data, target="y")
    rows = protect(Table(data, schema), seed=3)
    kind = rows.codes("kind")
    assert kind.max() < 3
    assert ((kind == MISSING) == data["kind"].isna()).all(), "gaps stay, and no others come"
    low, high = schema["x"].low, schema["x"].high  # type: ignore[union-attr]
    assert rows.continuous.min(axis=0)[0] == low
    assert rows.continuous.max(axis=0)[0] == high
    common = data["kind"].isin(["u", "v", "w"])
    values = np.array(schema["kind"].values)  # type: ignore[union-attr]
    assert (values[kind[common]] == data.loc[common, "kind"]).all()


def test_rare_categories_become_common_ones_by_frequency() -> None:
    data = pd.DataFrame({"kind": ["u"] * 300 + ["v"] * 100, "y": ["p", "q"] * 200})
    schema = infer(data, target="y")
    many = pd.DataFrame({"kind": ["u"] * 300 + ["v"] * 100 + ["?"] * 4000, "y": ["p", "q"] * 2200})
    codes = protect(Table(many, schema), seed=0).codes("kind")[400:]
    assert (codes == 0).mean() == pytest.approx(0.75, abs=0.03)


def test_rows_of_a_class_that_is_not_listed_are_left_out() -> None:
    data = frame()
    schema = infer(data, target="y")
    data.loc[:9, "y"] = "unlisted"
    rows = protect(Table(data, schema), seed=0)
    assert len(rows) == len(data) - 10


def test_rows_come_back_from_disk(tmp_path: Path) -> None:
    rows = protect(table(), seed=0)
    rows.save(tmp_path, Resample(), extra=np.arange(5, dtype=np.int32))
    generator, loaded, arrays = Rows.load(tmp_path, Resample)
    assert generator == Resample()
    assert loaded.table(1).frame.equals(rows.table(1).frame)
    assert arrays["extra"].tolist() == [0, 1, 2, 3, 4]
