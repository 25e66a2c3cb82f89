"""The protocol on data in memory: ``synthgen.benchmark.compare(X, y, arms, learners)``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from pydantic import TypeAdapter, ValidationError

from synthgen.benchmark import learners as learning
from synthgen.benchmark.arms import CHEAP_GENERATORS, Generator, ladder
from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.jobs import run_job
from synthgen.benchmark.limits import limits
from synthgen.benchmark.records import JobResult
from synthgen.benchmark.schedule import due
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.verdict import conclude
from synthgen.data.checks import check_frame, task_of
from synthgen.data.infer import infer
from synthgen.data.overrides import ColumnOverride
from synthgen.data.table import Table
from synthgen.errors import ConfigError
from synthgen.generators import AnyGenerator

COLUMNS = (
    "arm",
    "learner",
    "metric",
    "part",
    "baseline",
    "difference",
    "low",
    "high",
    "p_value",
    "resamples",
)
_adapter: TypeAdapter[Any] = TypeAdapter(AnyGenerator)


def compare(
    X: Any,
    y: Any,
    arms: Sequence[Any] | Mapping[str, Any] = ("nothing", "class_weights", "threshold", "smote"),
    learners: Sequence[str] | None = None,
    *,
    resamples: int = 10,
    groups: Any = None,
    subgroups: Sequence[str] = (),
    seed: int = 0,
    n_jobs: int = 1,
    device: str = "cpu",
    columns: Mapping[str, ColumnOverride] | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Every arm against doing nothing, by nested resampling with the generators refitted inside.

    ``X``: a frame (mixed types and missing values are fine) or an array of shape (n, features);
    ``y``: labels or numbers, shape (n,). ``arms``: names of cheap arms, names of generators
    (``"ctgan"``), generators (``CTGAN(epochs=50)``), or anything with ``fit(table, context)`` as
    the values of a mapping by name; "nothing" is always among them. ``learners``: as in the
    configuration; by default a linear model, a forest and boosting. ``groups`` (n,): rows of one
    group stay on one side of every split. ``n_jobs`` processes. Further keywords are fields of
    :class:`~synthgen.benchmark.settings.DecideSettings`, such as ``metric`` and ``ratios``.

    Returns one row per arm, learner ("best": chosen inside), metric and part (None: all test rows;
    else a class or a subgroup), with the mean score of doing nothing, the mean difference to it
    and the corrected interval (Nadeau and Bengio 2003; see docs/verdict.md). Differences and
    intervals are in the metric's own unit; for log loss and the like lower is better. ``attrs``
    holds the verdict on the generators under "verdict".

    Raises ConfigError for an unknown arm, learner or setting, DataError for unusable rows. Warns of
    what failed, and in how many resamples.
    """
    frame, target, group = _frame(X, y, groups)
    overrides = dict(columns or {})
    if group is not None:
        overrides = {group: ColumnOverride(kind="identifier"), **overrides}
    check_frame(frame, target, overrides)
    task = task_of(frame, target, overrides)
    cheap, generators = _told_apart(arms)
    try:
        given = {"resamples": resamples, **settings}
        if learners is not None:
            given["learners"] = tuple(learners)
        given["arms"] = tuple(dict.fromkeys(("nothing", *cheap)))
        asked = DecideSettings(**given).for_task(task)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{place}: {first['msg']}", "see DecideSettings for its fields") from None
    for learner in asked.learners:
        learning.check(learner, task)
    table = Table(frame, infer(frame, target=target, overrides=overrides, task=task))
    sources = ladder(asked, list(generators), task)
    known = {**CHEAP_GENERATORS, **generators}
    results: list[JobResult] = []
    with Parallel(n_jobs=n_jobs) as pool:
        while jobs := due(asked, sources, seed, results):
            results += pool(
                delayed(run_job)(
                    job,
                    table,
                    asked,
                    known.get(job.source.name),
                    group=group,
                    subgroups=tuple(subgroups),
                    overrides=overrides,
                    device=device,
                )
                for job in jobs
            )
    board = Comparison(results, asked)
    found = [*board.differences(), *board.by_class(), *board.by_subgroup()]
    tidy = pd.DataFrame(
        [
            (
                d.arm,
                d.learner,
                d.metric,
                d.part,
                d.baseline,
                d.mean,
                d.interval.low,
                d.interval.high,
                d.p_value,
                d.resamples,
            )
            for d in found
        ],
        columns=list(COLUMNS),
    )
    for limit in limits(board):
        warnings.warn(limit, UserWarning, stacklevel=2)
    tidy.attrs["verdict"] = conclude(results, asked, generators=tuple(generators))
    return tidy


def _frame(X: Any, y: Any, groups: Any) -> tuple[pd.DataFrame, str, str | None]:
    """One frame, and the names of its target and group columns, which no feature has."""
    if isinstance(X, pd.DataFrame):
        frame = X.reset_index(drop=True).copy()
        frame.columns = frame.columns.map(str)
    else:
        values = np.asarray(X)
        frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])])
    if len(frame) != len(y):
        raise ConfigError(f"X has {len(frame)} rows and y {len(y)}", "give as many labels as rows")
    target = _free(str(getattr(y, "name", None) or "target"), frame)
    frame[target] = y.to_numpy() if isinstance(y, pd.Series) else np.asarray(y)
    if groups is None:
        return frame, target, None
    group = _free("group", frame)
    frame[group] = np.asarray(groups)
    return frame, target, group


def _free(name: str, frame: pd.DataFrame) -> str:
    while name in frame.columns:
        name += "_"
    return name


def _told_apart(
    arms: Sequence[Any] | Mapping[str, Any],
) -> tuple[list[str], dict[str, Generator]]:
    """Names of cheap arms, and generators by name."""
    cheap: list[str] = []
    generators: dict[str, Generator] = {}
    entries = arms.items() if isinstance(arms, Mapping) else [(None, arm) for arm in arms]
    for name, arm in entries:
        if isinstance(arm, str) and arm in _CHEAP:
            cheap.append(arm)
            continue
        generator = _named(arm) if isinstance(arm, str) else arm
        if not hasattr(generator, "fit"):
            raise ConfigError(
                f"the arm {name or arm!r} has no fit method",
                "give the name of an arm or of a generator, or a generator",
            )
        generators[str(name or getattr(generator, "name", type(generator).__name__))] = generator
    return cheap, generators


_CHEAP = (
    "nothing",
    "class_weights",
    "density_weights",
    "threshold",
    "oversample",
    "smote",
    "placebo",
)


def _named(name: str) -> Any:
    try:
        return _adapter.validate_python({"name": name})
    except ValidationError:
        raise ConfigError(
            f"there is no arm and no generator {name!r}",
            f"arms are {', '.join(_CHEAP)}; generators are ctgan, ctgan-paper, arn, mixture, tvae, "
            "auto, dp-ctgan, smote, resample and sdv-*",
        ) from None
