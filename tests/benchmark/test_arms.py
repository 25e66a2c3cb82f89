from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from synthgen.benchmark.arms import draw, ladder
from synthgen.benchmark.settings import DecideSettings
from synthgen.data.schema import Categorical, Value
from synthgen.data.table import Table
from synthgen.generators.conditions import matching
from synthgen.training.context import Context
from tests.benchmark.worlds import PLAIN, World, fake, oracle


def test_the_ladder_has_the_cheap_arms_and_each_generator_in_its_variants() -> None:
    settings = DecideSettings(ratios=(0.5, "balanced"))
    found = {s.name: (s.ratios, s.candidate, s.arms) for s in ladder(settings, ["ctgan", "tvae"])}
    plain = [("nothing", "plain"), ("class_weights", "balanced"), ("threshold", "threshold")]
    assert [(arm.name, arm.treatment) for arm in found["rows"][2]] == plain
    assert {name: entry[:2] for name, entry in found.items()} == {
        "rows": ((), False),
        "oversample": (("balanced",), False),
        "smote": (("balanced",), False),
        "placebo": ((1.0,), False),
        "ctgan": ((0.5, "balanced"), True),
        "tvae": ((0.5, "balanced"), True),
    }
    variants = ["ctgan", "ctgan-filtered", "ctgan-weighted", "ctgan-mixed"]
    assert [arm.name for arm in found["ctgan"][2]] == variants
    assert [arm.treatment for arm in found["ctgan"][2]] == ["raw", "filtered", "weighted", "mixed"]


def test_variants_that_nothing_is_tried_for_are_no_arms() -> None:
    (_, source) = ladder(DecideSettings(arms=("nothing",), **PLAIN), ["ctgan"])
    assert [arm.name for arm in source.arms] == ["ctgan"]


def test_a_numeric_target_has_arms_of_its_own() -> None:
    settings = DecideSettings().for_task("regression")
    sources = ladder(settings, ["ctgan"], "regression")
    assert [arm.name for arm in sources[0].arms] == ["nothing", "density_weights"]
    assert {s.name: s.ratios for s in sources[1:3]} == {"smote": (1.0,), "placebo": (1.0,)}


def test_a_generator_takes_the_place_of_the_cheap_arm_of_its_name() -> None:
    settings = DecideSettings(arms=("nothing", "smote"), ratios=(2.0,), **PLAIN)
    sources = ladder(settings, ["smote"])
    assert [(s.name, s.ratios) for s in sources] == [("rows", ()), ("smote", (2.0,))]
    assert sources[1].candidate


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


class _Private:
    """Its noisy counts did not release the last class."""

    privacy = None

    def __init__(self, table: Table) -> None:
        self.table = table
        target = table.schema["y"]
        assert isinstance(target, Categorical)
        own = target.model_copy(update={"values": target.values[:-1]})
        columns = tuple(own if c.name == "y" else c for c in table.schema.columns)
        self.schema = table.schema.model_copy(update={"columns": columns})

    def sample(self, n: int, *, seed: int, where: Mapping[str, Value] | None = None) -> Table:
        return self.table.take(np.flatnonzero(matching(self.table, where))[:n])


def test_a_class_that_a_private_model_did_not_release_is_a_shortfall() -> None:
    table = World(classes=3, majority=0.6).table(100, 0)
    assert np.bincount(table.labels).tolist() == [60, 20, 20]
    drawn = draw(_Private(table), table, "balanced", seed=0)
    assert np.bincount(drawn.rows.labels, minlength=3).tolist() == [0, 20, 0]
    assert drawn.wanted == 80


def test_a_shortfall_is_in_the_numbers_and_not_a_warning() -> None:
    table = World().table(100, 0)
    drawn = draw(_Half(table), table, 1.0, seed=0)
    assert (len(drawn.rows), drawn.wanted) == (50, 100)
