"""Splits: stratified, copies and groups together, time in order, the same every time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthgen.data.read import read
from synthgen.data.schema import Task
from synthgen.data.split import COMMON_ROWS, common_rows, split_rows
from synthgen.errors import ConfigError, DataError

quick = settings(deadline=None, max_examples=60, derandomize=True)


def table(rows: int = 1000, seed: int = 0, classes: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": rng.normal(size=rows),
            "g": rng.integers(0, rows // 8, rows),
            "t": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 200, rows), "D"),
            "y": rng.choice(list("abcdef")[:classes], rows, p=_weights(classes)),
        }
    )


def _weights(classes: int) -> NDArray[Any]:
    weights = 0.3 ** np.arange(classes)
    return weights / weights.sum()


def split(
    frame: pd.DataFrame,
    share: float = 0.2,
    seed: int = 0,
    task: Task | None = None,
    **roles: str,
) -> Any:
    train, test = split_rows(frame, target="y", share=share, seed=seed, task=task, **roles)
    assert train.dtype == test.dtype == np.int64
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    assert sorted([*train, *test]) == list(range(len(frame)))
    return train, test


# ---- stratified ---------------------------------------------------------------------------------


@quick
@given(
    counts=st.lists(st.integers(2, 40), min_size=2, max_size=5),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
)
def test_every_class_in_its_share(counts: list[int], share: float, seed: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    frame = pd.DataFrame({"x": np.random.default_rng(seed).normal(size=len(labels)), "y": labels})
    _, test = split(frame, share, seed)
    for label, count in enumerate(counts):
        held = int((labels[test] == label).sum())
        assert held == min(max(round(count * share), 1), count - 1)


def test_the_same_split_every_time_and_another_with_another_seed() -> None:
    frame = table()
    for roles in ({}, {"group": "g"}, {"time": "t"}):
        first, again = split(frame, seed=5, **roles)[1], split(frame, seed=5, **roles)[1]
        np.testing.assert_array_equal(first, again)
        other = split(frame, seed=6, **roles)[1]
        assert np.array_equal(first, other) == ("time" in roles)


def test_every_row_is_tested_on_now_and_then() -> None:
    frame = table(200)
    held = np.zeros(200)
    for seed in range(200):
        held[split(frame, 0.25, seed)[1]] += 1
    # Binomial with n=200, p=0.25: four standard deviations are 0.12.
    assert np.abs(held / 200 - 0.25).max() < 0.15


# ---- copies -------------------------------------------------------------------------------------


@quick
@given(
    cells=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from("pqr"), st.sampled_from("ab")),
        min_size=12,
        max_size=80,
    ),
    share=st.floats(0.1, 0.6),
)
def test_copies_stay_together(cells: list[Any], share: float) -> None:
    frame = pd.DataFrame(cells, columns=["n", "c", "y"])
    assume(frame.value_counts().max() < COMMON_ROWS)
    distinct = frame.drop_duplicates()
    assume(distinct["y"].nunique() == 2)
    assume(distinct["y"].value_counts().min() >= 2)
    train, test = split(frame, share)
    rows = frame.apply(tuple, axis=1)
    assert not set(rows.iloc[train]) & set(rows.iloc[test])
    assert set(frame["y"].iloc[test]) == set(frame["y"].iloc[train]) == set(frame["y"])


@pytest.mark.parametrize("key", ["integer", "text"])
def test_copies_under_other_keys_stay_together(key: str) -> None:
    frame = pd.concat([table(100), table(100)], ignore_index=True).drop(columns=["g", "t"])
    keys = np.random.default_rng(0).permutation(200)
    frame.insert(0, "id", keys if key == "integer" else [f"K-{k:05d}" for k in keys])
    train, test = split(frame)
    assert not set(train % 100) & set(test % 100)


def test_a_unique_feature_is_no_key() -> None:
    # All rows of a class look alike but for the one feature, which happens to be in order.
    frame = pd.DataFrame({"x": np.arange(100), "y": [0, 1] * 50})
    _, test = split(frame)
    assert len(test) == 20


def test_missing_cells_are_copies_of_each_other() -> None:
    frame = pd.DataFrame({"x": [np.nan] * 4 + [1.0, 2.0] * 3, "c": [None] * 4 + ["u", "v"] * 3})
    frame["y"] = ["a"] * 4 + ["a", "b"] * 3
    frame.loc[9, "x"] = 7.0
    train, test = split(frame, 0.4)
    assert set(range(4)) <= set(train) or set(range(4)) <= set(test)


def test_shares_hold_in_spite_of_copies(shared_data: Path) -> None:
    frame = read(shared_data / "tabular" / "mammography.csv").frame
    assert frame.duplicated().sum() == 3334
    train, test = split_rows(frame, target="calcification", share=0.2, seed=3)
    assert common_rows(frame, "calcification", "classification") == [3322]
    both = pd.concat([frame.iloc[train].assign(part=0), frame.iloc[test].assign(part=1)])
    copies = both.groupby(list(frame.columns), sort=False)["part"].agg(["nunique", "mean", "size"])
    common = copies["size"] == 3322
    assert (copies.loc[~common, "nunique"] == 1).all()
    # One row in three is the same: so it is in either part.
    assert copies.loc[common, "mean"].item() == pytest.approx(0.2, abs=0.03)
    labels = frame["calcification"].to_numpy()
    assert len(test) == pytest.approx(0.2 * len(frame), abs=2)
    assert (labels[test] == 1).sum() == 52


@pytest.mark.parametrize(("label", "apart"), [("often", True), ("rare", False)])
def test_a_common_row_is_dealt_like_any_other_unless_its_class_is_rare(
    label: str, apart: bool
) -> None:
    """Rows of a rare class may have been multiplied: then one side would know the other."""
    frame = pd.DataFrame({"x": np.arange(300.0), "y": ["often"] * 200 + ["rare"] * 100})
    same = frame.index[frame["y"] == label][:40]
    frame.loc[same, "x"] = -1.0
    _, test = split(frame, 0.25)
    assert (len(set(same) & set(test)) in range(1, 40)) == apart
    assert common_rows(frame, "y", "classification") == ([40] if apart else [])


# ---- groups -------------------------------------------------------------------------------------


def apart(frame: pd.DataFrame, train: Any, test: Any, group: str = "g") -> bool:
    return not set(frame[group].iloc[train]) & set(frame[group].iloc[test])


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_groups_are_whole_and_stratified(share: float, seed: int) -> None:
    frame = table(3000, seed)
    train, test = split(frame, share, seed, group="g")
    assert apart(frame, train, test)
    assert len(test) == pytest.approx(share * len(frame), rel=0.05)
    whole = frame["y"].value_counts(normalize=True)
    held = frame["y"].iloc[test].value_counts(normalize=True)
    assert (whole - held).abs().max() < 0.02


@quick
@given(
    groups=st.lists(st.integers(0, 8), min_size=20, max_size=60),
    seed=st.integers(0, 20),
    share=st.floats(0.1, 0.5),
)
def test_groups_are_whole_whatever_they_are(groups: list[int], seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"x": rng.normal(size=len(groups)), "g": groups, "y": rng.integers(0, 2, len(groups))}
    )
    spread = frame.groupby("y")["g"].nunique()
    assume(len(spread) == 2 and frame["y"].value_counts().min() >= 2)
    try:
        train, test = split(frame, share, seed, group="g")
    except DataError:
        # Only where some class cannot be on both sides: shown by trying every set of groups.
        names = sorted(set(groups))
        for chosen in range(2 ** len(names)):
            inside = frame["g"].isin([n for i, n in enumerate(names) if chosen >> i & 1])
            parts = (frame["y"][inside], frame["y"][~inside])
            assert any(part.nunique() < 2 for part in parts)
        return
    assert apart(frame, train, test)
    assert frame["y"].iloc[test].nunique() == frame["y"].iloc[train].nunique() == 2


def test_one_class_per_group() -> None:
    groups = np.repeat(np.arange(40), 5)
    frame = pd.DataFrame({"x": np.arange(200) % 7 + np.arange(200), "g": groups, "y": groups % 4})
    train, test = split(frame, 0.25, group="g")
    assert apart(frame, train, test)
    # A quarter of ten groups of five rows is two or three groups.
    assert set(np.bincount(frame["y"].iloc[test])) <= {10, 15}


def test_a_row_without_a_group_stands_alone() -> None:
    frame = table(400)
    frame["g"] = frame["g"].astype("Int64").mask(frame.index % 2 == 0)
    train, test = split(frame, 0.3, group="g")
    alone = frame["g"].isna().to_numpy()
    assert alone[test].any()
    assert alone[train].any()
    assert not set(frame["g"].iloc[train].dropna()) & set(frame["g"].iloc[test].dropna())


def test_copies_without_a_group_stay_together() -> None:
    frame = pd.concat([table(100), table(100)], ignore_index=True)
    frame["g"] = frame["g"].astype("Int64").mask(np.arange(200) % 2 == 0)
    train, test = split(frame, 0.3, group="g")
    assert not set(train % 100) & set(test % 100)


def test_a_class_in_one_group_only() -> None:
    frame = table(100)
    frame["y"] = np.where(frame["g"] == 0, "a", "b")
    with pytest.raises(DataError, match="one group"):
        split(frame, group="g")


# ---- time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_the_test_part_is_the_latest(share: float) -> None:
    frame = table(2000)
    train, test = split(frame, share, time="t")
    assert frame["t"].iloc[train].max() < frame["t"].iloc[test].min()
    assert len(test) == pytest.approx(share * 2000, abs=20)


TIMES = pd.Series(pd.date_range("2023-11-01", periods=100, freq="D"))


@pytest.mark.parametrize(
    "clock",
    [
        TIMES,
        TIMES.dt.tz_localize("Asia/Tokyo"),
        TIMES.dt.date,
        TIMES.dt.strftime("%d.%m.%Y"),
        TIMES.dt.strftime("%Y-%m-%d %H:%M"),
        TIMES.astype(np.int64) // 10**9,
        pd.Series(np.arange(100) / 7),
        pd.Series(pd.to_timedelta(np.arange(100), "h")),
        TIMES.astype("timestamp[us][pyarrow]"),
    ],
)
def test_times_in_any_form(clock: pd.Series[Any]) -> None:
    order = np.random.default_rng(0).permutation(100)
    frame = pd.DataFrame({"t": clock.iloc[order].reset_index(drop=True), "y": [0, 1] * 50})
    _, test = split(frame, 0.2, time="t")
    assert sorted(order[test]) == list(range(80, 100))


def test_ties_are_not_torn() -> None:
    frame = pd.DataFrame({"t": [1] * 50 + [2] * 30 + [3] * 20, "y": [0, 1] * 50})
    frame["x"] = np.arange(100.0)
    for share, held in ((0.05, 20), (0.2, 20), (0.34, 20), (0.36, 50), (0.9, 50)):
        assert len(split(frame, share, time="t")[1]) == held


def test_groups_are_as_late_as_their_latest_row() -> None:
    frame = table(1000)
    train, test = split(frame, 0.2, group="g", time="t")
    assert apart(frame, train, test)
    latest = frame.groupby("g")["t"].max()
    assert latest[frame["g"].iloc[train]].max() < latest[frame["g"].iloc[test]].min()


@pytest.mark.parametrize(
    ("clock", "word"),
    [
        ([1] * 99 + [None], "missing in 1"),
        ([5] * 100, "same time"),
        (["soon", "late"] * 50, "times in one format"),
        ([True, False] * 50, "boolean"),
        ([f"0{i % 9 + 1}/0{i // 9 % 9 + 1}/2024" for i in range(100)], "one format"),
        (list(range(100)), "earlier rows lack"),
    ],
)
def test_clocks_that_do_not_work(clock: list[Any], word: str) -> None:
    frame = pd.DataFrame({"t": clock, "y": [0, 1] * 50, "x": np.arange(100.0)})
    if "lack" in word:
        frame["y"] = [0, 1] * 45 + [2] * 10
    with pytest.raises(DataError) as caught:
        split(frame, time="t")
    assert word in caught.value.cause
    assert caught.value.remedy


# ---- a quantity as the target -------------------------------------------------------------------


def priced(rows: int = 1000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return table(rows, seed).assign(y=rng.lognormal(3, 1, rows))


def deciles(frame: pd.DataFrame, rows: Any) -> Any:
    """How many of these rows each tenth of the target holds."""
    tenth = pd.qcut(frame["y"].rank(method="first"), 10, labels=False)
    return np.bincount(tenth.iloc[rows], minlength=10)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.25, 0.5, 0.9])
def test_every_tenth_of_a_quantity_in_its_share(share: float) -> None:
    frame = priced()
    _, test = split(frame, share)
    assert set(deciles(frame, test)) == {100 * share}


@quick
@given(rows=st.integers(21, 150), share=st.floats(0.05, 0.95), seed=st.integers(0, 99))
def test_the_share_of_a_quantity_is_exact_however_few_rows(
    rows: int, share: float, seed: int
) -> None:
    frame = priced(rows, seed).drop(columns="g")
    _, test = split(frame, share, seed)
    assert abs(len(test) - min(max(rows * share, 2), rows - 2)) <= 1
    # Both ends are in both parts: two bins hold a row of each at the least.
    middle = frame["y"].median()
    for part in (test, np.setdiff1d(np.arange(rows), test)):
        assert frame["y"].iloc[part].min() <= middle <= frame["y"].iloc[part].max()


def test_the_halves_are_as_alike_as_strata_make_them() -> None:
    """The mean of a stratified fifth varies far less than that of a random one."""
    frame = priced(500).assign(y=np.random.default_rng(1).normal(size=500))
    means = [frame["y"].iloc[split(frame, seed=s)[1]].mean() for s in range(60)]
    assert np.std(means) < 0.5 * np.sqrt(0.8 / 100)


def test_the_same_split_of_a_quantity_every_time() -> None:
    frame = priced()
    for roles in ({}, {"group": "g"}, {"time": "t"}):
        first, again = split(frame, seed=5, **roles)[1], split(frame, seed=5, **roles)[1]
        np.testing.assert_array_equal(first, again)
        other = split(frame, seed=6, **roles)[1]
        assert np.array_equal(first, other) == ("time" in roles)


@pytest.mark.parametrize("spike", [-5.0, 5000.0, 20.0])
@pytest.mark.parametrize("held", [0.5, 0.97])
def test_a_value_that_most_rows_hold_is_dealt_like_the_rest(spike: float, held: float) -> None:
    frame = priced()
    often = np.random.default_rng(2).random(1000) < held
    frame.loc[often, "y"] = spike
    _, test = split(frame)
    assert often[test].mean() == pytest.approx(often.mean(), abs=0.01)
    assert len(test) == 200


def test_a_quantity_in_few_rows() -> None:
    for rows in range(4, 30):
        frame = pd.DataFrame({"x": np.arange(rows) % 3, "y": np.arange(rows) / 7})
        train, test = split(frame, task="regression")
        assert len(test) == max(2, round(0.2 * rows))
        assert frame["y"].iloc[train].nunique() > 1


@quick
@given(
    cells=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=12, max_size=80),
    share=st.floats(0.1, 0.6),
)
def test_copies_stay_together_with_a_quantity(cells: list[Any], share: float) -> None:
    frame = pd.DataFrame(cells, columns=["n", "y"])
    assume(frame.value_counts().max() < COMMON_ROWS)
    counts = frame.drop_duplicates()["y"].value_counts()
    assume(len(counts) > 1)
    try:
        train, test = split(frame, share, task="regression")
    except DataError:
        # Only where all but one row or two share a value.
        assert counts.iloc[1:].sum() <= 2
        return
    rows = frame.apply(tuple, axis=1)
    assert not set(rows.iloc[train]) & set(rows.iloc[test])
    assert frame["y"].iloc[test].nunique() > 1
    assert frame["y"].iloc[train].nunique() > 1


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_whole_with_a_quantity(seed: int) -> None:
    frame = priced(3000, seed)
    train, test = split(frame, 0.2, seed, group="g")
    assert apart(frame, train, test)
    assert len(test) == pytest.approx(600, rel=0.05)
    assert deciles(frame, test) == pytest.approx(60, abs=8)


@pytest.mark.parametrize("groups", [4, 7, 12])
def test_a_quantity_that_is_one_per_group(groups: int) -> None:
    frame = pd.DataFrame({"g": np.repeat(np.arange(groups), 9), "x": np.arange(9 * groups) % 11})
    frame["y"] = frame["g"] / 7
    train, test = split(frame, 0.3, group="g", task="regression")
    assert apart(frame, train, test)
    assert frame["g"].iloc[test].nunique() >= 2


def test_a_part_keeps_the_task_of_the_whole() -> None:
    # As classes these could not be split: one of them has a single row.
    frame = pd.DataFrame({"x": np.arange(50), "y": [*range(15)] * 3 + [77, 78, 79, 80, 81]})
    with pytest.raises(DataError, match="one row only"):
        split(frame)
    assert len(split(frame, task="regression")[1]) == 10
    # And these numbers, taken for a quantity by themselves, are classes of the whole.
    labels = frame.assign(y=[i // 2 for i in range(50)])
    train, test = split(labels, 0.5, task="classification")
    assert set(labels["y"].iloc[train]) == set(labels["y"].iloc[test]) == set(range(25))


def test_the_latest_rows_need_not_hold_known_quantities() -> None:
    frame = pd.DataFrame({"t": np.arange(100), "y": np.arange(100) / 7})
    _, test = split(frame, time="t")
    np.testing.assert_array_equal(test, np.arange(80, 100))


@pytest.mark.parametrize(
    ("cells", "roles", "part"),
    [
        ([*np.arange(80.0), *[3.5] * 20], {"time": "t"}, "test"),
        ([*[3.5] * 80, *np.arange(20.0)], {"time": "t"}, "training"),
        (np.arange(100.0), {"group": "one"}, "test"),
    ],
)
def test_a_quantity_has_to_vary_in_both_parts(cells: Any, roles: dict[str, str], part: str) -> None:
    frame = pd.DataFrame({"t": np.arange(100), "x": np.arange(100.0), "one": 1, "y": cells})
    with pytest.raises(DataError, match="'y'") as caught:
        split(frame, task="regression", **roles)
    assert f"{part} part" in caught.value.cause
    assert caught.value.remedy


# ---- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        ([1] * 20, "1 class"),
        ([1] * 19 + [2], "one row"),
        ([1, 2] * 9 + [None, None], "missing in 2 rows"),
    ],
)
def test_targets_that_do_not_work(labels: list[Any], word: str) -> None:
    with pytest.raises(DataError, match="'y'") as caught:
        split(pd.DataFrame({"x": np.arange(20.0), "y": labels}))
    assert word in caught.value.cause


def test_misspelt_columns() -> None:
    frame = table().rename(columns={"y": "income", "g": "patient", "t": "visit"})
    with pytest.raises(DataError, match="'incme'") as caught:
        split_rows(frame, target="incme", share=0.2, seed=0)
    assert "'income'" in caught.value.remedy
    for roles in ({"group": "patent"}, {"time": "visits"}):
        with pytest.raises(DataError) as caught:
            split_rows(frame, target="income", share=0.2, seed=0, **roles)
        assert "Did you mean" in caught.value.remedy


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 20])
def test_shares_out_of_range(share: float) -> None:
    with pytest.raises(ConfigError, match="share"):
        split(table(), share)


def test_a_class_of_copies_only() -> None:
    frame = pd.DataFrame({"x": [0.0] * 10 + list(np.arange(10.0)), "y": ["a"] * 10 + ["b"] * 10})
    with pytest.raises(DataError, match="copies of one row"):
        split(frame)


# ---- speed --------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [table, priced])
@pytest.mark.parametrize("roles", [{}, {"group": "g"}, {"group": "each"}, {"time": "t"}])
def test_a_hundred_thousand_rows_in_a_second(roles: dict[str, str], made: Any) -> None:
    rng = np.random.default_rng(0)
    frame = pd.concat([made(90_000), made(10_000)], ignore_index=True)
    for i in range(10):
        frame[f"c{i}"] = rng.choice(list("uvwxyz"), 100_000)
    frame["each"] = rng.permutation(100_000)
    started = time.process_time()
    split_rows(frame, target="y", share=0.2, seed=0, **roles)
    assert time.process_time() - started < 1
