"""All metrics together: equal numbers, references, notices, secrets, repeatability."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthgen.metrics import TABULAR, score_all
from synthgen.metrics.base import Metric, NotComputable, Trio, metric
from synthgen.metrics.levels import row_ids
from synthgen.metrics.reference import fidelity_pair, privacy_pair, subsample
from synthgen.metrics.score import score
from synthgen.results import Reading, Score
from tests.metrics.tables import categorical, numeric, real_trio, shuffled, table


def _by_name(scores: list[Score]) -> dict[str, Score]:
    return {s.metric: s for s in scores}


def _numbers(part: Any) -> list[float]:
    if isinstance(part, dict):
        return [n for value in part.values() for n in _numbers(value)]
    if isinstance(part, list):
        return [n for value in part for n in _numbers(value)]
    return [part] if isinstance(part, int | float) else []


@pytest.fixture(scope="module")
def adult(shared_data: Path) -> Trio:
    return real_trio(shared_data, "adult-train", rows=2500)


def test_every_metric_has_a_value_and_a_reference(adult: Trio) -> None:
    drawn = Trio(adult.train, adult.holdout, shuffled(adult.train), 1)
    scores, notices = score_all(drawn)
    assert notices == []
    assert [s.metric for s in scores] == [m.name for m in TABULAR]
    assert len({s.metric for s in scores}) == len(scores) == 7
    found = _by_name(scores)
    for s in scores:
        assert s.reference is not None
        assert all(map(math.isfinite, _numbers(s.model_dump(mode="json"))))
        json.dumps(s.model_dump(mode="json"), allow_nan=False)
        assert set(s.detail["rows"]) == {"train", "synthetic", "reference"}
    for name in ("column_shapes", "pair_trends", "violations", "two_sample_auc", "class_balance"):
        rows = found[name].detail["rows"]
        assert rows["synthetic"] == rows["reference"] == len(adult.holdout)
    rows = found["closest_record"].detail["rows"]
    assert rows["synthetic"] == rows["reference"] == len(adult.holdout) // 2
    # Shuffled columns: right margins, wrong relations, no memory.
    assert found["column_shapes"].value == pytest.approx(found["column_shapes"].reference, abs=0.02)
    for name in ("pair_trends", "two_sample_auc", "violations"):
        apart = abs(found[name].value - (found[name].reference or 0))
        assert apart > 0.15
    assert found["exact_copies"].value == 0


def test_a_copier_is_far_off_the_privacy_references(adult: Trio) -> None:
    scores, _ = score_all(Trio(adult.train, adult.holdout, adult.train, 1))
    found = _by_name(scores)
    assert found["exact_copies"].value == len(adult.train)
    assert (found["exact_copies"].reference or 0) < 0.01 * len(adult.train)
    assert found["closest_record"].value == 1
    assert found["closest_record"].reference == pytest.approx(0.5, abs=0.15)
    # While its fidelity is that of real rows.
    for name in ("column_shapes", "pair_trends"):
        assert found[name].value == pytest.approx(found[name].reference, abs=0.03)


def test_same_seed_same_scores_and_another_seed_another_subsample(adult: Trio) -> None:
    quick = [m for m in TABULAR if m.name != "two_sample_auc"]
    drawn = Trio(adult.train, adult.holdout, shuffled(adult.train), 1)
    assert score(quick, drawn) == score(quick, drawn)
    other = Trio(drawn.train, drawn.holdout, drawn.synthetic, 2)
    assert (
        _by_name(score(quick, drawn)[0])["column_shapes"]
        != (_by_name(score(quick, other)[0])["column_shapes"])
    )


def test_fidelity_compares_equal_numbers(adult: Trio) -> None:
    few = Trio(adult.train, adult.holdout, adult.synthetic.take(np.arange(100)), 3)
    read, stand_in = fidelity_pair(few)
    assert len(read.synthetic) == len(stand_in.synthetic) == 100
    assert read.train is stand_in.train is adult.train
    many = Trio(adult.train, adult.holdout, adult.train, 3)
    read, stand_in = fidelity_pair(many)
    assert len(read.synthetic) == len(stand_in.synthetic) == len(adult.holdout)
    assert stand_in.synthetic is adult.holdout


def test_privacy_halves_do_not_meet(adult: Trio) -> None:
    read, stand_in = privacy_pair(Trio(adult.train, adult.holdout, adult.train, 3))
    assert len(read.synthetic) == len(stand_in.synthetic) > 200
    assert abs(len(read.holdout) - len(stand_in.synthetic)) <= 1
    others, ours = row_ids(read.holdout, stand_in.synthetic)
    assert not set(others) & set(ours)


def test_a_subsample_keeps_the_order() -> None:
    rows = table([numeric("x", [0, 99])], x=np.arange(100.0))
    some = subsample(rows, 10, np.random.default_rng(0)).numbers("x")
    assert (np.diff(some) > 0).all()
    assert subsample(rows, 100, np.random.default_rng(0)) is rows


def test_what_cannot_be_computed_is_left_out_with_a_notice() -> None:
    rng = np.random.default_rng(0)
    column = numeric("x", [0, 1])
    rows = table([column], x=rng.random(60))
    scores, notices = score_all(Trio(rows, rows.take(np.arange(40)), rows.take(np.arange(1))))
    names = set(_by_name(scores))
    assert names == {"column_shapes", "exact_copies", "closest_record"}
    assert notices == [
        "Column pair trends left out: no two columns are associated "
        "(|r| above 0.5 or Cramér's V above 0.3)",
        "Violations left out: it needs 300 training rows to infer constraints from",
        "Two-sample test (AUC) left out: it needs 50 rows on either side",
        "Class balance left out: the table has no target column",
    ]


def test_empty_sides_and_a_target_of_one_class() -> None:
    columns = [numeric("x", [0, 1]), categorical("y", "a")]
    rows = table(columns, target="y", x=np.linspace(0, 1, 50), y=["a"] * 50)
    nothing = rows.take(np.arange(0))
    scores, notices = score_all(Trio(rows, rows, nothing))
    assert scores == []
    assert len(notices) == len(TABULAR)
    scores, notices = score_all(Trio(rows, nothing, rows))
    found = _by_name(scores)
    assert set(found) == {"exact_copies"}
    assert found["exact_copies"].reference is None
    assert "Exact copies has no reference: there are no held-out rows" in notices
    _, notices = score_all(Trio(rows, rows, rows))
    assert "Class balance left out: the target has one class only" in notices


def test_a_missing_reference_is_no_reason_to_drop_the_value() -> None:
    rows = table([numeric("x", [0, 1])], x=np.arange(10.0))

    @metric(title="Mean", pillar="fidelity", goal="target")
    def mean(trio: Trio) -> Reading:
        if trio.synthetic is trio.holdout:
            raise NotComputable("held-out rows are shy")
        return Reading(value=float(trio.synthetic.numbers("x").mean()))

    assert isinstance(mean, Metric)
    assert mean.name == "mean"
    (only,), notices = score([mean], Trio(rows, rows.take(np.arange(10)), rows))
    assert only.value == 4.5
    assert only.reference is None
    assert notices == ["Mean has no reference: held-out rows are shy"]


def test_details_hold_nothing_of_rare_rows() -> None:
    rng = np.random.default_rng(0)
    n = 800
    kind = rng.choice(["a", "b"], n).astype(object)
    kind[7] = "SECRET"
    x = rng.normal(size=n)
    x[7] = 123456.789
    columns = [numeric("x", [-3, 3]), categorical("kind", "a", "b"), categorical("y", "no", "yes")]
    label = np.where(x + rng.normal(size=n) > 0, "yes", "no").astype(object)
    rows = table(columns, target="y", x=x, kind=kind, y=label)
    text = json.dumps([s.model_dump() for s in score_all(Trio(rows, rows, rows))[0]])
    assert "SECRET" not in text
    assert "123456" not in text
