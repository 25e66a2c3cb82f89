"""A classifier finds what differs, and nothing where nothing does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from synthgen.data.table import Table
from synthgen.metrics.base import NotComputable, Trio
from synthgen.metrics.two_sample import placements, two_sample_auc
from tests.metrics.tables import categorical, numeric, real_trio, shuffled, table


def _world(n: int, seed: int, shift: float = 0.0) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    cells = {
        "x": np.where(rng.random(n) < 0.1, np.nan, x),
        "y": x + rng.normal(shift, 0.5, n),
        "kind": rng.choice(["a", "b", "c"], n),
    }
    columns = [numeric("x", x), numeric("y", cells["y"]), categorical("kind", "a", "b", "c")]
    return table(columns, **cells)


def _auc(train: Table, drawn: Table) -> float:
    return two_sample_auc(Trio(train, drawn, drawn)).value


def test_rows_of_the_same_world_cannot_be_told_apart() -> None:
    reading = two_sample_auc(Trio(_world(800, 1), _world(1, 2), _world(800, 3)))
    assert reading.value == pytest.approx(0.5, abs=0.05)
    assert reading.detail["score"] > 0.9
    assert reading.detail["rows_per_side"] == 800


def test_a_copy_cannot_be_told_apart_because_twins_share_a_fold() -> None:
    world = _world(400, 1)
    assert _auc(world, world) == pytest.approx(0.5, abs=1e-9)
    order = np.random.default_rng(0).permutation(400)
    assert _auc(world, world.take(order)) == pytest.approx(0.5, abs=1e-9)


def test_placements_are_the_auc_row_by_row() -> None:
    real, made = _world(600, 1), _world(600, 3, shift=1.0)
    held_out, fresh = _world(200, 5), _world(300, 6, shift=1.0)
    found = placements(real, made, held_out, fresh)
    assert found.shape == (200,)
    features = [
        np.column_stack([t.numbers("x"), t.numbers("y"), t.codes("kind")])
        for t in (real, made, held_out, fresh)
    ]
    model = HistGradientBoostingClassifier(
        categorical_features=[False, False, True], early_stopping=False, random_state=0
    ).fit(np.concatenate(features[:2]), np.repeat([0, 1], 600))
    values = model.predict_proba(np.concatenate(features[2:]))[:, 1]
    expected = roc_auc_score(np.repeat([0, 1], [200, 300]), values)
    assert found.mean() == pytest.approx(expected, abs=1e-12)
    assert expected > 0.75
    own, others = values[:200], values[200:]
    assert found[7] == np.mean((others > own[7]) + 0.5 * (others == own[7]))


def test_rows_that_are_all_alike_are_placed_in_the_middle() -> None:
    real = _world(100, 1)
    one = real.take(np.zeros(60, dtype=int))
    np.testing.assert_allclose(placements(one, one, one, one), 0.5)


def test_a_shift_is_found_and_its_column_named() -> None:
    reading = two_sample_auc(Trio(_world(600, 1), _world(1, 2), _world(600, 3, shift=2.0)))
    assert reading.value > 0.85
    assert reading.detail["telling_columns"][0]["column"] == "y"
    assert reading.detail["score"] == pytest.approx(2 * (1 - reading.value))
    # The value is what a plain train-test split of the same rows says, within their errors.
    features = [
        np.column_stack([t.numbers("x"), t.numbers("y"), t.codes("kind")])
        for t in (_world(600, 1), _world(600, 3, shift=2.0))
    ]
    labels = np.repeat([0, 1], 300)
    model = HistGradientBoostingClassifier(random_state=0)
    model.fit(np.concatenate([part[:300] for part in features]), labels)
    plain = model.predict_proba(np.concatenate([part[300:] for part in features]))[:, 1]
    assert reading.value == pytest.approx(roc_auc_score(labels, plain), abs=0.04)


def test_relations_that_the_margins_hide_are_found() -> None:
    world = _world(600, 1)
    assert _auc(world, shuffled(_world(600, 2))) > 0.75


def test_missing_cells_alone_give_rows_away() -> None:
    whole = _world(500, 2)
    filled = Table(whole.frame.assign(x=whole.frame["x"].fillna(0.0)), whole.schema)
    assert _auc(_world(500, 1), filled) > 0.53


def test_more_categories_than_the_tree_takes() -> None:
    names = [f"v{i}" for i in range(400)]
    columns = [categorical("kind", *names[:300]), numeric("x", [0, 1])]
    rng = np.random.default_rng(0)
    rows = [
        table(columns, kind=rng.choice(names, 500), x=rng.random(500) + shift) for shift in (0, 5)
    ]
    assert _auc(rows[0], rows[0].take(rng.permutation(500))) == pytest.approx(0.5, abs=1e-9)
    assert _auc(*rows) > 0.99


def test_deterministic_and_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.metrics.two_sample.ROWS", 120, raising=True)
    trio = Trio(_world(300, 1), _world(1, 2), _world(200, 3), 5)
    reading = two_sample_auc(trio)
    assert reading == two_sample_auc(trio)
    assert reading.detail["rows_per_side"] == 120


def test_too_few_rows() -> None:
    with pytest.raises(NotComputable, match="50 rows"):
        _auc(_world(300, 1), _world(1, 2))
    same = table([numeric("x", [1, 2])], x=[1.0] * 60)
    with pytest.raises(NotComputable, match="distinct"):
        _auc(same, same)


def test_held_out_adult_rows_are_not_told_apart(shared_data: Path) -> None:
    trio = real_trio(shared_data, "adult-train", rows=3000)
    reading = two_sample_auc(trio)
    assert reading.value == pytest.approx(0.5, abs=0.05)
    telling = two_sample_auc(Trio(trio.train, trio.holdout, shuffled(trio.holdout)))
    assert telling.value > 0.9
