"""The verdict's arm against ``nothing`` on the sealed test rows, with seeds and rows as sources of
variance: the interval for a test set of the user's own. It is reported and decides nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from synthgen.benchmark import learners, threshold
from synthgen.benchmark.bootstrap import Metric, by_rows, paired_bootstrap, roc_auc
from synthgen.benchmark.learners import rows_of
from synthgen.benchmark.resamples import seed_of
from synthgen.benchmark.scoring import SCORERS, Asked, Predicted
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.threads import single_thread
from synthgen.benchmark.utility import asked_of
from synthgen.benchmark.weighting import sample_weights
from synthgen.data.table import Table
from synthgen.errors import MachineError
from synthgen.results import Interval, Recipe, Sealed

log = logging.getLogger(__name__)
BESIDE = {"classification": ("balanced_accuracy", "log_loss"), "regression": ("rmse",)}
"""Metrics that are reported beside the primary one."""
_SLOW = 200
"""Replicates for metrics that are computed anew for each; ROC-AUC is not."""


def sealed_differences(
    train: Table,
    added: Sequence[Table],
    test: Table,
    settings: DecideSettings,
    *,
    arm: str,
    learner: str,
    recipe: Recipe,
    seed: int,
) -> list[Sealed]:
    """One per metric, the primary one first. ``added`` are the synthetic rows of each seed, every
    one from a generator that was trained with that seed. Empty where the test rows do not define a
    metric, or the learner cannot learn."""
    task = train.schema.task
    with single_thread():
        real, judged = rows_of(train), rows_of(test)
        asked = asked_of(real, settings)
        arms: list[NDArray[np.float64]] = []
        plain: list[NDArray[np.float64]] = []
        try:
            for number, synthetic in enumerate(added):
                own = seed_of(seed, number, "sealed")
                both = real.stack(rows_of(synthetic))
                weights = sample_weights(both, len(real), recipe)
                arms.append(learners.fit(learner, both, own, weights).values(judged))
                plain.append(learners.fit(learner, real, own).values(judged))
        except (MachineError, OSError, MemoryError):
            raise
        except Exception as error:
            log.debug("the learner %s failed on sealed rows", learner, exc_info=error)
            return []
        found = []
        for metric in dict.fromkeys([settings.metric, *BESIDE[task]]):
            score = _score(metric, asked)
            baseline = [score(judged.labels, values) for values in plain]
            if not np.isfinite(baseline).all():
                continue
            # The primary metric's own class 1 is what the fast area counts; all others are slow.
            fast = metric == "roc_auc" and recipe.multipliers is None
            estimate = paired_bootstrap(
                judged.labels,
                [_with(recipe, values) for values in arms],
                plain,
                roc_auc if fast else _slow(score),
                strata=judged.labels if judged.classes else None,
                confidence=settings.confidence,
                replicates=1000 if fast else _SLOW,
                seed=seed,
            )
            found.append(
                Sealed(
                    arm=arm,
                    learner=learner,
                    metric=metric,
                    baseline=float(np.mean(baseline)),
                    mean=estimate.mean,
                    interval=Interval(low=estimate.low, high=estimate.high),
                    p_value=estimate.p_value,
                    seeds=estimate.seeds,
                    rows=estimate.rows,
                )
            )
        return found


def _score(metric: str, asked: Asked) -> Callable[[NDArray[np.int64], NDArray[np.float64]], float]:
    compute = SCORERS[metric].compute

    def score(truth: NDArray[np.int64], values: NDArray[np.float64]) -> float:
        return compute(truth, Predicted.of(values), asked)

    return score


def _slow(score: Callable[[NDArray[np.int64], NDArray[np.float64]], float]) -> Metric:
    return by_rows(score)


def _with(recipe: Recipe, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities whose largest is the class that the recipe predicts."""
    if recipe.multipliers is None:
        return values
    product = threshold.apply(values, np.array(recipe.multipliers)).values * recipe.multipliers
    scaled: NDArray[np.float64] = product / product.sum(axis=1, keepdims=True)
    return scaled
