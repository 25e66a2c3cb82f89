"""Schemas to SDV's metadata and overrides back; SDV itself is the judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.data.infer import infer
from synthgen.data.overrides import ColumnOverride
from synthgen.data.read import read
from synthgen.data.sdv_metadata import from_sdv, to_sdv
from synthgen.errors import ConfigError

ROWS = 120


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "key": [f"{i:04d}-{'ABC'[i % 3]}" for i in rng.permutation(ROWS)],
            "row": np.arange(ROWS),
            "real": rng.normal(size=ROWS),
            "money": np.round(rng.normal(size=ROWS), 2),
            "whole": rng.integers(0, 10**6, ROWS),
            "word": rng.choice(["red", "green"], ROWS),
            "grade": pd.Categorical(["lo", "hi"] * 60, ["lo", "hi"], ordered=True),
            "flag": rng.random(ROWS) < 0.5,
            "when": pd.date_range("2024", periods=ROWS, freq="h"),
            "day": pd.Series(pd.date_range("2024", periods=ROWS)).dt.strftime("%d.%m.%Y"),
            "note": [f"It was {i} and so on and so forth, and then some" for i in range(ROWS)],
            "one": ["same"] * ROWS,
            "y": ["no", "yes"] * 60,
        }
    )


def test_sdv_takes_the_metadata_for_the_table(tmp_path: Path) -> None:
    metadata_type = pytest.importorskip("sdv.metadata").Metadata
    written = to_sdv(infer(frame(), target="y"))
    (tmp_path / "metadata.json").write_text(json.dumps(written))
    metadata = metadata_type.load_from_json(tmp_path / "metadata.json")
    metadata.validate()
    metadata.validate_table(frame())
    assert metadata.to_dict() == written


def test_overrides_from_the_metadata_give_the_same_schema() -> None:
    schema = infer(frame(), target="y")
    overrides = from_sdv(to_sdv(schema))
    again = infer(frame(), target="y", overrides={**overrides, "one": ColumnOverride()})
    assert again == schema


def test_a_quantity_as_the_target_is_numerical() -> None:
    schema = infer(frame(), target="money")
    written = to_sdv(schema)
    assert written["tables"]["table"]["columns"]["money"] == {
        "sdtype": "numerical",
        "decimal_places": 2,
    }
    overrides = {**from_sdv(written), "one": ColumnOverride()}
    assert infer(frame(), target="money", overrides=overrides) == schema


def test_regular_expressions_describe_the_keys() -> None:
    columns = to_sdv(infer(frame(), target="y"))["tables"]["table"]["columns"]
    assert columns["key"]["regex_format"] == r"0[0-9]{3}\-[A-Z]"
    assert frame()["key"].str.fullmatch(columns["key"]["regex_format"]).all()
    assert columns["row"] == {"sdtype": "id"}


def test_no_value_is_written(shared_data: Path) -> None:
    table = read(shared_data / "tabular" / "adult-train.csv").frame
    text = json.dumps(to_sdv(infer(table, target="income")))
    for value in ("United-States", "Private", ">50K", "99999", "90"):
        assert value not in text


def test_what_sdv_detects_fits_the_table(shared_data: Path) -> None:
    metadata_type = pytest.importorskip("sdv.metadata").Metadata
    table = read(shared_data / "tabular" / "telco-churn.csv").frame.head(500)
    detected = metadata_type.detect_from_dataframes({"telco": table}).to_dict()
    schema = infer(table, target="Churn", overrides=from_sdv(detected))
    assert schema["customerID"].kind == "identifier"
    assert schema["SeniorCitizen"].kind == "ordered"
    assert schema["MonthlyCharges"].kind == "numeric"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"sdtype": "numerical", "range_min": 1}, {"kind": "numeric"}),
        ({"sdtype": "ordinal", "range_values": [1, 2]}, {"kind": "ordered", "values": (1, 2)}),
        ({"sdtype": "boolean"}, {"kind": "boolean"}),
        (
            {"sdtype": "datetime", "datetime_format": "%Y"},
            {"kind": "datetime", "format": "%Y"},
        ),
        ({"sdtype": "id", "regex_format": "[0-9]"}, {"kind": "identifier"}),
        ({"sdtype": "unknown"}, {"kind": "text"}),
        ({"sdtype": "unknown", "pii": False}, {}),
        ({"sdtype": "email"}, {"kind": "identifier"}),
        ({"sdtype": "city", "pii": False}, {}),
    ],
)
def test_kinds_from_sdv(column: dict[str, Any], expected: dict[str, Any]) -> None:
    override = ColumnOverride(**expected)
    second = {"tables": {"t": {"columns": {"x": column}}}, "METADATA_SPEC_VERSION": "V2"}
    first = {"columns": {"x": column}, "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1"}
    assert from_sdv(second) == from_sdv(first) == {"x": override}


@pytest.mark.parametrize(
    "metadata",
    [
        {"tables": {"a": {"columns": {}}, "b": {"columns": {}}}},
        {"tables": {}},
        {"columns": {"x": {}}},
        {"columns": ["x"]},
        {"tables": {"a": {}}},
        {"tables": ["a"]},
        {"columns": {"x": {"sdtype": 1}}},
        {},
        [],
        5,
        None,
    ],
)
def test_what_is_no_metadata_of_one_table(metadata: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        from_sdv(metadata)
    assert caught.value.remedy
