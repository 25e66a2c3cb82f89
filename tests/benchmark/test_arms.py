from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from synthgen.benchmark.arms import draw, ladder
from synthgen.benchmark.settings import DecideSettings
from synthgen.data.schema import Value
from synthgen.data.table import Table
from synthgen.training.context import Context
from tests.benchmark.worlds import World, fake, oracle


def test_the_ladder_has_the_cheap_arms_and_each_generator() -> None:
    settings = DecideSettings(ratios=(0.5, "balanced"))
    arms = ladder(settings, ["ctgan", "tvae"])
    assert [(arm.name, arm.kind, arm.ratios) for arm in arms] == [
        ("nothing", "plain", ()),
        ("class_weights", "weighted", ()),
        ("oversample", "synthetic", ("balanced",)),
        ("smote", "synthetic", ("balanced",)),
        ("ctgan", "synthetic", (0.5, "balanced")),
        ("tvae", "synthetic", (0.5, "balanced")),
    ]


def test_a_generator_takes_the_place_of_the_cheap_arm_of_its_name() -> None:
    arms = ladder(DecideSettings(arms=("nothing", "smote"), ratios=(2.0,)), ["smote"])
    assert [(arm.name, arm.ratios) for arm in arms] == [("nothing", ()), ("smote", (2.0,))]


@pytest.mark.parametrize(("ratio", "rows"), [(0.25, 25), (1.0, 100), (0.005, 0), (2.5, 250)])
def test_a_number_is_rows_per_training_row(ratio: float, rows: int) -> None:
    table = World().table(100, 0)
    drawn = draw(fake("memoriser").fit(table, Context()), table, ratio, seed=1)
    assert (len(drawn.rows), drawn.wanted) == (rows, rows)


def test_balanced_fills_every_class_to_the_largest() -> None:
    world = World(classes=3, majority=0.7)
    table = world.table(100, 0)
    drawn = draw(oracle(world).fit(table, Context()), table, "balanced", seed=1)
    assert np.bincount(table.labels).tolist() == [70, 15, 15]
    assert np.bincount(drawn.rows.labels, minlength=3).tolist() == [0, 55, 55]
    assert drawn.wanted == 110
    x = drawn.rows.frame["x0"].to_numpy()
    assert len(np.unique(x)) == 110  # the classes are not drawn with one seed


def test_balanced_on_balanced_classes_draws_nothing() -> None:
    table = World(majority=0.5).table(100, 0)
    drawn = draw(fake("noise").fit(table, Context()), table, "balanced", seed=1)
    assert (len(drawn.rows), drawn.wanted) == (0, 0)
    assert drawn.rows.schema == table.schema


class _Half:
    """Finds half of what it is asked for."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def sample(self, n: int, *, seed: int, where: Mapping[str, Value] | None = None) -> Table:
        import warnings

        from synthgen.errors import ShortfallWarning

        warnings.warn(ShortfallWarning("too few draws met the conditions"), stacklevel=1)
        return self.table.take(np.arange(n // 2))


def test_a_shortfall_is_in_the_numbers_and_not_a_warning() -> None:
    table = World().table(100, 0)
    drawn = draw(_Half(table), table, 1.0, seed=0)
    assert (len(drawn.rows), drawn.wanted) == (50, 100)
