from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from synthgen.benchmark import learners, resamples
from synthgen.benchmark.arms import Arm, Generator, Sampler, Source, Treatment
from synthgen.benchmark.jobs import run_job
from synthgen.benchmark.learners import rows_of
from synthgen.benchmark.records import Job, JobResult, LearnerResult
from synthgen.benchmark.scoring import CLASSIFICATION, Asked, Predicted, score_all
from synthgen.benchmark.settings import DecideSettings, Ratio
from synthgen.data.infer import infer
from synthgen.data.schema import Value
from synthgen.data.table import Table
from synthgen.errors import ConfigError, MachineError, TrainingError
from synthgen.generators.resample import Resample
from synthgen.results import Recipe
from synthgen.training.context import Context
from tests.benchmark.worlds import QUICK, Fake, Stripes, World, fake, oracle

NOTHING = Arm(name="nothing", treatment="plain")
WEIGHTS = Arm(name="class_weights", treatment="balanced")
THRESHOLD = Arm(name="threshold", treatment="threshold")


def _gen(*treatments: Treatment, ratios: tuple[Ratio, ...] = (0.5, 1.0)) -> Source:
    """A generator with these arms, each named after what it does."""
    arms = tuple(Arm(name=name, treatment=name) for name in treatments or ("raw",))
    return Source(name="gen", arms=arms, ratios=ratios)


def _rows(*arms: Arm) -> Source:
    return Source(name="rows", arms=arms)


def _job(source: Source | None = None, resample: int = 0, seed: int = 0) -> Job:
    return Job(resample=resample, source=source or _gen(), seed=seed)


def _only(result: JobResult, arm: str = "raw") -> list[LearnerResult]:
    return next(one.learners for one in result.arms if one.arm == arm)


# ---- what a job measures ----------------------------------------------------------------------


def test_the_plain_arm_by_hand() -> None:
    table = World(gaps=0.1).table(200, 0)
    result = run_job(_job(_rows(NOTHING)), table, QUICK, None)
    parts = resamples.split(table, QUICK, seed=0, number=0, group=None, time=None, overrides={})
    seed = resamples.seed_of(0, 0, "learner")
    fitted = learners.fit("logistic", rows_of(parts.train), seed)
    test = rows_of(parts.test)
    found = Predicted.of(fitted.values(test))
    (only,) = _only(result, "nothing")
    assert only.scores == score_all("classification", test.labels, found, Asked(1))
    assert set(only.scores) == set(CLASSIFICATION)
    assert [(t.recipe, t.rows) for t in only.trials] == [(Recipe(), 0)]
    assert only.inner == only.trials[0].score
    hit = found.classes == test.labels
    assert {name: scores["recall"] for name, scores in only.classes.items()} == {
        f"class {k}": pytest.approx(hit[test.labels == k].mean()) for k in (0, 1)
    }
    assert only.subgroups == {}
    assert result.failures == []


def test_the_same_job_gives_the_same_bytes() -> None:
    world = World(gaps=0.1)
    settings = DecideSettings(resamples=3, ratios=(0.5, "balanced"))
    job = _job(_gen("raw", "filtered", "weighted", "mixed", ratios=settings.ratios), seed=11)
    first, second = (
        run_job(job, world.table(120, 0), settings, oracle(world)).model_dump_json()
        for _ in range(2)
    )
    assert first == second
    assert JobResult.model_validate_json(first).model_dump_json() == first


def test_the_generator_is_fitted_once_on_inner_rows_with_a_seed_of_the_resample() -> None:
    table = World().table(200, 0)
    generator = fake("memoriser")
    settings = QUICK.model_copy(update={"learners": ("logistic", "boosting")})
    for number in range(2):
        run_job(_job(resample=number), table, settings, generator)
    assert len(generator.seen) == 2
    for number, (seen, seed) in enumerate(generator.seen):
        parts = resamples.split(
            table, settings, seed=0, number=number, group=None, time=None, overrides={}
        )
        pd.testing.assert_frame_equal(seen.frame, parts.inner_train.frame)
        assert seed == resamples.seed_of(0, number, "fit")
    assert generator.seen[0][1] != generator.seen[1][1]


def test_the_ratio_is_the_best_on_inner_rows_and_of_equals_the_smallest() -> None:
    table = World().table(200, 0)
    source = _gen("raw", ratios=(2.0, 0.5, 1.0))
    (found,) = _only(run_job(_job(source), table, QUICK, fake("noise")))
    best = max(t.score for t in found.trials if t.score is not None)
    assert found.inner == best
    assert found.recipe in [t.recipe for t in found.trials if t.score == best]
    tried = [(t.recipe.ratio, t.rows) for t in found.trials]
    assert tried == [(2.0, 226), (0.5, 56), (1.0, 113)]
    assert found.recipe.ratio is not None
    assert found.rows == round(float(found.recipe.ratio) * 150)

    perfect = World(signal=50.0)
    (found,) = _only(run_job(_job(source), perfect.table(200, 0), QUICK, oracle(perfect)))
    assert {t.score for t in found.trials} == {1.0}
    assert found.recipe.ratio == 0.5


def test_weights_and_rows_change_what_is_learned() -> None:
    world = World(majority=0.85, signal=1.0)
    table = world.table(300, 0)
    plain = run_job(_job(_rows(NOTHING, WEIGHTS)), table, QUICK, None)
    added = run_job(_job(), table, QUICK, oracle(world))
    scores = [one.learners[0].scores for one in (*plain.arms, *added.arms)]
    assert len({found["log_loss"] for found in scores}) == 3
    assert scores[1]["balanced_accuracy"] > scores[0]["balanced_accuracy"]  # type: ignore[operator]


def test_more_than_two_classes() -> None:
    world = World(classes=4, majority=0.4, signal=2.0)
    settings = QUICK.model_copy(update={"learners": ("logistic", "forest", "boosting")})
    source = _gen("raw", "filtered", "weighted", "mixed", ratios=(1.0, "balanced"))
    settings = settings.model_copy(
        update={"filters": ("density_ratio", "teacher", "boundary"), "weights": (0.3,)}
    )
    result = run_job(_job(source), world.table(240, 0), settings, oracle(world))
    assert result.failures == []
    for arm in result.arms:
        assert [found.learner for found in arm.learners] == ["logistic", "forest", "boosting"]
    for found in _only(result):
        assert set(found.classes) == set(world.names)
        assert all(value is not None for value in found.scores.values())
        assert found.scores["roc_auc"] > 0.7  # type: ignore[operator]


def test_groups_and_times_reach_the_generator() -> None:
    frame = World().frame(300, 0)
    rng = np.random.default_rng(5)
    frame["who"] = rng.integers(0, 30, 300)
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.permutation(300), "h")
    table = Table(frame, infer(frame, target="y"))
    generator = fake("memoriser")
    run_job(_job(), table, QUICK, generator, group="who")
    run_job(_job(), table, QUICK, generator, time="when")
    (by_group, _), (by_time, _) = generator.seen
    inside = frame["who"].isin(by_group.frame["who"])
    assert inside.sum() == len(by_group)
    assert by_time.frame["when"].max() == frame["when"].sort_values().iloc[len(by_time) - 1]


# ---- honesty ----------------------------------------------------------------------------------


def test_canary_the_outer_test_rows_reach_no_fit_and_no_choice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same split, with everything but the labels of its test rows replaced."""
    table = World(gaps=0.1).table(240, 0)
    found: dict[bool, tuple[JobResult, Fake]] = {}
    calls: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    original = resamples.split_rows

    def recorded(frame: pd.DataFrame, **options: Any) -> Any:
        calls.append(original(frame, **options))
        return calls[-1]

    monkeypatch.setattr(resamples, "split_rows", recorded)
    settings = DecideSettings(ratios=(0.5, 1.0, "balanced"))
    treatments: tuple[Treatment, ...] = ("raw", "filtered", "weighted", "mixed")
    job = _job(_gen(*treatments, ratios=settings.ratios).model_copy(update={"candidate": True}))
    generator = fake("memoriser")
    found[False] = run_job(job, table, settings, generator), generator

    outer_test = calls[0][1]
    frame = table.frame.copy()
    rng = np.random.default_rng(0)
    for name in ("x0", "x1", "x2", "x3"):
        frame.loc[outer_test, name] = rng.normal(1e6, 1e5, len(outer_test))
    frame.loc[outer_test, "colour"] = "canary"
    answers = iter(calls)
    monkeypatch.setattr(resamples, "split_rows", lambda frame, **options: next(answers))
    generator = fake("memoriser")
    # The schema, too, is what the pipeline would have inferred from these training rows.
    changed = Table(frame, infer(frame, target="y"))
    found[True] = run_job(job, changed, settings, generator), generator

    (before, seen_before), (after, seen_after) = found[False], found[True]
    pd.testing.assert_frame_equal(seen_before.seen[0][0].frame, seen_after.seen[0][0].frame)
    assert seen_before.seen[0][0].schema == seen_after.seen[0][0].schema
    assert before.diagnosis == after.diagnosis
    for arm in treatments:
        for one, two in zip(_only(before, arm), _only(after, arm), strict=True):
            assert (one.trials, one.recipe, one.inner) == (two.trials, two.recipe, two.inner)
            assert one.scores != two.scores


def test_the_capped_rows_are_told() -> None:
    settings = QUICK.model_copy(update={"max_rows": 100})
    result = run_job(_job(_rows(NOTHING)), World().table(300, 0), settings, None)
    assert result.sizes is not None
    assert (result.sizes.available, result.sizes.used) == (300, 100)


# ---- failures ---------------------------------------------------------------------------------


@dataclass
class _Broken:
    """Fails as it is told: in ``fit``, or in ``sample``, or brings a share of the rows."""

    in_fit: Exception | None = None
    in_sample: Exception | None = None
    share: float = 1.0

    def fit(self, train: Table, context: Context) -> Sampler:
        if self.in_fit:
            raise self.in_fit
        self.train = train
        return self

    def sample(self, n: int, *, seed: int, where: Mapping[str, Value] | None = None) -> Table:
        if self.in_sample:
            raise self.in_sample
        rows = np.random.default_rng(seed).integers(0, len(self.train), int(n * self.share))
        return self.train.take(rows)


def _run(generator: Generator, settings: DecideSettings = QUICK) -> JobResult:
    return run_job(_job(), World().table(120, 0), settings, generator)


def test_a_failing_generator_is_recorded_with_its_cause() -> None:
    result = _run(_Broken(in_fit=TrainingError("the losses stayed NaN", "train less")))
    assert result.arms == []
    (failure,) = result.failures
    assert (failure.stage, failure.message) == (
        "generator",
        "TrainingError: the losses stayed NaN",
    )


def test_foreign_errors_are_recorded_without_their_text_which_may_quote_cells() -> None:
    secret = ValueError("could not convert string to float: 'J. Smith, 12 Elm Street'")
    for broken in (_Broken(in_fit=secret), _Broken(in_sample=secret)):
        result = _run(broken)
        assert "Smith" not in result.model_dump_json()
        assert "ValueError in test_jobs.py, line" in result.failures[0].message


def test_a_failing_draw_is_recorded_per_ratio_and_not_repeated_per_learner() -> None:
    settings = QUICK.model_copy(update={"learners": ("logistic", "boosting")})
    result = _run(_Broken(in_sample=TrainingError("no rows", "none")), settings)
    assert _only(result) == []
    assert [(f.stage, f.recipe) for f in result.failures] == [
        ("sample", Recipe(ratio=0.5)),
        ("sample", Recipe(ratio=1.0)),
    ]


@pytest.mark.parametrize(
    "error", [ConfigError("a", "b"), MachineError("a", "b"), OSError("disk"), MemoryError()]
)
def test_what_is_wrong_with_machine_or_configuration_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        _run(_Broken(in_fit=error))


def test_a_shortfall_is_used_and_told() -> None:
    result = _run(_Broken(share=0.5))
    (found,) = _only(result)
    shortfalls = [f for f in result.failures if f.stage == "shortfall"]
    assert {f.recipe.ratio for f in shortfalls if f.recipe} >= {0.5, 1.0}
    assert shortfalls[0].message == "inner part: 17 of 34 synthetic rows came"
    assert found.trials[0].rows == 17


def test_an_arm_that_brings_no_row_is_not_taken_for_the_plain_one() -> None:
    result = _run(_Broken(share=0.0))
    assert _only(result) == []
    assert {f.stage for f in result.failures} == {"shortfall"}


def test_a_failing_learner_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(rows: Any, seed: int) -> Any:
        raise ValueError("no")

    monkeypatch.setitem(learners.LEARNERS, "forest", refuse)
    settings = QUICK.model_copy(update={"learners": ("forest", "logistic")})
    result = run_job(_job(_rows(NOTHING)), World().table(120, 0), settings, None)
    assert [found.learner for found in _only(result, "nothing")] == ["logistic"]
    assert [(f.stage, f.learner) for f in result.failures] == [("learner", "forest")]


def test_too_few_rows_to_split_are_recorded() -> None:
    frame = World().frame(40, 0)
    frame["y"] = ["rare", "rare"] + ["common"] * 38
    table = Table(frame, infer(frame, target="y"))
    result = run_job(_job(_rows(NOTHING)), table, QUICK, None)
    assert (result.sizes, result.arms) == (None, [])
    assert result.failures[0].stage == "split"
    assert result.failures[0].message.startswith("DataError: ")


def test_all_sources_but_the_rows_need_a_generator() -> None:
    with pytest.raises(ValueError, match="all but 'rows' need a generator"):
        run_job(_job(), World().table(60, 0), QUICK, None)
    with pytest.raises(ValueError, match="all but 'rows' need a generator"):
        run_job(_job(_rows(NOTHING)), World().table(60, 0), QUICK, fake("noise"))


# ---- variants ---------------------------------------------------------------------------------


def test_filters_and_weights_are_tried_at_the_best_ratio_or_at_every_one() -> None:
    table = World().table(200, 0)
    tried = {"filters": ("teacher", "boundary"), "weights": (0.1, 0.5)}
    source = _gen("filtered", "weighted")
    for every in (False, True):
        settings = QUICK.model_copy(update={**tried, "every_ratio": every})
        result = run_job(_job(source), table, settings, oracle(World()))
        (filtered,), (weighted,) = _only(result, "filtered"), _only(result, "weighted")
        ratios = {t.recipe.ratio for t in filtered.trials}
        assert len(ratios) == (2 if every else 1)
        assert [t.recipe.filter for t in filtered.trials] == ["teacher", "boundary"] * len(ratios)
        assert [t.recipe.weight for t in weighted.trials] == [0.1, 0.5] * len(ratios)
        # Half of twice as many rows: the same number as without a filter.
        assert {t.rows for t in filtered.trials} <= {56, 113}


def test_the_mixture_builds_on_the_best_of_the_others() -> None:
    world = World(majority=0.8)
    settings = QUICK.model_copy(update={"metric": "balanced_accuracy", "weights": (0.3,)})
    result = run_job(
        _job(_gen("raw", "weighted", "mixed")), world.table(300, 0), settings, oracle(world)
    )
    (raw,), (weighted,), (mixed,) = (_only(result, a) for a in ("raw", "weighted", "mixed"))
    best = max([*raw.trials, *weighted.trials], key=lambda t: (t.score or 0, -t.rows))
    balanced, tuned = mixed.trials
    assert balanced.recipe == best.recipe.model_copy(update={"balanced": True})
    assert tuned.recipe.multipliers is not None
    assert tuned.recipe.model_copy(update={"multipliers": None}) == best.recipe


def test_a_mixture_tunes_no_threshold_that_the_metric_does_not_see() -> None:
    settings = QUICK.model_copy(update={"metric": "roc_auc"})
    result = run_job(_job(_gen("mixed")), World().table(200, 0), settings, oracle(World()))
    (mixed,) = _only(result, "mixed")
    assert [(t.recipe.balanced, t.recipe.multipliers) for t in mixed.trials] == [(True, None)]


def test_a_tuned_threshold_changes_the_classes_and_not_the_probabilities() -> None:
    world = World(majority=0.85, signal=1.0)
    result = run_job(_job(_rows(NOTHING, THRESHOLD)), world.table(400, 0), QUICK, None)
    (plain,), (tuned,) = _only(result, "nothing"), _only(result, "threshold")
    assert tuned.scores["roc_auc"] == plain.scores["roc_auc"]
    assert tuned.scores["log_loss"] == plain.scores["log_loss"]
    assert tuned.scores["balanced_accuracy"] > plain.scores["balanced_accuracy"]  # type: ignore[operator]
    low, high = tuned.recipe.multipliers  # type: ignore[misc]
    assert high > low  # the rare class is the second one


def test_the_inner_score_of_a_threshold_is_not_that_of_the_rows_it_was_tuned_on() -> None:
    """Labels that mean nothing: a threshold tuned on the rows themselves would seem to find
    something."""
    world = World(signal=0.0, majority=0.5)
    settings = QUICK.model_copy(update={"metric": "balanced_accuracy"})
    found = []
    for seed in range(20):
        result = run_job(_job(_rows(THRESHOLD)), world.table(120, seed), settings, None)
        found.append(_only(result, "threshold")[0].inner)
    assert abs(np.mean(found) - 0.5) < 0.05


def test_subgroups_are_scored_on_their_own_rows() -> None:
    world = World(signal=2.0)
    table = world.table(300, 0)
    result = run_job(_job(_rows(NOTHING)), table, QUICK, None, subgroups=["colour", "x0"])
    parts = resamples.split(table, QUICK, seed=0, number=0, group=None, time=None, overrides={})
    test = rows_of(parts.test)
    seed = resamples.seed_of(0, 0, "learner")
    predicted = Predicted.of(learners.fit("logistic", rows_of(parts.train), seed).values(test))
    (found,) = _only(result, "nothing")
    red = (parts.test.frame["colour"] == "red").to_numpy()
    counts = dict(result.subgroups)
    assert counts["colour = red"] == red.sum()
    expected = score_all("classification", test.labels[red], predicted.take(red), Asked(1))
    assert found.subgroups["colour = red"] == expected
    quartiles = [name for name in found.subgroups if "x0" in name]
    assert len(quartiles) == 4
    assert sum(counts[name] for name in quartiles) == len(test)


def test_the_learning_curve_is_of_nested_parts_and_rises() -> None:
    settings = QUICK.model_copy(update={"curve": (0.1, 0.5), "learners": ("boosting",)})
    result = run_job(_job(_rows(NOTHING)), Stripes(stripes=8).table(600, 0), settings, None)
    first, second = result.curve
    assert (first.rows, second.rows) == (46, 226)
    full = _only(result, "nothing")[0].scores["roc_auc"]
    assert full is not None
    assert first.score < second.score <= full + 0.01


@pytest.mark.parametrize(
    ("name", "copied", "alone"),
    [("memoriser", 1.0, True), ("noise", 0.0, False), ("class-ignorer", 0.5, False)],
)
def test_a_diagnosis_tells_copies_and_rows_without_the_target(
    name: str, copied: float, alone: bool
) -> None:
    table = World(signal=2.0).table(600, 0)
    source = _gen().model_copy(update={"candidate": True})
    found = run_job(_job(source), table, QUICK, fake(name)).diagnosis
    assert found is not None
    assert found.copied == pytest.approx(copied, abs=0.1)
    assert found.coincident == 0.0
    assert found.alone is not None
    assert found.real is not None
    assert found.real > 0.85
    assert (found.alone > 0.8) == alone
    if name == "noise":
        assert found.detected is not None
        assert found.detected > 0.9


# ---- numbers as targets -----------------------------------------------------------------------


def test_a_numeric_target_is_measured_with_its_own_arms_and_scores() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a", "b", "c"])
    frame["y"] = frame["a"] * 2 + rng.normal(0, 0.5, 300)
    table = Table(frame, infer(frame, target="y"))
    settings = QUICK.model_copy(
        update={
            "learners": ("ridge", "boosting"),
            "metric": "r2",
            "filters": ("teacher",),
            "arms": ("nothing", "density_weights"),
            "weights": (0.3,),
        }
    )
    weights = Arm(name="density_weights", treatment="balanced")
    plain = run_job(_job(_rows(NOTHING, weights)), table, settings, None)
    (found, _) = _only(plain, "nothing")
    assert set(found.scores) == {"r2", "rmse", "mae"}
    assert found.scores["r2"] > 0.9  # type: ignore[operator]
    assert found.classes == {}
    source = _gen("raw", "filtered", "weighted", "mixed")
    added = run_job(_job(source), table, settings, Resample())
    assert added.failures == []
    assert all(len(arm.learners) == 2 for arm in added.arms)
    (mixed, _) = _only(added, "mixed")
    assert [t.recipe.balanced for t in mixed.trials] == [True]


# ---- the second measurement -------------------------------------------------------------------


def test_the_best_learner_is_measured_again_with_draws_of_its_own() -> None:
    world = World()
    settings = QUICK.model_copy(update={"learners": ("logistic", "boosting")})
    added = run_job(_job(), world.table(200, 0), settings, oracle(world))
    best, other = sorted(_only(added), key=lambda one: -one.inner)
    assert other.again is None
    assert best.again is not None
    assert set(best.again) == set(best.scores)
    assert best.again["log_loss"] != best.scores["log_loss"]
    # Without draws and with a learner that needs no seed it is the same twice.
    plain = run_job(_job(_rows(NOTHING)), world.table(200, 0), QUICK, None)
    (only,) = _only(plain, "nothing")
    assert only.again == only.scores
