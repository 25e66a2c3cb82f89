"""Against every cut tried one by one, a fine grid, and the theory for right probabilities."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from synthgen.benchmark import threshold
from synthgen.benchmark.scoring import CLASSIFICATION, Asked, Predicted
from synthgen.benchmark.threshold import TUNABLE, apply, tune

Labels = NDArray[np.int64]
Numbers = NDArray[np.float64]


def _case(classes: int, n: int, seed: int, decimals: int = 6) -> tuple[Labels, Numbers]:
    """Imbalanced classes; the first is the most frequent."""
    rng = np.random.default_rng(seed)
    shares = 0.4 ** np.arange(classes)
    labels = rng.choice(classes, n, p=shares / shares.sum())
    labels[:classes] = np.arange(classes)
    logits = rng.normal(size=(n, classes)) + np.log(shares)
    logits[np.arange(n), labels] += 1.5
    odds = np.exp(logits).round(decimals) + 10.0**-decimals
    return labels.astype(np.int64), odds / odds.sum(axis=1, keepdims=True)


def _score(metric: str, labels: Labels, values: Numbers, weights: Numbers) -> float:
    return CLASSIFICATION[metric].compute(labels, apply(values, weights), Asked())


@pytest.mark.parametrize("metric", TUNABLE)
@pytest.mark.parametrize("decimals", [1, 9])
def test_two_classes_get_the_best_of_all_cuts(metric: str, decimals: int) -> None:
    for seed in range(30):
        labels, values = _case(2, 40, seed)
        values = np.column_stack([1 - values[:, 1], values[:, 1]]).round(decimals)
        ones = np.unique(values[:, 1])
        cuts = (np.append(0, ones) + np.append(ones, 1)) / 2
        cuts = cuts[(cuts > 0) & (cuts < 1)]
        every = [
            CLASSIFICATION[metric].compute(
                labels, Predicted(values, (values[:, 1] > cut).astype(np.int64)), Asked()
            )
            for cut in cuts
        ]
        weights = tune(metric, labels, values, Asked())
        assert _score(metric, labels, values, weights) == pytest.approx(max(every), abs=1e-12)
        if (weights != 1).any():
            equal = cuts[np.array(every) > max(every) - 1e-12]
            nearest = equal[np.argmin(np.abs(equal - 0.5))]
            assert weights[0] / weights.sum() == pytest.approx(nearest)  # midway between scores


def test_equal_weights_stay_unless_others_are_better() -> None:
    values = np.column_stack([1 - np.linspace(0.1, 0.9, 9), np.linspace(0.1, 0.9, 9)])
    labels = (values[:, 1] > 0.5).astype(np.int64)
    assert tune("macro_f1", labels, values, Asked()).tolist() == [1, 1]
    # A cut anywhere between 0.3 and 0.4 is perfect: it is put in the middle.
    weights = tune("macro_f1", (values[:, 1] > 0.35).astype(np.int64), values, Asked())
    assert weights[0] / weights.sum() == pytest.approx(0.35)


@pytest.mark.parametrize("metric", TUNABLE)
def test_three_classes_come_near_the_best_of_a_fine_grid(metric: str) -> None:
    steps = np.exp(np.linspace(-3, 3, 31))
    for seed in range(3):
        labels, values = _case(3, 200, seed)
        grid = max(
            _score(metric, labels, values, np.array([1.0, a, b]))
            for a, b in itertools.product(steps, steps)
        )
        found = _score(metric, labels, values, tune(metric, labels, values, Asked()))
        # Ascent by one class at a time can end beside the very best; a grid misses it too.
        assert found > grid - 0.01


@pytest.mark.parametrize("metric", TUNABLE)
@pytest.mark.parametrize("classes", [3, 8])
def test_it_is_never_worse_than_where_it_started(metric: str, classes: int) -> None:
    for seed in range(5):
        labels, values = _case(classes, 300, seed, decimals=2)
        weights = tune(metric, labels, values, Asked())
        inverse = 1 / np.bincount(labels, minlength=classes)
        assert np.isfinite(weights).all()
        assert (weights > 0).all()
        assert np.log(weights).mean() == pytest.approx(0, abs=1e-12)
        found = _score(metric, labels, values, weights)
        assert found >= _score(metric, labels, values, np.ones(classes)) - 1e-12
        assert found >= _score(metric, labels, values, inverse) - 1e-12
        np.testing.assert_array_equal(weights, tune(metric, labels, values, Asked()))


@pytest.mark.parametrize("metric", TUNABLE)
def test_the_score_of_a_cut_is_that_of_its_predictions(metric: str) -> None:
    """The counts kept along the cuts are those of the rows predicted anew."""
    for seed, k in itertools.product(range(5), range(4)):
        labels, values = _case(4, 60, seed, decimals=1)
        labels[labels == 2] = 1  # an absent class may be named, or not
        weight, score = threshold._best_cut(metric, labels, values, values[:, k], k)
        weights = np.where(np.arange(4) == k, weight, 1.0)
        assert score == pytest.approx(_score(metric, labels, values, weights), abs=1e-12)


def test_right_probabilities_want_the_inverse_shares_for_balanced_accuracy() -> None:
    rng = np.random.default_rng(0)
    n, share = 200_000, 0.1
    labels = (rng.random(n) < share).astype(np.int64)
    x = rng.normal(labels * 2.0)
    odds = share / (1 - share) * np.exp(2 * x - 2)  # Bayes for two normal densities
    values = np.column_stack([1 / (1 + odds), odds / (1 + odds)])
    weights = tune("balanced_accuracy", labels, values, Asked())
    assert weights[0] / weights.sum() == pytest.approx(share, abs=0.015)


def test_certain_probabilities_cannot_be_moved() -> None:
    values = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    weights = tune("balanced_accuracy", np.array([0, 1, 0]), values, Asked())
    assert weights.tolist() == [1, 1]


def test_rows_of_one_class_teach_nothing() -> None:
    values = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]])
    assert tune("macro_f1", np.array([1, 1]), values, Asked()).tolist() == [1, 1, 1]


def test_other_metrics_are_refused() -> None:
    with pytest.raises(ValueError, match="roc_auc"):
        tune("roc_auc", np.array([0, 1]), np.full((2, 2), 0.5), Asked())
