"""Against scikit-learn where it defines the value; by hand or by a loop where it does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from synthgen.benchmark.scoring import (
    CLASSIFICATION,
    REGRESSION,
    SCORERS,
    Asked,
    Predicted,
    class_of_interest,
    score_all,
    score_classes,
    scorers,
)

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]


def _case(classes: int, n: int = 300) -> tuple[Labels, Probabilities]:
    rng = np.random.default_rng(classes)
    labels = rng.choice(classes, n, p=np.arange(1, classes + 1) / sum(range(1, classes + 1)))
    logits = rng.normal(size=(n, classes)).round(1)  # rounding makes ties
    logits[np.arange(n), labels] += 0.7
    odds = np.exp(logits)
    return labels.astype(np.int64), odds / odds.sum(axis=1, keepdims=True)


def _found(labels: Labels, values: Probabilities, interest: int = 0) -> dict[str, float | None]:
    return score_all("classification", labels, Predicted.of(values), Asked(interest, 0.6))


def _calibration(labels: Labels, values: Probabilities) -> float:
    """Row by row, bin by bin, as Guo et al. write it."""
    total = 0.0
    for m in range(1, 16):
        rows = [i for i, p in enumerate(values) if (m - 1) / 15 < p.max() <= m / 15]
        if rows:
            accuracy = sum(int(values[i].argmax()) == labels[i] for i in rows) / len(rows)
            confidence = sum(values[i].max() for i in rows) / len(rows)
            total += len(rows) / len(labels) * abs(accuracy - confidence)
    return total


def _recall_at(found: NDArray[np.bool_], scores: Probabilities, precision: float) -> float:
    p, r, _ = metrics.precision_recall_curve(found, scores)
    return float(max(r[:-1][p[:-1] >= precision], default=0.0))


@pytest.mark.parametrize("interest", [0, 1])
def test_two_classes_equal_scikit_learn(interest: int) -> None:
    labels, values = _case(2)
    ones, predicted = values[:, 1], values.argmax(1)
    own = (labels == interest, values[:, interest])
    expected = {
        "roc_auc": metrics.roc_auc_score(labels, ones),
        "average_precision": metrics.average_precision_score(*own),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "recall_at_precision": _recall_at(*own, 0.6),
        "log_loss": metrics.log_loss(labels, ones),
        "brier": metrics.brier_score_loss(labels, ones),
        "calibration_error": _calibration(labels, values),
    }
    found = _found(labels, values, interest)
    assert found == pytest.approx(expected, rel=1e-12)
    assert list(found) == list(expected) == list(CLASSIFICATION)


@pytest.mark.parametrize("classes", [3, 6])
def test_more_classes_equal_scikit_learn(classes: int) -> None:
    labels, values = _case(classes)
    predicted, one_hot = values.argmax(1), np.eye(classes)[labels]
    assert _found(labels, values) == pytest.approx(
        {
            "roc_auc": metrics.roc_auc_score(labels, values, multi_class="ovr", average="macro"),
            "average_precision": metrics.average_precision_score(one_hot, values, average="macro"),
            "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
            "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
            "recall_at_precision": np.mean(
                [_recall_at(labels == k, values[:, k], 0.6) for k in range(classes)]
            ),
            "log_loss": metrics.log_loss(labels, values),
            "brier": metrics.brier_score_loss(labels, values),
            "calibration_error": _calibration(labels, values),
        },
        rel=1e-12,
    )


def test_curves_equal_scikit_learn_on_hundreds_of_small_tied_cases() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        n = int(rng.integers(2, 12))
        labels = rng.permutation(np.arange(n) % 2)
        ones = rng.integers(0, 5, n) / 4
        found = _found(labels, np.column_stack([1 - ones, ones]), 1)
        assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(labels, ones))
        assert found["average_precision"] == pytest.approx(
            metrics.average_precision_score(labels, ones)
        )
        assert found["recall_at_precision"] == pytest.approx(_recall_at(labels == 1, ones, 0.6))


def test_an_absent_class_is_left_out_of_the_means() -> None:
    labels, values = _case(3)
    kept = labels != 1
    truth, values = labels[kept], values[kept]
    predicted = values.argmax(1)
    assert (predicted == 1).any()
    found = _found(truth, values)
    pairs = [(truth == k, values[:, k]) for k in (0, 2)]
    recalls = metrics.recall_score(truth, predicted, average=None, labels=[0, 2])
    f1 = metrics.f1_score(truth, predicted, average="macro", labels=[0, 1, 2])
    assert found["roc_auc"] == pytest.approx(np.mean([metrics.roc_auc_score(*p) for p in pairs]))
    assert found["average_precision"] == pytest.approx(
        np.mean([metrics.average_precision_score(*p) for p in pairs])
    )
    assert found["recall_at_precision"] == pytest.approx(
        np.mean([_recall_at(*p, 0.6) for p in pairs])
    )
    assert found["balanced_accuracy"] == pytest.approx(recalls.mean())
    assert found["macro_f1"] == pytest.approx(f1)  # named for some rows: a class all the same
    assert found["log_loss"] == pytest.approx(metrics.log_loss(truth, values, labels=[0, 1, 2]))
    assert set(score_classes(truth, Predicted.of(values), Asked())[1].values()) == {None}


def test_one_class_alone_has_no_ranking_score_and_no_rows_have_none() -> None:
    labels = np.zeros(5, dtype=np.int64)
    for classes in (2, 3):
        found = _found(labels, np.full((5, classes), 1 / classes), 1)
        assert found["roc_auc"] is None
        assert found["average_precision"] is None
        assert found["recall_at_precision"] is None
        assert found["balanced_accuracy"] == 1.0
        assert found["calibration_error"] == pytest.approx(1 - 1 / classes)
    assert _found(labels[:0], np.empty((0, 2))) == dict.fromkeys(CLASSIFICATION)


def test_a_sure_mistake_has_a_finite_loss() -> None:
    found = _found(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]), 1)
    assert found["log_loss"] == pytest.approx(metrics.log_loss([0, 1], [1.0, 1.0]))


def test_the_recall_at_a_precision_counts_thresholds_between_different_values() -> None:
    labels = np.array([1, 0, 1, 1, 0])
    ones = np.array([0.9, 0.9, 0.8, 0.7, 0.1])
    predicted = Predicted.of(np.column_stack([1 - ones, ones]))
    compute = SCORERS["recall_at_precision"].compute
    # Precision falls in the order 1/2, 2/3, 3/4, 3/5.
    assert compute(labels, predicted, Asked(1, 0.75)) == 1.0
    assert compute(labels, predicted, Asked(1, 0.76)) == 0.0
    assert compute(labels, predicted, Asked(0, 1.0)) == pytest.approx(1 / 2)


def test_probabilities_on_the_edge_of_a_bin_belong_to_the_lower_one() -> None:
    labels = np.array([0, 0, 1, 0])
    sure = np.array([0.6, 0.6, 1.0, 0.95])
    values = np.column_stack([sure, 1 - sure])
    found = _found(labels, values)["calibration_error"]
    assert found == pytest.approx((2 * 0.4 + (1.95 - 1)) / 4)
    assert found == pytest.approx(_calibration(labels, values))


def test_classes_may_be_others_than_the_likeliest() -> None:
    labels, values = _case(3)
    hard = (values * [3.0, 2.0, 1.0]).argmax(1)
    found = score_all("classification", labels, Predicted(values, hard), Asked())
    plain = _found(labels, values)
    assert found["balanced_accuracy"] == pytest.approx(
        metrics.balanced_accuracy_score(labels, hard)
    )
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(labels, hard, average="macro"))
    assert found["balanced_accuracy"] != plain["balanced_accuracy"]
    for name in ("roc_auc", "log_loss", "brier", "calibration_error"):
        assert found[name] == plain[name]


@pytest.mark.parametrize("classes", [2, 4])
def test_each_class_against_the_rest_equals_scikit_learn(classes: int) -> None:
    labels, values = _case(classes)
    hard = (values * np.arange(1, classes + 1)).argmax(1)
    by_class = score_classes(labels, Predicted(values, hard), Asked(0, 0.6))
    assert len(by_class) == classes
    for k, found in enumerate(by_class):
        own, ones, named = labels == k, values[:, k], hard == k
        assert found == pytest.approx(
            {
                "roc_auc": metrics.roc_auc_score(own, ones),
                "average_precision": metrics.average_precision_score(own, ones),
                "balanced_accuracy": metrics.balanced_accuracy_score(own, named),
                "macro_f1": metrics.f1_score(own, named),
                "recall_at_precision": _recall_at(own, ones, 0.6),
                "log_loss": metrics.log_loss(own, ones),
                "brier": metrics.brier_score_loss(own, ones),
                "calibration_error": _calibration(
                    own.astype(np.int64), np.column_stack([1 - ones, ones])
                ),
                "recall": metrics.recall_score(own, named),
                "precision": metrics.precision_score(own, named),
            },
            rel=1e-12,
        )


def test_a_class_that_is_never_named_has_no_precision() -> None:
    found = score_classes(np.array([0, 1, 1]), Predicted.of(np.tile([0.7, 0.3], (3, 1))), Asked())
    assert found[1]["precision"] is None
    assert found[1]["recall"] == 0.0
    assert found[0]["precision"] == pytest.approx(1 / 3)


def test_numbers_equal_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = 1e6 + rng.normal(size=200)
    numbers = truth + rng.normal(scale=0.5, size=200)
    found = score_all("regression", truth, Predicted.of(numbers[:, None]), Asked())
    assert found == pytest.approx(
        {
            "r2": metrics.r2_score(truth, numbers),
            "rmse": metrics.root_mean_squared_error(truth, numbers),
            "mae": metrics.mean_absolute_error(truth, numbers),
        },
        rel=1e-9,
    )
    assert list(found) == list(REGRESSION) == list(scorers("regression"))


def test_a_constant_target_has_no_r2_and_no_rows_have_no_score() -> None:
    truth, predicted = np.full(3, 0.1), Predicted.of(np.array([[0.1], [0.3], [0.2]]))
    found = score_all("regression", truth, predicted, Asked())
    assert found == {
        "r2": None,
        "rmse": pytest.approx(0.05**0.5 / 3**0.5),
        "mae": pytest.approx(0.1),
    }
    empty = predicted.take(np.empty(0, dtype=np.int64))
    assert score_all("regression", truth[:0], empty, Asked()) == dict.fromkeys(REGRESSION)


@pytest.mark.parametrize("rows", [np.array([5, 2, 2, 9, 0]), np.arange(300) % 3 == 0])
def test_rows_are_taken_with_their_classes(rows: NDArray[np.int64]) -> None:
    labels, values = _case(3)
    hard = values.argmin(1)
    taken = Predicted(values, hard).take(rows)
    fresh = Predicted(values[rows], hard[rows])
    np.testing.assert_array_equal(taken.classes, hard[rows])
    assert score_all("classification", labels[rows], taken, Asked()) == score_all(
        "classification", labels[rows], fresh, Asked()
    )
    numbers = Predicted.of(values[:, :1]).take(rows)
    np.testing.assert_array_equal(numbers.values, values[rows][:, :1])
    assert numbers.classes.shape == (0,)


def test_the_class_of_interest_is_the_rarest_and_of_equals_the_last() -> None:
    assert class_of_interest(np.array([0, 0, 1, 2, 2]), 3) == 1
    assert class_of_interest(np.array([0, 0, 1, 1]), 2) == 1
    assert class_of_interest(np.array([0, 1, 1]), 2) == 0
