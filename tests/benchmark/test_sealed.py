from __future__ import annotations

import numpy as np
import pytest

from synthgen.benchmark import learners
from synthgen.benchmark.learners import rows_of
from synthgen.benchmark.resamples import seed_of
from synthgen.benchmark.scoring import CLASSIFICATION, Asked, Predicted
from synthgen.benchmark.sealed import sealed_differences
from synthgen.benchmark.settings import DecideSettings
from synthgen.data.table import Table
from synthgen.results import Recipe, Sealed
from tests.benchmark.worlds import Stripes, World


def _found(world: World, recipe: Recipe, added: int = 400, seeds: int = 3) -> list[Sealed]:
    train = world.table(80, 0)
    more = [Table(world.frame(added, 10 + k), train.schema) for k in range(seeds)]
    test = Table(world.frame(600, 1), train.schema)
    return sealed_differences(
        train,
        more,
        test,
        DecideSettings(),
        arm="oracle",
        learner="boosting",
        recipe=recipe,
        seed=0,
    )


def test_more_rows_of_the_truth_show_their_gain_on_every_metric() -> None:
    auc, balanced, loss = _found(Stripes(), Recipe(ratio=5.0))
    assert [one.metric for one in (auc, balanced, loss)] == [
        "roc_auc",
        "balanced_accuracy",
        "log_loss",
    ]
    assert auc.interval.low > 0.1
    assert balanced.interval.low > 0.1
    assert loss.interval.high < 0
    assert (auc.seeds, auc.rows) == (3, 600)


def test_the_mean_is_that_of_the_seeds() -> None:
    world = World()
    auc = _found(world, Recipe(ratio=5.0))[0]
    train = world.table(80, 0)
    test = rows_of(Table(world.frame(600, 1), train.schema))
    gains = []
    for k in range(3):
        seed = seed_of(0, k, "sealed")
        real = rows_of(train)
        both = real.stack(rows_of(Table(world.frame(400, 10 + k), train.schema)))
        one, two = (
            CLASSIFICATION["roc_auc"].compute(
                test.labels,
                Predicted.of(learners.fit("boosting", rows, seed).values(test)),
                Asked(1),
            )
            for rows in (both, real)
        )
        gains.append(one - two)
    assert auc.mean == pytest.approx(np.mean(gains))


def test_multipliers_move_the_predicted_class() -> None:
    world = World(majority=0.85, signal=1.5)
    plain = _found(world, Recipe(ratio=5.0), seeds=1)
    tuned = _found(world, Recipe(ratio=5.0, multipliers=(1.0, 5.0)), seeds=1)
    same = _found(world, Recipe(ratio=5.0, multipliers=(1.0, 1.0)), seeds=1)
    assert tuned[1].mean > plain[1].mean + 0.03
    assert same[1].mean == plain[1].mean


def test_what_the_test_rows_do_not_define_is_left_out() -> None:
    world = World()
    train = world.table(80, 0)
    one_class = world.table(200, 1).frame.query("y == 'class 0'").reset_index(drop=True)
    found = sealed_differences(
        train,
        [train],
        Table(one_class, train.schema),
        DecideSettings(),
        arm="a",
        learner="logistic",
        recipe=Recipe(ratio=1.0),
        seed=0,
    )
    assert [one.metric for one in found] == ["balanced_accuracy", "log_loss"]
