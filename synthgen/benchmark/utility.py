"""Scores on the sealed test part: what the finished rows are worth, reported and never chosen on.

Two questions, each answered by every learner of the settings:

- A score under its own name (``roc_auc``): trained on training and synthetic rows, with the weights
  of the recipe; the reference is trained on the training rows alone.
- ``tstr_`` and the primary metric's name: trained on synthetic rows alone, tested on real ones
  (Esteban, Hyland and Rätsch, arXiv 1706.02633); the reference is trained on as many training
  rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from synthgen.benchmark import learners
from synthgen.benchmark.attempts import describe
from synthgen.benchmark.learners import Rows, rows_of
from synthgen.benchmark.records import Scores
from synthgen.benchmark.scoring import (
    SCORERS,
    Asked,
    Predicted,
    class_of_interest,
    score_all,
    scorers,
)
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.threads import single_thread
from synthgen.benchmark.weighting import sample_weights
from synthgen.data.schema import Task
from synthgen.data.table import Table
from synthgen.errors import MachineError
from synthgen.results import Recipe, Score

_Found: TypeAlias = dict[str, Scores]


def sealed_utility(
    train: Table,
    added: Table,
    test: Table,
    settings: DecideSettings,
    *,
    recipe: Recipe,
    synthetic: Table | None = None,
    seed: int = 0,
    notice: Callable[[str], None] = lambda text: None,
) -> list[Score]:
    """The primary metric's score first, then the others', then TSTR where ``synthetic`` is given.

    ``added`` are the synthetic rows beside ``train``, weighted as ``recipe`` says. A value is the
    mean over the learners; the detail has each learner's value under its name, and its reference
    as ``NAME_reference``. What the test rows do not define, or a learner cannot learn (rows of one
    class), is left out of the means; a score without any value is not listed. A learner that fails
    is left out too, and ``notice`` is told.
    """
    task = train.schema.task
    settings = settings.for_task(task)
    with single_thread():
        judged, real = rows_of(test), rows_of(train)
        asked = asked_of(real, settings)

        def judge(rows: Rows, weights: NDArray[np.float64] | None = None) -> _Found:
            return {learner: attempt(learner, rows, weights) for learner in settings.learners}

        def attempt(learner: str, rows: Rows, weights: NDArray[np.float64] | None) -> Scores:
            try:
                return _scores(learner, rows, weights, judged, asked, task, seed)
            except (MachineError, OSError, MemoryError):
                raise
            except Exception as error:
                if learner not in failed:
                    notice(
                        f"{learner} is missing among the scores on sealed rows: it failed "
                        f"({describe(error)})"
                    )
                failed.add(learner)
                return dict.fromkeys(scorers(task))

        failed: set[str] = set()

        both = real.stack(rows_of(added))
        with_synthetic = judge(both, sample_weights(both, len(real), recipe))
        without = judge(real)
        found = [
            _score(metric, metric, _AUGMENTED, with_synthetic, without)
            for metric in dict.fromkeys([settings.metric, *scorers(task)])
        ]
        if synthetic is not None:
            size = min(len(synthetic), len(train))
            chosen = np.sort(np.random.default_rng(seed).choice(len(train), size, replace=False))
            drawn = rows_of(synthetic.take(np.arange(size)))
            as_many = rows_of(train.take(chosen))
            name = f"tstr_{settings.metric}"
            found.append(_score(name, settings.metric, _TSTR, judge(drawn), judge(as_many)))
    return [score for score in found if score is not None]


def asked_of(real: Rows, settings: DecideSettings) -> Asked:
    """The class of interest is the rarest of these rows."""
    interest = class_of_interest(real.labels, real.classes) if real.classes else 0
    return Asked(interest, settings.precision)


def _scores(
    learner: str,
    rows: Rows,
    weights: NDArray[np.float64] | None,
    test: Rows,
    asked: Asked,
    task: Task,
    seed: int,
) -> Scores:
    if len(np.unique(rows.labels)) < 2:
        return dict.fromkeys(scorers(task))
    fitted = learners.fit(learner, rows, seed, weights)
    return score_all(task, test.labels, Predicted.of(fitted.values(test)), asked)


_AUGMENTED = "trained on training and synthetic rows"
_TSTR = "trained on synthetic rows alone"


def _score(
    name: str, metric: str, question: str, values: _Found, references: _Found
) -> Score | None:
    pairs = {
        learner: (value, reference)
        for learner in values
        if (value := values[learner][metric]) is not None
        and (reference := references[learner][metric]) is not None
    }
    if not pairs:
        return None
    title = SCORERS[metric].title
    return Score(
        metric=name,
        title=f"{title[0].upper()}{title[1:]}, {question}",
        pillar="utility",
        goal=SCORERS[metric].goal,
        value=float(np.mean([value for value, _ in pairs.values()])),
        reference=float(np.mean([reference for _, reference in pairs.values()])),
        detail={learner: value for learner, (value, _) in pairs.items()}
        | {f"{learner}_reference": reference for learner, (_, reference) in pairs.items()},
    )
