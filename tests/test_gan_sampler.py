"""The imbalanced-learn sampler."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline
from imblearn.utils.estimator_checks import parametrize_with_checks
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from synthgen import CTGAN, TVAE, GANSampler, Resample, Smote, config
from synthgen.config import budget as budget_of
from synthgen.data.overrides import ColumnOverride
from synthgen.data.schema import Categorical, Numeric
from synthgen.data.table import Table
from synthgen.errors import ConfigError, DataError, MachineError, ShortfallWarning
from synthgen.generators.arn import ARN
from synthgen.generators.base import Generator, Where
from synthgen.training.context import Context
from tests.generators.tables import mixed, nullable

TINY = CTGAN(
    epochs=1,
    batch_size=100,
    generator_dim=(8,),
    discriminator_dim=(8,),
    embedding_dim=4,
    numeric="quantiles",
)


def numbers(rows: int = 60, rare: int = 15) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.r_[np.zeros(rows - rare, dtype=int), np.ones(rare, dtype=int)]
    return rng.normal(size=(rows, 3)) + y[:, None], y


class Recorded(Generator):
    """A generator of which a test knows what it draws: training rows of the class, at most ``most``
    at once, the first ``fresh`` of them with another number in x0."""

    name: Literal["recorded"] = "recorded"
    fresh: int = 1000
    most: int = 10_000

    def fit(self, train: Table, context: Context) -> RecordedSampler:
        return RecordedSampler(self, train, context, torch.get_num_threads())


@dataclass(frozen=True)
class RecordedSampler:
    generator: Recorded
    train: Table
    context: Context
    threads: int

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        assert where is not None
        ((name, value),) = where.items()
        target = self.train.schema[name]
        assert isinstance(target, Categorical)
        members = np.flatnonzero(self.train.labels == target.values.index(value))
        rng = np.random.default_rng(seed)
        if n > self.generator.most:
            warnings.warn("the sampler's own words", ShortfallWarning, stacklevel=2)
        rows = self.train.take(rng.choice(members, min(n, self.generator.most)))
        fresh = min(len(rows), self.generator.fresh)
        rows.frame.loc[: fresh - 1, "x0"] = rng.random(fresh)
        return rows

    def save(self, path: Path) -> None:
        raise AssertionError


# ---- the contract of imbalanced-learn ---------------------------------------------------------


# check_samplers_string has one column of three categories, so that every row there is occurs among
# the training rows: the few rows missing are our promise about copies. The check asks for no count.
@pytest.mark.filterwarnings("ignore::synthgen.errors.ShortfallWarning")
@parametrize_with_checks([GANSampler(TINY, device="cpu", random_state=0)])
def test_imbalanced_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


# ---- rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "generator",
    [
        TINY,
        TVAE(epochs=1, batch_size=100),
        "smote",
        pytest.param("sdv-gaussian-copula", marks=pytest.mark.slow),
    ],
)
def test_a_frame_of_every_kind_of_column(generator: str | Generator) -> None:
    frame = mixed(240).drop(columns="ID")
    X, y = frame.drop(columns="y"), frame["y"]
    X.index = y.index = pd.RangeIndex(5, 245)
    before = X.copy(deep=True)
    sampler = GANSampler(generator, random_state=0)
    more, labels = sampler.fit_resample(X, y)
    pd.testing.assert_frame_equal(X, before)
    pd.testing.assert_frame_equal(more[:240], X.reset_index(drop=True))
    pd.testing.assert_series_equal(labels[:240], y.reset_index(drop=True))
    assert set(labels.value_counts()) == {y.value_counts().max()}
    pd.testing.assert_series_equal(more.dtypes, X.dtypes)
    assert more.index.equals(pd.RangeIndex(len(more)))
    assert labels.index.equals(more.index)
    assert list(sampler.feature_names_in_) == list(X)
    assert sampler.n_features_in_ == X.shape[1]
    assert sampler.sampling_strategy_ == {"yes": len(more) - 240}
    assert sampler.target_name_ == "y"
    assert (sampler.sampler_.sample(7, seed=0, where={"y": "yes"}).frame["y"] == "yes").all()
    made = more[240:]
    assert made["flag"].map(type).eq(bool).all()
    assert (
        not made.drop(columns=['<b>income & "gains"</b>', "job\nline", "born"])
        .isna()
        .any(axis=None)
    )


def test_nullable_arrow_and_zoned_columns() -> None:
    frame = nullable(200)
    X, y = frame.drop(columns="target"), frame["target"].astype("Int64")
    more, labels = GANSampler("smote", sampling_strategy="all", random_state=0).fit_resample(X, y)
    pd.testing.assert_frame_equal(more[:200], X)
    pd.testing.assert_series_equal(more.dtypes, X.dtypes)
    assert labels.dtype == "Int64"
    assert len(set(labels.value_counts())) == 1


def test_columns_without_any_value_stay_so() -> None:
    values, y = numbers()
    X = pd.DataFrame(values, columns=list("abc")).assign(
        real=np.nan, word=pd.Series([None] * 60, dtype=object), day=pd.NaT, whole=pd.NA
    )
    X["whole"] = X["whole"].astype("Int64")
    more, _ = GANSampler(TINY, random_state=0).fit_resample(X, y)
    assert len(more) == 90
    assert more[["real", "word", "day", "whole"]].isna().all(axis=None)
    pd.testing.assert_series_equal(more.dtypes, X.dtypes)


@pytest.mark.parametrize(
    "columns", [[0, 1, 2], pd.MultiIndex.from_tuples([("a", "b"), ("a", "c"), ("d", "e")])]
)
def test_column_names_that_are_no_text(columns: Any) -> None:
    values, y = numbers()
    X = pd.DataFrame(values, columns=columns)
    sampler = GANSampler("smote", random_state=0, columns={"x0": {"low": 0.5, "high": 0.6}})
    more, _ = sampler.fit_resample(X, y)
    assert more.columns.equals(X.columns)
    assert more[60:].iloc[:, 0].between(0.5, 0.6).all()
    assert not hasattr(sampler, "feature_names_in_")


@pytest.mark.parametrize(
    "cast",
    [
        lambda y: y.astype(bool),
        lambda y: y.astype(np.uint8),
        lambda y: np.where(y == 1, "yes", "no"),
        lambda y: (y * 1_000_000).tolist(),
        lambda y: pd.Series(y).map({0: "no", 1: "yes"}).astype("category"),
        lambda y: pd.Series(y, name="a").astype("boolean"),
        lambda y: pd.Series(y, name="target"),
        lambda y: pd.Series(y, name=3),
        lambda y: pd.DataFrame({"b": y}),
    ],
)
def test_labels_of_any_type_and_name(cast: Any) -> None:
    values, codes = numbers()
    y = cast(codes)
    X = pd.DataFrame(values, columns=["a", "target", "target_"])
    sampler = GANSampler("smote", random_state=0)
    more, labels = sampler.fit_resample(X, y)
    _, expected = RandomOverSampler(random_state=0).fit_resample(X, y)
    # The same labels in the same type, since that adds as many rows class by class.
    assert type(labels) is type(expected)
    if isinstance(labels, pd.Series):
        pd.testing.assert_series_equal(labels, expected)
    else:
        np.testing.assert_array_equal(labels, expected)
    assert list(more) == list(X)
    assert sampler.target_name_ == ("b" if isinstance(y, pd.DataFrame) else "target__")


def test_synthetic_rows_belong_to_their_class() -> None:
    # Three classes that one column tells apart: conditions that went astray would be seen.
    rng = np.random.default_rng(0)
    y = np.repeat([7, 3, 5], [50, 20, 10])
    X = np.column_stack([y + 0.1 * rng.random(80), rng.normal(size=80)])
    sampler = GANSampler("smote", sampling_strategy={3: 45, 5: 30}, random_state=0)
    more, labels = sampler.fit_resample(X, y)
    assert Counter(labels.tolist()) == {7: 50, 3: 45, 5: 30}
    np.testing.assert_array_equal(np.floor(more[:, 0]), labels)


def test_arrays_keep_their_type() -> None:
    values, y = numbers()
    for dtype in (np.float32, np.int16, object):
        X = (10 * values).astype(dtype)
        more, _ = GANSampler("smote", random_state=0).fit_resample(X, y)
        assert isinstance(more, np.ndarray)
        assert more.dtype == dtype
        np.testing.assert_array_equal(more[:60], X)
    words = np.char.add("w", np.random.default_rng(0).integers(0, 9, (60, 4)).astype(str))
    more, _ = GANSampler("smote", random_state=0).fit_resample(words, y)
    assert more.dtype == words.dtype
    assert np.isin(more, words).all()
    for form in (sparse.csr_matrix, sparse.csc_array):
        thin, _ = GANSampler("smote", random_state=0).fit_resample(form(values), y)
        dense, _ = GANSampler("smote", random_state=0).fit_resample(values, y)
        assert type(thin) is form
        np.testing.assert_array_equal(thin.toarray(), dense)


@pytest.mark.parametrize("gap", [None, np.nan])
def test_missing_cells_of_objects_are_written_as_the_column_writes_them(gap: Any) -> None:
    values, y = numbers(200, 50)
    words = pd.Series(np.random.default_rng(1).choice(["u", "v"], 200), dtype=object)
    X = pd.DataFrame(values, columns=list("abc")).assign(
        word=pd.Series([gap if i % 3 == 0 else word for i, word in enumerate(words)], dtype=object)
    )
    more, _ = GANSampler("smote", random_state=0).fit_resample(X, y)
    cells = [cell for cell in more["word"][200:] if not isinstance(cell, str)]
    assert cells
    assert all(cell is gap for cell in cells)


def test_integers_are_quantities_unless_declared_keys() -> None:
    values, y = numbers()
    X = pd.DataFrame({"id": np.arange(1000, 1060), "a": values[:, 0]})
    more, _ = GANSampler("smote", random_state=0).fit_resample(X, y)
    assert more["id"].between(1000, 1059).all()
    keys = {"id": ColumnOverride(kind="identifier")}
    more, _ = GANSampler("smote", random_state=0, columns=keys).fit_resample(X, y)
    assert more["id"][60:].min() > 10**9
    assert more["id"].is_unique


def test_text_is_left_empty_with_a_warning() -> None:
    values, y = numbers()
    notes = [f"a long remark that number {i} wrote about nothing in particular" for i in range(60)]
    X = pd.DataFrame({"a": values[:, 0], "note": notes})
    with pytest.warns(UserWarning, match="'note'") as caught:
        more, _ = GANSampler("smote", random_state=0).fit_resample(X, y)
    assert [Path(str(warning.filename)) for warning in caught] == [Path(__file__)]
    assert more["note"][60:].isna().all()
    words = np.array(notes)[:, None]
    with pytest.warns(UserWarning, match="'x1'"):
        more, _ = GANSampler("smote", random_state=0).fit_resample(
            np.hstack([np.where(y == 1, "p", "q")[:, None], words]), y
        )
    assert set(more[60:, 1]) == {""}


def test_keys_are_fresh_and_different_over_the_classes() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [60, 20, 20])
    X = pd.DataFrame({"key": [f"AB{i:04d}" for i in range(100)], "a": rng.normal(size=100)})
    X["b"] = rng.normal(size=100)
    # Fresh keys of a short type count up to its largest number: in every draw the same ones.
    X["short"] = np.arange(100, dtype=np.int16)
    sampler = GANSampler("smote", random_state=0, columns={"short": {"kind": "identifier"}})
    more, _ = sampler.fit_resample(X, y)
    assert len(more) == 180
    assert more["key"].is_unique
    assert more["short"].is_unique


# ---- copies, shortfalls, seeds ----------------------------------------------------------------


def test_copies_of_training_rows_are_replaced() -> None:
    X, y = numbers()
    sampler = GANSampler(Recorded(fresh=10), random_state=0)
    more, _ = sampler.fit_resample(X, y)
    assert len(more) == 90
    known = set(map(tuple, X))
    assert not [row for row in more[60:] if tuple(row) in known]
    more, _ = clone(sampler).set_params(copies="allow").fit_resample(X, y)
    assert sum(tuple(row) in known for row in more[60:]) == 20


def test_a_shortfall_is_a_warning_with_counts() -> None:
    X, y = numbers()
    sampler = GANSampler(Recorded(fresh=1), sampling_strategy={1: 45, 0: 50}, random_state=0)
    # One new row in each of 20 draws, of each class; five are enough for class 0.
    with pytest.warns(ShortfallWarning, match=r"25 of 35 synthetic rows came") as caught:
        more, labels = sampler.fit_resample(X, y)
    assert [Path(str(warning.filename)) for warning in caught] == [Path(__file__)]
    assert Counter(labels.tolist()) == {0: 50, 1: 35}
    assert len(more) == len(labels)


def test_no_row_at_all() -> None:
    X, y = numbers()
    # The sampler's own warnings, one for each draw, are not passed on.
    with pytest.warns(ShortfallWarning, match="0 of 30") as caught:
        more, labels = GANSampler(Recorded(most=0), random_state=0).fit_resample(X, y)
    assert len(caught) == 1
    np.testing.assert_array_equal(more, X)
    np.testing.assert_array_equal(labels, y)


def test_nothing_is_trained_where_no_class_lacks_a_row() -> None:
    X = pd.DataFrame(numbers()[0], index=range(3, 63))
    y = pd.Series(np.arange(60) % 2)
    sampler = GANSampler(TINY, random_state=0)
    more, labels = sampler.fit_resample(X, y)
    pd.testing.assert_frame_equal(more, X.reset_index(drop=True))
    pd.testing.assert_series_equal(labels, y)
    assert sampler.sampler_ is None
    assert sampler.generator_ is None


def test_the_seed_decides() -> None:
    X, y = numbers()
    one, _ = GANSampler(TINY, device="cpu", random_state=3).fit_resample(X, y)
    again, _ = GANSampler(TINY, device="cpu", random_state=3).fit_resample(X, y)
    other, _ = GANSampler(TINY, device="cpu", random_state=4).fit_resample(X, y)
    state = np.random.RandomState(3)
    drawn, _ = GANSampler(TINY, device="cpu", random_state=state).fit_resample(X, y)
    further, _ = GANSampler(TINY, device="cpu", random_state=state).fit_resample(X, y)
    np.testing.assert_array_equal(one, again)
    np.testing.assert_array_equal(one, drawn)
    assert not np.array_equal(one, other)
    assert not np.array_equal(drawn, further)


def test_training_takes_one_thread_and_the_device() -> None:
    X, y = numbers()
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        sampler = GANSampler(Recorded(), device="cpu")
        sampler.fit_resample(X, y)
        assert sampler.sampler_.threads == 1
        assert sampler.sampler_.context.device == "cpu"
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.gpu
def test_training_on_a_gpu() -> None:
    X, y = numbers()
    for device in ("auto", "cuda", "cuda:0"):
        more, _ = GANSampler(TINY, device=device, random_state=0).fit_resample(X, y)
        assert len(more) == 90


# ---- parameters -------------------------------------------------------------------------------


def test_hyper_parameters_are_parameters() -> None:
    sampler = GANSampler()
    params = sampler.get_params()
    assert params["generator"] == "ctgan"
    assert params["generator__batch_size"] == 500
    assert params["generator__epochs"] is None
    assert "generator__name" not in params
    assert "generator__batch_size" not in sampler.get_params(deep=False)
    assert sampler.set_params(generator__epochs=5, copies="allow") is sampler
    assert sampler.generator == CTGAN(epochs=5)
    assert sampler.copies == "allow"
    sampler.set_params(generator="smote", generator__k_neighbors=3)
    assert sampler.generator == Smote(k_neighbors=3)
    assert GANSampler("no such").get_params()["generator"] == "no such"


def test_unset_epochs_stay_unset() -> None:
    sampler = GANSampler(CTGAN(ema=None)).set_params(generator__batch_size=50)
    assert sampler.generator.model_fields_set >= {"ema", "batch_size"}
    assert clone(sampler).get_params()["generator__epochs"] is None
    sampler.set_params(**sampler.get_params())
    assert sampler.get_params()["generator__epochs"] is None
    sampler.set_params(generator__epochs=3)
    assert clone(sampler).get_params()["generator__epochs"] == 3
    sampler.set_params(generator__epochs=None)
    assert "epochs" not in sampler.generator.model_fields_set


def test_the_candidates_of_auto_stay_unset() -> None:
    sampler = GANSampler("auto", budget="quick")
    sampler.set_params(**sampler.get_params())
    assert sampler.get_params()["generator__candidates"] is None
    sampler.set_params(generator__candidates=("arn", "tvae"))
    assert clone(sampler).get_params()["generator__candidates"] == (ARN(), TVAE())


def test_clones_do_not_share_changes() -> None:
    sampler = GANSampler(TINY, columns={"x0": {"kind": "numeric"}}, random_state=1)
    other = clone(sampler).set_params(generator__epochs=9)
    assert sampler.generator == TINY
    assert other.generator.epochs == 9
    assert other.columns == sampler.columns
    assert "GANSampler" in repr(other)
    assert "generator" in other._repr_html_()


@pytest.mark.parametrize("budget", ["quick", "standard"])
def test_the_budget_decides_epochs_as_in_a_run(budget: config.Budget) -> None:
    class Budgeted(Recorded):
        epochs: int = 300
        batch_size: int = 10

    X, y = numbers()
    sampler = GANSampler(Budgeted(), budget=budget).set_params(generator__batch_size=1)
    sampler.fit_resample(X, y)
    # 60 steps are an epoch.
    assert sampler.generator_.epochs == budget_of.TABLES[budget].steps // 60
    assert sampler.generator_.batch_size == 1
    assert sampler.generator.model_fields_set == {"batch_size"}
    sampler.set_params(generator__epochs=2).fit_resample(X, y)
    assert sampler.generator_.epochs == 2
    generators: list[Generator] = [CTGAN(batch_size=50), TVAE(), CTGAN(epochs=4), Resample()]
    for generator in generators:
        run = config.build({"data": {"target": "y"}, "generator": generator, "budget": budget})
        resolved = config.resolve(run, 2000).generator
        assert config.with_budget(generator, budget, 2000) == resolved


def test_columns_are_what_the_user_says() -> None:
    X = pd.DataFrame({"code": np.arange(60) % 4, "a": numbers()[0][:, 0]})
    sampler = GANSampler("smote", columns={"code": {"kind": "numeric"}})
    sampler.fit_resample(X, numbers()[1])
    assert isinstance(sampler.sampler_.rows.schema["code"], Numeric)


def test_grid_search_in_a_pipeline() -> None:
    X, y = numbers(90, 24)
    pipeline = Pipeline(
        [
            ("scale", StandardScaler()),
            ("sampler", GANSampler(TINY, device="cpu", random_state=0)),
            ("model", LogisticRegression()),
        ]
    )
    grid = {
        "sampler__sampling_strategy": [0.5, "auto"],
        "sampler__generator__epochs": [1, 2],
    }
    search = GridSearchCV(pipeline, grid, cv=2, scoring="roc_auc", error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert (search.cv_results_["mean_test_score"] > 0.5).all()
    best = search.best_estimator_.named_steps["sampler"]
    assert best.generator_.epochs == search.best_params_["sampler__generator__epochs"]
    added = {0.5: 33 - 24, "auto": 66 - 24}[search.best_params_["sampler__sampling_strategy"]]
    assert best.sampling_strategy_ == {1: added}
    assert pipeline.named_steps["sampler"].generator == TINY


# ---- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "cause"),
    [
        ({"generator__epoch": 3}, "(?s)generator__epoch: CTGAN .*did you mean generator__epochs"),
        ({"generator__zzz": 3}, "(?s)generator__zzz: .*known here: generator__embedding_dim"),
        ({"generator__name": "tvae"}, "generator__name"),
        ({"generator__epochs": 0}, "generator__epochs: .*greater"),
        (
            {"generator": "ctgan-paper", "generator__batch_size": 7},
            "generator: batch_size 7 is not a multiple",
        ),
        ({"generator": "resample", "generator__epochs": 3}, "(?s)Resample.*known here: none"),
        ({"generator": "ctgn", "generator__epochs": 3}, "(?s)'ctgn'.*did you mean ctgan"),
    ],
)
def test_a_wrong_hyper_parameter_is_refused(params: dict[str, Any], cause: str) -> None:
    with pytest.raises(ConfigError, match=cause):
        GANSampler().set_params(**params)
    with pytest.raises(ValueError, match="epoch"):
        GANSampler().set_params(epoch=3)


@pytest.mark.parametrize(
    ("params", "error", "cause"),
    [
        ({"generator": "ctgn"}, ConfigError, "did you mean ctgan"),
        ({"generator": 5}, ValueError, "'generator' parameter"),
        ({"sampling_strategy": "most"}, ValueError, "'sampling_strategy' parameter"),
        ({"sampling_strategy": {1: 3}}, ValueError, "should be greater"),
        ({"budget": "fast"}, ConfigError, "budget"),
        ({"copies": "some"}, ConfigError, "copies"),
        ({"device": "tpu"}, ConfigError, "'tpu'"),
        ({"device": "cuda:99"}, MachineError, "cuda:99"),
        ({"columns": {"x9": {"kind": "numeric"}}}, ConfigError, "'x9'"),
        ({"columns": {"x0": {"kin": "numeric"}}}, ConfigError, "x0.kin"),
        ({"columns": {"x0": {"kind": "datetime"}}}, ConfigError, "'x0'"),
    ],
)
def test_a_wrong_parameter_is_refused(
    params: dict[str, Any], error: type[Exception], cause: str
) -> None:
    X, y = numbers()
    with pytest.raises(error, match=cause):
        GANSampler(**({"generator": TINY} | params)).fit_resample(X, y)


def test_data_that_cannot_be_used_are_refused() -> None:
    X, y = numbers()
    sampler = GANSampler(TINY, random_state=0)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        sampler.fit_resample(X, X[:, 0])
    with pytest.raises(DataError, match="1 of 3 classes with one row only"):
        sampler.fit_resample(X, np.r_[2, y[1:]])
    with pytest.raises(ValueError, match="more than 1 class"):
        sampler.fit_resample(X, np.zeros(60))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        sampler.fit_resample(X, y[:-1])
    with pytest.raises(DataError, match="'x1' holds infinity"):
        sampler.fit_resample(np.where(np.arange(3) == 1, np.inf, X), y)
    with pytest.raises(DataError, match="occur more than once: 'a'"):
        sampler.fit_resample(pd.DataFrame(X, columns=["a", "b", "a"]), y)
    with pytest.raises(DataError, match=r"'b' .* list"):
        sampler.fit_resample(pd.DataFrame({"a": X[:, 0], "b": [[1]] * 60}), y)
