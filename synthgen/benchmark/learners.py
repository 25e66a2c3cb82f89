"""The classifiers that judge: trained on a table's rows, they predict class probabilities.

They see canonical numbers and codes, never pandas dtypes, and everything that is learned about
the columns (scales, medians, categories) is learned from the rows they are trained on. All are
deterministic and run in one thread: jobs run in parallel processes instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from synthgen.benchmark.settings import Learner
from synthgen.data.schema import RARE
from synthgen.data.table import Table

MOST_BINS = 255
"""Categories that histogram gradient boosting can tell apart in one column."""
MOST_INDICATORS = 255
"""Indicator columns per discrete column in the logistic regression; rarer codes share one."""


@dataclass(frozen=True)
class Rows:
    """Rows as learners see them. ``values`` (n, c + d): canonical numbers of the continuous
    columns (NaN missing), then codes of the discrete ones (-1 missing, -2 not listed).
    ``sizes``: listed categories per discrete column. ``labels`` (n,): codes from 0 to
    ``classes`` - 1."""

    values: NDArray[np.float64]
    sizes: tuple[int, ...]
    labels: NDArray[np.int64]
    classes: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def numeric(self) -> list[int]:
        """Positions of the continuous columns in ``values``."""
        return list(range(self.values.shape[1] - len(self.sizes)))

    @property
    def discrete(self) -> list[int]:
        """Positions of the discrete columns in ``values``."""
        return list(range(len(self.numeric), self.values.shape[1]))

    def stack(self, other: Rows) -> Rows:
        """These rows, then the other's of the same schema."""
        return Rows(
            np.concatenate([self.values, other.values]),
            self.sizes,
            np.concatenate([self.labels, other.labels]),
            self.classes,
        )


def rows_of(table: Table) -> Rows:
    """The modelled columns of a table; rows whose label is missing or not listed are left out."""
    schema = table.schema
    numeric = [c.name for c in schema.continuous]
    discrete = [c for c in schema.discrete if c.name != schema.target]
    parts = [table.numbers(name) for name in numeric]
    parts += [table.codes(column.name).astype(np.float64) for column in discrete]
    target = next(c for c in schema.discrete if c.name == schema.target)
    labels = table.labels
    values = np.column_stack(parts) if parts else np.empty((len(table), 0))
    return Rows(
        values[labels >= 0],
        tuple(len(column.values) for column in discrete),
        labels[labels >= 0],
        len(target.values),
    )


def _logistic(rows: Rows, seed: int) -> Pipeline:
    """Standardised numbers with missing-value indicators, one-hot codes; L2 with C = 1."""
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    codes = OneHotEncoder(
        min_frequency=RARE, max_categories=MOST_INDICATORS, handle_unknown="infrequent_if_exist"
    )
    columns = ColumnTransformer([("n", numbers, rows.numeric), ("c", codes, rows.discrete)])
    return make_pipeline(columns, LogisticRegression(max_iter=300, random_state=seed))


def _forest(rows: Rows, seed: int) -> Pipeline:
    """Breiman's forest on numbers and ordinal codes; scikit-learn's trees take NaN as it is."""
    forest = RandomForestClassifier(
        n_estimators=100, min_samples_leaf=3, n_jobs=1, random_state=seed
    )
    return make_pipeline(forest)


def _boosting(rows: Rows, seed: int) -> Pipeline:
    """Histogram gradient boosting with native categories and missing values."""
    first = len(rows.numeric)
    # A code that is not a listed category is a missing value; columns with more categories than
    # there are bins stay ordinal, which orders them by frequency.
    # It cannot bin a column that is all missing: that becomes a constant.
    none = np.empty(0, dtype=np.int64)
    empty = np.flatnonzero(np.isnan(_blank(rows.values, first, none)).all(axis=0))
    blank = FunctionTransformer(_blank, kw_args={"first": first, "empty": empty})
    native = [first + i for i, size in enumerate(rows.sizes) if size <= MOST_BINS]
    boosting = HistGradientBoostingClassifier(
        max_iter=100, early_stopping=False, categorical_features=native, random_state=seed
    )
    return make_pipeline(blank, boosting)


def _blank(
    values: NDArray[np.float64], first: int, empty: NDArray[np.int64]
) -> NDArray[np.float64]:
    blanked = values.copy()
    codes = blanked[:, first:]
    codes[codes < 0] = np.nan
    blanked[:, empty] = 0.0
    return blanked


Build: TypeAlias = Callable[[Rows, int], Pipeline]
LEARNERS: dict[Learner, Build] = {
    "logistic": _logistic,
    "forest": _forest,
    "boosting": _boosting,
}


@dataclass(frozen=True)
class Classifier:
    """A trained learner."""

    pipeline: Any
    classes: int

    def probabilities(self, rows: Rows) -> NDArray[np.float64]:
        """Shape (n, classes); zero for classes that no training row had."""
        found = np.zeros((len(rows), self.classes))
        if len(rows):
            found[:, self.pipeline.classes_] = self.pipeline.predict_proba(rows.values)
        return found


def fit(
    learner: Learner, rows: Rows, seed: int, weights: NDArray[np.float64] | None = None
) -> Classifier:
    """Train on these rows; ``weights`` (n,) multiply a row's part in the loss.

    Raises whatever scikit-learn raises, such as ValueError for rows of one class.
    """
    pipeline = LEARNERS[learner](rows, seed)
    step = pipeline.steps[-1][0]
    with warnings.catch_warnings():
        # A few iterations short of the optimum changes no score that matters; columns empty or
        # constant in one resample are handled, not news.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)
        pipeline.fit(rows.values, rows.labels, **{f"{step}__sample_weight": weights})
    return Classifier(pipeline, rows.classes)


def balancing_weights(rows: Rows) -> NDArray[np.float64]:
    """Shape (n,): weights that give every present class the same total, with mean 1."""
    counts = np.bincount(rows.labels, minlength=rows.classes)
    present = np.count_nonzero(counts)
    weights: NDArray[np.float64] = len(rows) / (present * counts[rows.labels])
    return weights
