"""Scores on the sealed test part: what the finished rows are worth, reported and never chosen on.

Two questions, each answered by every learner of the settings:

- A score under its own name (``roc_auc``): trained on training and synthetic rows; the reference
  is trained on the training rows alone.
- ``tstr_`` and the primary metric's name: trained on synthetic rows alone, tested on real ones
  (Esteban, Hyland and Rätsch, arXiv 1706.02633); the reference is trained on as many training
  rows.
"""

from __future__ import annotations

import numpy as np

from synthgen.benchmark import learners
from synthgen.benchmark.learners import Rows, rows_of
from synthgen.benchmark.scoring import SCORERS, class_of_interest, score_all
from synthgen.benchmark.settings import DecideSettings, Learner
from synthgen.benchmark.threads import single_thread
from synthgen.data.table import Table
from synthgen.results import Score

_Found = dict[Learner, dict[str, float | None]]


def sealed_utility(
    train: Table,
    augmented: Table,
    test: Table,
    settings: DecideSettings,
    *,
    synthetic: Table | None = None,
    seed: int = 0,
) -> list[Score]:
    """The primary metric's score first, then the others', then TSTR where ``synthetic`` is given.

    A value is the mean over the learners; the detail has each learner's value under its name, and
    its reference as ``NAME_reference``. What the test rows do not define, or a learner cannot
    learn (rows of one class), is left out of the means; a score without any value is not listed.
    """
    with single_thread():
        test_rows, real = rows_of(test), rows_of(train)
        interest = class_of_interest(real.labels, real.classes)

        def judge(rows: Rows) -> _Found:
            return {
                learner: _scores(learner, rows, test_rows, interest, seed)
                for learner in settings.learners
            }

        with_synthetic, without = judge(rows_of(augmented)), judge(real)
        found = [
            _score(metric, metric, _AUGMENTED, with_synthetic, without)
            for metric in dict.fromkeys([settings.metric, *SCORERS])
        ]
        if synthetic is not None:
            size = min(len(synthetic), len(train))
            chosen = np.sort(np.random.default_rng(seed).choice(len(train), size, replace=False))
            drawn = rows_of(synthetic.take(np.arange(size)))
            as_many = rows_of(train.take(chosen))
            name = f"tstr_{settings.metric}"
            found.append(_score(name, settings.metric, _TSTR, judge(drawn), judge(as_many)))
    return [score for score in found if score is not None]


def _scores(
    learner: Learner, rows: Rows, test: Rows, interest: int, seed: int
) -> dict[str, float | None]:
    if len(np.unique(rows.labels)) < 2:
        return dict.fromkeys(SCORERS)
    fitted = learners.fit(learner, rows, seed)
    return score_all(test.labels, fitted.probabilities(test), interest)


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
