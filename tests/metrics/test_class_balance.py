from __future__ import annotations

import numpy as np
import pytest

from synthgen.metrics.base import NotComputable, Trio
from synthgen.metrics.class_balance import class_balance
from tests.metrics.tables import categorical, numeric, table

COLUMN = categorical("y", "no", "yes")


def _trio(real: list[str | None], synthetic: list[str | None]) -> Trio:
    train, drawn = (table([COLUMN], target="y", y=cells) for cells in (real, synthetic))
    return Trio(train, train, drawn)


def test_two_classes_by_hand() -> None:
    reading = class_balance(_trio(["no"] * 9 + ["yes"], ["no"] * 3 + ["yes"]))
    assert reading.value == pytest.approx(0.15)
    assert reading.detail["classes"] == [
        {"class": "no", "real": 0.9, "synthetic": 0.75},
        {"class": "yes", "real": 0.1, "synthetic": 0.25},
    ]
    assert class_balance(_trio(["no", "yes"], ["yes", "no"])).value == 0


def test_rare_and_missing_classes_are_summed_without_their_names() -> None:
    reading = class_balance(_trio(["no", "yes", "odd", None], ["no", "yes", "strange", "weird"]))
    assert reading.value == pytest.approx(0.25)
    assert [part["class"] for part in reading.detail["classes"]] == [
        "no",
        "yes",
        "(missing)",
        "(other)",
    ]
    assert reading.detail["classes"][3]["synthetic"] == 0.5


def test_not_computable() -> None:
    with pytest.raises(NotComputable, match="one class"):
        class_balance(_trio(["no", "no"], ["no", "yes"]))
    with pytest.raises(NotComputable, match="no synthetic"):
        class_balance(_trio(["no", "yes"], []))
    without = table([COLUMN], y=["no", "yes"])
    with pytest.raises(NotComputable, match="no target"):
        class_balance(Trio(without, without, without.take(np.array([0]))))
    prices = table([numeric("y", [1.5, 2.5])], target="y", y=[1.5, 2.5])
    with pytest.raises(NotComputable, match="quantity"):
        class_balance(Trio(prices, prices, prices))
