"""Against scikit-learn where it defines the value; by hand where a class is absent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from synthgen.benchmark.scoring import SCORERS, class_of_interest, recalls, score_all


def _case(classes: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rng = np.random.default_rng(classes)
    labels = rng.choice(classes, 300, p=np.arange(1, classes + 1) / sum(range(1, classes + 1)))
    logits = rng.normal(size=(300, classes)).round(1)  # rounding makes ties
    logits[np.arange(300), labels] += 0.7
    odds = np.exp(logits)
    return labels.astype(np.int64), odds / odds.sum(axis=1, keepdims=True)


def test_two_classes_equal_scikit_learn() -> None:
    labels, probabilities = _case(2)
    ones = probabilities[:, 1]
    predicted = probabilities.argmax(1)
    assert score_all(labels, probabilities, 1) == pytest.approx(
        {
            "roc_auc": metrics.roc_auc_score(labels, ones),
            "average_precision": metrics.average_precision_score(labels, ones),
            "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
            "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
            "log_loss": metrics.log_loss(labels, ones),
            "brier": metrics.brier_score_loss(labels, ones),
        }
    )
    assert SCORERS["average_precision"].compute(labels, probabilities, 0) == pytest.approx(
        metrics.average_precision_score(labels == 0, probabilities[:, 0])
    )


@pytest.mark.parametrize("classes", [3, 6])
def test_more_classes_equal_scikit_learn(classes: int) -> None:
    labels, probabilities = _case(classes)
    predicted = probabilities.argmax(1)
    one_hot = np.eye(classes)[labels]
    assert score_all(labels, probabilities, 0) == pytest.approx(
        {
            "roc_auc": metrics.roc_auc_score(
                labels, probabilities, multi_class="ovr", average="macro"
            ),
            "average_precision": metrics.average_precision_score(
                one_hot, probabilities, average="macro"
            ),
            "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
            "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
            "log_loss": metrics.log_loss(labels, probabilities),
            "brier": metrics.brier_score_loss(labels, probabilities),
        }
    )
    assert recalls(labels, probabilities) == pytest.approx(
        metrics.recall_score(labels, predicted, average=None)
    )


def test_an_absent_class_is_left_out_of_the_means() -> None:
    labels, probabilities = _case(3)
    kept = labels != 1
    scores = score_all(labels[kept], probabilities[kept], 0)
    truth, found = labels[kept], probabilities[kept]
    assert scores["roc_auc"] == pytest.approx(
        np.mean([metrics.roc_auc_score(truth == k, found[:, k]) for k in (0, 2)])
    )
    by_class = recalls(truth, found)
    assert math.isnan(by_class[1])
    assert scores["balanced_accuracy"] == pytest.approx(np.mean(by_class[[0, 2]]))
    assert scores["log_loss"] == pytest.approx(metrics.log_loss(truth, found, labels=[0, 1, 2]))


def test_one_class_alone_has_no_ranking_score_and_no_rows_have_none() -> None:
    labels = np.zeros(5, dtype=np.int64)
    scores = score_all(labels, np.full((5, 2), 0.5), 1)
    assert scores["roc_auc"] is None
    assert scores["average_precision"] is None
    assert scores["balanced_accuracy"] == 1.0
    assert set(score_all(labels[:0], np.empty((0, 2)), 1).values()) == {None}


def test_a_sure_mistake_has_a_finite_loss() -> None:
    scores = score_all(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]), 1)
    assert scores["log_loss"] == pytest.approx(metrics.log_loss([0, 1], [1.0, 1.0]))


def test_the_class_of_interest_is_the_rarest_and_of_equals_the_last() -> None:
    assert class_of_interest(np.array([0, 0, 1, 2, 2]), 3) == 1
    assert class_of_interest(np.array([0, 0, 1, 1]), 2) == 1
    assert class_of_interest(np.array([0, 1, 1]), 2) == 0
