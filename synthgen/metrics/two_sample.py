"""Can a classifier tell synthetic rows from real ones?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from synthgen.data.table import Columnar
from synthgen.metrics.base import NotComputable, Trio, metric
from synthgen.metrics.levels import row_ids
from synthgen.metrics.reference import subsample
from synthgen.results import Reading

ROWS = 10_000
"""Rows at most per side; a seeded subsample beyond. The AUC's standard error is then near 0.004."""
LEAST = 50
"""Rows at least per side; with fewer a boosted tree learns nothing."""
FOLDS = 5
LEVELS = 255
"""Categories that scikit-learn's histogram gradient boosting tells apart, missing cells apart."""


@metric(title="Two-sample test (AUC)", pillar="fidelity", goal="target")
def two_sample_auc(trio: Trio) -> Reading:
    """ROC-AUC of histogram gradient boosting that tells training rows from as many synthetic ones,
    mean over five folds; 0.5 is best, 1 means that every row gives itself away.

    Classifier two-sample test after Lopez-Paz & Oquab (2017, arXiv 1610.06545). Equal rows stay in
    one fold: a copy in training and its original in test would push the AUC below 0.5. ``detail``:
    the standard error over the folds, ``score`` = 1 - (2 max(AUC, 0.5) - 1) as SDMetrics'
    detection scores have it, and per column how much AUC is lost when its values are permuted in
    the first fold's test rows (Breiman 2001), largest first.
    """
    rng = np.random.default_rng(trio.seed)
    size = min(len(trio.train), len(trio.synthetic), ROWS)
    if size < LEAST:
        raise NotComputable(f"it needs {LEAST} rows on either side")
    real, synthetic = (subsample(table, size, rng) for table in (trio.train, trio.synthetic))
    features, discrete = _features(real, synthetic)
    labels = np.repeat([0, 1], size)
    names = [column.name for column in trio.train.schema.modelled]
    scores = []
    losses = np.zeros(len(names))
    for train, test in _folds(np.concatenate(row_ids(real, synthetic)), labels, rng):
        model = _boosting(discrete).fit(features[train], labels[train])
        rows = features[test]
        auc = _auc(model, rows, labels[test])
        scores.append(auc)
        if len(scores) > 1:
            continue  # Which columns tell is clear from one fold; the AUC needs them all.
        for place in range(len(names)):
            kept = rows[:, place].copy()
            rows[:, place] = rng.permutation(kept)
            losses[place] = auc - _auc(model, rows, labels[test])
            rows[:, place] = kept
    value = float(np.mean(scores))
    order = np.argsort(-losses, kind="stable")
    return Reading(
        value=value,
        detail={
            "score": 1 - (2 * max(value, 0.5) - 1),
            "standard_error": float(np.std(scores, ddof=1) / np.sqrt(FOLDS)),
            "rows_per_side": size,
            "telling_columns": [
                {"column": names[i], "auc_lost": float(losses[i])} for i in order if losses[i] > 0
            ],
        },
    )


def placements(
    real: Columnar, synthetic: Columnar, held_out: Columnar, fresh: Columnar
) -> NDArray[np.float64]:
    """Shape (held-out rows,): which share of the ``fresh`` synthetic rows looks more synthetic than
    the row does, to a classifier that learned to tell ``real`` from ``synthetic`` rows; ties count
    half. Their mean is the ROC-AUC on rows that the classifier has not seen, and their spread gives
    its standard error (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988).

    The rows learned from may be those that a generator was fitted to: far more than are held out,
    so small differences are found. But rows that repeat them go unnoticed.
    """
    features, discrete = _features(real, synthetic)
    labels = np.repeat([0, 1], [len(real), len(synthetic)])
    model = _boosting(discrete).fit(features, labels)
    values = model.decision_function(_features(held_out, fresh)[0])
    ranked, own = np.sort(values[len(held_out) :]), values[: len(held_out)]
    above = len(ranked) - np.searchsorted(ranked, own, side="right")
    level = np.searchsorted(ranked, own, side="right") - np.searchsorted(ranked, own, side="left")
    shares: NDArray[np.float64] = (above + level / 2) / len(ranked)
    return shares


def _boosting(discrete: NDArray[np.bool_]) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        categorical_features=discrete, early_stopping=False, random_state=0
    )


def _features(real: Columnar, synthetic: Columnar) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Shape (rows, columns): numbers and codes, NaN where missing; and which columns are codes.

    Codes are by falling frequency in the schema, so that beyond the limit the rarest share one.
    """
    columns = real.schema.modelled
    discrete = {c.name: len(c.values) for c in real.schema.discrete}
    features = np.empty((len(real) + len(synthetic), len(columns)))
    for place, column in enumerate(columns):
        if column.name in discrete:
            codes = np.concatenate([real.codes(column.name), synthetic.codes(column.name)])
            last = min(discrete[column.name], LEVELS - 1)
            shared = np.where((codes < -1) | (codes > last), last, codes).astype(float)
            features[:, place] = np.where(codes == -1, np.nan, shared)
        else:
            features[:, place] = np.concatenate(
                [real.numbers(column.name), synthetic.numbers(column.name)]
            )
    return features, np.array([column.name in discrete for column in columns])


def _folds(
    ids: NDArray[np.int64], labels: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Train and test positions; rows of equal id share a fold."""
    fold = rng.integers(FOLDS, size=int(ids.max()) + 1)[ids]
    for number in range(FOLDS):
        inside = fold == number
        if len(np.unique(labels[inside])) < 2 or len(np.unique(labels[~inside])) < 2:
            raise NotComputable("too few distinct rows to cross-validate")
        yield np.flatnonzero(~inside), np.flatnonzero(inside)


def _auc(
    model: HistGradientBoostingClassifier, rows: NDArray[np.float64], labels: NDArray[np.int64]
) -> float:
    return float(roc_auc_score(labels, model.predict_proba(rows)[:, 1]))
