from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen.benchmark import compare
from synthgen.benchmark.library import COLUMNS
from synthgen.errors import ConfigError, DataError
from tests.benchmark.worlds import PLAIN, Stripes, World, fake, oracle

QUICK = {"resamples": 3, "learners": ["logistic"], **PLAIN}


def _xy(n: int = 200) -> tuple[pd.DataFrame, pd.Series[str]]:
    frame = World(gaps=0.1).frame(n, 0)
    return frame.drop(columns="y"), frame["y"]


def test_one_tidy_row_per_arm_learner_metric_and_part() -> None:
    X, y = _xy()
    found = compare(X, y, ["class_weights", "smote"], subgroups=["colour"], **QUICK)  # type: ignore[arg-type]
    assert tuple(found.columns) == COLUMNS
    assert not found.duplicated(["arm", "learner", "metric", "part"]).any()
    assert set(found["arm"]) == {"class_weights", "smote"}
    assert {"class 0", "class 1", "colour = red"} <= set(found["part"].dropna())
    whole = found[found["part"].isna() & (found["metric"] == "roc_auc")]
    assert set(whole["learner"]) == {"best", "logistic"}
    assert (whole["low"] <= whole["difference"]).all()
    assert (whole["resamples"] == 3).all()


def test_generators_by_mapping_are_judged() -> None:
    world = Stripes()
    table = world.table(60, 0).frame
    found = compare(
        table[["x"]],
        table["y"],
        {"oracle": oracle(world), "noise": fake("noise")},
        resamples=6,
        learners=["boosting"],
        ratios=(10.0,),
        **PLAIN,
    )
    gains = found[found["part"].isna() & (found["learner"] == "best")].set_index(["arm", "metric"])
    assert gains.loc[("oracle", "roc_auc"), "low"] > 0
    assert found.attrs["verdict"].decision == "augment"
    assert found.attrs["verdict"].arm == "oracle"


def test_what_fails_is_warned_of() -> None:
    X, y = _xy()
    path = "sklearn.neighbors.KNeighborsClassifier"
    with pytest.warns(UserWarning, match="KNeighborsClassifier failed in 3 of 3 resamples"):
        found = compare(X, y, ["class_weights"], **{**QUICK, "learners": [path]})  # type: ignore[arg-type]
    assert found.empty


def test_arrays_and_names_that_collide_and_numbers_as_targets() -> None:
    X, y = _xy()
    array = compare(X[["x0", "x2"]].to_numpy(), y.to_numpy(), ["nothing", "placebo"], **QUICK)  # type: ignore[arg-type]
    assert set(array["arm"]) == {"placebo"}
    named = compare(X.rename(columns={"x0": "target"}), y.rename("x2"), ["placebo"], **QUICK)  # type: ignore[arg-type]
    assert len(named)
    numbers = compare(
        X.drop(columns="x0"),
        X["x0"],
        ["density_weights"],
        resamples=3,
        ratios=(1.0,),
        filters=(),
        weights=(),
        mixed=False,
        curve=(),
    )
    assert set(numbers["metric"]) == {"r2", "rmse", "mae"}
    assert set(numbers["learner"]) == {"best", "ridge", "forest", "boosting"}


def test_groups_stay_on_one_side_and_jobs_may_run_side_by_side() -> None:
    X, y = _xy(240)
    groups = np.repeat(np.arange(60), 4)
    one, two = (
        compare(X, y, ["placebo"], groups=groups, n_jobs=jobs, **QUICK)  # type: ignore[arg-type]
        for jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"arms": ["ctgna"]}, "no arm and no generator 'ctgna'"),
        ({"arms": [3]}, "has no fit method"),
        ({"learners": ["forrest"]}, "no learner 'forrest'"),
        ({"metric": "r2"}, "'r2' is not for a target of classes"),
        ({"ratios": (-1.0,)}, "ratio"),
        ({"speed": 3}, "speed"),
    ],
)
def test_what_is_not_known_is_refused(options: dict[str, object], cause: str) -> None:
    X, y = _xy(60)
    with pytest.raises(ConfigError, match=cause):
        compare(X, y, **options)  # type: ignore[arg-type]


def test_rows_that_cannot_be_used_are_refused() -> None:
    X, y = _xy(60)
    with pytest.raises(ConfigError, match="60 rows and y 59"):
        compare(X, y[:59])
    with pytest.raises(DataError, match="missing"):
        compare(X, y.where(y.index > 2))
