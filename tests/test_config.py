"""The configuration: what it accepts, what it refuses, and how it says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from synthgen import config as configuration
from synthgen.config import assignment, build, commented, generators, merge, resolve
from synthgen.config.budget import TABLES
from synthgen.errors import ConfigError
from tests.conftest import ROOT

MINIMAL: dict[str, Any] = {"data": {"target": "y"}}


def _problem(settings: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        build(settings)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budgt": "quick"}, ("budgt", "did you mean budget")),
        ({"generator": {"name": "ctgan", "epoch": 3}}, ("generator.epoch", "epochs")),
        ({"generator": {"name": "ctgan", "pac": 5}}, ("generator.pac", "a setting of ctgan-paper")),
        ({"generator": {"name": "ctgen"}}, ("'ctgen'", "ctgan")),
        ({"generator": {"name": "ctgan", "epochs": "many"}}, ("generator.epochs", "many")),
        (
            {"generator": {"name": "auto", "candidates": ["arn", "smote"]}},
            ("generator.candidates.1", "smote", "leave it out"),
        ),
        (
            {"generator": {"name": "auto", "candidates": ["arn", "ctgen"]}},
            ("generator.candidates.1", "'ctgen'", "ctgan"),
        ),
        (
            {"generator": {"name": "auto", "candidates": ["arn", {"name": "tvae", "epoch": 3}]}},
            ("generator.candidates.1.epoch", "epochs"),
        ),
        ({"generator": {"name": "auto", "candidates": ["arn"]}}, ("generator.candidates", "2")),
        ({"runner": "slurm"}, ("runner", "'threads', 'dask' or 'ray'", "slurm")),
        ({"cluster": "tcp://here:8786"}, ("the runner is threads", "--set runner=dask")),
        ({"data": {}}, ("data.target", "--target")),
        ({"data": {"target": "y", "colums": {}}}, ("data.colums", "columns")),
        ({"decide": {"ratios": [0]}}, ("decide.ratios", "ratio")),
        ({"sample": {"ratio": -1.0}}, ("sample.ratio", "ratio")),
        ({"split": {"test_share": 1.5}}, ("split.test_share", "1.5")),
        ({"gates": {"column_shapes": {"mn": 3}}}, ("gates.column_shapes.mn", "min")),
        ({"seed": -1}, ("seed",)),
        (
            {"sample": {"ratio": 0.3}, "decide": {"ratios": [0.5, "balanced"]}},
            ("sample.ratio", "0.3", "decide.ratios"),
        ),
        (
            {"sample": {"ratio": "balanced"}, "decide": {"ratios": [1]}},
            ("sample.ratio", "balanced", "decide.ratios"),
        ),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, Any], words: tuple[str, ...]) -> None:
    message = _problem(MINIMAL | change)
    assert len(message.splitlines()) == 2
    for word in words:
        assert word in message


def test_further_problems_are_named() -> None:
    assert "(wrong as well: workers)" in _problem(MINIMAL | {"seed": -1, "workers": 0})


def test_yaml_round_trip(tmp_path: Path) -> None:
    config = build(
        MINIMAL
        | {
            "generator": {"name": "tvae", "epochs": 7},
            "sample": {"ratio": "balanced"},
            "data": {"target": "größe", "columns": {"a": {"kind": "ordered", "values": [1, 2]}}},
        }
    )
    configuration.save(config, tmp_path / "config.yaml")
    assert configuration.read(tmp_path / "config.yaml") == config


@pytest.mark.parametrize("generator", [g.model_fields["name"].default for g in generators()])
def test_the_commented_file_is_the_default_configuration(generator: str) -> None:
    text = commented(generator)
    settings = yaml.safe_load(text)
    settings["data"]["target"] = "y"
    assert build(settings) == build(MINIMAL | {"generator": {"name": generator}})
    assert text.count("# ") > 15


EXAMPLES = sorted(p for p in (ROOT / "configs").glob("*.yaml") if p.stem != "bench")
"""``bench.yaml`` is a file of another kind, read in its own tests."""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_the_examples_are_valid(path: Path) -> None:
    configuration.read(path)


def test_where_the_work_is_done_is_a_setting_that_no_file_holds(tmp_path: Path) -> None:
    config = build(MINIMAL | {"runner": "dask", "cluster": "tcp://here:8786", "workers": 3})
    assert (config.runner, config.cluster, config.workers) == ("dask", "tcp://here:8786", 3)
    configuration.save(config, tmp_path / "config.yaml")
    assert set(configuration.PLACE).isdisjoint(configuration.load(tmp_path / "config.yaml"))
    for kind in configuration.json_schema()["anyOf"]:
        assert set(configuration.PLACE) <= set(kind["properties"])
        assert kind["properties"]["runner"]["enum"] == ["threads", "dask", "ray"]
    assert "runner: threads" in commented("ctgan")


def test_the_json_schema_knows_every_generator() -> None:
    schema = json.dumps(configuration.json_schema())
    for generator in generators():
        assert f'"{generator.model_fields["name"].default}"' in schema


def test_merging_keeps_what_the_second_does_not_say() -> None:
    base = {"generator": {"name": "ctgan", "epochs": 5}, "data": {"target": "y"}}
    assert merge(base, {"generator": {"epochs": 6}})["generator"] == {"name": "ctgan", "epochs": 6}
    # Another generator does not inherit the first one's hyper-parameters.
    assert merge(base, {"generator": {"name": "tvae"}})["generator"] == {"name": "tvae"}
    assert base["generator"] == {"name": "ctgan", "epochs": 5}


def test_assignments_are_yaml() -> None:
    assert assignment("a.b=[1, 2]") == {"a": {"b": [1, 2]}}
    assert assignment("a=x=y") == {"a": "x=y"}
    for wrong in ("a.b", "=3", "a=[1"):
        with pytest.raises(ConfigError):
            assignment(wrong)


@pytest.mark.parametrize("quote", ['"', "'"])
def test_names_with_dots_are_quoted(quote: str) -> None:
    name = "default.payment = next.month"
    nested = assignment(f"data.columns.{quote}{name}{quote}.kind=categorical")
    config = build(merge({"data": {"target": "y"}}, nested))
    assert list(config.data.columns) == [name]
    assert config.data.columns[name].kind == "categorical"
    assert assignment(f"{quote}a.b{quote}=1") == {"a.b": 1}
    for wrong in (f"a.{quote}b=1", f"a.{quote}b{quote}c=1", "a..b=1"):
        with pytest.raises(ConfigError):
            assignment(wrong)


@pytest.mark.parametrize("path", ["default.payment.kind", "default.payment", "a.b.c.d.kind"])
def test_forgotten_quotes_are_explained(path: str) -> None:
    message = _problem(merge(MINIMAL, assignment(f"data.columns.{path}=text")))
    assert """--set 'data.columns."a.b".kind=text'""" in message


def test_a_wrong_setting_of_a_column_with_dots_is_named_in_quotes() -> None:
    message = _problem({"data": {"target": "y", "columns": {"a.b": {"kind": "colour"}}}})
    assert message.startswith('data.columns."a.b".kind: ')
    assert "--set" not in message


def test_the_budget_fills_only_what_is_unset() -> None:
    config = build(MINIMAL | {"budget": "quick", "decide": {"resamples": 7}})
    resolved = resolve(config, rows=10_000)
    assert resolved.decide.resamples == 7
    assert resolved.decide.ratios == TABLES["quick"].ratios
    generator = resolved.generator
    assert generator.name == "ctgan"
    assert generator.epochs == round(TABLES["quick"].steps / (10_000 // 500))
    fixed = build(MINIMAL | {"generator": {"name": "ctgan", "epochs": 2}})
    assert resolve(fixed, rows=10_000).generator.model_dump()["epochs"] == 2


@pytest.mark.parametrize("budget", TABLES)
def test_the_budget_decides_what_auto_tries_and_for_how_long(budget: configuration.Budget) -> None:
    config = build(MINIMAL | {"budget": budget, "generator": {"name": "auto", "draws": 2}})
    auto = resolve(config, rows=10_000).generator
    assert auto.name == "auto"
    assert auto.draws == 2
    assert [one.name for one in auto.candidates] == list(TABLES[budget].candidates)
    for one in auto.candidates:
        alone = build(MINIMAL | {"budget": budget, "generator": {"name": one.name}})
        assert one == resolve(alone, rows=10_000).generator


def test_the_users_candidates_are_kept_and_trained_as_the_budget_says() -> None:
    chosen = ["ctgan", {"name": "tvae", "epochs": 4}]
    config = build(
        MINIMAL | {"budget": "quick", "generator": {"name": "auto", "candidates": chosen}}
    )
    auto = resolve(config, rows=10_000).generator
    assert auto.name == "auto"
    assert [one.name for one in auto.candidates] == ["ctgan", "tvae"]
    assert [one.epochs for one in auto.candidates] == [60, 4]


@pytest.mark.parametrize("generator", ["ctgan", "auto"])
def test_resolving_twice_changes_nothing(generator: str, tmp_path: Path) -> None:
    config = build(MINIMAL | {"budget": "quick", "generator": {"name": generator}})
    resolved = resolve(config, rows=5_000)
    configuration.save(resolved, tmp_path / "config.yaml")
    assert resolve(configuration.read(tmp_path / "config.yaml"), rows=123) == resolved


def test_a_fixed_ratio_is_the_only_one_tried() -> None:
    resolved = resolve(build(MINIMAL | {"sample": {"ratio": 0.3}}), rows=1000)
    assert resolved.decide.ratios == (0.3,)


@pytest.mark.parametrize("ratio", [1, 0.3, "balanced"])
def test_a_fixed_ratio_is_the_only_one_tried_of_those_listed(
    ratio: float | str, tmp_path: Path
) -> None:
    listed = {"sample": {"ratio": ratio}, "decide": {"ratios": [0.3, 1.0, "balanced"]}}
    resolved = resolve(build(MINIMAL | listed), rows=1000)
    assert resolved.decide.ratios == (ratio,)
    configuration.save(resolved, tmp_path / "config.yaml")
    assert resolve(configuration.read(tmp_path / "config.yaml"), rows=10) == resolved


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"[1, 2]",
        b"5",
        b"null",
        b'"tables"',
        b"",
        b"{",
        b"\xff\xfe{",
        b"[" * 100_000,
        b"{}",
        b'{"tables": 5}',
        b'{"tables": null}',
        b'{"tables": []}',
        b'{"tables": {}}',
        b'{"tables": {"a": 1}}',
        b'{"tables": {"a": {"columns": {}}, "b": {"columns": {}}}}',
        b'{"columns": [["x", "y"]]}',
        b'{"columns": {"x": null}}',
        b'{"columns": {"x": {"sdtype": 5}}}',
        b'{"columns": {"x": {"sdtype": ["id"]}}}',
        b'{"columns": {"x": {"sdtype": "ordinal", "range_values": "low"}}}',
        b'{"columns": {"x": {"sdtype": "ordinal", "range_values": {"low": 1}}}}',
        b'{"columns": {"x": {"sdtype": "ordinal", "range_values": 3}}}',
        b'{"columns": {"x": {"sdtype": "datetime", "datetime_format": 5}}}',
    ],
)
def test_damaged_sdv_metadata_are_refused_with_their_path(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    path.write_bytes(content)
    config = build({"data": {"target": "y", "sdv_metadata": str(path)}})
    with pytest.raises(ConfigError) as caught:
        configuration.absorb_metadata(config)
    assert str(path) in caught.value.cause
    assert caught.value.remedy
    assert len(str(caught.value).splitlines()) == 2


def test_sdv_metadata_become_columns_and_the_users_win(tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps({"columns": {c: {"sdtype": "categorical"} for c in "ab"}}))
    data = {"target": "y", "sdv_metadata": str(path), "columns": {"b": {"kind": "text"}}}
    columns = configuration.absorb_metadata(build({"data": data})).data.columns
    assert {name: column.kind for name, column in columns.items()} == {
        "a": "categorical",
        "b": "text",
    }
