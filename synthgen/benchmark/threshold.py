"""Which class to predict from class probabilities, when the likeliest one is not the best answer.

The probability of each class is multiplied by a weight of its own and the largest product wins;
with two classes that is a threshold on the probability of either. Where the probabilities are
right, balanced accuracy wants the inverse of the classes' shares (Collell, Prelec and Patil,
"A simple plug-in bagging ensemble based on threshold-moving", Neurocomputing 275, 2018), and F1 a
threshold that no formula in the shares gives (Lipton, Elkan and Naryanaswamy, "Optimal
thresholding of classifiers to maximize F1 measure", ECML PKDD 2014). Neither is taken on trust:
the weights are searched on the rows given, which must not be those that are reported on.
"""

from __future__ import annotations

import numpy as np

from synthgen.benchmark.scoring import CLASSIFICATION, Asked, Labels, Numbers, Predicted

TUNABLE = ("balanced_accuracy", "macro_f1")
"""The scores that depend on which class is predicted."""
ROUNDS = 5
"""Rounds over the classes at most; nearly always a round without a gain comes sooner."""
_SAME = 1e-10
"""Scores and probabilities this close are held equal: they differ by rounding."""


def tune(metric: str, truth: Labels, values: Numbers, asked: Asked) -> Numbers:
    """Shape (K,): positive weights of the classes, with geometric mean 1, that maximise the metric
    on these rows; ``truth`` (n,) are class codes, ``values`` (n, K) probabilities.

    Two classes: the best of all cut points, which lie midway between neighbouring probabilities.
    More: coordinate ascent, each step the best of all cut points of one class against the largest
    product of the others, from equal weights and from the inverse shares. Of equally good weights
    the nearest to equal ones, so these stay where nothing is gained, and also where all rows are
    of one class. Raises ValueError for a metric that does not depend on the predicted class.
    """
    if metric not in TUNABLE:
        raise ValueError(f"{metric} has no threshold to tune")
    classes = values.shape[1]
    present = np.bincount(truth, minlength=classes)
    equal = np.ones(classes)
    if np.count_nonzero(present) < 2:
        return equal
    if classes == 2:
        best, _ = _ascend(metric, truth, values, equal, asked, [1])
    else:
        inverse = np.where(present > 0, len(truth) / np.maximum(present, 1), 1.0)
        best, score = _ascend(metric, truth, values, equal, asked, range(classes))
        other, rival = _ascend(metric, truth, values, inverse, asked, range(classes))
        if rival > score + _SAME:
            best = other
    weights: Numbers = best / np.exp(np.log(best).mean())
    return weights


def apply(values: Numbers, weights: Numbers) -> Predicted:
    """The same probabilities, with the class of the largest product predicted."""
    return Predicted(values, (values * weights).argmax(axis=1))


def _ascend(
    metric: str,
    truth: Labels,
    values: Numbers,
    start: Numbers,
    asked: Asked,
    moved: range | list[int],
) -> tuple[Numbers, float]:
    """The best weights found and their score."""
    weights = start
    score = CLASSIFICATION[metric].compute(truth, apply(values, weights), asked)
    for _ in range(ROUNDS):
        before = score
        for k in moved:
            weight, reached = _best_cut(metric, truth, values * weights, values[:, k], k)
            if reached > score + _SAME:
                weights = np.where(np.arange(len(weights)) == k, weight, weights)
                score = reached
        if score == before:
            break
    return weights, score


def _best_cut(
    metric: str, truth: Labels, products: Numbers, own: Numbers, k: int
) -> tuple[float, float]:
    """The best weight of class k, the others' products staying, and the score with it.

    With ``own`` the probability of k and ``most`` the largest other product, a row is predicted
    as k if own / (own + most) is above a cut c, where (1 - c) / c is the weight.
    """
    rows, classes = np.arange(len(truth)), products.shape[1]
    others = products.copy()
    others[:, k] = -1.0
    rival = others.argmax(axis=1)
    most = others[rows, rival]
    total = own + most
    share = np.divide(own, total, out=np.zeros(len(own)), where=total > 0)
    order = (-share).argsort(kind="stable")
    # Cut i has i rows above it. All rows can be named k, or none, unless a probability is 0.
    bounds = np.concatenate([[1.0], share[order], [0.0]])
    cuts = np.flatnonzero(bounds[:-1] - bounds[1:] > _SAME)
    middle = (bounds[cuts] + bounds[cuts + 1]) / 2

    scores = _along(metric, truth[order], rival[order], k, classes)[cuts]
    good = np.flatnonzero(scores > scores.max() - _SAME)
    at = good[np.argmin(np.abs(middle[good] - 0.5))]
    return float((1 - middle[at]) / middle[at]), float(scores[at])


def _along(metric: str, truth: Labels, rival: Labels, k: int, classes: int) -> Numbers:
    """Shape (n + 1,): the metric with the first 0, 1, ..., n rows predicted as k and the others as
    their rivals. A row that turns from its rival to k changes the parts of these two alone."""
    present = np.bincount(truth, minlength=classes)
    hit = rival == truth
    # Rows of one rival side by side, in their order: what it has lost with each of them.
    grouped = rival.argsort(kind="stable")
    group = rival[grouped]
    named = np.bincount(rival, minlength=classes)
    right = np.bincount(rival[hit], minlength=classes)
    starts = np.cumsum(named) - named
    lost = np.arange(1, len(truth) + 1) - starts[group]
    hits = np.append(0, np.cumsum(hit[grouped]))
    missed = hits[1:] - hits[starts[group]]

    parts, seen = _parts(metric, right, named, present)
    after = _parts(metric, right[group] - missed, named[group] - lost, present[group])
    before = _parts(
        metric, right[group] - missed + hit[grouped], named[group] - lost + 1, present[group]
    )
    turned = _parts(
        metric,
        np.append(0, np.cumsum(truth == k)),
        np.arange(len(truth) + 1),
        np.full(len(truth) + 1, present[k]),
    )
    totals = []
    for start, new, old, own, was in zip(
        (parts, seen), after, before, turned, (parts[k], seen[k]), strict=True
    ):
        steps = np.empty(len(truth))
        steps[grouped] = new - old
        totals.append(start.sum() - was + own + np.append(0, np.cumsum(steps)))
    scores: Numbers = totals[0] / totals[1]
    return scores


def _parts(metric: str, right: Labels, named: Labels, present: Labels) -> tuple[Numbers, Numbers]:
    """What classes add to the sum of the metric as :mod:`synthgen.benchmark.scoring` defines it,
    and to the number of classes that it is divided by."""
    whole = 2 * present if metric == "balanced_accuracy" else present + named
    seen = whole > 0
    return np.divide(2 * right, whole, out=np.zeros(len(right)), where=seen), seen.astype(float)
