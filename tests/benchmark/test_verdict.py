"""The decision rule, clause by clause, on results written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from synthgen.benchmark.arms import CHEAP, Arm
from synthgen.benchmark.jobs import Failure, Job, JobResult, LearnerResult, Sizes, Trial
from synthgen.benchmark.scoring import SCORERS
from synthgen.benchmark.settings import DecideSettings, Ratio
from synthgen.benchmark.statistics import corrected
from synthgen.benchmark.verdict import conclude
from synthgen.results import Difference, Verdict

SETTINGS = DecideSettings(resamples=5, learners=("logistic",), ratios=(0.5, 1.0, "balanced"))
SIZES = Sizes(available=400, used=400, inner_train=225, inner=75, train=300, test=100)
WOBBLE = np.array([-0.004, -0.002, 0.0, 0.002, 0.004])
"""Spread of the differences: sd 0.00316, so the corrected 95 % interval is +-0.0064 wide."""
BASE = [0.80, 0.81, 0.79, 0.80, 0.82]


def _learner(
    score: float,
    inner: float | None = None,
    ratio: Ratio | None = None,
    learner: Any = "logistic",
    rows: int = 150,
) -> LearnerResult:
    inner = score if inner is None else inner
    rows = rows if ratio is not None else 0
    return LearnerResult(
        learner=learner,
        trials=[Trial(ratio=ratio, rows=rows, score=inner)],
        ratio=ratio,
        inner=inner,
        rows=rows,
        scores=dict.fromkeys(SCORERS, score),
        recall={"no": 1.0, "yes": 0.0},
    )


def _arm(
    name: str, scores: Sequence[float], ratios: Sequence[Ratio | None] | None = None, **more: Any
) -> list[JobResult]:
    arm = CHEAP.get(name, Arm(name=name, kind="synthetic", ratios=SETTINGS.ratios))  # type: ignore[call-overload]
    ratios = ratios or [0.5 if arm.kind == "synthetic" else None] * len(scores)
    return [
        JobResult(
            job=Job(resample=r, arm=name, kind=arm.kind, ratios=arm.ratios, seed=0),
            sizes=SIZES,
            learners=[_learner(score, ratio=ratio, **more)],
            failures=[],
        )
        for r, (score, ratio) in enumerate(zip(scores, ratios, strict=True))
    ]


def _gain(mean: float, flip: bool = False) -> list[float]:
    """Scores whose differences to the baseline have this mean and the spread of WOBBLE."""
    wobble = WOBBLE[::-1] if flip else WOBBLE
    return [base + mean + float(w) for base, w in zip(BASE, wobble, strict=True)]


def _conclude(
    *results: list[JobResult], candidates: Sequence[str] = ("ctgan",), **more: Any
) -> tuple[Verdict, list[Difference]]:
    settings = SETTINGS.model_copy(update=more.pop("settings", {}))
    flat = [result for arm in (_arm("nothing", BASE), *results) for result in arm]
    return conclude(flat, settings, candidates=candidates, **more)


# ---- augment ----------------------------------------------------------------------------------


def test_a_shown_useful_gain_is_augment() -> None:
    verdict, differences = _conclude(_arm("ctgan", _gain(0.03)))
    expected = corrected([0.03 + w for w in WOBBLE], 1 / 3, 0.95)
    assert (verdict.decision, verdict.arm, verdict.ratio) == ("augment", "ctgan", 0.5)
    assert verdict.difference == pytest.approx(0.03)
    assert verdict.interval.low == pytest.approx(expected.low)
    assert verdict.interval.high == pytest.approx(expected.high)
    assert verdict.resamples == 5
    assert verdict.alternatives == []
    assert "raise ROC-AUC by 3.0 points (95 % interval 2.4 to 3.6)" in verdict.sentence
    assert "from 80.4 to 83.4" in verdict.sentence
    best = [d for d in differences if d.learner == "best"]
    assert [d.metric for d in best] == list(SCORERS)
    assert best[0].baseline == pytest.approx(np.mean(BASE))
    assert best[0].p_value == pytest.approx(expected.p_value)


def test_a_shown_gain_ahead_of_the_cheap_arm_is_augment() -> None:
    verdict, _ = _conclude(_arm("smote", _gain(0.01)), _arm("ctgan", _gain(0.03, flip=True)))
    assert (verdict.decision, verdict.arm) == ("augment", "ctgan")
    assert [d.arm for d in verdict.alternatives] == ["smote"]
    assert "the strongest cheap alternative, SMOTE, changes it by 1.0 points" in verdict.sentence


def test_the_ratio_is_the_one_most_often_chosen_and_of_equals_the_smaller() -> None:
    def ratio(*chosen: Ratio) -> Any:
        found = _arm("ctgan", _gain(0.03), ratios=chosen)
        for k, result in enumerate(found):
            rows = {0.5: 150, 1.0: 300, "balanced": 40}[chosen[k]]
            only = result.learners[0].model_copy(update={"rows": rows})
            found[k] = result.model_copy(update={"learners": [only]})
        return _conclude(found)[0].ratio

    assert ratio(1.0, 0.5, 1.0, 0.5, 1.0) == 1.0
    assert ratio(1.0, 1.0, 0.5, 0.5, "balanced") == 0.5
    assert ratio(0.5, 1.0, 0.5, "balanced", "balanced") == "balanced"


def test_a_ratio_that_the_user_fixed_stays() -> None:
    assert _conclude(_arm("ctgan", _gain(0.03)), fixed_ratio=2.0)[0].ratio == 2.0
    assert _conclude(_arm("ctgan", _gain(-0.03)), fixed_ratio=2.0)[0].ratio == 2.0
    assert _conclude(_arm("ctgan", _gain(-0.03)))[0].ratio is None


def test_of_several_candidates_the_one_with_the_best_inner_scores_is_reported() -> None:
    tvae = _arm("tvae", _gain(0.04), inner=0.90)
    ctgan = _arm("ctgan", _gain(0.03, flip=True), inner=0.95)
    verdict, _ = _conclude(tvae, ctgan, candidates=("tvae", "ctgan"))
    assert (verdict.decision, verdict.arm) == ("augment", "ctgan")
    assert verdict.difference == pytest.approx(0.03)
    assert [d.arm for d in verdict.alternatives] == ["tvae"]


def test_holm_makes_more_candidates_harder_to_show() -> None:
    """A p-value between 0.025 and 0.05: enough for one candidate, not for the first of two."""
    gain = 0.0075  # t = 0.0075 / 0.00231 = 3.25 with 4 degrees of freedom: p = 0.031
    one, _ = _conclude(_arm("ctgan", _gain(gain)))
    assert one.decision == "augment"
    two, _ = _conclude(
        _arm("ctgan", _gain(gain)),
        _arm("tvae", _gain(0.004, flip=True)),
        candidates=("ctgan", "tvae"),
    )
    assert two.decision == "inconclusive"
    assert two.detectable_effect > one.detectable_effect
    assert "p = 0.063, adjusted for 2 generators" in " ".join(two.reasons)


# ---- do not augment ---------------------------------------------------------------------------


def test_harm_is_do_not_augment() -> None:
    verdict, _ = _conclude(_arm("ctgan", _gain(-0.03)))
    assert (verdict.decision, verdict.arm, verdict.ratio) == ("do-not-augment", None, None)
    assert verdict.difference == pytest.approx(-0.03)
    assert "change ROC-AUC by −3.0 points" in verdict.sentence
    assert "Harm is shown" in " ".join(verdict.reasons)


def test_a_useful_gain_ruled_out_is_do_not_augment() -> None:
    verdict, _ = _conclude(_arm("ctgan", _gain(-0.002)))
    assert verdict.interval.low < 0 < verdict.interval.high < 0.005
    assert verdict.decision == "do-not-augment"
    assert "so a gain of 0.5 points or more is ruled out" in verdict.sentence


def test_no_effect_at_all_is_do_not_augment() -> None:
    for minimum in (0.005, 0.0):
        settings = {"minimum_effect": minimum}
        assert _conclude(_arm("ctgan", BASE), settings=settings)[0].decision == "do-not-augment"


def test_a_cheap_arm_that_does_as_well_is_recommended_instead() -> None:
    verdict, _ = _conclude(
        _arm("class_weights", _gain(0.031)), _arm("ctgan", _gain(0.03, flip=True))
    )
    assert (verdict.decision, verdict.arm) == ("do-not-augment", "class_weights")
    assert verdict.difference == pytest.approx(0.031)
    assert [d.arm for d in verdict.alternatives] == ["ctgan"]
    assert "class weights, which costs less" in verdict.sentence


def test_no_useful_gain_over_the_cheap_arm_is_do_not_augment() -> None:
    """Ahead on average, but by less than what counts as useful."""
    verdict, _ = _conclude(_arm("smote", _gain(0.029)), _arm("ctgan", _gain(0.03)))
    assert (verdict.decision, verdict.arm) == ("do-not-augment", "smote")
    assert "A useful gain over SMOTE is ruled out." in verdict.reasons


def test_a_cheap_arm_that_gains_nothing_inside_is_no_rival() -> None:
    smote = _arm("smote", _gain(0.05), inner=0.5)
    verdict, _ = _conclude(smote, _arm("ctgan", _gain(0.03, flip=True)))
    assert verdict.decision == "augment"
    assert "no cheap alternative gains anything" in verdict.sentence


def test_the_strongest_cheap_arm_is_chosen_inside_not_by_what_is_reported() -> None:
    smote = _arm("smote", _gain(0.05), inner=0.81)
    weights = _arm("class_weights", _gain(0.01), inner=0.85)
    verdict, _ = _conclude(smote, weights, _arm("ctgan", _gain(0.03, flip=True)))
    assert verdict.decision == "augment"
    assert "the strongest cheap alternative, class weights" in verdict.sentence


def test_a_candidate_is_not_its_own_rival() -> None:
    verdict, _ = _conclude(_arm("smote", _gain(0.03)), candidates=("smote",))
    assert (verdict.decision, verdict.arm) == ("augment", "smote")


# ---- inconclusive -----------------------------------------------------------------------------


def test_a_wide_interval_is_inconclusive_and_says_what_could_have_been_found() -> None:
    scores = [base + 0.01 + 10 * float(w) for base, w in zip(BASE, WOBBLE, strict=True)]
    verdict, _ = _conclude(_arm("ctgan", scores))
    assert (verdict.decision, verdict.arm) == ("inconclusive", None)
    error = corrected([0.01 + 10 * w for w in WOBBLE], 1 / 3, 0.95).error
    # More than the interval's half-width (2.78 errors), less than with 2 degrees of freedom.
    assert 3.5 * error < verdict.detectable_effect < 4.5 * error
    assert f"{verdict.detectable_effect * 100:.1f} points or more" in verdict.sentence
    assert "The interval contains both no gain and a useful one." in verdict.reasons


def test_a_shown_gain_that_is_too_small_to_be_useful_is_not_augment() -> None:
    settings = {"minimum_effect": 0.01}
    verdict, _ = _conclude(_arm("ctgan", _gain(0.009)), settings=settings)
    assert verdict.interval.low > 0
    assert verdict.decision == "inconclusive"
    assert "its mean is below 1.0 points" in " ".join(verdict.reasons)


@pytest.mark.parametrize("usable", [0, 1, 2])
def test_fewer_than_three_resamples_conclude_nothing(usable: int) -> None:
    verdict, differences = _conclude(_arm("ctgan", _gain(0.3)[:usable]))
    assert (verdict.decision, verdict.arm, verdict.resamples) == ("inconclusive", None, usable)
    assert (verdict.difference, verdict.interval.low, verdict.interval.high) == (0.0, -1.0, 1.0)
    assert verdict.detectable_effect == 1.0
    assert f"{usable} of 5 resamples could be used, and at least 3 are needed" in verdict.sentence
    assert len(differences) == (12 if usable == 2 else 0)


def test_three_of_an_interrupted_run_conclude_and_say_what_is_missing() -> None:
    verdict, _ = _conclude(_arm("ctgan", _gain(0.03)[:3]))
    assert (verdict.decision, verdict.resamples) == ("augment", 3)
    assert any("2 of 10 measurements were not made" in reason for reason in verdict.reasons)


def test_nothing_at_all_is_inconclusive() -> None:
    verdict, differences = conclude([], SETTINGS, candidates=("ctgan",))
    assert (verdict.decision, verdict.resamples, differences) == ("inconclusive", 0, [])


# ---- failures and parts -----------------------------------------------------------------------


def test_failures_are_counted_in_the_reasons() -> None:
    ctgan = _arm("ctgan", _gain(0.03))
    message = "TrainingError: the losses stayed NaN"
    for k in (1, 3):
        failures = [Failure(stage="generator", message=message)]
        ctgan[k] = ctgan[k].model_copy(update={"learners": [], "failures": failures})
    failures = [Failure(stage="shortfall", ratio=0.5, message="inner part: 3 of 9 rows came")] * 2
    ctgan[0] = ctgan[0].model_copy(update={"failures": failures})
    verdict, _ = _conclude(ctgan)
    assert verdict.resamples == 3
    assert f"ctgan: generator failed in 2 of 5 resamples ({message})." in verdict.reasons
    assert (
        "ctgan: too few rows came in 1 of 5 resamples (inner part: 3 of 9 rows came)."
        in verdict.reasons
    )


def test_rows_that_cannot_be_split_are_told_once() -> None:
    failures = [Failure(stage="split", message="DataError: too few")]
    broken = [
        result.model_copy(update={"learners": [], "failures": failures, "sizes": None})
        for arm in (_arm("nothing", BASE), _arm("ctgan", BASE))
        for result in arm
    ]
    verdict, _ = conclude(broken, SETTINGS, candidates=("ctgan",))
    assert verdict.decision == "inconclusive"
    told = [reason for reason in verdict.reasons if "split" in reason]
    assert told == ["every arm: split failed in 5 of 5 resamples (DataError: too few)."]


def test_a_score_that_is_not_defined_is_left_out_of_its_pairs() -> None:
    ctgan = _arm("ctgan", _gain(0.03))
    scores = {**ctgan[2].learners[0].scores, "roc_auc": None}
    only = ctgan[2].learners[0].model_copy(update={"scores": scores})
    ctgan[2] = ctgan[2].model_copy(update={"learners": [only]})
    verdict, differences = _conclude(ctgan)
    assert verdict.resamples == 4
    counts = {d.metric: d.resamples for d in differences if d.learner == "best"}
    assert (counts["roc_auc"], counts["log_loss"]) == (4, 5)


def test_the_best_learner_is_chosen_inside_for_every_arm_and_resample() -> None:
    def both(name: str, resample: int, one: tuple[float, float], two: tuple[float, float]) -> Any:
        arm = CHEAP.get(name, Arm(name=name, kind="synthetic", ratios=(0.5,)))  # type: ignore[call-overload]
        return JobResult(
            job=Job(resample=resample, arm=name, kind=arm.kind, ratios=arm.ratios, seed=0),
            sizes=SIZES,
            learners=[
                _learner(outer, inner, arm.ratios[0] if arm.ratios else None, learner)
                for learner, (inner, outer) in zip(("logistic", "forest"), (one, two), strict=True)
            ],
            failures=[],
        )

    settings = SETTINGS.model_copy(update={"learners": ("logistic", "forest")})
    results = []
    for r in range(3):
        results.append(both("nothing", r, (0.9, 0.70), (0.8, 0.99)))  # logistic: 0.70
        results.append(both("ctgan", r, (0.7, 0.99), (0.8, 0.72 + r / 1000)))  # forest: 0.721
    verdict, differences = conclude(results, settings, candidates=("ctgan",))
    assert verdict.difference == pytest.approx(0.021)
    per_learner = {d.learner: d.mean for d in differences if d.metric == "roc_auc"}
    assert per_learner == pytest.approx({"best": 0.021, "logistic": 0.29, "forest": -0.269})


def test_the_order_of_the_results_does_not_matter() -> None:
    arms = [_arm("nothing", BASE), _arm("smote", _gain(0.01)), _arm("ctgan", _gain(0.03, True))]
    flat = [result for arm in arms for result in arm]
    verdict, differences = conclude(flat, SETTINGS, candidates=("ctgan",))
    by_resample = sorted(flat, key=lambda result: result.job.resample)
    again, same = conclude(by_resample, SETTINGS, candidates=("ctgan",))
    assert verdict == again
    assert differences == same


def test_capped_rows_are_mentioned() -> None:
    capped = SIZES.model_copy(update={"available": 26000})
    results = [
        result.model_copy(update={"sizes": capped})
        for arm in (_arm("nothing", BASE), _arm("ctgan", _gain(0.03)))
        for result in arm
    ]
    verdict, _ = conclude(results, SETTINGS, candidates=("ctgan",))
    assert any("400 of 26,000 training rows" in reason for reason in verdict.reasons)
