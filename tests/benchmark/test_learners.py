from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.sparse import issparse
from scipy.stats import norm
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression, LogisticRegression

from synthgen.benchmark import learners
from synthgen.benchmark.learners import (
    LEARNERS,
    Rows,
    Unweightable,
    balancing_weights,
    check,
    rows_of,
)
from synthgen.benchmark.scoring import Asked, Predicted, score_all
from synthgen.data.infer import infer
from synthgen.data.schema import Categorical, Datetime, Identifier, Numeric, Schema
from synthgen.data.table import Table
from synthgen.errors import ConfigError, MachineError
from tests.benchmark.worlds import World

BOOSTERS = ("xgboost", "lightgbm", "catboost")


def _params(names: list[str]) -> list[Any]:
    """Those whose package is missing are skipped, with the reason."""
    return [
        pytest.param(
            name,
            marks=pytest.mark.skipif(
                name in BOOSTERS and find_spec(name) is None, reason=f"{name} is not installed"
            ),
        )
        for name in names
    ]


CLASSIFIERS = _params([name for name in LEARNERS if name != "ridge"])
REGRESSORS = _params([name for name in LEARNERS if name != "logistic"])
TREES = _params([name for name in LEARNERS if name not in ("logistic", "ridge")])


class Hopeless(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose probabilities are not finite."""

    def fit(self, x: Any, y: Any) -> Hopeless:
        return self

    def predict_proba(self, x: Any) -> NDArray[np.float64]:
        return np.full((x.shape[0], 2), np.nan)


class Demanding(Hopeless):
    def __init__(self, size: int) -> None:
        self.size = size


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


@pytest.mark.parametrize("learner", CLASSIFIERS)
def test_every_learner_learns_from_gaps_and_categories(learner: str) -> None:
    world = World(signal=2.5, gaps=0.2)
    train = rows_of(world.table(400, 0))
    test = rows_of(Table(world.frame(400, 1), world.table(400, 0).schema))
    found = learners.fit(learner, train, 0).values(test)
    assert found.shape == (400, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-6)
    auc = score_all("classification", test.labels, Predicted.of(found), Asked(1))["roc_auc"]
    assert auc is not None
    # The true process allows Phi(2.5 / sqrt(2)) = 0.96 without gaps.
    assert 0.88 < auc < 0.97


@pytest.mark.parametrize("learner", CLASSIFIERS)
def test_a_category_alone_is_enough(learner: str) -> None:
    """The information is in an unordered code that no threshold on it separates."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 6, 600).astype(float)
    labels = np.isin(codes, [0, 3, 5]).astype(np.int64)
    rows = Rows(codes[:, None], (6,), labels, 2)
    found = learners.fit(learner, rows, 0).values(rows)
    assert (found.argmax(1) == labels).all()


@pytest.mark.parametrize("learner", CLASSIFIERS)
@pytest.mark.parametrize("size", [6, 300])
def test_codes_that_training_never_saw_are_predicted_all_the_same(learner: str, size: int) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 200).astype(float)
    labels = (codes == 1).astype(np.int64)
    train = Rows(np.column_stack([rng.normal(size=200), codes]), (size,), labels, 2)
    unseen = np.array([[0.0, -1], [0.0, -2], [np.nan, 4], [0.0, size - 1]])
    found = learners.fit(learner, train, 0).values(Rows(unseen, (size,), labels[:4], 2))
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("learner", TREES)
def test_the_second_of_a_time_is_not_rounded_away(learner: str) -> None:
    """Single precision holds a present time to two minutes."""
    rng = np.random.default_rng(0)
    times = 1.7e9 + rng.integers(0, 60, 400).astype(float)
    labels = (times >= 1.7e9 + 30).astype(np.int64)
    rows = Rows(times[:, None], (), labels, 2)
    found = learners.fit(learner, rows, 0).values(rows)
    assert (found.argmax(1) == labels).mean() > 0.95


@pytest.mark.parametrize("learner", CLASSIFIERS)
def test_many_categories_and_empty_or_constant_columns(learner: str) -> None:
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
    found = learners.fit(learner, rows, 0).values(rows)
    assert (found.argmax(1) == rows.labels).mean() > 0.9


@pytest.mark.parametrize("learner", CLASSIFIERS)
def test_a_class_without_training_rows_gets_probability_zero(learner: str) -> None:
    rows = rows_of(World(classes=3).table(200, 0))
    kept = rows.labels != 1
    part = Rows(rows.values[kept], rows.sizes, rows.labels[kept], 3)
    found = learners.fit(learner, part, 0).values(rows)
    assert (found[:, 1] == 0).all()
    assert (found[:, [0, 2]] > 0).any(axis=0).all()


@pytest.mark.parametrize("learner", CLASSIFIERS)
def test_the_same_rows_and_seed_give_the_same_probabilities(learner: str) -> None:
    rows = rows_of(World(gaps=0.1).table(300, 0))
    first, second = (learners.fit(learner, rows, 3).values(rows) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("learner", CLASSIFIERS)
def test_weights_move_the_decision_towards_the_rare_class(learner: str) -> None:
    world = World(majority=0.9, signal=1.0)
    rows, fresh = rows_of(world.table(1000, 0)), rows_of(world.table(1000, 1))
    plain = learners.fit(learner, rows, 0).values(fresh)[:, 1].mean()
    weighted = learners.fit(learner, rows, 0, balancing_weights(rows)).values(fresh)
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
    one = learners.fit("logistic", mirrored, 0, np.full(120, 2.0)).values(mirrored)
    two = learners.fit("logistic", doubled, 0).values(mirrored)
    np.testing.assert_allclose(one, two, atol=1e-4)


@pytest.mark.parametrize("learner", CLASSIFIERS)
def test_no_rows_are_predicted_as_no_rows(learner: str) -> None:
    rows = rows_of(World().table(100, 0))
    none = Rows(rows.values[:0], rows.sizes, rows.labels[:0], 2)
    assert learners.fit(learner, rows, 0).values(none).shape == (0, 2)


@pytest.mark.parametrize("learner", CLASSIFIERS)
def test_rows_of_one_class_cannot_be_learned_from(learner: str) -> None:
    rows = Rows(np.arange(20.0)[:, None], (), np.ones(20, dtype=np.int64), 2)
    with pytest.raises(ValueError, match="one class"):
        learners.fit(learner, rows, 0)


def test_rows_are_taken_and_stacked_with_their_labels() -> None:
    rows = rows_of(World(gaps=0.2).table(50, 0))
    order = np.array([3, 3, 0])
    both = rows.take(order).stack(rows.take(np.arange(50) >= 48))
    np.testing.assert_array_equal(both.values, rows.values[[3, 3, 0, 48, 49]])
    np.testing.assert_array_equal(both.labels, rows.labels[[3, 3, 0, 48, 49]])
    assert (both.sizes, both.classes) == (rows.sizes, 2)


@pytest.mark.parametrize("learner", _params(list(BOOSTERS)))
def test_boosters_write_nothing(
    learner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = rows_of(World(gaps=0.1).table(60, 0))
    learners.fit(learner, rows, 0).values(rows)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


# ---- numbers ------------------------------------------------------------------------------------


def _numbers(n: int, seed: int, *, gaps: float = 0.0) -> Rows:
    """Far from zero, with a small spread; noise leaves R2 = 0.9 to be had without gaps."""
    rng = np.random.default_rng(seed)
    x, codes = rng.normal(size=(n, 3)), rng.integers(0, 4, n).astype(float)
    signal = x[:, 0] + x[:, 1] + np.array([0.0, 2.0, -1.0, 1.0])[codes.astype(int)]
    x[rng.random(n) < gaps, 1] = np.nan
    numbers = 1e6 + signal + rng.normal(scale=np.sqrt(3.25 / 9), size=n)
    return Rows(np.column_stack([x, codes]), (4,), numbers, 0)


def test_the_rows_of_a_numeric_target_have_its_numbers() -> None:
    columns = (
        Numeric(name="y", dtype="float64", missing=True, integer=False, low=0, high=9),
        Categorical(name="colour", dtype="object", values=("red", "blue")),
        Numeric(name="x", dtype="float64", integer=False, low=0, high=9),
    )
    frame = pd.DataFrame(
        {"y": [1.5, np.nan, 3.5], "colour": ["blue", "red", "red"], "x": [0.5, 1.0, 2.0]}
    )
    rows = rows_of(Table(frame, Schema(columns=columns, target="y")))
    np.testing.assert_array_equal(rows.values, [[0.5, 1], [2.0, 0]])
    assert rows.labels.tolist() == [1.5, 3.5]  # the row without a number is left out
    assert (rows.labels.dtype, rows.sizes, rows.classes) == (np.float64, (2,), 0)


@pytest.mark.parametrize("learner", REGRESSORS)
def test_every_learner_learns_numbers(learner: str) -> None:
    train, test = _numbers(500, 0, gaps=0.1), _numbers(500, 1)
    found = learners.fit(learner, train, 0).values(test)
    assert found.shape == (500, 1)
    r2 = score_all("regression", test.labels, Predicted.of(found), Asked())["r2"]
    assert r2 is not None
    assert 0.65 < r2 < 0.93
    again = learners.fit(learner, train, 0).values(test)
    np.testing.assert_array_equal(found, again)
    assert learners.fit(learner, train, 0).values(test.take(np.arange(0))).shape == (0, 1)


def test_ridge_is_nearly_least_squares_on_many_rows() -> None:
    rows = _numbers(5000, 0)
    plain = Rows(rows.values[:, :3], (), rows.labels, 0)
    expected = LinearRegression().fit(plain.values, plain.labels).predict(plain.values)
    found = learners.fit("ridge", plain, 0).values(plain)[:, 0]
    np.testing.assert_allclose(found, expected, atol=0.005)


@pytest.mark.parametrize("learner", REGRESSORS)
def test_weights_move_numbers_towards_heavy_rows(learner: str) -> None:
    """Two thirds of equal rows have 0, one third 1: with weights it is the other way round."""
    numbers = np.tile([0.0, 0.0, 1.0], 100)
    rows = Rows(np.arange(300.0)[:, None] % 2, (), numbers, 0)
    weights = np.where(numbers == 1, 4.0, 1.0)
    plain = learners.fit(learner, rows, 0).values(rows)
    heavy = learners.fit(learner, rows, 0, weights).values(rows)
    np.testing.assert_allclose(plain, 1 / 3, atol=0.03)
    np.testing.assert_allclose(heavy, 2 / 3, atol=0.03)


@pytest.mark.parametrize("learner", ["ridge", "forest", "boosting"])
def test_a_constant_number_is_predicted(learner: str) -> None:
    rows = Rows(np.arange(40.0)[:, None], (), np.full(40, 0.1), 0)
    np.testing.assert_allclose(learners.fit(learner, rows, 0).values(rows), 0.1, atol=1e-6)


@pytest.mark.parametrize("n", [300, 4000])
def test_density_weights_are_those_of_the_paper(n: int) -> None:
    numbers = np.random.default_rng(0).lognormal(size=n)
    rows = Rows(np.zeros((n, 1)), (), numbers, 0)
    weights = balancing_weights(rows)
    width = numbers.std(ddof=1) * (0.75 * n) ** -0.2  # Silverman's rule for one dimension
    density = np.array([norm.pdf((numbers - y) / width).mean() for y in numbers])
    scaled = (density - density.min()) / (density.max() - density.min())
    expected = np.maximum(1 - scaled, 1e-6)
    near = {"rtol": 1e-9} if n <= learners.GRID else {"rtol": 2e-3, "atol": 5e-5}
    np.testing.assert_allclose(weights, expected / expected.mean(), **near)
    assert weights.mean() == pytest.approx(1.0)
    assert weights.min() > 0


@pytest.mark.parametrize("numbers", [[2.0] * 9, [1.0, 5.0] * 5])
def test_equally_dense_numbers_weigh_the_same(numbers: list[float]) -> None:
    rows = Rows(np.zeros((len(numbers), 1)), (), np.array(numbers), 0)
    np.testing.assert_allclose(balancing_weights(rows), 1.0)


# ---- import paths and names ---------------------------------------------------------------------


def test_an_estimator_is_taken_by_its_import_path() -> None:
    world = World(signal=2.5, gaps=0.2)
    rows = rows_of(world.table(300, 0))
    path = "sklearn.ensemble.ExtraTreesClassifier"
    check(path, "classification")
    fresh = rows_of(Table(world.frame(300, 1), world.table(300, 0).schema))
    first, second, other = (learners.fit(path, rows, seed).values(fresh) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()  # the seed reaches it
    assert (first.argmax(1) == fresh.labels).mean() > 0.8
    weighted = learners.fit(path, rows, 1, balancing_weights(rows)).values(rows)
    assert weighted.shape == (300, 2)


def test_an_estimator_that_takes_no_sparse_matrix_gets_a_dense_one() -> None:
    frame = pd.DataFrame({"c": [f"v{i % 40}" for i in range(400)], "y": ["a", "b"] * 200})
    rows = rows_of(Table(frame, infer(frame, target="y")))
    fitted = learners.fit("sklearn.naive_bayes.GaussianNB", rows, 0)
    np.testing.assert_allclose(fitted.values(rows).sum(axis=1), 1.0)
    logistic = learners.fit("sklearn.linear_model.LogisticRegression", rows, 0)
    assert issparse(logistic.columns.transform(rows.values))


def test_a_regressor_is_taken_by_its_import_path() -> None:
    check("sklearn.svm.SVR", "regression")
    rows = _numbers(300, 0, gaps=0.1)
    found = learners.fit("sklearn.svm.SVR", rows, 0).values(rows)
    # Its tube of 0.1 fits because the target is standardised.
    assert np.corrcoef(found[:, 0], rows.labels)[0, 1] > 0.9
    assert found.mean() == pytest.approx(1e6, abs=1)


def test_a_learner_that_takes_no_weights_says_so() -> None:
    rows = rows_of(World().table(60, 0))
    path = "sklearn.neighbors.KNeighborsClassifier"
    learners.fit(path, rows, 0)
    with pytest.raises(Unweightable, match="KNeighborsClassifier takes no sample weights"):
        learners.fit(path, rows, 0, balancing_weights(rows))


def test_predictions_that_are_not_finite_are_refused() -> None:
    rows = rows_of(World().table(60, 0))
    fitted = learners.fit(f"{__name__}.Hopeless", rows, 0)
    with pytest.raises(ValueError, match="not finite"):
        fitted.values(rows)


@pytest.mark.parametrize("learner", CLASSIFIERS)
def test_known_classifiers_pass_the_check(learner: str) -> None:
    check(learner, "classification")


@pytest.mark.parametrize("learner", REGRESSORS)
def test_known_regressors_pass_the_check(learner: str) -> None:
    check(learner, "regression")


@pytest.mark.parametrize(
    ("learner", "task", "cause", "remedy"),
    [
        ("xgbost", "classification", "no learner 'xgbost'", "Did you mean 'xgboost'"),
        ("Forest", "classification", "no learner 'Forest'", "Did you mean 'forest'"),
        ("zzz", "classification", "no learner 'zzz'", "Known are logistic, ridge"),
        ("ridge", "classification", "'ridge' is for regression", "Use 'logistic'"),
        ("logistic", "regression", "'logistic' is for classification", "Use 'ridge'"),
        ("no_such.package.Model", "regression", "cannot be imported", "package.module.Class"),
        ("sklearn.svm.NoSuch", "regression", "cannot be imported", "package.module.Class"),
        (".Model", "regression", "cannot be imported", "package.module.Class"),
        ("numpy.mean", "regression", "no scikit-learn estimator", "with fit"),
        ("collections.Counter", "regression", "no scikit-learn estimator", "with fit"),
        ("sklearn.svm.SVR", "classification", "no scikit-learn classifier", "classifier"),
        ("sklearn.svm.SVC", "regression", "no scikit-learn regressor", "regressor"),
        ("sklearn.svm.LinearSVC", "classification", "no predict_proba", "probabilities"),
        (f"{__name__}.Demanding", "classification", "without parameters", "defaults"),
    ],
)
def test_wrong_learners_are_refused(learner: str, task: Any, cause: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(learner, task)
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy


def test_a_missing_package_is_a_matter_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners, "find_spec", lambda name: None)
    with pytest.raises(MachineError) as caught:
        check("lightgbm", "classification")
    assert caught.value.remedy == "Install it: pip install -c constraints.txt -e '.[boosters]'"
    check("forest", "classification")
