"""SMOTE against its definition, by brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.data.infer import infer
from synthgen.data.overrides import ColumnOverride
from synthgen.data.table import Table
from synthgen.errors import ConfigError, DataError, ShortfallWarning
from synthgen.generators import smote as module
from synthgen.generators.smote import Smote
from synthgen.training.context import Context


def make(frame: pd.DataFrame) -> Table:
    return Table(frame, infer(frame, target="y"))


def numbers(rows: int = 300, minority: int = 40) -> Table:
    rng = np.random.default_rng(0)
    y = np.where(np.arange(rows) < minority, "rare", "common")
    shift = (y == "rare") * 2.0
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=rows) + shift,
            "b": 1000 * (rng.normal(size=rows) + shift),
            "y": rng.permutation(y),
        }
    )
    return make(frame)


def test_new_rows_lie_between_a_row_and_one_of_its_neighbours() -> None:
    train = numbers()
    k = 4
    sampler = Smote(k_neighbors=k).fit(train, Context(seed=1))
    new = sampler.sample(200, seed=5, where={"y": "rare"})
    rare = train.frame["y"] == "rare"
    schema = train.schema
    low = np.array([c.low for c in schema.continuous])
    high = np.array([c.high for c in schema.continuous])
    base = np.clip(train.frame.loc[rare, ["a", "b"]].to_numpy(), low, high)
    # The scale that the distance is measured in: powers of two next to the spread.
    scaled = base / np.exp2(np.rint(np.log2(base.std(axis=0))))
    distance = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1)[:, :k]
    starts = np.repeat(base, k, axis=0)
    steps = base[nearest.ravel()] - starts
    for point in new.frame[["a", "b"]].to_numpy():
        along = ((point - starts) / steps)[:, 0]
        off = np.abs(starts + along[:, None] * steps - point)[:, 1]
        on_segment = (off < 1e-6) & (along >= -1e-9) & (along <= 1 + 1e-9)
        assert on_segment.any()


def test_every_row_of_the_class_is_used_as_often() -> None:
    """The mean and the spread of SMOTE: bases are uniform, steps uniform in [0, 1)."""
    train = numbers(minority=120)
    new = Smote().fit(train, Context()).sample(20_000, seed=0, where={"y": "rare"})
    real = train.frame.loc[train.frame["y"] == "rare", "a"]
    assert new.frame["a"].mean() == pytest.approx(real.mean(), abs=0.05)
    assert 0.7 * real.std() < new.frame["a"].std() < real.std()


def test_unconditional_classes_follow_their_frequency() -> None:
    train = numbers(rows=1000, minority=150)
    new = Smote().fit(train, Context()).sample(20_000, seed=0)
    assert (new.frame["y"] == "rare").mean() == pytest.approx(0.15, abs=0.01)


def test_categories_are_voted_by_the_neighbours() -> None:
    """Two far clusters of one class: a new row has the category of its own cluster."""
    rng = np.random.default_rng(3)
    side = rng.random(400) < 0.5
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=400) + 50 * side,
            "where": np.where(side, "right", "left"),
            "y": rng.choice(["p", "q"], 400),
        }
    )
    new = Smote().fit(make(frame), Context()).sample(500, seed=1)
    assert ((new.frame["where"] == "right") == (new.frame["x"] > 25)).all()
    assert 0.4 < (new.frame["where"] == "right").mean() < 0.6


def test_missing_numbers_keep_their_share_and_their_place() -> None:
    rng = np.random.default_rng(4)
    side = rng.random(600) < 0.3
    frame = pd.DataFrame(
        {
            "structural": np.where(side, np.nan, rng.normal(size=600)),
            "random": np.where(rng.random(600) < 0.2, np.nan, rng.normal(size=600)),
            "x": rng.normal(size=600) + 20 * side,
            "y": rng.choice(["p", "q"], 600),
        }
    )
    new = Smote().fit(make(frame), Context()).sample(4000, seed=1).frame
    # It is missing exactly where the real rows lack it: on one side of x.
    assert (new["structural"].isna() == (new["x"] > 10)).mean() > 0.999
    assert new["structural"].isna().mean() == pytest.approx(side.mean(), abs=0.03)
    assert new["random"].isna().mean() == pytest.approx(frame["random"].isna().mean(), abs=0.04)


def test_a_lone_gap_comes_from_the_nearer_parent() -> None:
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"x": rng.normal(size=60), "z": rng.normal(size=60), "y": ["p", "q"] * 30})
    frame.loc[0, "x"] = np.nan
    new = Smote(k_neighbors=3).fit(make(frame), Context()).sample(20_000, seed=1, where={"y": "p"})
    # No other row is like it, so it is never a neighbour, and half of its own children lack x.
    assert new.frame["x"].isna().mean() == pytest.approx(0.5 / 30, abs=0.003)


def test_a_gap_does_not_pull_present_values_to_the_median() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "x": np.where(rng.random(500) < 0.3, np.nan, rng.choice([-10.0, 10.0], 500)),
            "z": rng.normal(size=500),
            "y": rng.choice(["p", "q"], 500),
        }
    )
    schema = infer(frame, target="y", overrides={"x": ColumnOverride(kind="numeric")})
    new = Smote().fit(Table(frame, schema), Context()).sample(3000, seed=1).frame
    present = new["x"].dropna().abs()
    assert (present > 9.99).mean() > 0.97


def test_spikes_whole_numbers_and_decimals_are_exact() -> None:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(
        {
            "spike": np.where(rng.random(500) < 0.8, 0.1, rng.exponential(size=500)),
            "whole": rng.integers(10**12, 10**12 + 1000, 500),
            "cents": rng.lognormal(3, 1, 500).round(2),
            "y": rng.choice(["p", "q"], 500),
        }
    )
    train = make(frame)
    new = Smote().fit(train, Context()).sample(1000, seed=1).frame
    assert (new["spike"] == 0.1).mean() > 0.5
    assert new["whole"].dtype == np.int64
    assert (new["cents"] == new["cents"].round(2)).all()


def test_a_class_of_two_has_one_neighbour() -> None:
    train = numbers(rows=60, minority=2)
    rare = train.frame.loc[train.frame["y"] == "rare", "a"]
    new = Smote(k_neighbors=5).fit(train, Context()).sample(50, seed=1, where={"y": "rare"})
    assert new.frame["a"].between(rare.min() - 1e-9, rare.max() + 1e-9).all()


def test_a_class_of_one_is_refused_without_naming_it() -> None:
    train = numbers(rows=60, minority=1)
    with pytest.raises(DataError) as raised:
        Smote().fit(train, Context())
    assert "'y'" in raised.value.cause
    assert "rare" not in str(raised.value)


def test_a_class_that_the_rows_lack_is_a_shortfall() -> None:
    train = numbers()
    common = train.take((train.frame["y"] == "common").to_numpy())
    sampler = Smote().fit(common, Context())
    with pytest.warns(ShortfallWarning):
        assert len(sampler.sample(5, seed=1, where={"y": "rare"})) == 0
    assert len(sampler.sample(5, seed=1)) == 5


def test_a_table_without_target_or_without_more_is_refused() -> None:
    train = numbers()
    frame = train.frame
    with pytest.raises(ConfigError):
        Smote().fit(Table(frame, infer(frame, target=None)), Context())
    with pytest.raises(DataError):
        Smote().fit(make(frame[["y"]]), Context())


def test_categories_alone_are_voted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """SMOTEN, also where a class is larger than what it compares at once."""
    monkeypatch.setattr(module, "PAIRED", 100)
    rng = np.random.default_rng(7)
    y = rng.choice(["p", "q"], 400)
    other = rng.choice(["p", "q"], 400)
    frame = pd.DataFrame(
        {
            # Mostly the class itself, so that the neighbours agree on it.
            "one": np.where(rng.random(400) < 0.9, y, other),
            "two": np.where(rng.random(400) < 0.9, y, other),
            "three": rng.choice(np.array(["u", "v", None], dtype=object), 400),
            "y": y,
        }
    )
    sampler = Smote().fit(make(frame), Context())
    new = sampler.sample(300, seed=1, where={"y": "q"}).frame
    assert (new["one"] == "q").mean() > 0.8
    assert set(new["three"].unique()) <= {"u", "v", None}
    assert not new.equals(sampler.sample(300, seed=2, where={"y": "q"}).frame)


def test_batches_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Smote().fit(numbers(), Context())
    monkeypatch.setattr(module, "BATCH", 64)
    rows = sampler.sample(1000, seed=1)
    assert len(rows) == 1000
    assert len(rows.frame.drop_duplicates()) > 990


def test_columns_that_do_not_vary_within_the_class_stay_as_they_are() -> None:
    rng = np.random.default_rng(8)
    y = rng.choice(["p", "q"], 200)
    frame = pd.DataFrame(
        {
            "flat": np.where(y == "p", 3.5, rng.normal(size=200)),
            "kind": rng.choice(["u", "v"], 200),
            "y": y,
        }
    )
    new = Smote().fit(make(frame), Context()).sample(300, seed=1).frame
    assert (new.loc[new["y"] == "p", "flat"] == 3.5).all()
    assert (new.loc[new["y"] == "q", "flat"] != 3.5).all()
    assert set(new["kind"]) == {"u", "v"}


# ---- a quantity as the target -------------------------------------------------------------------


def regression(rows: int = 120) -> Table:
    rng = np.random.default_rng(10)
    a, b = rng.normal(size=(2, rows))
    return make(pd.DataFrame({"a": a, "b": 1000 * b, "y": 3 * a - b + rng.normal(size=rows)}))


def test_the_target_is_one_more_number_of_a_row_between_two() -> None:
    train, k = regression(), 4
    assert train.schema.task == "regression"
    new = Smote(k_neighbors=k).fit(train, Context(seed=1)).sample(200, seed=5)
    bounds = [(c.low, c.high) for c in train.schema.continuous]
    base = np.clip(train.frame.to_numpy(), *np.transpose(bounds))
    scale = np.exp2(np.rint(np.log2(base.std(axis=0))))
    base /= scale
    distance = np.linalg.norm(base[:, None] - base[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1)[:, :k]
    starts = np.repeat(base, k, axis=0)
    steps = base[nearest.ravel()] - starts
    for point in new.frame.to_numpy() / scale:
        # One factor has to give all three, the target among them.
        along = ((point - starts) * steps).sum(axis=1) / (steps**2).sum(axis=1)
        off = np.abs(starts + along[:, None] * steps - point).max(axis=1)
        assert ((off < 1e-9) & (along >= -1e-9) & (along <= 1 + 1e-9)).any()


def test_the_target_is_the_mean_of_its_parents_by_nearness() -> None:
    """Torgo et al.: weights in inverse proportion to the distances in the features."""
    frame = pd.DataFrame({"a": [0.1, np.pi], "b": [5.0, np.e], "y": [10.0, 10 * np.pi]})
    numbers = {name: ColumnOverride(kind="numeric", low=-99, high=99) for name in frame}
    train = Table(frame, infer(frame, target="y", overrides=numbers))
    new = Smote(k_neighbors=1).fit(train, Context()).sample(100, seed=0)
    features = frame[["a", "b"]].to_numpy()
    far = np.linalg.norm(new.frame[["a", "b"]].to_numpy()[:, None] - features, axis=2)
    low, high = frame["y"]
    np.testing.assert_allclose(new.targets, (far[:, 1] * low + far[:, 0] * high) / far.sum(axis=1))
    assert np.ptp(new.targets) > 0.8 * (high - low)


def test_targets_follow_the_features_and_the_categories() -> None:
    rng = np.random.default_rng(11)
    side = rng.random(400) < 0.5
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=400),
            "gap": np.where(rng.random(400) < 0.2, np.nan, rng.normal(size=400)),
            "where": np.where(side, "right", "left"),
            "y": (rng.normal(size=400) + 100 * side).round(1),
        }
    )
    new = Smote().fit(make(frame), Context()).sample(2000, seed=1)
    assert ((new.frame["where"] == "right") == (new.targets > 50)).all()
    assert new.frame["gap"].isna().mean() == pytest.approx(frame["gap"].isna().mean(), abs=0.04)
    assert (new.targets == new.targets.round(1)).all()
    assert new.targets.mean() == pytest.approx(frame["y"].mean(), abs=3)
    assert len(Smote().fit(make(frame), Context()).sample(9, seed=1, where={"where": "left"})) == 9


@pytest.mark.parametrize(("rows", "columns"), [(1, ["a", "y"]), (60, ["y"])])
def test_a_quantity_that_leaves_nothing_to_interpolate(rows: int, columns: list[str]) -> None:
    whole = regression()
    names = [c.name for c in whole.schema.columns if c.name in columns]
    schema = whole.schema.model_copy(update={"columns": tuple(whole.schema[n] for n in names)})
    train = Table(whole.frame[names].iloc[:rows], schema)
    with pytest.raises(DataError) as raised:
        Smote().fit(train, Context())
    assert raised.value.remedy


@pytest.mark.parametrize("cells", [["p", "q"] * 20, np.arange(40) % 2 == 0])
def test_a_resample_in_which_the_quantity_does_not_vary(cells: Any) -> None:
    frame = pd.DataFrame({"kind": cells, "y": np.linspace(0, 1, 40)})
    flat = Table(frame.assign(y=0.5), infer(frame, target="y"))
    new = Smote().fit(flat, Context()).sample(50, seed=1)
    assert (new.targets == 0.5).all()
    assert new.frame["kind"].nunique() == 2
