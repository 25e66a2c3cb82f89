from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from synthgen.benchmark import learners
from synthgen.benchmark.learners import LEARNERS, Rows, balancing_weights, rows_of
from synthgen.benchmark.scoring import score_all
from synthgen.benchmark.settings import Learner
from synthgen.data.schema import Categorical, Datetime, Identifier, Numeric, Schema
from synthgen.data.table import Table
from tests.benchmark.worlds import World

ALL = tuple(LEARNERS)


def _mixed(frame: pd.DataFrame) -> Table:
    columns = (
        Identifier(name="id", dtype="int64"),
        Categorical(name="colour", dtype="object", missing=True, values=("red", "blue")),
        Numeric(name="age", dtype="float64", missing=True, integer=False, low=0, high=99),
        Categorical(name="y", dtype="object", values=("no", "yes")),
        Datetime(name="when", dtype="datetime64[ns]", low=0, high=1e9, resolution=86400),
    )
    return Table(frame, Schema(columns=columns, target="y"))


def test_rows_are_canonical_numbers_then_codes() -> None:
    frame = pd.DataFrame(
        {
            "id": [7, 8, 9, 10],
            "colour": ["blue", None, "green", "red"],
            "age": [1.5, np.nan, 3.0, 4.0],
            "y": ["yes", "no", "no", None],
            "when": pd.to_datetime(["1970-01-02", "1970-01-01", None, "1970-01-03"]),
        }
    )
    rows = rows_of(_mixed(frame))
    np.testing.assert_array_equal(rows.values, [[1.5, 86400, 1], [np.nan, 0, -1], [3, np.nan, -2]])
    assert (rows.numeric, rows.discrete, rows.sizes) == ([0, 1], [2], (2,))
    assert rows.labels.tolist() == [1, 0, 0]  # the row without a label is left out
    assert rows.classes == 2


@pytest.mark.parametrize("learner", ALL)
def test_every_learner_learns_from_gaps_and_categories(learner: Learner) -> None:
    world = World(signal=2.5, gaps=0.2)
    train = rows_of(world.table(400, 0))
    test = rows_of(Table(world.frame(400, 1), world.table(400, 0).schema))
    found = learners.fit(learner, train, 0).probabilities(test)
    assert found.shape == (400, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    auc = score_all(test.labels, found, 1)["roc_auc"]
    assert auc is not None
    # The true process allows Phi(2.5 / sqrt(2)) = 0.96 without gaps.
    assert 0.88 < auc < 0.97


@pytest.mark.parametrize("learner", ALL)
def test_a_category_alone_is_enough(learner: Learner) -> None:
    """The information is in an unordered code that no threshold on it separates."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 6, 600).astype(float)
    labels = np.isin(codes, [0, 3, 5]).astype(np.int64)
    rows = Rows(codes[:, None], (6,), labels, 2)
    found = learners.fit(learner, rows, 0).probabilities(rows)
    assert (found.argmax(1) == labels).all()


@pytest.mark.parametrize("learner", ALL)
def test_codes_that_training_never_saw_are_predicted_all_the_same(learner: Learner) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 200).astype(float)
    labels = (codes == 1).astype(np.int64)
    train = Rows(np.column_stack([rng.normal(size=200), codes]), (300,), labels, 2)
    unseen = np.array([[0.0, -1], [0.0, -2], [np.nan, 4], [0.0, 299]])
    found = learners.fit(learner, train, 0).probabilities(Rows(unseen, (300,), labels[:4], 2))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("learner", ALL)
def test_many_categories_and_empty_or_constant_columns(learner: Learner) -> None:
    rng = np.random.default_rng(0)
    n = 3000
    values = np.column_stack(
        [
            np.full(n, np.nan),
            np.full(n, 7.0),
            rng.normal(size=n),
            rng.integers(0, 500, n),
            np.full(n, -1),
        ]
    )
    rows = Rows(values, (500, 3), (values[:, 2] > 0).astype(np.int64), 2)
    found = learners.fit(learner, rows, 0).probabilities(rows)
    assert (found.argmax(1) == rows.labels).mean() > 0.9


@pytest.mark.parametrize("learner", ALL)
def test_a_class_without_training_rows_gets_probability_zero(learner: Learner) -> None:
    rows = rows_of(World(classes=3).table(200, 0))
    kept = rows.labels != 1
    part = Rows(rows.values[kept], rows.sizes, rows.labels[kept], 3)
    found = learners.fit(learner, part, 0).probabilities(rows)
    assert (found[:, 1] == 0).all()
    assert (found[:, [0, 2]] > 0).any(axis=0).all()


@pytest.mark.parametrize("learner", ALL)
def test_the_same_rows_and_seed_give_the_same_probabilities(learner: Learner) -> None:
    rows = rows_of(World(gaps=0.1).table(300, 0))
    first, second = (learners.fit(learner, rows, 3).probabilities(rows) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("learner", ALL)
def test_weights_move_the_decision_towards_the_rare_class(learner: Learner) -> None:
    world = World(majority=0.9, signal=1.0)
    rows, fresh = rows_of(world.table(1000, 0)), rows_of(world.table(1000, 1))
    plain = learners.fit(learner, rows, 0).probabilities(fresh)[:, 1].mean()
    weighted = learners.fit(learner, rows, 0, balancing_weights(rows)).probabilities(fresh)
    assert weighted[:, 1].mean() > 1.4 * plain


def test_weights_are_the_balanced_ones_of_scikit_learn() -> None:
    rows = rows_of(World(classes=3, majority=0.7).table(200, 0))
    weights = balancing_weights(rows)
    totals = [weights[rows.labels == k].sum() for k in range(3)]
    np.testing.assert_allclose(totals, 200 / 3)
    assert weights.mean() == pytest.approx(1.0)
    x = rows.values[:, :4]
    ours = LogisticRegression(max_iter=500).fit(x, rows.labels, weights)
    theirs = LogisticRegression(max_iter=500, class_weight="balanced").fit(x, rows.labels)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)


def test_two_equal_rows_weigh_as_much_as_one_of_weight_two() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    labels = (x[:, 0] + rng.normal(size=60) > 0).astype(np.int64)
    # Standardisation sees rows, not weights, so the doubled rows mirror each other.
    mirrored = Rows(np.concatenate([x, -x]), (), np.concatenate([labels, 1 - labels]), 2)
    doubled = mirrored.stack(mirrored)
    one = learners.fit("logistic", mirrored, 0, np.full(120, 2.0)).probabilities(mirrored)
    two = learners.fit("logistic", doubled, 0).probabilities(mirrored)
    np.testing.assert_allclose(one, two, atol=1e-4)


@pytest.mark.parametrize("learner", ALL)
def test_no_rows_are_predicted_as_no_rows(learner: Learner) -> None:
    rows = rows_of(World().table(100, 0))
    none = Rows(rows.values[:0], rows.sizes, rows.labels[:0], 2)
    assert learners.fit(learner, rows, 0).probabilities(none).shape == (0, 2)
