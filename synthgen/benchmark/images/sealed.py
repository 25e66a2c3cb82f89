"""The verdict's arm against ``nothing`` on the sealed test images: scores of the finished set, and
their differences with seeds and images as sources of variance. It is reported and decides
nothing; see :mod:`synthgen.benchmark.sealed`, of which this is the counterpart for images."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from synthgen.benchmark.bootstrap import by_rows, paired_bootstrap
from synthgen.benchmark.images.learners import Labelled, Training, predict
from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.resamples import seed_of
from synthgen.benchmark.scoring import (
    SCORERS,
    Asked,
    Predicted,
    class_of_interest,
    scorers,
)
from synthgen.data.images.images import Images
from synthgen.errors import MachineError
from synthgen.results import Interval, Recipe, Score, Sealed

log = logging.getLogger(__name__)
BESIDE = ("balanced_accuracy", "log_loss")
"""Metrics whose differences are reported beside the primary one's."""
REPLICATES = 200
_TITLE = "trained on training and synthetic images"


def sealed_scores(
    train: Images,
    added: Iterable[Images],
    test: Images,
    settings: ImageSettings,
    training: Training,
    *,
    arm: str,
    learner: str,
    recipe: Recipe,
    seed: int,
) -> tuple[list[Score], list[Sealed]]:
    """Scores of the learner, the primary metric first, each the mean over the seeds beside that of
    the training images alone; and the differences of some of them with intervals. ``added`` are
    the synthetic images of each seed, every one from a generator trained with that seed. Every
    classifier is trained for the same steps. Both lists are empty where the learner cannot learn.
    """
    real = Labelled.of(train)
    judged = Labelled.of(test)
    truth = judged.labels.numpy()
    asked = Asked(class_of_interest(real.labels.numpy(), len(train.classes)), settings.precision)
    arms: list[NDArray[np.float64]] = []
    plain: list[NDArray[np.float64]] = []
    try:
        for number, synthetic in enumerate(added):
            own = seed_of(seed, number, "sealed")
            both = real.stack(Labelled.of(synthetic))
            for found, images, how in ((arms, both, recipe), (plain, real, Recipe())):
                model = training.train(learner, images, own, how, len(real))
                found.append(predict(model, judged))
    except (MachineError, OSError, MemoryError):
        raise
    except Exception as error:
        log.debug("the learner %s failed on sealed images", learner, exc_info=error)
        return [], []

    def values(metric: str, predictions: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        compute = SCORERS[metric].compute
        return np.array([compute(truth, Predicted.of(one), asked) for one in predictions])

    scores, differences = [], []
    for metric in dict.fromkeys([settings.metric, *scorers("classification")]):
        value, reference = values(metric, arms), values(metric, plain)
        if not np.isfinite(value).all() or not np.isfinite(reference).all():
            continue
        title = SCORERS[metric].title
        scores.append(
            Score(
                metric=metric,
                title=f"{title[0].upper()}{title[1:]}, {_TITLE}",
                pillar="utility",
                goal=SCORERS[metric].goal,
                value=float(value.mean()),
                reference=float(reference.mean()),
                detail={"learner": learner, "seeds": len(value), "images": len(truth)},
            )
        )
        if metric != settings.metric and metric not in BESIDE:
            continue
        compute = SCORERS[metric].compute
        estimate = paired_bootstrap(
            truth,
            arms,
            plain,
            by_rows(lambda t, p, compute=compute: compute(t, Predicted.of(p), asked)),  # type: ignore[misc]
            strata=truth,
            confidence=settings.confidence,
            replicates=REPLICATES,
            seed=seed,
        )
        differences.append(
            Sealed(
                arm=arm,
                learner=learner,
                metric=metric,
                baseline=float(reference.mean()),
                mean=estimate.mean,
                interval=Interval(low=estimate.low, high=estimate.high),
                p_value=estimate.p_value,
                seeds=estimate.seeds,
                rows=estimate.rows,
            )
        )
    return scores, differences
