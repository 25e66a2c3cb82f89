"""How good predictions are.

A score takes the truth (n,), class codes from 0 or numbers, at least one row; what was predicted;
and what was asked for. It returns a number, or NaN where the rows do not define it. A class that
none of the rows belongs to is left out of averages over classes: it can be neither missed nor
found. Where all classes are present the values are scikit-learn's; its functions take longer to
check their input than these to compute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from synthgen.data.schema import Task
from synthgen.results import Goal

Labels: TypeAlias = NDArray[np.int64]
Numbers: TypeAlias = NDArray[np.float64]
Truth: TypeAlias = NDArray[Any]
"""Shape (n,): class codes from 0 (integers), or the numbers of a regression (floats)."""

BINS = 15
"""Bins of equal width for the calibration error, as in Guo et al. 2017."""


@dataclass(frozen=True)
class Asked:
    """``interest``: code of the class that is to be found; ``precision``: the share of rows named
    so that must be of it, for the recall at a precision. Averages over more than two classes do
    not look at ``interest``."""

    interest: int = 0
    precision: float = 0.9


@dataclass(frozen=True)
class Predicted:
    """``values`` (n, K): class probabilities, or (n, 1): numbers. ``classes`` (n,): the predicted
    class codes, not always the likeliest ones; (0,) for numbers."""

    values: Numbers
    classes: Labels
    _rankings: dict[int, tuple[Labels, Labels]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, values: Numbers) -> Predicted:
        """The likeliest class (of equals the first) is predicted."""
        if values.shape[1] == 1:
            return cls(values, np.empty(0, dtype=np.int64))
        return cls(values, values.argmax(axis=1))

    def take(self, rows: NDArray[Any]) -> Predicted:
        """The rows at these positions (integers or a boolean mask)."""
        hard = self.values.shape[1] > 1
        return Predicted(self.values[rows], self.classes[rows] if hard else self.classes)

    def ranking(self, column: int) -> tuple[Labels, Labels]:
        """Rows by falling value of this column, and the positions in that order at which a run of
        equal values ends. Sorted once, whichever scores need it."""
        if column not in self._rankings:
            values = self.values[:, column]
            order = values.argsort()[::-1]
            falling = values[order]
            ends = np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(order) - 1)
            self._rankings[column] = order, ends
        return self._rankings[column]


@dataclass(frozen=True)
class Scorer:
    """A score with its name for readers, its direction, and how it is printed: ``points`` are
    hundredths, of a share between 0 and 1; ``own`` is the number itself."""

    title: str
    goal: Goal
    compute: Callable[[Truth, Predicted, Asked], float]
    unit: Literal["points", "own"]


# ---- of class probabilities ---------------------------------------------------------------------


def roc_auc(labels: Labels, predicted: Predicted, asked: Asked) -> float:
    """Area under the ROC curve: 0.5 is chance, 1 is perfect. Over more than two classes the
    unweighted mean of one class against the rest."""
    # Two classes mirror each other.
    only = 1 if predicted.values.shape[1] == 2 else None
    return _one_against_rest(_area, labels, predicted, only)


def average_precision(labels: Labels, predicted: Predicted, asked: Asked) -> float:
    """Precision averaged over the recall of the class of interest: its share is chance, 1 is
    perfect. Over more than two classes the unweighted mean of one class against the rest."""
    only = asked.interest if predicted.values.shape[1] == 2 else None
    return _one_against_rest(_step_average, labels, predicted, only)


def recall_at_precision(labels: Labels, predicted: Predicted, asked: Asked) -> float:
    """The largest share of the class of interest that some threshold finds while at least
    ``asked.precision`` of the rows found are of it; 0 if no threshold does. Over more than two
    classes the unweighted mean of one class against the rest."""

    def best(right: Numbers, named: Numbers) -> float:
        precise = right / named >= asked.precision
        return float(np.max(right, where=precise, initial=0) / right[-1])

    only = asked.interest if predicted.values.shape[1] == 2 else None
    return _one_against_rest(best, labels, predicted, only)


def log_loss(labels: Labels, predicted: Predicted, asked: Asked) -> float:
    """Minus the mean log-probability of the true class; probabilities are kept 2.2e-16 from 0."""
    own = predicted.values[np.arange(len(labels)), labels]
    tiny = np.finfo(np.float64).eps
    return float(-np.mean(np.log(np.clip(own, tiny, 1 - tiny))))


def brier(labels: Labels, predicted: Predicted, asked: Asked) -> float:
    """Mean squared error of the probabilities: summed over the classes, halved for two classes
    (so that it is that of either class)."""
    errors = predicted.values.copy()
    errors[np.arange(len(labels)), labels] -= 1
    total = float(np.vdot(errors, errors)) / len(labels)
    return total / 2 if errors.shape[1] == 2 else total


def calibration_error(labels: Labels, predicted: Predicted, asked: Asked) -> float:
    """Expected calibration error of the likeliest class, 0 to 1 (Naeini et al., AAAI 2015; Guo et
    al., ICML 2017): rows are binned by its probability into (0, 1/15], ..., (14/15, 1], and the
    gap between mean probability and accuracy is averaged over the rows.

    Two classes are treated like more: the likelier one counts, with a probability of at least
    0.5, so about half the bins are in use. It is not the variant that bins the probability of one
    class, which reads zero on other predictions.
    """
    likeliest = predicted.values.argmax(axis=1)
    sure = predicted.values[np.arange(len(labels)), likeliest]
    bins = np.clip(np.ceil(sure * BINS), 1, BINS).astype(np.int64)
    gaps = np.bincount(bins, weights=sure - (likeliest == labels))
    return float(np.abs(gaps).sum()) / len(labels)


# ---- of predicted classes -----------------------------------------------------------------------


def balanced_accuracy(labels: Labels, predicted: Predicted, asked: Asked) -> float:
    """The mean of the classes' recalls: 1/K is chance."""
    right, _, present = _counts(labels, predicted)
    seen = present > 0
    return float(np.mean(right[seen] / present[seen]))


def macro_f1(labels: Labels, predicted: Predicted, asked: Asked) -> float:
    """The mean over classes of 2 TP / (2 TP + FP + FN)."""
    right, named, present = _counts(labels, predicted)
    seen = present + named > 0
    return float(np.mean(2 * right[seen] / (named + present)[seen]))


# ---- of predicted numbers -----------------------------------------------------------------------


def r2(truth: Numbers, predicted: Predicted, asked: Asked) -> float:
    """The share of the target's variance that is explained: 0 is the mean of these rows, 1 is
    perfect, anything below 0 is worse than the mean. Undefined where the target is constant."""
    if truth.min() == truth.max():
        return float("nan")
    spread, errors = truth - truth.mean(), truth - predicted.values[:, 0]
    return float(1 - (errors @ errors) / (spread @ spread))


def rmse(truth: Numbers, predicted: Predicted, asked: Asked) -> float:
    """Root of the mean squared error, in the target's unit."""
    errors = truth - predicted.values[:, 0]
    return float(np.sqrt(errors @ errors / len(truth)))


def mae(truth: Numbers, predicted: Predicted, asked: Asked) -> float:
    """Mean absolute error, in the target's unit."""
    return float(np.mean(np.abs(truth - predicted.values[:, 0])))


CLASSIFICATION: dict[str, Scorer] = {
    "roc_auc": Scorer("ROC-AUC", "max", roc_auc, "points"),
    "average_precision": Scorer("average precision", "max", average_precision, "points"),
    "balanced_accuracy": Scorer("balanced accuracy", "max", balanced_accuracy, "points"),
    "macro_f1": Scorer("macro F1", "max", macro_f1, "points"),
    "recall_at_precision": Scorer("recall at precision", "max", recall_at_precision, "points"),
    "log_loss": Scorer("log loss", "min", log_loss, "own"),
    "brier": Scorer("Brier score", "min", brier, "own"),
    "calibration_error": Scorer("calibration error", "min", calibration_error, "points"),
}
REGRESSION: dict[str, Scorer] = {
    "r2": Scorer("R²", "max", r2, "points"),
    "rmse": Scorer("RMSE", "min", rmse, "own"),
    "mae": Scorer("MAE", "min", mae, "own"),
}
SCORERS: dict[str, Scorer] = CLASSIFICATION | REGRESSION
COUNTED = frozenset(("balanced_accuracy", "macro_f1", "recall_at_precision", "recall", "precision"))
"""The scores that count rows, and so move in steps."""


def scorers(task: Task) -> dict[str, Scorer]:
    """The scores of this task by name."""
    return CLASSIFICATION if task == "classification" else REGRESSION


def score_all(
    task: Task, truth: Truth, predicted: Predicted, asked: Asked
) -> dict[str, float | None]:
    """Every score of the task by its name; None where the rows do not define it, as without any
    row."""
    named = scorers(task)
    if len(truth) == 0:
        return dict.fromkeys(named)
    return {
        name: _or_none(scorer.compute(truth, predicted, asked)) for name, scorer in named.items()
    }


def score_classes(
    truth: Labels, predicted: Predicted, asked: Asked
) -> list[dict[str, float | None]]:
    """For each class its scores against the rest, the predictions being those of this class:
    every score of classes, with ``macro_f1`` the F1 of the class and ``balanced_accuracy`` the
    mean of its recall and its specificity; then ``recall`` and ``precision``. None where the rows
    do not define it: all of them for a class that no row belongs to."""
    right, named, present = _counts(truth, predicted)
    found = []
    for k in range(predicted.values.shape[1]):
        if not present[k]:
            found.append(dict.fromkeys([*CLASSIFICATION, "recall", "precision"]))
            continue
        own = predicted.values[:, k]
        against = Predicted(np.column_stack([1 - own, own]), (predicted.classes == k).astype(int))
        scores = score_all(
            "classification", (truth == k).astype(int), against, Asked(1, asked.precision)
        )
        scores["macro_f1"] = float(2 * right[k] / (named[k] + present[k]))
        scores["recall"] = float(right[k] / present[k])
        scores["precision"] = float(right[k] / named[k]) if named[k] else None
        found.append(scores)
    return found


def class_of_interest(labels: Labels, classes: int) -> int:
    """The rarest class (of equally rare ones the last): the one that is hard to find."""
    counts = np.bincount(labels, minlength=classes)
    return int(classes - 1 - np.argmin(counts[::-1]))


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _counts(labels: Labels, predicted: Predicted) -> tuple[Numbers, Numbers, Numbers]:
    """Per class: rows predicted rightly, rows predicted so, rows that belong to it."""
    classes = predicted.values.shape[1]
    pairs = np.bincount(labels * classes + predicted.classes, minlength=classes * classes)
    table = pairs.reshape(classes, classes).astype(np.float64)
    return table.diagonal(), table.sum(axis=0), table.sum(axis=1)


Curve: TypeAlias = Callable[[Numbers, Numbers], float]
"""A score of a class against the rest, from two counts at every threshold between different
values, from the highest: rows of the class above it, and all rows above it."""


def _one_against_rest(
    score: Curve, labels: Labels, predicted: Predicted, only: int | None
) -> float:
    """The mean over the classes present, or that of one class; NaN where it or the rest is
    absent."""
    values = []
    for k in range(predicted.values.shape[1]) if only is None else [only]:
        order, ends = predicted.ranking(k)
        right = np.cumsum(labels[order] == k)[ends].astype(np.float64)
        if right[-1] == len(labels) or (only is not None and not right[-1]):
            return float("nan")
        if right[-1]:
            values.append(score(right, (ends + 1).astype(np.float64)))
    return float(np.mean(values))


def _area(right: Numbers, named: Numbers) -> float:
    wrong = named - right
    heights = right.copy()
    heights[1:] += right[:-1]
    return float(heights @ np.diff(wrong, prepend=0) / (2 * right[-1] * wrong[-1]))


def _step_average(right: Numbers, named: Numbers) -> float:
    return float(np.diff(right, prepend=0) @ (right / named) / right[-1])
