"""report.json: what comes back, and what is refused in which words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from synthgen.errors import DataError
from synthgen.report import load
from synthgen.results import SCHEMA_VERSION, Report


def test_a_report_comes_back_as_it_was(tmp_path: Path, make_report: Callable[..., Report]) -> None:
    made = make_report()
    path = tmp_path / "report.json"
    path.write_text(made.model_dump_json(), "utf-8")
    assert load(path) == made


def test_numbers_that_json_lacks_come_back(
    tmp_path: Path, make_report: Callable[..., Report]
) -> None:
    made = make_report()
    odd = made.scores[0].model_copy(update={"value": math.inf, "reference": math.nan})
    path = tmp_path / "report.json"
    path.write_text(made.model_copy(update={"scores": [odd]}).model_dump_json(), "utf-8")
    json.loads(path.read_text("utf-8"), parse_constant=pytest.fail)
    (score,) = load(path).scores
    assert score.value == math.inf
    assert score.reference is not None
    assert math.isnan(score.reference)


def refused(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(path) in caught.value.cause
    assert caught.value.remedy
    assert caught.value.exit_code == 3
    return caught.value


def test_a_newer_version_is_refused(tmp_path: Path, make_report: Callable[..., Report]) -> None:
    path = tmp_path / "report.json"
    newer = make_report().model_dump(mode="json") | {"schema_version": SCHEMA_VERSION + 1, "x": 1}
    path.write_text(json.dumps(newer), "utf-8")
    error = refused(path)
    assert f"schema version {SCHEMA_VERSION + 1}" in error.cause
    assert "newer synthgen" in error.remedy


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b'{"schema_version": 1,\n "title": ', "not JSON at line 2"),
        (b"", "not JSON at line 1"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[1, 2]", "the whole file"),
        (b'{"schema_version": 1}', "title"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    assert cause in refused(path).cause


def test_a_wrong_value_is_named_by_its_place_only(
    tmp_path: Path, make_report: Callable[..., Report]
) -> None:
    wrong = make_report().model_dump(mode="json")
    wrong["verdict"]["resamples"] = "somebody's name"
    path = tmp_path / "report.json"
    path.write_text(json.dumps(wrong), "utf-8")
    error = refused(path)
    assert "verdict.resamples" in error.cause
    assert "somebody" not in str(error)


def test_absence_is_named(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "report.json").cause
    assert "cannot be read" in refused(tmp_path).cause
