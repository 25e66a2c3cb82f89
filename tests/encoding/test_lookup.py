"""From what a user writes to a code, and messages that help."""

from __future__ import annotations

import numpy as np
import pytest

from synthgen.data.schema import Boolean, Categorical, Numeric, Ordered, Schema, Value
from synthgen.encoding.lookup import listed_position
from synthgen.errors import ConfigError

BIG = 2**60 + 1

SCHEMA = Schema(
    columns=(
        Categorical(name="income", dtype="object", values=("<=50K", ">50K")),
        Categorical(name="grade", dtype="int64", values=(3, 1, 2)),
        Categorical(name="share", dtype="float64", values=(0.5, 1.0)),
        Categorical(name="mixed", dtype="object", values=("1", "01", "x_1", "nan")),
        Categorical(name="code", dtype="int64", values=(BIG, BIG + 1)),
        Ordered(name="size", dtype="category", values=("small", "medium", "large")),
        Boolean(name="member", dtype="bool"),
        Numeric(name="age", dtype="int64", integer=True, low=17, high=90),
    )
)


@pytest.mark.parametrize(
    ("column", "value", "position"),
    [
        ("income", ">50K", 1),
        ("income", " >50K ", 1),
        ("grade", 1, 1),
        ("grade", "2", 2),
        ("grade", 2.0, 2),
        ("grade", np.int64(3), 0),
        ("share", "0.5", 0),
        ("share", 1, 1),
        ("mixed", "1", 0),
        ("mixed", "01", 1),
        ("mixed", "nan", 3),
        ("code", str(BIG + 1), 1),
        ("size", "large", 2),
        ("member", True, 1),
        ("member", "false", 0),
        ("member", "True", 1),
        ("member", 0, 0),
    ],
)
def test_values_are_found_whatever_their_type(column: str, value: Value, position: int) -> None:
    assert listed_position(SCHEMA, column, value) == position


@pytest.mark.parametrize(
    ("column", "value", "cause", "remedy"),
    [
        ("incme", ">50K", "no column 'incme'", "'income'"),
        ("zzz", 1, "no column 'zzz'", "'income', 'grade', 'share', 'mixed', 'code', ..."),
        ("age", 30, "column 'age' is numeric", "discrete columns"),
        ("income", ">50k", "column 'income' has no value '>50k'", "'>50K'"),
        ("size", "medum", "no value 'medum'", "'medium'"),
        ("grade", 7, "no value 7", "'3', '1', '2'"),
        ("grade", "1_0", "no value '1_0'", "'1'"),
        ("mixed", 1, "could be any of '1', '01'", "type"),
        ("member", "yes", "no value 'yes'", "'False', 'True'"),
        ("share", float("nan"), "no value nan", "'0.5', '1.0'"),
    ],
)
def test_errors_name_what_comes_nearest(column: str, value: Value, cause: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as raised:
        listed_position(SCHEMA, column, value)
    assert cause in raised.value.cause
    assert remedy in f"{raised.value.cause} {raised.value.remedy}"
    assert "\n" not in raised.value.cause
    assert "\n" not in raised.value.remedy


def test_a_schema_without_discrete_columns_says_so() -> None:
    schema = Schema(columns=(SCHEMA["age"],))
    with pytest.raises(ConfigError, match="There are no such columns here"):
        listed_position(schema, "sex", "Female")
