from __future__ import annotations

from collections.abc import Sequence

from synthgen.benchmark.arms import ladder
from synthgen.benchmark.records import ArmResult, Job, JobResult, LearnerResult
from synthgen.benchmark.resamples import Sizes
from synthgen.benchmark.schedule import dropped, due, remaining
from synthgen.benchmark.settings import DecideSettings
from synthgen.results import Recipe

SETTINGS = DecideSettings(resamples=10, arms=("nothing", "smote"), learners=("logistic",))
SOURCES = ladder(SETTINGS, ["ctgan"])
SIZES = Sizes(available=400, used=400, inner_train=225, inner=75, train=300, test=100, rarest=40)


def _done(jobs: Sequence[Job], **loss: float) -> list[JobResult]:
    """Results in which the named arms (hyphens as underscores) lose so much, steadily."""

    def arm(name: str, resample: int) -> ArmResult:
        lost = loss.get(name.replace("-", "_"), 0.0)
        score = 0.8 - lost + 0.001 * (resample % 3) * (name != "nothing")
        found = LearnerResult(
            learner="logistic",
            trials=[],
            recipe=Recipe(),
            inner=score,
            rows=0,
            scores={"roc_auc": score},
            classes={},
            subgroups={},
        )
        return ArmResult(arm=name, learners=[found])

    return [
        JobResult(
            job=job,
            sizes=SIZES,
            arms=[arm(a.name, job.resample) for a in job.source.arms],
            failures=[],
        )
        for job in jobs
    ]


def test_jobs_come_resample_by_resample_in_blocks_that_end_at_the_looks() -> None:
    first = due(SETTINGS, SOURCES, 7, [])
    names = [source.name for source in SOURCES]
    assert names == ["rows", "smote", "ctgan"]
    assert [(job.resample, job.source.name) for job in first] == [
        (r, name) for r in range(4) for name in names
    ]
    assert {job.seed for job in first} == {7}
    assert len({job.name for job in first}) == len(first)
    assert first[-1].name == "r003-ctgan"
    results = _done(first)
    second = due(SETTINGS, SOURCES, 7, results)
    assert {job.resample for job in second} == {4, 5, 6}
    third = due(SETTINGS, SOURCES, 7, results + _done(second))
    assert {job.resample for job in third} == {7, 8, 9}
    assert due(SETTINGS, SOURCES, 7, results + _done(second) + _done(third)) == []


def test_what_is_done_is_not_due_again_whatever_was_done_first() -> None:
    first = due(SETTINGS, SOURCES, 0, [])
    results = _done(first[::-2])
    assert due(SETTINGS, SOURCES, 0, results) == [j for j in first if j not in first[::-2]]
    assert remaining(SETTINGS, SOURCES, 0, results) == 30 - len(results)


def test_a_clear_loser_is_left_out_from_the_next_block_on() -> None:
    results = _done(due(SETTINGS, SOURCES, 0, []), ctgan=0.2)
    assert dropped(results, SETTINGS) == {"ctgan": 4}
    second = due(SETTINGS, SOURCES, 0, results)
    arms = {a.name for job in second for a in job.source.arms}
    assert arms == {"nothing", "smote", "ctgan-filtered", "ctgan-weighted", "ctgan-mixed"}


def test_a_generator_without_arms_left_is_not_fitted_again() -> None:
    lost = {"ctgan": 0.2, "ctgan_filtered": 0.2, "ctgan_weighted": 0.2, "ctgan_mixed": 0.2}
    results = _done(due(SETTINGS, SOURCES, 0, []), **lost)
    second = due(SETTINGS, SOURCES, 0, results)
    assert {job.source.name for job in second} == {"rows", "smote"}
    assert remaining(SETTINGS, SOURCES, 0, results) == 6 * 2


def test_cheap_arms_are_measured_to_the_end_however_bad() -> None:
    results = _done(due(SETTINGS, SOURCES, 0, []), smote=0.3)
    assert dropped(results, SETTINGS) == {}


def test_nobody_is_dropped_where_that_is_turned_off() -> None:
    settings = SETTINGS.model_copy(update={"drop_losers": False})
    jobs = due(settings, SOURCES, 0, [])
    assert len(jobs) == 30
    assert dropped(_done(jobs, ctgan=0.3), settings) == {}


def test_a_look_waits_for_all_of_its_resamples() -> None:
    """Else what is dropped would depend on which worker was faster."""
    first = due(SETTINGS, SOURCES, 0, [])
    results = _done([job for job in first if job.resample != 1], ctgan=0.2)
    assert dropped(results, SETTINGS) == {}


def test_jobs_survive_json() -> None:
    for job in due(SETTINGS, SOURCES, 3, []):
        assert Job.model_validate_json(job.model_dump_json()) == job
