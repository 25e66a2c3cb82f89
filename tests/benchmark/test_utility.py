from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synthgen.benchmark import learners
from synthgen.benchmark.learners import rows_of
from synthgen.benchmark.scoring import CLASSIFICATION, SCORERS, Asked, Predicted, score_all
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.utility import sealed_utility
from synthgen.data.table import Table
from synthgen.results import Recipe, Score
from tests.benchmark.worlds import Stripes, World

SETTINGS = DecideSettings(learners=("logistic", "boosting"))


def _utility(*parts: Table | DecideSettings, **options: Any) -> list[Score]:
    return sealed_utility(*parts, recipe=Recipe(), **options)  # type: ignore[arg-type]


def _parts(world: World, sizes: tuple[int, ...]) -> list[Table]:
    """Independent draws of the world in the schema of the first."""
    first = world.table(sizes[0], 0)
    more = [Table(world.frame(n, k), first.schema) for k, n in enumerate(sizes[1:], start=1)]
    return [first, *more]


def test_values_and_references_by_hand() -> None:
    train, more, test = _parts(World(gaps=0.1), (150, 150, 200))
    scores = _utility(train, more, test, SETTINGS, seed=4)
    assert [score.metric for score in scores] == list(CLASSIFICATION)
    for score in scores:
        for key, rows in (("", train.concat(more)), ("_reference", train)):
            expected = [
                score_all(
                    "classification",
                    test.labels,
                    Predicted.of(learners.fit(learner, rows_of(rows), 4).values(rows_of(test))),
                    Asked(1),
                )[score.metric]
                for learner in SETTINGS.learners
            ]
            found = [score.detail[f"{learner}{key}"] for learner in SETTINGS.learners]
            assert found == expected
            assert np.mean(found) == (score.reference if key else score.value)
        assert (score.pillar, score.goal) == ("utility", SCORERS[score.metric].goal)


def test_more_rows_of_the_truth_help_where_few_show_nothing() -> None:
    train, more, test = _parts(Stripes(), (60, 600, 500))
    settings = DecideSettings(learners=("boosting",))
    found = _utility(train, more, test, settings, synthetic=more)
    by_name = {score.metric: score for score in found}
    auc, tstr = by_name["roc_auc"], by_name["tstr_roc_auc"]
    assert auc.reference is not None
    assert auc.value > auc.reference + 0.2
    # Sixty of the synthetic rows against sixty real ones: no more of the one than of the other.
    assert tstr.value == pytest.approx(tstr.reference, abs=0.05)


def test_more_than_two_classes_one_of_them_absent_from_the_test() -> None:
    train, more, test = _parts(World(classes=3), (150, 150, 200))
    scores = _utility(train, more, test.take(test.labels != 2), SETTINGS, synthetic=more)
    assert len(scores) == len(CLASSIFICATION) + 1
    assert all(np.isfinite([score.value, score.reference]).all() for score in scores)  # type: ignore[list-item]


def test_a_learner_that_fails_is_left_out_and_told() -> None:
    train, more, test = _parts(World(), (100, 100, 100))
    path = "sklearn.neighbors.KNeighborsClassifier"
    settings = DecideSettings(learners=("logistic", path))
    told: list[str] = []
    recipe = Recipe(ratio=1.0, weight=0.3)  # it cannot weight rows
    found = sealed_utility(train, more, test, settings, recipe=recipe, notice=told.append)
    assert set(found[0].detail) == {"logistic", "logistic_reference"}
    assert told == [
        f"{path} is missing among the scores on sealed rows: it failed (Unweightable in "
        f"{told[0].split(' in ')[1]}"
    ]


def test_what_is_not_defined_is_not_listed() -> None:
    train, more, test = _parts(World(), (150, 150, 200))
    one_class = test.take(test.labels == 0)
    found = {s.metric for s in _utility(train, more, one_class, SETTINGS)}
    assert found == set(CLASSIFICATION) - {"roc_auc", "average_precision", "recall_at_precision"}
    collapsed = more.take(more.labels == 0)
    scores = _utility(train, more, test, SETTINGS, synthetic=collapsed)
    assert "tstr_roc_auc" not in [score.metric for score in scores]
