from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from synthgen.benchmark import learners, resamples
from synthgen.benchmark.arms import CHEAP, Arm, Generator, Sampler, ladder
from synthgen.benchmark.jobs import Job, JobResult, plan, run_job
from synthgen.benchmark.learners import rows_of
from synthgen.benchmark.scoring import SCORERS, score_all
from synthgen.benchmark.settings import DecideSettings
from synthgen.data.infer import infer
from synthgen.data.schema import Value
from synthgen.data.table import Table
from synthgen.errors import ConfigError, MachineError, TrainingError
from synthgen.training.context import Context
from tests.benchmark.worlds import QUICK, Fake, World, fake, oracle

SYNTHETIC = Arm(name="gen", kind="synthetic", ratios=(0.5, 1.0))


def _job(arm: Arm = SYNTHETIC, resample: int = 0, seed: int = 0) -> Job:
    return Job(resample=resample, arm=arm.name, kind=arm.kind, ratios=arm.ratios, seed=seed)


# ---- the plan ---------------------------------------------------------------------------------


def test_any_beginning_of_the_plan_is_whole_resamples_and_part_of_one() -> None:
    settings = DecideSettings(resamples=4)
    arms = ladder(settings, ["ctgan"])
    jobs = plan(settings, arms, seed=7)
    assert len(jobs) == 4 * 5
    names = [arm.name for arm in arms]
    for end in range(len(jobs) + 1):
        whole, rest = divmod(end, len(arms))
        expected = [(r, name) for r in range(whole) for name in names]
        expected += [(whole, name) for name in names[:rest]]
        assert [(job.resample, job.arm) for job in jobs[:end]] == expected
    assert {job.seed for job in jobs} == {7}
    assert len({job.name for job in jobs}) == len(jobs)
    assert jobs[-1].name == "r003-ctgan"


def test_more_resamples_keep_the_jobs_of_fewer() -> None:
    few, many = (DecideSettings(resamples=n) for n in (3, 5))
    jobs = plan(few, ladder(few, ["ctgan"]), 0)
    assert plan(many, ladder(many, ["ctgan"]), 0)[: len(jobs)] == jobs


def test_jobs_survive_json() -> None:
    for job in plan(QUICK, ladder(DecideSettings(), ["ctgan"]), 3):
        assert Job.model_validate_json(job.model_dump_json()) == job


# ---- what a job measures ----------------------------------------------------------------------


def test_the_plain_arm_by_hand() -> None:
    table = World(gaps=0.1).table(200, 0)
    result = run_job(_job(CHEAP["nothing"]), table, QUICK, None)
    parts = resamples.split(table, QUICK, seed=0, number=0, group=None, time=None, overrides={})
    seed = resamples.seed_of(0, 0, "learner")
    fitted = learners.fit("logistic", rows_of(parts.train), seed)
    test = rows_of(parts.test)
    found = fitted.probabilities(test)
    (only,) = result.learners
    assert only.scores == score_all(test.labels, found, 1)
    assert set(only.scores) == set(SCORERS)
    assert [(t.ratio, t.rows) for t in only.trials] == [(None, 0)]
    assert only.inner == only.trials[0].score
    hit = found.argmax(1) == test.labels
    assert only.recall == {
        f"class {k}": pytest.approx(hit[test.labels == k].mean()) for k in (0, 1)
    }
    assert result.failures == []


def test_the_same_job_gives_the_same_bytes() -> None:
    world = World(gaps=0.1)
    settings = DecideSettings(resamples=3, ratios=(0.5, "balanced"))
    job = _job(Arm(name="gen", kind="synthetic", ratios=settings.ratios), seed=11)
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
    arm = Arm(name="gen", kind="synthetic", ratios=(2.0, 0.5, 1.0))
    (found,) = run_job(_job(arm), table, QUICK, fake("noise")).learners
    best = max(t.score for t in found.trials if t.score is not None)
    assert found.inner == best
    assert found.ratio in [t.ratio for t in found.trials if t.score == best]
    assert [(t.ratio, t.rows) for t in found.trials] == [(2.0, 226), (0.5, 56), (1.0, 113)]
    assert found.ratio is not None
    assert found.rows == round(float(found.ratio) * 150)

    perfect = World(signal=50.0)
    (found,) = run_job(_job(arm), perfect.table(200, 0), QUICK, oracle(perfect)).learners
    assert {t.score for t in found.trials} == {1.0}
    assert found.ratio == 0.5


def test_weights_and_rows_change_what_is_learned() -> None:
    world = World(majority=0.85, signal=1.0)
    table = world.table(300, 0)
    jobs = [_job(CHEAP["nothing"]), _job(CHEAP["class_weights"]), _job()]
    scores = [
        run_job(job, table, QUICK, generator).learners[0].scores
        for job, generator in zip(jobs, [None, None, oracle(world)], strict=True)
    ]
    assert len({found["log_loss"] for found in scores}) == 3
    assert scores[1]["balanced_accuracy"] > scores[0]["balanced_accuracy"]  # type: ignore[operator]


def test_more_than_two_classes() -> None:
    world = World(classes=4, majority=0.4, signal=2.0)
    settings = QUICK.model_copy(update={"learners": ("logistic", "forest", "boosting")})
    arm = Arm(name="gen", kind="synthetic", ratios=(1.0, "balanced"))
    result = run_job(_job(arm), world.table(240, 0), settings, oracle(world))
    assert result.failures == []
    assert [found.learner for found in result.learners] == ["logistic", "forest", "boosting"]
    for found in result.learners:
        assert set(found.recall) == set(world.names)
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
    job = _job(Arm(name="gen", kind="synthetic", ratios=settings.ratios))
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
    for one, two in zip(before.learners, after.learners, strict=True):
        assert (one.trials, one.ratio, one.inner) == (two.trials, two.ratio, two.inner)
        assert one.scores != two.scores


def test_the_capped_rows_are_told() -> None:
    settings = QUICK.model_copy(update={"max_rows": 100})
    result = run_job(_job(CHEAP["nothing"]), World().table(300, 0), settings, None)
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
    assert result.learners == []
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
    assert result.learners == []
    assert [(f.stage, f.ratio) for f in result.failures] == [("sample", 0.5), ("sample", 1.0)]


@pytest.mark.parametrize(
    "error", [ConfigError("a", "b"), MachineError("a", "b"), OSError("disk"), MemoryError()]
)
def test_what_is_wrong_with_machine_or_configuration_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        _run(_Broken(in_fit=error))


def test_a_shortfall_is_used_and_told() -> None:
    result = _run(_Broken(share=0.5))
    assert len(result.learners) == 1
    shortfalls = [f for f in result.failures if f.stage == "shortfall"]
    assert {f.ratio for f in shortfalls} >= {0.5, 1.0}
    assert shortfalls[0].message == "inner part: 17 of 34 synthetic rows came"
    assert result.learners[0].trials[0].rows == 17


def test_an_arm_that_brings_no_row_is_not_taken_for_the_plain_one() -> None:
    result = _run(_Broken(share=0.0))
    assert result.learners == []
    assert {f.stage for f in result.failures} == {"shortfall"}


def test_a_failing_learner_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(rows: Any, seed: int) -> Any:
        raise ValueError("no")

    monkeypatch.setitem(learners.LEARNERS, "forest", refuse)
    settings = QUICK.model_copy(update={"learners": ("forest", "logistic")})
    result = run_job(_job(CHEAP["nothing"]), World().table(120, 0), settings, None)
    assert [found.learner for found in result.learners] == ["logistic"]
    assert [(f.stage, f.learner) for f in result.failures] == [("learner", "forest")]


def test_too_few_rows_to_split_are_recorded() -> None:
    frame = World().frame(40, 0)
    frame["y"] = ["rare", "rare"] + ["common"] * 38
    table = Table(frame, infer(frame, target="y"))
    result = run_job(_job(CHEAP["nothing"]), table, QUICK, None)
    assert (result.sizes, result.learners) == (None, [])
    assert result.failures[0].stage == "split"
    assert result.failures[0].message.startswith("DataError: ")


def test_a_generator_belongs_to_synthetic_arms_alone() -> None:
    with pytest.raises(ValueError, match="a generator is given to synthetic arms"):
        run_job(_job(), World().table(60, 0), QUICK, None)
    with pytest.raises(ValueError, match="a generator is given to synthetic arms"):
        run_job(_job(CHEAP["nothing"]), World().table(60, 0), QUICK, fake("noise"))
