"""Two runs side by side: what is the same is found out before anything is called better."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from synthgen import config as configuration
from synthgen.cli import app
from synthgen.errors import ConfigError, DataError
from synthgen.generators.ctgan import CTGAN
from synthgen.pipeline import compare as comparing
from synthgen.pipeline.compare import Alike, compare
from synthgen.pipeline.compare_text import text
from synthgen.results import Difference, Interval, Report, Score
from synthgen.runs import Run, dump, write_atomic
from tests.pipeline.bench_cells import report

HASHES = {"split/train.parquet": "a" * 64, "split/test.parquet": "b" * 64}
Finished = Callable[..., Path]


def score(metric: str, goal: Any, value: float, reference: float | None) -> Score:
    return Score(
        metric=metric,
        title=metric.capitalize(),
        pillar="fidelity",
        goal=goal,
        value=value,
        reference=reference,
    )


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Finished:
    """``finished("a", gains={...}, scores=[...], notices=[...], decide={...})``; such a run has
    no job results to pair."""
    monkeypatch.setattr(comparing, "paired", lambda a, b: ())

    def make(
        name: str,
        *,
        gains: dict[str, float] | None = None,
        scores: list[Score] | None = None,
        notices: list[str] | None = None,
        hashes: dict[str, str] | None = None,
        source_sha256: str | None = "c" * 64,
        **settings: Any,
    ) -> Path:
        base: dict[str, Any] = {"data": {"source": "people.csv", "target": "sick"}}
        config = configuration.build(configuration.merge(base, settings))
        made: Report = report(
            config,
            gains or {"class_weights": 0.01, "ctgan": -0.02},
            hashes=HASHES if hashes is None else hashes,
            source_sha256=source_sha256,
        )
        made = made.model_copy(update={"scores": scores or [], "notices": notices or []})
        run = Run(tmp_path / name)
        # What makes a folder a run that is finished.
        write_atomic(run / ".stages/split.json", dump({"key": "", "files": {}, "seconds": 0.0}))
        write_atomic(run / "report.json", made.model_dump_json())
        run.finish({})
        return run.path

    return make


def test_the_same_split_and_settings_are_the_same_resamples(finished: Finished) -> None:
    found = compare(finished("a"), finished("b", generator={"name": "tvae"}))
    assert found.alike == Alike(data=True, split=True, resamples=True, why_not=[])
    assert (found.a.generator, found.b.generator) == ("ctgan", "tvae")
    assert found.a.decision == "do-not-augment"
    assert "Same data, same split, same resamples" in text(found)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"seed": 1}, ["seed"]),
        ({"decide": {"resamples": 4}}, ["decide.resamples"]),
        ({"decide": {"inner_share": 0.3}}, ["decide.inner_share"]),
        ({"decide": {"max_rows": 50}}, ["decide.max_rows"]),
        ({"data": {"group": "town"}}, ["data.group"]),
        ({"data": {"time": "since"}}, ["data.time"]),
        ({"hashes": {**HASHES, "split/test.parquet": "d" * 64}}, ["the split"]),
        ({"hashes": {}}, ["the split"]),
        ({"decide": {"ratios": [0.5]}}, []),
        ({"decide": {"minimum_effect": 0.1}}, []),
        ({"sample": {"ratio": 0.5}}, []),
    ],
)
def test_what_makes_other_resamples_is_named(
    finished: Finished, settings: dict[str, Any], why: list[str]
) -> None:
    found = compare(finished("a"), finished("b", **settings))
    assert found.alike.why_not == why
    assert found.alike.resamples is (not why)
    assert found.alike.data is True
    for name in why:
        assert name in text(found)


def test_two_runs_without_hashes_of_a_split_share_none(finished: Finished) -> None:
    found = compare(finished("a", hashes={}), finished("b", hashes={}))
    assert (found.alike.split, found.alike.resamples) == (False, False)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({}, {"source_sha256": "d" * 64}, False),
        ({}, {"source_sha256": None}, False),
        ({}, {"data": {"target": "town"}}, False),
        ({"source_sha256": None}, {"source_sha256": None, "data": {"source": "x"}}, False),
        (
            {"source_sha256": None, "data": {"source": "sklearn:wine"}},
            {"source_sha256": None, "data": {"source": "sklearn:wine"}},
            True,
        ),
        (
            {"source_sha256": None, "data": {"source": ""}},
            {"source_sha256": None, "data": {"source": ""}},
            None,
        ),
    ],
)
def test_whether_it_is_the_same_data(
    finished: Finished, first: dict[str, Any], second: dict[str, Any], same: bool | None
) -> None:
    found = compare(finished("a", hashes={}, **first), finished("b", hashes={}, **second))
    assert found.alike.data is same
    assert ("NOT THE SAME DATA" in text(found)) is (same is False)


def test_which_score_is_better_goes_by_its_goal(finished: Finished) -> None:
    first = [
        score("up", "max", 0.9, 0.95),
        score("down", "min", 0.2, 0.1),
        score("near", "target", 0.52, 0.50),
        score("same", "max", 0.3, None),
        score("lost", "max", float("nan"), 0.5),
        score("aimless", "target", 0.5, None),
        score("only", "max", 1.0, 1.0),
    ]
    second = [
        score("up", "max", 0.8, 0.99),
        score("down", "min", 0.1, 0.1),
        score("near", "target", 0.47, 0.48),
        score("same", "max", 0.1 + 0.2, None),
        score("lost", "max", 0.5, 0.5),
        score("aimless", "target", 0.5, None),
    ]
    found = compare(finished("a", scores=first), finished("b", scores=second))
    assert [(one.metric, one.better) for one in found.scores] == [
        ("up", "a"),
        ("down", "b"),
        ("near", "b"),
        ("same", "equal"),
        ("lost", None),
        ("aimless", None),
    ]
    line = next(one for one in text(found).splitlines() if one.startswith("Down"))
    assert line.split() == ["Down", "0.200", "0.100", "0.100", "0.100", "B"]
    for changed in ({"data": {"target": "town"}}, {"hashes": {}, "source_sha256": "d" * 64}):
        others = compare(finished("c", scores=first), finished("d", scores=second, **changed))
        assert {one.better for one in others.scores} == {None}


def test_every_arm_stands_beside_the_other(finished: Finished) -> None:
    first = {"class_weights": 0.01, "ctgan": -0.02, "ctgan-filtered": 0.005}
    second = {"class_weights": 0.02, "tvae": 0.03}
    found = compare(finished("a", gains=first), finished("b", gains=second))
    assert [pair.arm for pair in found.arms] == ["tvae", "class_weights", "ctgan-filtered", "ctgan"]
    both = {pair.arm: pair for pair in found.arms}
    assert both["tvae"].a is None
    assert both["ctgan"].b is None
    assert both["class_weights"].a is not None
    assert both["class_weights"].a.mean == 0.01
    assert both["class_weights"].b is not None
    assert both["class_weights"].b.interval == Interval(low=0.01, high=0.03)
    lines = [" ".join(line.split()) for line in text(found).splitlines()]
    assert "class weights +1.0 +0.0 to +2.0 +2.0 +1.0 to +3.0" in [
        line.replace(" 0.0 to", " +0.0 to") for line in lines
    ]
    assert "tvae - +3.0 +2.0 to +4.0" in lines


def test_what_differs_in_the_configuration(finished: Finished) -> None:
    same = compare(finished("a"), finished("b"))
    assert same.settings == []
    assert "The settings are the same." in text(same)
    found = compare(
        finished("c", generator={"name": "ctgan", "epochs": 5}, gates={"violations": {"max": 0}}),
        finished("d", decide={"ratios": [0.5]}, data={"columns": {"a.b": {"kind": "text"}}}),
    )
    differing = {one.name: (one.a, one.b) for one in found.settings}
    assert differing["generator.epochs"] == (5, CTGAN().epochs)
    assert differing["decide.ratios"][1] == [0.5]
    assert differing["gates.violations.max"] == (0.0, None)
    assert differing['data.columns."a.b".kind'] == (None, "text")
    assert "seed" not in differing
    assert "generator.epochs" in text(found)


def test_notices_of_one_run_alone(finished: Finished) -> None:
    found = compare(
        finished("a", notices=["both", "mine\x1b[31m"]), finished("b", notices=["both", "yours"])
    )
    assert (found.notices_a, found.notices_b) == (["mine\x1b[31m"], ["yours"])
    said = text(found)
    assert "\x1b" not in said
    assert "Notices of B alone\n- yours" in said
    assert "both" not in said


def test_pairs_are_asked_for_on_the_same_resamples_only(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Difference(
        arm="tvae",
        learner="best",
        metric="roc_auc",
        baseline=0.8,
        mean=0.021,
        interval=Interval(low=0.011, high=0.031),
        p_value=0.01,
        resamples=5,
    )
    monkeypatch.setattr(comparing, "paired", lambda a, b: (one, None))
    first, second, third = finished("a"), finished("b"), finished("c", seed=1)
    assert compare(first, second).paired == [one]
    lines = [" ".join(line.split()) for line in text(compare(first, second)).splitlines()]
    assert "ROC-AUC (points) +2.1 +1.1 to +3.1 better" in lines
    assert compare(first, third).paired == []


def test_what_is_no_finished_run_is_refused(finished: Finished, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a run"):
        compare(finished("a"), tmp_path / "none")
    half = finished("half")
    (half / "manifest.json").unlink()
    with pytest.raises(ConfigError, match="not finished"):
        compare(half, half)
    broken = finished("broken")
    (broken / "report.json").write_text("{")
    with pytest.raises(DataError, match="not JSON"):
        compare(finished("c"), broken)


def test_the_command_prints_the_text_or_the_whole_comparison(finished: Finished) -> None:
    paths = finished("a"), finished("b", seed=1)
    words = ["compare", *map(str, paths)]
    ended = CliRunner().invoke(app, words)
    assert (ended.exit_code, ended.stdout) == (0, text(compare(*paths)) + "\n")
    result = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert comparing.Comparison.model_validate(result) == compare(*paths)
    assert result["alike"]["why_not"] == ["seed"]
