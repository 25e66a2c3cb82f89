"""Bad input is refused with a cause that names the column and a remedy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen.data.checks import check_frame, check_target, task_of
from synthgen.data.infer import explain, infer
from synthgen.data.overrides import ColumnOverride
from synthgen.errors import DataError

GOOD = pd.DataFrame(
    {
        "age": np.arange(60.0) / 7,
        "job": ["clerk", "nurse", None] * 20,
        "zip": [f"{i:05d}" for i in range(0, 600, 10)],
        "y": ["no", "yes"] * 30,
    }
)


def refusal(frame: pd.DataFrame, target: str = "y", **overrides: ColumnOverride) -> DataError:
    with pytest.raises(DataError) as caught:
        check_frame(frame, target, overrides)
    assert caught.value.exit_code == 3
    assert caught.value.remedy
    return caught.value


def test_a_good_frame_passes() -> None:
    check_frame(GOOD, "y")


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (pd.DataFrame(), "no columns"),
        (GOOD.iloc[:0], "0 rows"),
        (GOOD.iloc[:1], "1 row:"),
        (GOOD.iloc[::2], "1 class"),
        (GOOD.assign(y=[*["no", "yes"] * 29, "no", "other"]), "1 of 3 classes with one row"),
        (GOOD.assign(y=GOOD["y"].mask(GOOD.index < 7)), "missing in 7 rows of 60"),
        (GOOD.assign(y=[*np.linspace(0, 1, 59), None]), "missing in 1 row of 60"),
        (GOOD.assign(y=[*np.linspace(0, 1, 59), -np.inf]), "'y' holds infinity in 1 row"),
        (GOOD.assign(y=[f"{i / 7:.3f}" for i in range(60)]), "'y' holds numbers as text"),
        (GOOD.assign(y=[str(i) for i in range(60)]), "'y' holds numbers as text"),
        (GOOD.assign(y=[*["?"] * 20, *map(str, range(40))]), "and 20 cells that are no numbers"),
        (GOOD.assign(y=pd.date_range("2024", periods=60)), "times"),
        (GOOD.assign(age=[np.inf, -np.inf, *range(58)]), "'age' holds infinity in 2 rows"),
        (GOOD.assign(age=pd.Series([1.0, np.inf] * 30, dtype="Float64")), "'age' holds infinity"),
        (GOOD.assign(job=[1, "two"] * 30), "'job' mixes Python types"),
        (GOOD.assign(job=[[1]] * 60), "'job' has the type object with list"),
        (GOOD.assign(age=[*map(str, range(50)), *[" "] * 10]), "'age' holds numbers as text"),
        (GOOD.assign(age=[*map(str, range(50)), *["?"] * 10]), "and 10 cells that are no numbers"),
        (GOOD.assign(age=[str(i / 7) for i in range(30)] * 2), "'age' holds numbers as text"),
        (pd.concat([GOOD, GOOD["job"]], axis=1), "more than once: 'job'"),
        (GOOD.rename(columns={"age": 3}), "3 is int"),
    ],
)
def test_bad_frames(frame: pd.DataFrame, word: str) -> None:
    assert word in refusal(frame).cause


def test_a_misspelt_target() -> None:
    error = refusal(GOOD.rename(columns={"y": "income"}), "Incme")
    assert "'Incme'" in error.cause
    assert "'income'" in error.remedy
    assert "'age'" in refusal(GOOD, "nothing like it").remedy


def test_a_rare_class_is_not_named() -> None:
    error = refusal(GOOD.assign(y=[*["no", "yes"] * 29, "no", "Smith"]))
    assert "Smith" not in str(error)


@pytest.mark.parametrize(
    "labels",
    [
        ["a"] * 58 + ["b"] * 2,
        ["a"] * 51 + ["b"] * 9,
        [0, 1] * 30,
        [0.0, 1.0] * 30,
        [True, False] * 30,
        pd.Categorical(["a", "b"] * 30, categories=["a", "b", "unused"]),
        pd.arrays.ArrowExtensionArray(pa.array(["a", "b"] * 30)),
    ],
)
def test_good_targets(labels: Any) -> None:
    check_frame(GOOD.assign(y=labels), "y")


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (np.linspace(0, 1, 60), "regression"),
        (np.linspace(0, 1, 60).astype("float32"), "regression"),
        (np.arange(60), "regression"),
        (pd.array(np.arange(60), dtype="Int64"), "regression"),
        (pd.arrays.ArrowExtensionArray(pa.array(range(60)).dictionary_encode()), "regression"),
        (pd.Series([Decimal(i) / 8 for i in range(60)], dtype=object), "regression"),
        # More than fifty different ones, however often they come back.
        (list(range(51)) * 20, "regression"),
        (list(range(50)) * 20, "classification"),
        # Between twenty and fifty, fractions or hardly any repetition tell.
        ([i / 2 for i in range(21)] * 20, "regression"),
        ([float(i) for i in range(21)] * 20, "classification"),
        (list(range(21)) + list(range(20)), "regression"),
        (list(range(21)) * 2, "classification"),
        ([i / 2 for i in range(20)] * 2, "classification"),
        (pd.Categorical(range(60)), "classification"),
        ([f"class {i}" for i in range(60)], "classification"),
        ([True, False] * 30, "classification"),
        ([None] * 60, "classification"),
    ],
)
def test_a_quantity_is_told_from_classes(cells: Any, task: str) -> None:
    assert task_of(pd.DataFrame({"y": cells}), "y") == task


def test_a_declared_kind_says_the_task() -> None:
    for kind, task in (("numeric", "regression"), ("categorical", "classification")):
        for cells in ([0, 1] * 30, np.linspace(0, 1, 60)):
            declared = {"y": ColumnOverride.model_validate({"kind": kind})}
            assert task_of(GOOD.assign(y=cells), "y", declared) == task
    bounded = {"y": ColumnOverride(low=0)}
    assert task_of(GOOD.assign(y=np.linspace(0, 1, 60)), "y", bounded) == "regression"
    with pytest.raises(DataError, match="'income'"):
        task_of(GOOD.rename(columns={"y": "income"}), "incme")


@pytest.mark.parametrize("cells", [np.linspace(0, 1, 60), np.arange(60), [0, *range(59)]])
def test_a_quantity_passes_though_its_values_stand_alone(cells: Any) -> None:
    check_frame(GOOD.assign(y=cells), "y")
    # Declared as classes, nothing could be learned of any.
    kind = ColumnOverride(kind="categorical")
    assert "one row only" in refusal(GOOD.assign(y=cells), y=kind).cause


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ([3.5] * 60, "same value in every row"),
        ([1.0, 2.0, 3.0], "3 rows: too few"),
        ([1.0, np.nan] * 30, "missing in 30 rows"),
        ([1.0, np.inf] * 30, "infinity in 30 rows"),
    ],
)
def test_a_declared_quantity_that_does_not_work(cells: list[float], word: str) -> None:
    with pytest.raises(DataError, match="'y'") as caught:
        check_target(pd.DataFrame({"y": cells}), "y", "regression")
    assert word in caught.value.cause
    assert "3.5" not in str(caught.value)
    assert caught.value.remedy


def test_few_numbers_that_stand_alone_may_be_a_quantity() -> None:
    frame = pd.DataFrame({"x": range(12), "y": np.linspace(0, 1, 12)})
    assert "numeric" in refusal(frame).remedy
    check_frame(frame, "y", {"y": ColumnOverride(kind="numeric")})
    assert "numeric" not in refusal(frame.assign(y=list("abcdefghijkl"))).remedy


@pytest.mark.parametrize(
    "texts",
    [[f"{i:05d}" for i in range(30)] * 2, [str(i) for i in range(30)] * 2, ["1.5", "2"] * 30],
)
def test_classes_written_in_digits_pass(texts: list[str]) -> None:
    check_frame(GOOD.assign(y=texts), "y")
    assert task_of(GOOD.assign(y=texts), "y") == "classification"


def test_numbers_as_text_may_be_declared_classes() -> None:
    texts = GOOD.assign(y=[str(i / 7) for i in range(30)] * 2)
    assert "'y' holds numbers as text" in refusal(texts).cause
    check_frame(texts, "y", {"y": ColumnOverride(kind="categorical")})


def test_columns_without_information_pass_and_are_noted() -> None:
    frame = GOOD.assign(gone=None, always=1)
    check_frame(frame, "y")
    notes = explain(infer(frame, target="y"))
    assert notes["gone"] == "no values: left empty"
    assert "same value" in notes["always"]


@pytest.mark.parametrize(
    "texts",
    [
        [f"{i:05d}" for i in range(60)],
        [str(10**20 + i // 2) for i in range(60)],
        [str(10**8 + 7 * i) for i in range(60)],
        ["1", "2", "3"] * 20,
        ["1", "2", "x"] * 20,
        ["A1", "B2", "3"] * 20,
    ],
)
def test_codes_and_keys_are_no_numbers(texts: list[str]) -> None:
    check_frame(GOOD.assign(code=texts), "y")


def test_a_declared_kind_settles_it() -> None:
    codes = ColumnOverride(kind="categorical")
    mixed = GOOD.assign(age=[*map(str, range(50)), *["?"] * 10])
    check_frame(mixed, "y", {"age": codes})
    check_frame(GOOD.assign(y=list(range(30)) * 2), "y", {"y": codes})
    assert "'age'" in refusal(mixed, age=ColumnOverride(decimals=2)).cause
