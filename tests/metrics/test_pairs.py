"""Agreement of associations: by hand, against scipy, and what must not matter."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import pearsonr
from scipy.stats.contingency import association, crosstab

from synthgen.metrics.base import NotComputable
from synthgen.metrics.pair_trends import mean_pair_trend, pair_trends
from synthgen.metrics.pairs import pair_scores
from tests.metrics.tables import categorical, numeric, pair, shuffled, table


def test_contingency_by_hand() -> None:
    columns = [categorical("a", "x", "y"), categorical("b", "u", "v")]
    trio = pair(
        columns,
        {"a": ["x", "x", "y", "y"], "b": ["u", "u", "v", "v"]},
        {"a": ["x", "x", "y", "y"], "b": ["u", "v", "u", None]},
    )
    scores = pair_scores(trio.train, trio.synthetic)
    # Joint shares (xu 1/2, yv 1/2) and (xu 1/4, xv 1/4, yu 1/4, y- 1/4): distance 3/4.
    assert scores.score[0, 1] == scores.score[1, 0] == pytest.approx(0.25)
    assert scores.association[0, 1] == pytest.approx(1)  # the one determines the other
    assert np.isnan(scores.score[0, 0])
    assert mean_pair_trend(trio).value == pytest.approx(0.25)


def test_correlation_by_hand() -> None:
    columns = [numeric("x", [0, 3]), numeric("y", [0, 3])]
    up, down = np.arange(4.0), np.arange(4.0)[::-1]
    trio = pair(columns, {"x": up, "y": up}, {"x": up, "y": down})
    assert mean_pair_trend(trio).value == pytest.approx(0)  # r = 1 and r = -1


def test_against_scipy_with_missing_cells() -> None:
    rng = np.random.default_rng(3)
    cells = {"x": rng.normal(size=400), "kind": rng.choice(["a", "b", "c"], 400)}
    cells["y"] = cells["x"] * rng.normal(1, 1, 400)
    cells["x"][rng.random(400) < 0.2] = np.nan
    cells["y"][rng.random(400) < 0.2] = np.nan
    cells["other"] = np.where(rng.random(400) < 0.6, cells["kind"], "a")
    columns = [numeric("x", cells["x"]), numeric("y", cells["y"])]
    columns += [categorical("kind", "a", "b", "c"), categorical("other", "a", "b", "c")]
    real = table(columns, **cells)
    scores = pair_scores(real, real)
    both = ~np.isnan(cells["x"]) & ~np.isnan(cells["y"])
    expected = pearsonr(cells["x"][both], cells["y"][both]).statistic
    assert scores.correlation[0, 1] == pytest.approx(expected, abs=1e-12)
    counts = crosstab(cells["kind"], cells["other"]).count
    assert scores.association[2, 3] == pytest.approx(association(counts), abs=1e-12)
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(scores.score[off], 1)


def test_a_mixed_pair_is_binned_between_each_tables_own_extremes() -> None:
    columns = [numeric("x", [0, 10]), categorical("kind", "a", "b")]
    x = np.array([0.0, 0.5, 1.0, 9.9, 10.0, np.nan])
    kind = ["a", "a", "a", "b", "b", "b"]
    real = table(columns, x=x, kind=kind)
    # Bins (0, 0, 1, 9, end, end): the maximum shares a bin with the missing cell.
    assert pair_scores(real, real).association[0, 1] == pytest.approx(1)
    # A shift changes nothing, as in SDMetrics.
    assert pair_scores(real, table(columns, x=x + 100, kind=kind)).score[0, 1] == 1
    moved = table(columns, x=[0.0, 0.5, 9.5, 9.9, 10.0, np.nan], kind=kind)
    assert pair_scores(real, moved).score[0, 1] == pytest.approx(1 - 1 / 6)


@pytest.mark.parametrize("size", [3, 400])
def test_few_and_many_levels_agree_with_counting(size: int) -> None:
    rng = np.random.default_rng(size)
    names = [f"v{i}" for i in range(size)]
    columns = [categorical("a", *names), categorical("b", *names)]
    real, other = ({name: rng.choice(names, n) for name in "ab"} for n in (500, 300))
    trio = pair(columns, real, other)
    shares = [Counter(zip(t["a"], t["b"], strict=True)) for t in (real, other)]
    distance = sum(
        abs(shares[0][cell] / 500 - shares[1][cell] / 300) for cell in shares[0] | shares[1]
    )
    scores = pair_scores(trio.train, trio.synthetic)
    assert scores.score[0, 1] == pytest.approx(1 - distance / 2)
    expected = association(crosstab(real["a"], real["b"]).count)
    assert scores.association[0, 1] == pytest.approx(expected)


def test_only_associated_pairs_count_and_the_worst_is_named() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    cells = {"x": x, "twin": x + 0.1 * rng.normal(size=600), "noise": rng.normal(size=600)}
    cells["kind"] = np.where(x > 0, "up", "down")
    columns = [numeric(name, cells[name]) for name in ("x", "twin", "noise")]
    columns.append(categorical("kind", "up", "down"))
    real = table(columns, **cells)
    trio = pair(columns, cells, {**cells, "twin": rng.permutation(cells["twin"])})
    reading = mean_pair_trend(trio)
    assert reading.detail["associated_pairs"] == 3
    assert reading.detail["pairs"] == 6
    assert reading.detail["worst_pairs"][0]["columns"] == ["x", "twin"]
    assert reading.detail["worst_pairs"][0]["score"] == pytest.approx(0.5, abs=0.05)
    assert mean_pair_trend(pair(columns, cells, cells)).value == pytest.approx(1)
    with pytest.raises(NotComputable, match="associated"):
        mean_pair_trend(pair(columns, shuffled(real).frame.to_dict("series"), cells))


def test_neither_row_order_nor_column_order_matters() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=200)
    real = {"x": x, "y": x + rng.normal(size=200), "kind": np.where(x > 0, "a", "b")}
    other = {**real, "y": rng.permutation(real["y"])}
    columns = [numeric("x", x), numeric("y", real["y"]), categorical("kind", "a", "b")]
    value = mean_pair_trend(pair(columns, real, other)).value
    order = rng.permutation(200)
    mixed = {name: np.asarray(cells)[order] for name, cells in other.items()}
    back = {name: real[name] for name in ("kind", "y", "x")}
    other_way = pair(columns[::-1], back, {name: mixed[name] for name in ("kind", "y", "x")})
    assert mean_pair_trend(other_way).value == pytest.approx(value)


def test_the_reports_matrix_and_edge_cases() -> None:
    columns = [numeric("x", [0, 1]), numeric("flat", [5]), categorical("one", "a")]
    cells = {"x": [0.0, 1, 0.5], "flat": [5.0] * 3, "one": ["a"] * 3}
    trends = pair_trends(pair(columns, cells, cells))
    assert trends is not None
    assert trends.columns == ["x", "flat", "one"]
    assert trends.score == [[None, None, 1.0], [None, None, 1.0], [1.0, 1.0, None]]
    single = {name: values[:1] for name, values in cells.items()}
    drawn = pair_trends(pair(columns, cells, single))
    assert drawn is not None
    assert drawn.score[0][1] is None
    assert pair_trends(pair(columns[:1], {"x": [1.0]}, {"x": [1.0]})) is None
    nothing = {name: values[:0] for name, values in cells.items()}
    assert pair_trends(pair(columns, cells, nothing)) is None
    with pytest.raises(NotComputable, match="no rows"):
        mean_pair_trend(pair(columns, cells, nothing))


def test_huge_numbers_that_hardly_differ() -> None:
    # Ten bins do not fit between neighbouring floats; SDMetrics gives such a column up.
    columns = [numeric("x", [1e16]), categorical("kind", "a", "b")]
    cells = {"x": [1e16, 1e16 + 2, 1e16 + 2, 1e16], "kind": ["a", "b", "b", "a"]}
    scores = pair_scores(*(table(columns, **cells) for _ in range(2)))
    assert scores.score[0, 1] == 1
