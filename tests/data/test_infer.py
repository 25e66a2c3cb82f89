"""What columns are taken for, by rules that can be explained."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.data.infer import explain, infer
from synthgen.data.overrides import ColumnOverride
from synthgen.data.read import read
from synthgen.data.schema import (
    RARE,
    Categorical,
    Column,
    Constant,
    Datetime,
    Identifier,
    Numeric,
    Ordered,
    Schema,
    Text,
    Timedelta,
)
from synthgen.data.split import split_rows
from synthgen.errors import ConfigError, DataError

RNG = np.random.default_rng(0)
ROWS = 400


def column(cells: Any, **override: Any) -> Column:
    frame = pd.DataFrame({"x": cells})
    overrides = {"x": ColumnOverride(**override)} if override else {}
    return infer(frame, target=None, overrides=overrides)["x"]


def kind(cells: Any, **override: Any) -> str:
    return column(cells, **override).kind


# ---- the seven shared tables --------------------------------------------------------------------

ORDERED = {
    "adult-train": "education-num",
    "adult-test": "education-num",
    "default": "SEX EDUCATION MARRIAGE PAY_0 PAY_2 PAY_3 PAY_4 PAY_5 PAY_6",
    "shoppers": "Informational SpecialDay OperatingSystems Browser Region TrafficType Weekend",
    "magic": "",
    "telco-churn": "SeniorCitizen",
    "mammography": "",
}
NUMERIC = {
    "adult-train": "age fnlwgt capital-gain capital-loss hours-per-week",
    "adult-test": "age fnlwgt capital-gain capital-loss hours-per-week",
    "default": "LIMIT_BAL AGE "
    + " ".join(f"{name}{i}" for name in ("BILL_AMT", "PAY_AMT") for i in range(1, 7)),
    "shoppers": "Administrative Administrative_Duration Informational_Duration ProductRelated "
    "ProductRelated_Duration BounceRates ExitRates PageValues",
    "magic": "fLength fWidth fSize fConc fConc1 fAsym fM3Long fM3Trans fAlpha fDist",
    "telco-churn": "tenure MonthlyCharges TotalCharges",
    "mammography": "area gray_level gradient_strength noise contrast shape_descriptor",
}
KEYS = {"default": "ID", "telco-churn": "customerID"}
TARGETS = {
    "adult-train": "income",
    "adult-test": "income",
    "default": "default.payment.next.month",
    "shoppers": "Revenue",
    "magic": "class",
    "telco-churn": "Churn",
    "mammography": "calcification",
}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("part", ["all", "training"])
def test_kinds_of_the_shared_tables(name: str, part: str, shared_data: Path) -> None:
    frame = read(shared_data / "tabular" / f"{name}.csv").frame
    if part == "training":
        rows, _ = split_rows(frame, target=TARGETS[name], share=0.3, seed=1)
        frame = frame.iloc[np.random.default_rng(0).permutation(rows)]
    kinds = {c.name: c.kind for c in infer(frame, target=TARGETS[name]).columns}
    expected = dict.fromkeys(frame.columns, "categorical")
    expected |= dict.fromkeys(ORDERED[name].split(), "ordered")
    expected |= dict.fromkeys(NUMERIC[name].split(), "numeric")
    expected |= dict.fromkeys(KEYS.get(name, "").split(), "identifier")
    assert kinds == expected


def test_adult_in_detail(shared_data: Path) -> None:
    frame = read(shared_data / "tabular" / "adult-train.csv").frame
    schema = infer(frame, target="income")
    gain = schema["capital-gain"]
    assert isinstance(gain, Numeric)
    assert gain.integer
    assert 0 in gain.spikes
    assert gain.low == 0
    assert schema["workclass"].missing
    assert not schema["age"].missing
    country = schema["native-country"]
    assert isinstance(country, Categorical)
    assert country.values[0] == "United-States"
    # One row of the official training file is from Holand-Netherlands.
    assert "Holand-Netherlands" not in country.values
    assert "Holand-Netherlands" not in schema.model_dump_json()


# ---- kinds --------------------------------------------------------------------------------------

WORDS = ["red", "green", "blue", None]

KINDS: dict[str, tuple[Any, str]] = {
    "floats": (RNG.normal(size=ROWS), "numeric"),
    "many integers": (RNG.integers(0, 1000, ROWS), "numeric"),
    "twenty codes": (np.arange(ROWS) % 20, "ordered"),
    "twenty-one codes": (np.arange(ROWS) % 21, "numeric"),
    "few codes in few rows": (np.arange(40) % 9, "numeric"),
    "codes as floats with gaps": ([1.0, 2.0, np.nan, 3.0] * 100, "ordered"),
    "flags": ([True, False] * 200, "boolean"),
    "flags with gaps": (pd.array([True, None] * 200, dtype="boolean"), "boolean"),
    "flags as objects": (pd.Series([True, False, None, True] * 100, dtype=object), "boolean"),
    "words": (WORDS * 100, "categorical"),
    "category": (pd.Categorical(WORDS * 100), "categorical"),
    "ordered category": (pd.Categorical(WORDS * 100, ordered=True), "ordered"),
    "row number": (np.arange(ROWS), "identifier"),
    "descending": (np.arange(ROWS)[::-1] * 17 - 5, "identifier"),
    "shuffled row numbers": (RNG.permutation(ROWS) + 1000, "identifier"),
    "sparse unique integers": (RNG.permutation(10**6)[:ROWS], "numeric"),
    "row number as float": (np.arange(ROWS) + 0.0, "numeric"),
    "sorted floats": (np.sort(RNG.normal(size=ROWS)), "numeric"),
    "codes of goods": ([f"AB-{i:05d}" for i in RNG.permutation(ROWS)], "identifier"),
    "codes with few copies": ([f"AB-{i:05d}" for i in [*range(390), *range(10)]], "identifier"),
    "codes of several lengths": ([f"user{i}" for i in range(ROWS)], "identifier"),
    "repeated codes": ([f"AB-{i % 10}" for i in range(ROWS)], "categorical"),
    "names": (
        [
            f"{a} {b}"
            for a, b in zip(
                RNG.choice(["Ann", "Bo", "Christina"], ROWS),
                [f"van {'x' * (i % 7)}{'y' * (i % 11)} {i}" for i in range(ROWS)],
                strict=True,
            )
        ],
        "text",
    ),
    "reviews": (
        [f"The {i}th time that I came here it was really quite good" for i in range(ROWS)],
        "text",
    ),
    "mostly repeated": (["usual"] * 300 + [f"odd one {i}" for i in range(100)], "categorical"),
    "dates as text": (
        pd.Series(pd.date_range("2020", periods=ROWS)).dt.strftime("%d.%m.%Y"),
        "datetime",
    ),
    "dates": ([dt.date(2020, 1, 1) + dt.timedelta(i) for i in range(ROWS)], "datetime"),
    "timestamps": (pd.date_range("2020", periods=ROWS, freq="h"), "datetime"),
    "durations": (pd.to_timedelta(np.arange(ROWS), "min"), "timedelta"),
    "one value": ([7] * ROWS, "constant"),
    "all but four rows the same": ([7] * (ROWS - 4) + [1, 2, 3, 4], "ordered"),
    "no value": ([None] * ROWS, "constant"),
    "no number": ([np.nan] * ROWS, "constant"),
    "one value or none": ([7.0, np.nan] * 200, "ordered"),
    "one word or none": (["x", None] * 200, "categorical"),
    "three numbers in all": ([1.5, 2.5, 3.5] + [np.nan] * 397, "constant"),
    "three words in all": (["a", "b", "c"] + [None] * 397, "text"),
    "arrow text": (pd.array(WORDS * 100, dtype="string[pyarrow]"), "categorical"),
    "arrow numbers": (
        pd.arrays.ArrowExtensionArray(pa.array(RNG.normal(size=ROWS))),
        "numeric",
    ),
    "arrow days": (
        pd.arrays.ArrowExtensionArray(pa.array(np.arange(ROWS), pa.int32()).cast(pa.date32())),
        "datetime",
    ),
}


@pytest.mark.parametrize("which", KINDS)
def test_kinds(which: str) -> None:
    cells, expected = KINDS[which]
    assert kind(cells) == expected


@pytest.mark.parametrize("which", KINDS)
def test_a_schema_travels_as_json_and_is_explained_in_one_line(which: str) -> None:
    schema = infer(pd.DataFrame({"x": KINDS[which][0]}), target=None)
    assert Schema.model_validate_json(schema.model_dump_json()) == schema
    (line,) = explain(schema).values()
    assert line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ID", True),
        ("customerID", True),
        ("user_id", True),
        ("Unnamed: 0", True),
        ("", True),
        ("paid", False),
        ("年齢", False),
        ("income", False),
        ("grid", False),
    ],
)
def test_unique_integers_named_like_a_key(name: str, expected: bool) -> None:
    frame = pd.DataFrame({name: RNG.permutation(10**6)[:ROWS]})
    assert (infer(frame, target=None)[name].kind == "identifier") == expected


def test_details() -> None:
    numeric = column([-5.25, 1.5] * 200 + [0.0] * 30)
    assert numeric.kind == "ordered"
    ages = column(np.r_[np.arange(20, 90).repeat(10), [7, 101]])
    assert isinstance(ages, Numeric)
    assert (ages.low, ages.high, ages.integer, ages.decimals) == (20, 89, True, None)
    money = column(np.round(np.abs(RNG.normal(size=ROWS)), 2))
    assert isinstance(money, Numeric)
    assert (money.integer, money.decimals) == (False, 2)
    codes = column(["b"] * 10 + ["a"] * 20 + ["rare"] * 4)
    assert isinstance(codes, Categorical)
    assert codes.values == ("a", "b")
    grades = column(pd.Categorical(["lo", "hi", "mid"] * 5, ["lo", "mid", "hi"], ordered=True))
    assert isinstance(grades, Ordered)
    assert grades.values == ("lo", "mid", "hi")
    assert column([True, False, None] * 9, kind="boolean").missing


@pytest.mark.parametrize("dtype", ["uint64", "UInt64", "uint64[pyarrow]", "object"])
def test_unsigned_integers_beyond_signed_ones(dtype: str) -> None:
    cells = [2**63 + 1000 * (i * i % 97) for i in range(ROWS)]
    found = column(pd.Series(cells, dtype=dtype))
    assert isinstance(found, Numeric)
    assert (found.low, found.high) == (sorted(cells)[4], sorted(cells)[-5])


def test_identifiers_keep_their_pattern_and_nothing_else() -> None:
    keys = column([f"K{i:04d}-{'XYZ'[i % 3]}" for i in range(ROWS)])
    assert isinstance(keys, Identifier)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert keys.pattern == (("K", 1), ("0", 1), ("0123456789", 3), ("-", 1), (letters, 1))
    assert column(np.arange(ROWS)).model_dump()["pattern"] == ()


def test_times_in_detail() -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=ROWS, freq="D"))
    found = column(days.dt.strftime("%d/%m/%Y"))
    assert isinstance(found, Datetime)
    assert (found.format, found.resolution, found.zone) == ("%d/%m/%Y", 86400.0, None)
    fifth = dt.datetime(2020, 1, 5, tzinfo=dt.UTC).timestamp()
    assert (found.low, found.high) == (fifth, fifth + (ROWS - 9) * 86400)
    zoned = column(days.dt.tz_localize("America/New_York"))
    assert isinstance(zoned, Datetime)
    assert (zoned.zone, zoned.resolution) == ("America/New_York", 86400.0)
    hours = column(pd.to_timedelta(np.arange(ROWS) * 30, "min"))
    assert isinstance(hours, Timedelta)
    assert (hours.low, hours.high, hours.resolution) == (4 * 1800, (ROWS - 5) * 1800, 60.0)


def test_dates_that_cannot_be_told_apart_are_noted() -> None:
    texts = [f"{i % 12 + 1:02d}/{i // 12 % 12 + 1:02d}/2024" for i in range(144)] * 6
    found = column(texts)
    assert isinstance(found, Categorical)
    assert "set its format" in found.note
    assert "set its format" in explain(Schema(columns=(found,)))["x"]
    assert kind(texts, format="%d/%m/%Y") == "datetime"


# ---- protection ---------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    st.lists(
        st.sampled_from(["a", "b", "c"]) | st.text("xyz", min_size=2, max_size=3),
        min_size=30,
        max_size=120,
    )
)
def test_no_rare_word_is_in_a_schema(cells: list[str]) -> None:
    text = column(cells).model_dump_json()
    counts = pd.Series(cells).value_counts()
    for word, count in counts.items():
        if count < min(RARE, len(cells)):
            assert f'"{word}"' not in text


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.lists(st.integers(10**6, 10**7) | st.integers(0, 30), min_size=10, max_size=120))
def test_no_rare_or_extreme_number_is_in_a_schema(cells: list[int]) -> None:
    found = column(cells)
    counts = pd.Series(cells).value_counts()
    if isinstance(found, Ordered | Constant):
        listed = found.values if isinstance(found, Ordered) else (found.value,)
        assert all(counts[value] >= RARE for value in listed)
    if isinstance(found, Numeric):
        ordered = sorted(cells)
        assert found.low >= ordered[RARE - 1] - 1
        assert found.high <= max(ordered[-RARE], ordered[RARE - 1] + 1)
        assert all(counts[spike] >= RARE for spike in found.spikes)


def test_bounds_of_few_values_fit_the_dtype() -> None:
    found = column(np.array([0, 250, 255, 3, 1, 9, 250], dtype="uint8"))
    assert isinstance(found, Numeric)
    assert 0 <= found.low < found.high <= 255
    full = column(np.array([255] * 8 + [1, 2, 3, 4], dtype="uint8"))
    assert isinstance(full, Numeric)
    assert (full.low, full.high) == (254, 255)


# ---- the target ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([0, 1] * 50, "categorical"),
        ([0.0, 1.0] * 50, "categorical"),
        ([True, False] * 50, "boolean"),
        (["yes", "no"] * 50, "categorical"),
        (list(range(26)) * 10, "categorical"),
        (pd.Categorical(["lo", "hi"] * 50, ["lo", "hi"], ordered=True), "ordered"),
        ([f"class {i}" for i in range(50)] * 2, "categorical"),
        ([f"A{i:03d}" for i in range(50)] * 2, "categorical"),
        (RNG.normal(size=ROWS), "numeric"),
        # Elsewhere this would be a key, and the next ones codes or a constant.
        (np.arange(ROWS), "numeric"),
        ([0.5 * i for i in range(21)] * 100, "numeric"),
        (["same"] * 100, "categorical"),
    ],
)
def test_a_target_is_classes_or_a_quantity(cells: Any, expected: str) -> None:
    schema = infer(pd.DataFrame({"y": cells}), target="y")
    assert schema["y"].kind == expected
    assert schema.task == ("regression" if expected == "numeric" else "classification")
    explained = explain(schema)["y"]
    assert ("quantity" in explained) == (expected == "numeric")


def test_all_classes_of_the_target_are_listed() -> None:
    frame = pd.DataFrame({"y": ["a"] * 50 + ["b"] * 3})
    found = infer(frame, target="y")["y"]
    assert isinstance(found, Categorical)
    assert found.values == ("a", "b")


def test_the_bounds_of_a_quantity_are_protected() -> None:
    cells = np.array([-1e6, *np.linspace(1, 9, 98), 1e6])
    found = infer(pd.DataFrame({"y": cells}), target="y")["y"]
    assert isinstance(found, Numeric)
    assert (found.low, found.high) == (np.sort(cells)[4], np.sort(cells)[-5])


def test_a_part_of_the_rows_keeps_the_task_of_all() -> None:
    few = pd.DataFrame({"y": list(range(30)) * 4})
    assert infer(few, target="y").task == "classification"
    assert infer(few, target="y", task="regression").task == "regression"
    bare = pd.DataFrame({"y": list(range(30))})
    assert infer(bare, target="y").task == "regression"
    assert infer(bare, target="y", task="classification").task == "classification"
    with pytest.raises(ConfigError, match="'y' holds text"):
        infer(pd.DataFrame({"y": ["a", "b"] * 9}), target="y", task="regression")
    # What the user says of the kind goes before it, and other columns have no task.
    declared = {"y": ColumnOverride(kind="categorical")}
    assert infer(few, target="y", overrides=declared, task="regression").task == "classification"
    both = infer(few.assign(x=few["y"] % 2), target="y", task="regression")
    assert both["x"].kind == "ordered"


def test_a_schema_without_target_has_no_task() -> None:
    with pytest.raises(ValueError, match="no target"):
        _ = infer(pd.DataFrame({"x": [1, 2]}), target=None).task


@pytest.mark.parametrize(
    "cells",
    [
        pd.date_range("2024", periods=ROWS),
        pd.to_timedelta(np.arange(ROWS), "h"),
        pd.Series(pd.date_range("2024", periods=ROWS)).dt.date,
    ],
)
def test_times_are_no_targets(cells: Any) -> None:
    with pytest.raises(DataError, match="'y'") as caught:
        infer(pd.DataFrame({"y": cells}), target="y")
    assert caught.value.remedy


# ---- overrides ----------------------------------------------------------------------------------


def test_an_unknown_column_is_named_with_its_nearest() -> None:
    frame = pd.DataFrame({"income": [1, 2], "age": [3, 4]})
    with pytest.raises(ConfigError, match="'incme'") as caught:
        infer(frame, target=None, overrides={"incme": ColumnOverride(kind="numeric")})
    assert "'income'" in caught.value.remedy


@pytest.mark.parametrize(
    ("cells", "override", "expected"),
    [
        ([1, 2, 3] * 50, {"kind": "numeric"}, "numeric"),
        ([1, 2, 3] * 50, {"kind": "categorical"}, "categorical"),
        (RNG.integers(0, 90, ROWS), {"kind": "ordered"}, "ordered"),
        ([0, 1] * 50, {"kind": "boolean"}, "boolean"),
        (np.arange(ROWS), {"kind": "numeric"}, "numeric"),
        (["g1", "g2"] * 50, {"kind": "identifier"}, "identifier"),
        ([1, 2, 3] * 50, {"kind": "identifier"}, "identifier"),
        ([1.0, np.nan, 3.0] * 50, {"kind": "identifier"}, "identifier"),
        (pd.Categorical(["g1", "g2"] * 50), {"kind": "identifier"}, "identifier"),
        (pd.date_range("2020", periods=50), {"kind": "identifier"}, "text"),
        (["x", "y"] * 50, {"kind": "text"}, "text"),
        ([True, False] * 50, {"kind": "categorical"}, "categorical"),
        (pd.date_range("2020", periods=5).repeat(9), {"kind": "categorical"}, "categorical"),
        (["2020-01-01", "2020-02-01"] * 50, {"kind": "categorical"}, "categorical"),
        (["x"] * 40 + ["y"], {"kind": "constant"}, "constant"),
        ([None] * 40, {"kind": "numeric"}, "constant"),
    ],
)
def test_kinds_can_be_overridden(cells: Any, override: dict[str, Any], expected: str) -> None:
    assert kind(cells, **override) == expected


def test_fields_can_be_overridden() -> None:
    cells = np.round(RNG.normal(size=ROWS), 3)
    found = column(cells, low=-10, high=10, decimals=1, spikes=(0.5, 99))
    assert isinstance(found, Numeric)
    assert (found.low, found.high, found.decimals, found.spikes) == (-10, 10, 1, (0.5,))
    grades = column(["low", "high", "mid"] * 20, kind="ordered", values=["low", "mid", "high"])
    assert isinstance(grades, Ordered)
    assert grades.values == ("low", "mid", "high")
    wall = pd.Series(pd.date_range("2024-06-01", periods=ROWS, freq="h"))
    zoned = column(wall, zone="Europe/Berlin")
    assert isinstance(zoned, Datetime)
    assert zoned.low == dt.datetime(2024, 6, 1, 2, tzinfo=dt.UTC).timestamp()


def test_declared_values_that_are_rare_stay_protected() -> None:
    found = column(["a"] * 20 + ["z"] * 4, kind="ordered", values=["a", "never", "z"])
    assert isinstance(found, Ordered)
    assert found.values == ("a",)


def test_codes_that_are_all_rare_are_numbers() -> None:
    found = column(np.arange(40), kind="ordered", values=tuple(range(40)))
    assert isinstance(found, Numeric)
    assert "no code" in found.note
    assert kind(["a", "b", "c"], kind="categorical") == "categorical"


def test_the_zone_of_a_column_may_be_repeated() -> None:
    zoned = pd.date_range("2020", periods=50, tz="UTC")
    assert column(zoned, zone="UTC") == column(zoned)


@pytest.mark.parametrize(
    ("cells", "override", "word"),
    [
        (["a", "b"] * 50, {"kind": "numeric"}, "text"),
        ([1, 2] * 50, {"kind": "datetime"}, "integer"),
        ([1, 2] * 50, {"kind": "boolean"}, "0 and 1"),
        ([1, 2] * 50, {"kind": "timedelta"}, "integer"),
        ([1, 2] * 50, {"kind": "text"}, "integer"),
        ([True, False] * 50, {"kind": "identifier"}, "boolean"),
        (["a", "b"] * 50, {"kind": "datetime"}, "format"),
        (["2024-01-01"] * 30 + ["soon"], {"format": "%Y-%m-%d"}, "1 of the 31"),
        (["a", "b"] * 50, {"kind": "categorical", "low": 1}, "'low'"),
        (RNG.normal(size=ROWS), {"values": (1, 2)}, "'values'"),
        (RNG.normal(size=ROWS), {"low": 5, "high": -5}, "bounds"),
        (["a", "b"] * 50, {"kind": "ordered", "values": ["a", "c"]}, "'b'"),
        (pd.date_range("2020", periods=50), {"format": "%Y"}, "format"),
        (pd.date_range("2020", periods=50, tz="UTC"), {"zone": "Asia/Tokyo"}, "zone"),
        (RNG.normal(size=ROWS), {"kind": "constant"}, "constant"),
        (pd.date_range("2020", periods=50), {"zone": "Mars/Base"}, "Mars/Base"),
    ],
)
def test_overrides_that_do_not_fit(cells: Any, override: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match="'x'") as caught:
        column(cells, **override)
    assert word in caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize("kind", ["datetime", "timedelta", "identifier", "text", "constant"])
def test_a_target_cannot_be_overridden_to_what_nobody_predicts(kind: Any) -> None:
    frame = pd.DataFrame({"y": [0, 1] * 50})
    with pytest.raises(ConfigError, match="'y'"):
        infer(frame, target="y", overrides={"y": ColumnOverride(kind=kind)})


def test_a_target_of_many_numbers_can_be_declared() -> None:
    frame = pd.DataFrame({"y": list(range(100)) * 10})
    declared = {"y": ColumnOverride(kind="categorical")}
    assert infer(frame, target="y", overrides=declared)["y"].kind == "categorical"


@pytest.mark.parametrize("cells", [[0, 1] * 50, [1.5, 2.5] * 50, [True, False] * 50])
def test_a_target_of_few_numbers_can_be_declared_a_quantity(cells: Any) -> None:
    frame = pd.DataFrame({"y": cells})
    declared = {"y": ColumnOverride(kind="numeric", low=-3, high=3)}
    found = infer(frame, target="y", overrides=declared)["y"]
    assert isinstance(found, Numeric)
    assert (found.low, found.high) == (-3, 3)
    with pytest.raises(ConfigError, match="'y' holds text"):
        infer(pd.DataFrame({"y": ["1", "2"] * 50}), target="y", overrides=declared)


# ---- invariance and speed -----------------------------------------------------------------------


def test_the_order_of_rows_does_not_matter() -> None:
    frame = pd.DataFrame(
        {
            "a": RNG.choice(list("abcdef"), ROWS),
            "n": RNG.normal(size=ROWS),
            "i": RNG.integers(0, 12, ROWS),
            "k": [f"{i:06d}" for i in RNG.permutation(10**5)[:ROWS]],
        }
    )
    shuffled = frame.iloc[RNG.permutation(ROWS)]
    assert infer(frame, target="a") == infer(shuffled, target="a")


def test_fifty_thousand_categories_and_many_rows_are_quick() -> None:
    rows = 300_000
    codes = np.random.default_rng(0).integers(0, 50_000, rows)
    frame = pd.DataFrame(
        {
            "category": np.array([f"value {i}" for i in range(50_000)], dtype=object)[codes],
            "key": [f"{i:08x}" for i in range(rows)],
            "real": np.random.default_rng(0).normal(size=rows),
            "y": codes % 2,
        }
    )
    started = time.process_time()
    schema = infer(frame, target="y")
    assert time.process_time() - started < 5
    found = schema["category"]
    assert isinstance(found, Categorical)
    assert len(found.values) > 30_000
    assert schema["key"].kind == "identifier"


def test_free_text_is_text() -> None:
    assert isinstance(column([f"note {'so ' * (i % 5)} {i}" for i in range(ROWS)]), Text)


def test_very_many_repeated_texts_are_categories_and_numbers_are_numbers() -> None:
    rng = np.random.default_rng(0)
    number = rng.integers(0, 4_000, 60_000)
    text = pd.Series(number).map("w{:06}".format)
    frame = pd.DataFrame({"text": text, "category": text.astype("category"), "number": number})
    schema = infer(frame, target=None)
    assert [column.kind for column in schema.columns] == ["categorical", "categorical", "numeric"]
    assert len(schema["text"].values) > 3_900  # type: ignore[union-attr]
    declared = infer(frame, target=None, overrides={"number": ColumnOverride(kind="categorical")})
    assert len(declared["number"].values) > 3_900  # type: ignore[union-attr]
