"""The models that judge: trained on a table's rows, they predict class probabilities or numbers.

They see canonical numbers and codes, never pandas dtypes, and everything that is learned about
the columns (scales, medians, categories) is learned from the rows they are trained on. All are
deterministic and run in one thread: jobs run in parallel processes instead.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import gaussian_kde
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from synthgen.data.schema import RARE, Task
from synthgen.data.table import Table
from synthgen.errors import ConfigError, MachineError

MOST_BINS = 255
"""Categories that gradient boosting tells apart in one column."""
MOST_INDICATORS = 255
"""Indicator columns per discrete column in linear models; rarer codes share one."""
MOST_ONE_HOT = 12
"""Categories of a column up to which CatBoost uses indicators."""
GRID = 1000
"""Quantiles of a numeric target at which its density is estimated."""


@dataclass(frozen=True)
class Rows:
    """Rows as learners see them. ``values`` (n, c + d): canonical numbers of the continuous
    columns (NaN missing), then codes of the discrete ones (-1 missing, -2 not listed).
    ``sizes``: listed categories per discrete column. ``labels`` (n,): codes from 0 to
    ``classes`` - 1 as int64, or, where ``classes`` is 0, the numbers of a regression as float64."""

    values: NDArray[np.float64]
    sizes: tuple[int, ...]
    labels: NDArray[Any]
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

    def take(self, positions: NDArray[Any]) -> Rows:
        """The rows at these positions (integers or a boolean mask)."""
        return Rows(self.values[positions], self.sizes, self.labels[positions], self.classes)

    def stack(self, other: Rows) -> Rows:
        """These rows, then the other's of the same schema."""
        return Rows(
            np.concatenate([self.values, other.values]),
            self.sizes,
            np.concatenate([self.labels, other.labels]),
            self.classes,
        )


def rows_of(table: Table) -> Rows:
    """The modelled columns of a table; rows whose label is missing or not listed, or whose number
    is not finite, are left out."""
    schema = table.schema
    numeric = [c.name for c in schema.continuous if c.name != schema.target]
    discrete = [c for c in schema.discrete if c.name != schema.target]
    parts = [table.numbers(name) for name in numeric]
    parts += [table.codes(column.name).astype(np.float64) for column in discrete]
    values = np.column_stack(parts) if parts else np.empty((len(table), 0))
    sizes = tuple(len(column.values) for column in discrete)
    if schema.task == "regression":
        numbers = table.targets
        finite = np.isfinite(numbers)
        return Rows(values[finite], sizes, numbers[finite], 0)
    labels = table.labels
    target = next(c for c in schema.discrete if c.name == schema.target)
    return Rows(values[labels >= 0], sizes, labels[labels >= 0], len(target.values))


# ---- the learners: what prepares the columns, and the model -------------------------------------


def _logistic(rows: Rows, seed: int) -> tuple[Any, Any]:
    """Logistic regression, L2 with C = 1."""
    return _indicators(rows), LogisticRegression(max_iter=300, random_state=seed)


def _ridge(rows: Rows, seed: int) -> tuple[Any, Any]:
    """Linear least squares, L2 with alpha = 1."""
    return _indicators(rows), Ridge(random_state=seed)


def _forest(rows: Rows, seed: int) -> tuple[Any, Any]:
    """Breiman's forest (Machine Learning 45, 2001) on numbers and ordinal codes. Trees on half as
    many drawn rows score the same in two thirds of the time."""
    settings = {
        "n_estimators": 80,
        "min_samples_leaf": 3,
        "max_samples": 0.5,
        "n_jobs": 1,
        "random_state": seed,
    }
    if rows.classes:
        return _columns(rows, blank=False), RandomForestClassifier(**settings)
    return _columns(rows, blank=False), RandomForestRegressor(max_features=1 / 3, **settings)


def _boosting(rows: Rows, seed: int) -> tuple[Any, Any]:
    """Histogram gradient boosting with native categories and missing values."""
    boosting = HistGradientBoostingClassifier if rows.classes else HistGradientBoostingRegressor
    return _columns(rows, blank=True), boosting(
        max_iter=60,
        learning_rate=0.15,
        max_leaf_nodes=15,
        l2_regularization=5.0,
        early_stopping=False,
        categorical_features=_native(rows),
        random_state=seed,
    )


def _xgboost(rows: Rows, seed: int) -> tuple[Any, Any]:
    """XGBoost (Chen and Guestrin, KDD 2016) with native categories and missing values."""
    import xgboost

    kinds = np.full(rows.values.shape[1], "q")
    kinds[_native(rows)] = "c"
    boosting = xgboost.XGBClassifier if rows.classes else xgboost.XGBRegressor
    return _columns(rows, blank=True), boosting(
        n_estimators=100,
        learning_rate=0.1,
        max_depth=5,
        tree_method="hist",
        enable_categorical=True,
        feature_types=kinds.tolist(),
        n_jobs=1,
        random_state=seed,
    )


def _lightgbm(rows: Rows, seed: int) -> tuple[Any, Any]:
    """LightGBM (Ke et al., NeurIPS 2017) with native categories and missing values."""
    import lightgbm

    boosting = lightgbm.LGBMClassifier if rows.classes else lightgbm.LGBMRegressor
    return _columns(rows, blank=True), boosting(
        n_estimators=100,
        learning_rate=0.1,
        num_leaves=15,
        reg_lambda=1.0,
        categorical_feature=_native(rows),
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
        n_jobs=1,
        random_state=seed,
    )


def _catboost(rows: Rows, seed: int) -> tuple[Any, Any]:
    """CatBoost (Prokhorenkova et al., NeurIPS 2018) with native missing values; columns of few
    categories as indicators, of more as its ordered target statistics, which take longer."""
    import catboost

    boosting = catboost.CatBoostClassifier if rows.classes else catboost.CatBoostRegressor
    framed = FunctionTransformer(_framed, kw_args={"discrete": rows.discrete})
    return make_pipeline(_columns(rows, blank=False), framed), boosting(
        iterations=100,
        cat_features=rows.discrete,
        one_hot_max_size=MOST_ONE_HOT,
        thread_count=1,
        random_seed=seed,
        allow_writing_files=False,
        verbose=False,
    )


def _imported(path: str, rows: Rows, seed: int) -> tuple[Any, Any]:
    """Any estimator of scikit-learn's kind, as it is without parameters."""
    estimator = _find(path)()
    known = estimator.get_params()
    own = {"random_state": seed}
    if not path.startswith("sklearn."):  # There it is the default, and deprecated here and there.
        own["n_jobs"] = 1
    estimator.set_params(**{name: value for name, value in own.items() if name in known})
    return _indicators(rows, sparse=_takes_sparse(estimator)), estimator


def _takes_sparse(estimator: Any) -> bool:
    try:
        return bool(get_tags(estimator).input_tags.sparse)
    except (AttributeError, TypeError):  # no tags: not derived from scikit-learn's base class
        return False


Build: TypeAlias = Callable[[Rows, int], tuple[Any, Any]]
LEARNERS: dict[str, Build] = {
    "logistic": _logistic,
    "ridge": _ridge,
    "forest": _forest,
    "boosting": _boosting,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
}
_TASKS: dict[str, Task] = {"logistic": "classification", "ridge": "regression"}
_PACKAGES = ("xgboost", "lightgbm", "catboost")


# ---- preparation of the columns -----------------------------------------------------------------


def _indicators(rows: Rows, *, sparse: bool = True) -> ColumnTransformer:
    """Median-imputed and standardised numbers with missing-value indicators, one-hot codes; where
    most entries are 0 as a sparse matrix, if the model takes one (``sparse``)."""
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    codes = OneHotEncoder(
        min_frequency=RARE, max_categories=MOST_INDICATORS, handle_unknown="infrequent_if_exist"
    )
    return ColumnTransformer(
        [("n", numbers, rows.numeric), ("c", codes, rows.discrete)],
        sparse_threshold=0.3 if sparse else 0.0,
    )


def _columns(rows: Rows, *, blank: bool) -> FunctionTransformer:
    """Standardised numbers and codes as they are, or with a missing value (``blank``) in place of
    a code that is not a listed category. Most libraries of trees work in single precision, which
    would round times in seconds to minutes."""
    moments = [_moments(rows.values[:, i]) for i in rows.numeric]
    center, scale = np.array(moments).reshape(-1, 2).T
    prepared = _standardised(rows.values, center, scale, blank)
    # Not every library can bin a column that is all missing: that becomes a constant.
    empty = np.isnan(prepared).all(axis=0)
    keywords = {"center": center, "scale": scale, "blank": blank, "empty": empty}
    return FunctionTransformer(_standardised, kw_args=keywords)


def _moments(numbers: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation of what is not missing; 1 where there is no spread."""
    known = numbers[~np.isnan(numbers)]
    if not len(known) or known.min() == known.max():
        return (float(known[0]) if len(known) else 0.0), 1.0
    return float(known.mean()), float(known.std())


def _standardised(
    values: NDArray[np.float64],
    center: NDArray[np.float64],
    scale: NDArray[np.float64],
    blank: bool,
    empty: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    first = len(center)
    numbers, codes = (values[:, :first] - center) / scale, values[:, first:]
    if blank:
        codes = np.where(codes < 0, np.nan, codes)
    prepared: NDArray[np.float64] = np.concatenate([numbers, codes], axis=1)
    if empty is not None:
        prepared[:, empty] = 0.0
    return prepared


def _framed(values: NDArray[np.float64], discrete: list[int]) -> pd.DataFrame:
    return pd.DataFrame(values).astype(dict.fromkeys(discrete, np.int64))


def _native(rows: Rows) -> list[int]:
    """Columns to be treated as categories. Those with more categories than there are bins stay
    ordinal, which orders them by frequency."""
    first = len(rows.numeric)
    return [first + i for i, size in enumerate(rows.sizes) if size <= MOST_BINS]


# ---- training -----------------------------------------------------------------------------------


class Unweightable(ValueError):  # noqa: N818
    """A learner that cannot weight rows was given weights."""


@dataclass(frozen=True)
class Fitted:
    """A trained learner. ``present`` are the class codes that its training rows had; for numbers
    ``center`` and ``scale`` undo the standardisation of the target."""

    columns: Any
    model: Any
    classes: int
    present: NDArray[np.int64]
    center: float = 0.0
    scale: float = 1.0

    def values(self, rows: Rows) -> NDArray[np.float64]:
        """Class probabilities (n, classes), zero for classes that no training row had; or
        predicted numbers (n, 1). Raises ValueError if the model returns a value that is not
        finite."""
        found = np.zeros((len(rows), max(1, self.classes)))
        if not len(rows):
            return found
        with _quiet():
            prepared = self.columns.transform(rows.values)
            if self.classes:
                found[:, self.present] = self.model.predict_proba(prepared)
            else:
                numbers = np.reshape(self.model.predict(prepared), -1)
                found[:, 0] = self.center + self.scale * numbers
        if not np.isfinite(found).all():
            raise ValueError("the learner predicts values that are not finite")
        return found


def fit(learner: str, rows: Rows, seed: int, weights: NDArray[np.float64] | None = None) -> Fitted:
    """Train on these rows; ``weights`` (n,) multiply a row's part in the loss. A numeric target
    is standardised for the training.

    Raises :class:`Unweightable`, ValueError for rows of one class, and whatever else the learner's
    library raises.
    """
    build: Build = LEARNERS.get(learner, partial(_imported, learner))
    columns, model = build(rows, seed)
    if weights is not None and not has_fit_parameter(model, "sample_weight"):
        raise Unweightable(f"{learner} takes no sample weights")
    target: NDArray[Any]
    if rows.classes:
        present, target = np.unique(rows.labels, return_inverse=True)
        if len(present) < 2:
            raise ValueError("the training rows are of one class")
        fitted = Fitted(columns, model, rows.classes, present)
    else:
        center, scale = _moments(rows.labels)
        target = (rows.labels - center) / scale
        fitted = Fitted(columns, model, 0, np.empty(0, dtype=np.int64), center, scale)
    with _quiet():
        prepared = columns.fit_transform(rows.values)
        if weights is None:
            model.fit(prepared, target)
        else:
            model.fit(prepared, target, sample_weight=weights)
    return fitted


@contextmanager
def _quiet() -> Iterator[None]:
    """A few iterations short of the optimum changes no score that matters; columns empty or
    constant in one resample are handled, not news."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield


# ---- weights ------------------------------------------------------------------------------------


def balancing_weights(rows: Rows) -> NDArray[np.float64]:
    """Shape (n,), mean 1: weights that give every present class the same total, or that make up
    for the density of a numeric target."""
    if rows.classes == 0:
        return _density_weights(rows.labels)
    counts = np.bincount(rows.labels, minlength=rows.classes)
    present = np.count_nonzero(counts)
    weights: NDArray[np.float64] = len(rows) / (present * counts[rows.labels])
    return weights


def _density_weights(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """DenseWeight with alpha = 1 (Steininger et al., "Density-based weighting for imbalanced
    regression", Machine Learning 110, 2021): one minus the target's kernel density scaled to
    [0, 1], 1e-6 at least. The density of many numbers is interpolated between their quantiles."""
    many = len(numbers) > GRID
    grid = np.unique(np.quantile(numbers, np.linspace(0, 1, GRID)) if many else numbers)
    if len(grid) < 2:
        return np.ones(len(numbers))
    density = np.interp(numbers, grid, gaussian_kde(numbers, "silverman")(grid))
    low, high = density.min(), density.max()
    if low == high:
        return np.ones(len(numbers))
    weights = np.maximum(1 - (density - low) / (high - low), 1e-6)
    scaled: NDArray[np.float64] = weights / weights.mean()
    return scaled


# ---- what a configuration may name --------------------------------------------------------------


def check(learner: str, task: Task) -> None:
    """Raises :class:`ConfigError` for a learner that is unknown or not for this task, and
    :class:`MachineError` for one whose package is not installed. Trains and imports nothing but
    what an import path names."""
    if "." in learner:
        _check_imported(learner, task)
    elif learner not in LEARNERS:
        near = get_close_matches(learner.casefold(), LEARNERS, n=3)
        names = " or ".join(map(repr, near)) if near else ", ".join(LEARNERS)
        raise ConfigError(
            f"There is no learner {learner!r}.",
            f"Did you mean {names}?"
            if near
            else f"Known are {names}, and import paths of scikit-learn estimators.",
        )
    elif _TASKS.get(learner, task) != task:
        other = "logistic" if learner == "ridge" else "ridge"
        raise ConfigError(
            f"The learner {learner!r} is for {_TASKS[learner]}; the target asks for {task}.",
            f"Use {other!r} instead.",
        )
    elif learner in _PACKAGES and find_spec(learner) is None:
        raise MachineError(
            f"The learner {learner!r} needs the package {learner}, which is not installed.",
            "Install it: pip install -c constraints.txt -e '.[boosters]'",
        )


def _check_imported(path: str, task: Task) -> None:
    estimator = _find(path)
    try:
        made = estimator()
    except Exception as error:
        raise ConfigError(
            f"The learner {path!r} cannot be made without parameters.",
            "Name a class that has defaults for all of them.",
        ) from error
    fits = is_classifier(made) if task == "classification" else is_regressor(made)
    kind = "classifier" if task == "classification" else "regressor"
    if not fits:
        raise ConfigError(
            f"The learner {path!r} is no scikit-learn {kind}, and the target asks for {task}.",
            f"Name a {kind}.",
        )
    if task == "classification" and not hasattr(made, "predict_proba"):
        raise ConfigError(
            f"The learner {path!r} has no predict_proba as it is without parameters.",
            "Name a classifier that predicts class probabilities.",
        )


def _find(path: str) -> Any:
    """The class at an import path; ConfigError if there is none or it is no estimator."""
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"The learner {path!r} cannot be imported: {error}.",
            "Give an importable path of the form package.module.Class.",
        ) from error
    if not inspect.isclass(found) or not hasattr(found, "fit") or not hasattr(found, "get_params"):
        raise ConfigError(
            f"The learner {path!r} is no scikit-learn estimator.",
            "Name a class with fit, predict and get_params.",
        )
    return found
