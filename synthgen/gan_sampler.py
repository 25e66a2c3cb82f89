"""An imbalanced-learn sampler around any generator: ``GANSampler().fit_resample(X, y)``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy import sparse
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import validate_data

from synthgen import config as configuration
from synthgen.benchmark.threads import single_thread
from synthgen.config import Budget, TableConfig
from synthgen.data.assemble import join
from synthgen.data.checks import check_frame, check_names
from synthgen.data.infer import infer
from synthgen.data.overrides import ColumnOverride
from synthgen.data.schema import Categorical, Identifier
from synthgen.data.table import Table
from synthgen.errors import ConfigError, ShortfallWarning
from synthgen.generators.base import Generator
from synthgen.pipeline import stages
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.tables.draw import draw
from synthgen.training.context import Context

_PREFIX = "generator__"
_BUDGETED = ("epochs", "candidates")
"""Hyper-parameters that the budget decides where they are not set."""
_CALLER = 6
"""Frames from a warning below to the line that called ``fit_resample``, that line's included."""


class GANSampler(BaseOverSampler):  # type: ignore[misc]
    """Over-sample with synthetic rows: train a generator on X and y, draw what classes lack.

    .. warning::
       This answers no question of whether the rows help. For a classifier they often do not:
       :func:`synthgen.augment` measures that, against class weights and SMOTE too. Inside a
       pipeline, at least compare with the same pipeline without the sampler.

    The result holds X and y first, cell for cell, then the synthetic rows class by class. Values
    of a column that fewer than five rows hold, and its extremes, appear in no synthetic row; nor
    does free text, which is left empty with a warning. Integers are quantities here even where
    they look like a key of the row, since a model would learn from fresh keys which rows are
    synthetic; leave keys out of X, or declare them in ``columns``.

    Parameters
    ----------
    generator : str or Generator, default="ctgan"
        A name (``ctgan``, ``arn``, ``tvae``, ``auto``, ``smote``, ``resample``, ``sdv-ctgan`` ...)
        or an object such as ``CTGAN(epochs=50)``. Hyper-parameters are parameters too:
        ``set_params(generator__epochs=50)``, where ``None`` leaves the epochs to the budget.

    sampling_strategy : float, str, dict or callable, default="auto"
        Rows per class after resampling, as for every over-sampler of imbalanced-learn; ``auto``
        fills each class up to the largest one.

    budget : {"quick", "standard", "thorough"}, default="standard"
        Decides the epochs that the generator does not set, and the candidates of ``auto``.

    columns : dict, default=None
        Columns whose inferred kind is wrong: name -> ``{"kind": "categorical", ...}`` or a
        :class:`~synthgen.data.overrides.ColumnOverride`. Columns without a name of text are called
        x0, x1 and so on.

    copies : {"drop", "allow"}, default="drop"
        What happens to synthetic rows that equal a training row. The placebo ``resample`` draws
        nothing else, so it needs ``allow``.

    device : str, default="auto"
        What trains: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``cuda:N``.

    random_state : int, RandomState instance or None, default=None
        Fixes the training and the rows. The same number gives the same rows on the same CPU.

    Attributes
    ----------
    sampler_ : Sampler or None
        The fitted model: ``sampler_.sample(100, seed=1, where={sampler.target_name_: "yes"})``.
        None where no class lacked a row, so that nothing was trained.

    generator_ : Generator or None
        What was trained, with the epochs that the budget decided.

    target_name_ : str
        What y is called within ``sampler_``: its own name, or ``target`` where it has none or a
        feature has the same one.

    sampling_strategy_ : dict
        Number of rows to draw for each class.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X has names of text.

    Examples
    --------
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from synthgen import GANSampler
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> sampler = GANSampler("ctgan", budget="quick", random_state=0)
    >>> model = make_pipeline(sampler, RandomForestClassifier()).fit(X, y)  # doctest: +SKIP
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseOverSampler._parameter_constraints,
        "generator": [str, Generator],
        "budget": [str],
        "columns": [Mapping, None],
        "copies": [str],
        "device": [str],
    }

    def __init__(
        self,
        generator: str | Generator = "ctgan",
        *,
        sampling_strategy: Any = "auto",
        budget: Budget = "standard",
        columns: Mapping[str, Any] | None = None,
        copies: Literal["drop", "allow"] = "drop",
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.generator = generator
        self.budget = budget
        self.columns = columns
        self.copies = copies
        self.device = device
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters; with ``deep`` the generator's too, as ``generator__NAME``. What the
        budget decides is None."""
        found: dict[str, Any] = super().get_params(deep=False)
        if not deep:
            return found
        try:
            generator = _generator(self.generator)
        except ConfigError:
            # As in every estimator, a wrong value is refused by fit_resample and not before.
            return found
        for name in _fields(generator):
            unset = name in _BUDGETED and name not in generator.model_fields_set
            found[_PREFIX + name] = None if unset else getattr(generator, name)
        return found

    def set_params(self, **params: Any) -> Self:
        """Set parameters, the generator's as ``generator__NAME``.

        Raises ConfigError for a hyper-parameter or a value that the generator does not take.
        """
        nested = {n.removeprefix(_PREFIX): v for n, v in params.items() if n.startswith(_PREFIX)}
        super().set_params(**{n: v for n, v in params.items() if not n.startswith(_PREFIX)})
        if nested:
            # The generator itself is frozen, and clones may share it: a new one takes its place.
            self.generator = _changed(_generator(self.generator), nested)
        return self

    def _check_X_y(  # noqa: N802
        self, X: Any, y: Any
    ) -> tuple[Any, NDArray[Any], bool]:
        """A frame stays as it is; anything else becomes an array (or a sparse matrix)."""
        labels, binarize = check_target_type(y, indicate_one_vs_all=True)
        if isinstance(X, pd.DataFrame):
            check_names(list(map(str, X.columns)))
        else:
            X = check_array(X, dtype=None, accept_sparse=["csr", "csc"], ensure_all_finite=False)
        check_consistent_length(X, labels)
        validate_data(self, X=X, y=labels, reset=True, skip_check_array=True)
        self.target_name_ = _target_name(y, self.get_feature_names_out())
        return X, labels, binarize

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, NDArray[Any]]:
        config = self._config()
        frame = _frame(X, list(self.get_feature_names_out()))
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        wanted = {label: int(n) for label, n in self.sampling_strategy_.items() if n > 0}
        self.generator_ = self.sampler_ = None
        if not wanted:
            return _stacked(X, frame.iloc[:0]), y
        table = _table(frame, pd.Series(y, name=self.target_name_), config.data.columns)
        target = table.schema[self.target_name_]
        assert isinstance(target, Categorical)
        generator = configuration.with_budget(_generator(self.generator), config.budget, len(table))
        drawn, labels = [], [y]
        # What the generator says of a shortfall is said again below, once and for all classes.
        with single_thread(), stages.shortfalls([]):
            context = Context(derive(seed, "fit"), device=stages.device(config))
            self.generator_, self.sampler_ = generator, generator.fit(table, context)
            for number, (label, n) in enumerate(wanted.items()):
                place = np.flatnonzero(y == label)[:1]
                part = draw(
                    self.sampler_,
                    table,
                    n,
                    seed=derive(seed, f"class {number}"),
                    where={target.name: target.values[table.labels[place[0]]]},
                    policy=config.sample.copies,
                )
                drawn.append(part)
                labels.append(np.repeat(y[place], len(part.rows)))
        rows = join([part.rows for part in drawn], derive(seed, "keys")).frame
        made = pd.DataFrame({name: _as_in(frame[name], rows[name]) for name in frame})
        _warn_of_shortfall(sum(wanted.values()), len(made), sum(part.dropped for part in drawn))
        _warn_of_gaps(frame, made)
        return _stacked(X, made), np.concatenate(labels)

    def _config(self) -> TableConfig:
        """The parameters as settings of a run, which has them checked in the same words."""
        return _of_rows(
            {
                "data": {"target": self.target_name_, "columns": self.columns or {}},
                "budget": self.budget,
                "sample": {"copies": self.copies},
                "device": self.device,
            }
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


# ---- hyper-parameters -------------------------------------------------------------------------


def _of_rows(settings: dict[str, Any]) -> TableConfig:
    config = configuration.build({"modality": "table", **settings})
    assert isinstance(config, TableConfig)
    return config


def _generator(given: str | Generator) -> Generator:
    """The generator of this name. Raises ConfigError where there is none."""
    if isinstance(given, Generator):
        return given
    return _of_rows({"data": {"target": ""}, "generator": {"name": given}}).generator


def _fields(generator: Generator) -> list[str]:
    return [name for name in type(generator).model_fields if name != "name"]


def _changed(generator: Generator, changes: dict[str, Any]) -> Generator:
    """Another generator of this kind; what was not set before stays unset."""
    kind, known = type(generator), _fields(generator)
    for name in changes:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            names = ", ".join(_PREFIX + field for field in known)
            raise ConfigError(
                f"{_PREFIX}{name}: {kind.__name__} has no such hyper-parameter",
                f"did you mean {_PREFIX}{near[0]}?" if near else f"known here: {names or 'none'}",
            )
    chosen = {name: getattr(generator, name) for name in generator.model_fields_set} | changes
    chosen = {n: v for n, v in chosen.items() if v is not None or n not in _BUDGETED}
    try:
        return kind.model_validate(chosen)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "__".join(["generator", *map(str, first["loc"])])
        raise ConfigError(
            f"{place}: {first['msg'].removeprefix('Value error, ')}",
            f"see the fields of {kind.__module__}.{kind.__name__}",
        ) from None


# ---- rows -------------------------------------------------------------------------------------


def _target_name(y: Any, features: NDArray[Any]) -> str:
    name: Any = None
    if isinstance(y, pd.Series):
        name = y.name
    elif isinstance(y, pd.DataFrame) and y.shape[1] == 1:
        name = y.columns[0]
    if not isinstance(name, str) or name in features:
        name = "target"
    while name in features:
        name += "_"
    return str(name)


def _frame(X: Any, names: list[str]) -> pd.DataFrame:
    """X under these names, dense, with a RangeIndex."""
    if isinstance(X, pd.DataFrame):
        frame = X.set_axis(names, axis=1).reset_index(drop=True)
        thin = [name for name in names if isinstance(frame[name].dtype, pd.SparseDtype)]
        return frame.assign(**{name: frame[name].sparse.to_dense() for name in thin})
    return pd.DataFrame(X.toarray() if sparse.issparse(X) else X, columns=names)


def _table(
    frame: pd.DataFrame, target: pd.Series[Any], columns: Mapping[str, ColumnOverride]
) -> Table:
    """Features and classes with their schema. Raises DataError for what cannot be learned from."""
    name = str(target.name)
    whole = pd.concat([frame, target], axis=1)
    # Whatever holds the labels, imbalanced-learn has found classes.
    declared = {**columns, name: ColumnOverride(kind="categorical")}
    check_frame(whole, name, declared)
    schema = infer(whole, target=name, overrides=declared)
    keys = {
        column.name: ColumnOverride(kind="numeric")
        for column in schema.columns
        if isinstance(column, Identifier) and not column.pattern and column.name not in declared
    }
    if keys:
        schema = infer(whole, target=name, overrides={**declared, **keys})
    return Table(whole, schema)


def _as_in(real: pd.Series[Any], made: pd.Series[Any]) -> pd.Series[Any]:
    """``made`` in the dtype of ``real``, and with its way to say that a cell is missing."""
    if real.dtype != object:
        return made.astype(real.dtype)
    gaps = real[real.isna()]
    cells = made.to_numpy(dtype=object, copy=True)
    cells[made.isna().to_numpy()] = gaps.iloc[0] if len(gaps) else np.nan
    return pd.Series(cells, dtype=object, name=made.name)


def _stacked(X: Any, made: pd.DataFrame) -> Any:
    """X, then the rows, as X came."""
    if isinstance(X, pd.DataFrame):
        rows = made.set_axis(X.columns, axis=1)
        return pd.concat([X, rows], ignore_index=True) if len(rows) else X.reset_index(drop=True)
    if sparse.issparse(X):
        return sparse.vstack([X, sparse.csr_matrix(made.to_numpy(dtype=X.dtype))], format=X.format)
    if X.dtype.kind == "U":
        # Such an array has no missing cells: astype would write them as the text "nan".
        made = made.mask(made.isna(), "")
    return np.concatenate([X, made.to_numpy(dtype=X.dtype)])


# ---- warnings ---------------------------------------------------------------------------------


def _warn_of_shortfall(wanted: int, came: int, dropped: int) -> None:
    if came < wanted:
        warnings.warn(
            f"{came} of {wanted} synthetic rows came, since too few draws were new and of their "
            f"class ({dropped} were exact copies of training rows and left out)",
            ShortfallWarning,
            stacklevel=_CALLER,
        )


def _warn_of_gaps(real: pd.DataFrame, made: pd.DataFrame) -> None:
    empty = [n for n in made if made[n].isna().all() and not real[n].isna().all()]
    if empty and len(made):
        warnings.warn(
            f"columns {', '.join(map(repr, empty))} hold text or values that hardly repeat: they "
            "are empty in the synthetic rows; leave them out of X, or declare them in columns=",
            UserWarning,
            stacklevel=_CALLER,
        )
