"""Whole runs: numeric targets, subgroups, leaks, test files, early ends, and recipes."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen import pipeline
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.verdict import conclude
from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.errors import ConfigError, DataError
from synthgen.generators.resample import Resample
from synthgen.pipeline import stages
from synthgen.pipeline.compare import paired
from synthgen.pipeline.tables import contents
from synthgen.pipeline.tables.recipes import draw_recipe
from synthgen.report import load, render
from synthgen.results import Recipe
from synthgen.runs import Run
from synthgen.training.context import Context
from tests.benchmark.worlds import PLAIN, World, fake, measure
from tests.pipeline.tables import people, small

FAST = {"name": "resample"}
"""Nothing to train."""


def _quick(**decide: object) -> dict[str, object]:
    return {"resamples": 3, "ratios": [1.0], "learners": ["logistic"], **decide}


# ---- numeric targets --------------------------------------------------------------------------


def _houses(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(100, 20, rows), "town": rng.choice(["A", "B"], rows)})
    frame["price"] = 3.0 * frame["size"] + 50 * (frame["town"] == "A") + rng.normal(0, 20, rows)
    return frame


def test_a_numeric_target_goes_all_the_way(tmp_path: Path) -> None:
    config = small(
        data={"target": "price"},
        decide={"resamples": 3, "ratios": [1.0], "learners": ["ridge"], "filters": ["teacher"]},
        sample={"ratio": 1.0},
    )
    run = pipeline.augment(config, tmp_path / "run", data=_houses())
    report = load(run / "report.json")
    assert report.verdict.metric == "r2"
    assert {d.arm for d in report.differences} >= {"density_weights", "smote", "placebo", "ctgan"}
    assert {d.metric for d in report.differences} == {"r2", "rmse", "mae"}
    assert report.by_class == []
    assert len(contents.augmented(run)) == 2 * len(contents.training_rows(run))
    assert "R²" in (run / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"sample": {"ratio": "balanced"}}, "no classes to balance"),
        ({"decide": _quick(metric="roc_auc")}, "'roc_auc' is not for a numeric target"),
        ({"decide": _quick(arms=["nothing", "threshold"])}, "'threshold' is not for a numeric"),
        ({"decide": _quick(learners=["logistic"])}, "logistic"),
    ],
)
def test_what_does_not_fit_a_numeric_target_is_refused(
    settings: dict[str, object], cause: str, tmp_path: Path
) -> None:
    config = small(data={"target": "price"}, **settings)
    with pytest.raises(ConfigError, match=cause):
        pipeline.augment(config, tmp_path / "run", data=_houses())
    assert not (tmp_path / "run").exists()


# ---- subgroups, leaks, test files -------------------------------------------------------------


def test_subgroups_and_classes_are_in_the_report(tmp_path: Path) -> None:
    config = small(
        data={"target": "sick", "subgroups": ["town", "age"]}, generator=FAST, decide=_quick()
    )
    run = pipeline.augment(config, tmp_path / "run", data=people())
    report = load(run / "report.json")
    parts = {d.part for d in report.by_subgroup}
    assert {"town = Bern", "town = Zürich"} <= parts
    assert sum("age" in str(part) for part in parts) == 5
    assert [d.part for d in report.by_class][:1] == ["no"]  # the order of codes: most frequent
    assert any(entry.startswith("town = <b>Rome</b>") for entry in report.verdict.untested)
    page = (run / "report.html").read_text("utf-8")
    assert html.escape("town = <b>Rome</b>") in page
    assert "<b>Rome</b>" not in page


def test_a_subgroup_column_that_is_not_there_is_refused_before_any_work(tmp_path: Path) -> None:
    config = small(data={"target": "sick", "subgroups": ["twon"]}, generator=FAST)
    with pytest.raises(DataError, match="no column 'twon'"):
        pipeline.augment(config, tmp_path / "run", data=people())


def test_a_column_that_gives_the_target_away_is_named_in_the_verdict(tmp_path: Path) -> None:
    frame = people()
    frame["ward"] = np.where(frame["sick"] == "yes", "w1", "w2")
    config = small(generator=FAST, decide=_quick())
    run = pipeline.augment(config, tmp_path / "run", data=frame)
    assert "'ward'" in stages.verdict(run).reasons[0]
    assert any("'ward'" in notice for notice in load(run / "report.json").notices)


def test_a_given_test_file_is_scored_over_seeds_and_known_rows_are_named(tmp_path: Path) -> None:
    frame = people(600)
    test = pd.concat([frame.iloc[400:], frame.iloc[:60]])
    test.to_parquet(tmp_path / "test.parquet")
    config = small(
        data={"target": "sick", "test": str(tmp_path / "test.parquet")},
        generator=FAST,
        decide=_quick(),
        budget="quick",
    )
    run = pipeline.augment(config, tmp_path / "run", data=frame.iloc[:400].reset_index(drop=True))
    report = load(run / "report.json")
    assert {(s.metric, s.seeds, s.rows) for s in report.sealed} == {
        ("roc_auc", 3, 260),
        ("balanced_accuracy", 3, 260),
        ("log_loss", 3, 260),
    }
    assert all(s.interval.low <= s.mean <= s.interval.high for s in report.sealed)
    assert "60 of 260 test rows stand among the training rows" in report.verdict.reasons[0]


# ---- an early end -----------------------------------------------------------------------------


def test_a_run_out_of_time_concludes_from_what_it_has(tmp_path: Path) -> None:
    config = small(generator=FAST, decide=_quick(time_limit=1e-6))
    run = pipeline.augment(config, tmp_path / "run", data=people())
    answer = stages.verdict(run)
    assert (answer.decision, answer.resamples) == ("inconclusive", 0)
    assert any("3 of 3 resamples were not measured" in reason for reason in answer.reasons)
    assert (run / "report.html").is_file()


def test_an_interrupted_run_may_conclude_at_once_from_what_it_has(tmp_path: Path) -> None:
    def stop(event: pipeline.Event) -> None:
        if event.stage == "decide" and event.done == 4 * 4:
            raise KeyboardInterrupt

    config = small(generator=FAST, decide=_quick(resamples=6, drop_losers=False))
    with pytest.raises(KeyboardInterrupt):
        pipeline.augment(config, tmp_path / "run", data=people(), notify=stop)
    run = pipeline.resume(tmp_path / "run", now=True)
    answer = stages.verdict(run)
    assert 3 <= answer.resamples < 6
    assert any("of 6 resamples were not measured" in reason for reason in answer.reasons)
    assert Run(tmp_path / "run").finished


# ---- what is delivered ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [None, "density_ratio", "teacher", "boundary"])
def test_a_recipe_draws_as_many_rows_as_it_says(kind: str | None) -> None:
    frame = World(majority=0.7).frame(200, 0)
    train = Table(frame, infer(frame, target="y"))
    sampler = Resample().fit(train, Context())
    config = small(data={"target": "y"}, sample={"copies": "allow"})
    drawn, more = draw_recipe(sampler, train, Recipe(ratio=0.5, filter=kind), config)  # type: ignore[arg-type]
    assert len(drawn.rows) == 200
    chosen = sum(len(part.rows) for part in more) if more else 100
    assert chosen == pytest.approx(100, abs=1)
    drawn, more = draw_recipe(sampler, train, Recipe(ratio="balanced", filter=kind), config)  # type: ignore[arg-type]
    rare = pd.concat([part.rows.frame for part in more])
    assert len(rare) == 80
    assert set(rare["y"]) == {"class 1"}


# ---- bad generators are rejected, and the report says why -------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("memoriser", "repeats what is there"),
        ("noise", "is told from real rows"),
        ("class-ignorer", "loses the target"),
    ],
)
def test_a_bad_generator_is_rejected_and_the_report_says_why(
    name: str, why: str, tmp_path: Path
) -> None:
    world = World(columns=3, signal=1.5)
    settings = DecideSettings(
        resamples=6,
        learners=("logistic",),
        ratios=(1.0,),
        arms=("nothing", "placebo"),
        minimum_effect=0.01,
        **PLAIN,
    )
    results = measure(world.table(1500, 0), settings, {name: fake(name)})
    verdict = conclude(results, settings, generators=(name,))
    assert verdict.decision == "do-not-augment"
    assert any(why in reason for reason in verdict.reasons)
    run = pipeline.augment(small(generator=FAST, decide=_quick()), tmp_path / "run", data=people())
    page = render(load(run / "report.json").model_copy(update={"verdict": verdict}))
    assert why in page
    assert "Do not augment" in page


# ---- two runs ---------------------------------------------------------------------------------


def test_runs_on_the_same_resamples_are_paired(tmp_path: Path) -> None:
    runs = [
        pipeline.augment(
            small(generator={"name": name}, decide=_quick()), tmp_path / name, data=people()
        )
        for name in ("resample", "smote")
    ]
    (auc, *_rest) = paired(*runs)
    boards = [stages.comparison(run) for run in runs]
    first, second = (
        b.scores(n, "roc_auc") for b, n in zip(boards, ("resample", "smote"), strict=True)
    )
    assert auc is not None
    assert (auc.metric, auc.arm, auc.resamples) == ("roc_auc", "smote", 3)
    assert auc.mean == pytest.approx(np.mean([second[r] - first[r] for r in first]))
    same = [found for found in paired(runs[0], runs[0]) if found is not None]
    assert "balanced_accuracy" in [found.metric for found in same]
    assert {(found.mean, found.interval.low, found.interval.high) for found in same} == {(0, 0, 0)}
