"""How good predicted class probabilities are.

Every score takes ``labels`` (n,), class codes from 0, ``probabilities`` (n, K), and the code of
the class of interest (used by average precision alone), and returns a number, or NaN where the
rows do not define it. A class that none of the rows belongs to is left out of averages over
classes: it can be neither missed nor found. With two classes and both present the values are
scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from synthgen.results import Goal

Labels: TypeAlias = NDArray[np.int64]
Probabilities: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Scorer:
    """A score with its name for readers and its direction."""

    title: str
    goal: Goal
    compute: Callable[[Labels, Probabilities, int], float]


def roc_auc(labels: Labels, probabilities: Probabilities, interest: int) -> float:
    """Area under the ROC curve: 0.5 is chance, 1 is perfect. Over more than two classes the
    unweighted mean of one class against the rest."""
    return _mean_over_classes(roc_auc_score, labels, probabilities)


def average_precision(labels: Labels, probabilities: Probabilities, interest: int) -> float:
    """Precision averaged over the recall of the class of interest: its share is chance, 1 is
    perfect. Over more than two classes the unweighted mean of one class against the rest."""
    if probabilities.shape[1] > 2:
        return _mean_over_classes(average_precision_score, labels, probabilities)
    found = labels == interest
    if found.all() or not found.any():
        return float("nan")
    return float(average_precision_score(found, probabilities[:, interest]))


def balanced_accuracy(labels: Labels, probabilities: Probabilities, interest: int) -> float:
    """The mean of the classes' recalls when the likeliest class is predicted: 1/K is chance."""
    return float(np.nanmean(recalls(labels, probabilities)))


def macro_f1(labels: Labels, probabilities: Probabilities, interest: int) -> float:
    """The mean over classes of 2 TP / (2 TP + FP + FN), when the likeliest class is predicted."""
    right, predicted, present = _counts(labels, probabilities)
    seen = (present > 0) | (predicted > 0)
    return float(np.mean(2 * right[seen] / (predicted + present)[seen]))


def log_loss(labels: Labels, probabilities: Probabilities, interest: int) -> float:
    """Minus the mean log-probability of the true class; probabilities are kept 2.2e-16 from 0."""
    own = probabilities[np.arange(len(labels)), labels]
    tiny = np.finfo(np.float64).eps
    return float(-np.mean(np.log(np.clip(own, tiny, 1 - tiny))))


def brier(labels: Labels, probabilities: Probabilities, interest: int) -> float:
    """Mean squared error of the probabilities: summed over the classes, halved for two classes
    (so that it is that of either class)."""
    truth = np.eye(probabilities.shape[1])[labels]
    total = float(np.mean(np.sum((probabilities - truth) ** 2, axis=1)))
    return total / 2 if probabilities.shape[1] == 2 else total


SCORERS: dict[str, Scorer] = {
    "roc_auc": Scorer("ROC-AUC", "max", roc_auc),
    "average_precision": Scorer("average precision", "max", average_precision),
    "balanced_accuracy": Scorer("balanced accuracy", "max", balanced_accuracy),
    "macro_f1": Scorer("macro F1", "max", macro_f1),
    "log_loss": Scorer("log loss", "min", log_loss),
    "brier": Scorer("Brier score", "min", brier),
}


def score_all(
    labels: Labels, probabilities: Probabilities, interest: int
) -> dict[str, float | None]:
    """Every score by its name; None where the rows do not define it, as without any row."""
    if len(labels) == 0:
        return dict.fromkeys(SCORERS)
    values = {
        name: scorer.compute(labels, probabilities, interest) for name, scorer in SCORERS.items()
    }
    return {name: value if np.isfinite(value) else None for name, value in values.items()}


def recalls(labels: Labels, probabilities: Probabilities) -> NDArray[np.float64]:
    """Shape (K,): the share of each class's rows that is predicted so; NaN for absent classes."""
    right, _, present = _counts(labels, probabilities)
    found: NDArray[np.float64] = np.divide(
        right, present, out=np.full(len(right), np.nan), where=present > 0
    )
    return found


def class_of_interest(labels: Labels, classes: int) -> int:
    """The rarest class (of equally rare ones the last): the one that is hard to find."""
    counts = np.bincount(labels, minlength=classes)
    return int(classes - 1 - np.argmin(counts[::-1]))


def _counts(
    labels: Labels, probabilities: Probabilities
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Per class: rows predicted rightly, rows predicted so, rows that belong to it."""
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    right = np.bincount(labels[predicted == labels], minlength=classes)
    return (
        right.astype(float),
        np.bincount(predicted, minlength=classes).astype(float),
        np.bincount(labels, minlength=classes).astype(float),
    )


def _mean_over_classes(
    score: Callable[..., Any], labels: Labels, probabilities: Probabilities
) -> float:
    present = np.unique(labels)
    if len(present) < 2:
        return float("nan")
    if probabilities.shape[1] == 2:
        present = present[1:]  # the two classes mirror each other
    return float(np.mean([score(labels == k, probabilities[:, k]) for k in present]))
