"""The decision rule, clause by clause, on results written by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from synthgen.benchmark.arms import Arm, Source, ladder
from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.records import (
    ArmResult,
    CurveScore,
    Diagnosis,
    Failure,
    Job,
    JobResult,
    LearnerResult,
    Trial,
)
from synthgen.benchmark.resamples import Sizes
from synthgen.benchmark.scoring import CLASSIFICATION
from synthgen.benchmark.settings import DecideSettings, Ratio
from synthgen.benchmark.statistics import corrected
from synthgen.benchmark.verdict import conclude
from synthgen.results import Difference, Recipe, Verdict
from tests.benchmark.worlds import PLAIN

EMPTY = Recipe()
SETTINGS = DecideSettings(
    resamples=5, learners=("logistic",), ratios=(0.5, 1.0, "balanced"), **PLAIN
)
SIZES = Sizes(available=400, used=400, inner_train=225, inner=75, train=300, test=100, rarest=40)
WOBBLE = np.array([-0.004, -0.002, 0.0, 0.002, 0.004])
"""Spread of the differences: sd 0.00316, so the corrected 95 % interval is +-0.0064 wide."""
BASE = [0.80, 0.81, 0.79, 0.80, 0.82]
CHEAP = {source.name: source for source in ladder(DecideSettings(), [])}


def _learner(
    score: float,
    inner: float | None = None,
    recipe: Recipe = EMPTY,
    learner: str = "logistic",
    rows: int = 150,
    subgroups: dict[str, dict[str, float | None]] | None = None,
) -> LearnerResult:
    inner = score if inner is None else inner
    rows = rows if recipe.ratio is not None else 0
    return LearnerResult(
        learner=learner,
        trials=[Trial(recipe=recipe, rows=rows, score=inner)],
        recipe=recipe,
        inner=inner,
        rows=rows,
        scores=dict.fromkeys(CLASSIFICATION, score),
        classes={"no": {"recall": 1.0}, "yes": {"recall": 0.0}},
        subgroups=subgroups or {},
    )


def _source(arm: str) -> Source:
    """The source that the arm stands on, with this arm alone."""
    plain = {a.name: a for a in CHEAP["rows"].arms}
    if arm in plain:
        return CHEAP["rows"].model_copy(update={"arms": (plain[arm],)})
    if arm in CHEAP:
        return CHEAP[arm]
    name, _, treatment = arm.partition("-")
    kind: Any = treatment or "raw"
    return Source(
        name=name,
        arms=(Arm(name=arm, treatment=kind),),
        ratios=SETTINGS.ratios,
        candidate=True,
    )


def _arm(
    name: str,
    scores: Sequence[float],
    ratios: Sequence[Ratio | None] | None = None,
    recipes: Sequence[Recipe] | None = None,
    groups: Sequence[dict[str, dict[str, float | None]]] | None = None,
    candidate: bool | None = None,
    **more: Any,
) -> list[JobResult]:
    source = _source(name)
    if candidate is not None:
        source = source.model_copy(update={"candidate": candidate})
    usual = 0.5 if source.ratios else None
    if recipes is None:
        recipes = [Recipe(ratio=ratio) for ratio in ratios or [usual] * len(scores)]
    return [
        JobResult(
            job=Job(resample=r, source=source, seed=0),
            sizes=SIZES,
            arms=[
                ArmResult(
                    arm=name,
                    learners=[
                        _learner(
                            score,
                            recipe=recipe,
                            subgroups=groups[r] if groups else None,
                            **more,
                        )
                    ],
                )
            ],
            failures=[],
            subgroups=[(g, 40) for g in groups[r]] if groups else [],
            classes=["no", "yes"],
        )
        for r, (score, recipe) in enumerate(zip(scores, recipes, strict=True))
    ]


def _replaced(result: JobResult, **update: Any) -> JobResult:
    """The result with its one learner's result changed."""
    only = result.arms[0].learners[0].model_copy(update=update)
    arm = result.arms[0].model_copy(update={"learners": [only]})
    return result.model_copy(update={"arms": [arm]})


def _gain(mean: float, flip: bool = False) -> list[float]:
    """Scores whose differences to the baseline have this mean and the spread of WOBBLE."""
    wobble = WOBBLE[::-1] if flip else WOBBLE
    return [base + mean + float(w) for base, w in zip(BASE, wobble, strict=True)]


def _conclude(*results: list[JobResult], **more: Any) -> tuple[Verdict, list[Difference]]:
    settings = SETTINGS.model_copy(update=more.pop("settings", {}))
    baseline = more.pop("baseline", None) or _arm("nothing", BASE)
    flat = [result for arm in (baseline, *results) for result in arm]
    names = [r.job.source.name for r in flat if r.job.source.candidate] or ["ctgan"]
    verdict = conclude(flat, settings, generators=tuple(dict.fromkeys(names)), **more)
    return verdict, Comparison(flat, settings).differences()


def test_equal_differences_of_few_counted_rows_show_nothing() -> None:
    settings = {"metric": "balanced_accuracy"}
    better = _arm("ctgan", [base + 0.01 for base in BASE])
    verdict, differences = _conclude(better, settings=settings)
    # One row of the hundred that a resample tests on, five times.
    expected = corrected([0.01] * 5, 1 / 3, 0.95, step=0.01)
    assert verdict.decision == "inconclusive"
    assert verdict.interval.low == pytest.approx(expected.low)
    assert verdict.interval.high == pytest.approx(expected.high)
    assert expected.low < 0
    by_metric = {d.metric: d.interval for d in differences if d.learner == "best"}
    assert by_metric["roc_auc"].low == pytest.approx(by_metric["roc_auc"].high)


def test_an_arm_that_changes_nothing_is_known_exactly() -> None:
    _, differences = _conclude(_arm("ctgan", BASE), settings={"metric": "balanced_accuracy"})
    assert {(d.interval.low, d.interval.high) for d in differences} == {(0.0, 0.0)}


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
    assert [d.metric for d in best] == list(CLASSIFICATION)
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
            found[k] = _replaced(result, rows=rows)
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
    verdict, _ = _conclude(tvae, ctgan)
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
    )
    assert two.decision == "inconclusive"
    assert two.detectable_effect > one.detectable_effect
    assert "p = 0.063, adjusted for 2 arms" in " ".join(two.reasons)


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
    assert "use class weights instead, for a gain of 3.1 points" in verdict.sentence


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


@pytest.mark.parametrize(("inner", "strongest"), [(0.82, "SMOTE"), (0.85, "class weights")])
def test_the_strongest_cheap_arm_is_so_by_inner_and_outer_gains(
    inner: float, strongest: str
) -> None:
    smote = _arm("smote", _gain(0.02), inner=0.84)
    weights = _arm("class_weights", _gain(0.01), inner=inner)
    verdict, _ = _conclude(smote, weights, _arm("ctgan", _gain(0.04, flip=True)))
    assert verdict.decision == "augment"
    assert f"the strongest cheap alternative, {strongest}" in verdict.sentence


def test_what_is_not_clearly_ahead_of_a_cheap_arm_is_not_worth_a_generator() -> None:
    """Ahead by 1.0 +- 1.6 points on average: useful if it were so, and may as well be chance."""
    weights = [base + 0.02 + 5 * float(w) for base, w in zip(BASE, WOBBLE, strict=True)]
    verdict, _ = _conclude(_arm("class_weights", weights), _arm("ctgan", _gain(0.03, flip=True)))
    assert verdict.difference == pytest.approx(0.02)
    assert (verdict.decision, verdict.arm) == ("inconclusive", "class_weights")
    assert "raise ROC-AUC by 3.0 points" in verdict.sentence
    assert "not clearly ahead of class weights, the cheaper way (ahead by" in verdict.sentence
    assert "meanwhile use class weights, for a probable gain of 2.0 points" in verdict.sentence
    assert "too uncertain" not in verdict.sentence
    assert verdict.rows_needed is None


@pytest.mark.parametrize(
    ("metric", "arm"), [("roc_auc", None), ("balanced_accuracy", "class_weights")]
)
def test_balancing_needs_less_evidence_where_the_metric_asks_for_it(
    metric: str, arm: str | None
) -> None:
    """A gain of 0.6 points with a standard error of 2.3, and of 2 points on the inner rows."""
    noisy = [base + 0.006 + 10 * float(w) for base, w in zip(BASE, WOBBLE, strict=True)]
    weights = _arm("class_weights", noisy, inner=np.mean(BASE) + 0.02)
    ctgan = _arm("ctgan", _gain(-0.03))
    verdict, _ = _conclude(
        weights, ctgan, settings={"metric": metric}, baseline=_arm("nothing", BASE, inner=0.804)
    )
    assert (verdict.decision, verdict.arm) == ("do-not-augment", arm)


def test_a_candidate_is_not_its_own_rival() -> None:
    verdict, _ = _conclude(_arm("smote", _gain(0.03), candidate=True))
    assert (verdict.decision, verdict.arm) == ("augment", "smote")


# ---- inconclusive -----------------------------------------------------------------------------


def test_a_wide_interval_is_inconclusive_and_says_what_could_have_been_found() -> None:
    scores = [base + 0.01 + 10 * float(w) for base, w in zip(BASE, WOBBLE, strict=True)]
    verdict, _ = _conclude(_arm("ctgan", scores))
    assert (verdict.decision, verdict.arm) == ("inconclusive", None)
    error = corrected([0.01 + 10 * w for w in WOBBLE], 1 / 3, 0.95).error
    # More than the interval's half-width (2.78 errors), less than with 2 degrees of freedom.
    assert 3.5 * error < verdict.detectable_effect < 4.5 * error
    assert "too uncertain to tell whether it is worth 0.5 points or more" in verdict.sentence
    found = f"A true effect of {verdict.detectable_effect * 100:.1f} points would have been found"
    assert any(found in reason for reason in verdict.reasons)
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
    assert len(differences) == (2 * len(CLASSIFICATION) if usable == 2 else 0)


def test_three_of_an_interrupted_run_conclude_and_say_what_is_missing() -> None:
    verdict, _ = _conclude(_arm("ctgan", _gain(0.03)[:3]), baseline=_arm("nothing", BASE[:3]))
    assert (verdict.decision, verdict.resamples) == ("augment", 3)
    assert any("2 of 5 resamples were not measured" in reason for reason in verdict.reasons)


def test_nothing_at_all_is_inconclusive() -> None:
    verdict = conclude([], SETTINGS, generators=("ctgan",))
    assert (verdict.decision, verdict.resamples) == ("inconclusive", 0)


# ---- failures and parts -----------------------------------------------------------------------


def test_failures_are_counted_in_the_reasons() -> None:
    ctgan = _arm("ctgan", _gain(0.03))
    message = "TrainingError: the losses stayed NaN"
    for k in (1, 3):
        failures = [Failure(stage="generator", message=message)]
        ctgan[k] = ctgan[k].model_copy(update={"arms": [], "failures": failures})
    half = Recipe(ratio=0.5)
    failures = [Failure(stage="shortfall", recipe=half, message="inner part: 3 of 9 rows came")] * 2
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
        result.model_copy(update={"arms": [], "failures": failures, "sizes": None})
        for arm in (_arm("nothing", BASE), _arm("ctgan", BASE))
        for result in arm
    ]
    verdict = conclude(broken, SETTINGS, generators=("ctgan",))
    assert verdict.decision == "inconclusive"
    told = [reason for reason in verdict.reasons if "split" in reason]
    assert told == ["every arm: split failed in 5 of 5 resamples (DataError: too few)."]


def test_a_score_that_is_not_defined_is_left_out_of_its_pairs() -> None:
    ctgan = _arm("ctgan", _gain(0.03))
    scores = {**ctgan[2].arms[0].learners[0].scores, "roc_auc": None}
    ctgan[2] = _replaced(ctgan[2], scores=scores)
    verdict, differences = _conclude(ctgan)
    assert verdict.resamples == 4
    counts = {d.metric: d.resamples for d in differences if d.learner == "best"}
    assert (counts["roc_auc"], counts["log_loss"]) == (4, 5)


def test_the_best_learner_is_chosen_inside_for_every_arm_and_resample() -> None:
    def both(name: str, resample: int, one: tuple[float, float], two: tuple[float, float]) -> Any:
        (result,) = _arm(name, [0.0])
        recipe = result.arms[0].learners[0].recipe
        found = [
            _learner(outer, inner, recipe, learner)
            for learner, (inner, outer) in zip(("logistic", "forest"), (one, two), strict=True)
        ]
        job = result.job.model_copy(update={"resample": resample})
        return result.model_copy(update={"job": job, "arms": [ArmResult(arm=name, learners=found)]})

    settings = SETTINGS.model_copy(update={"learners": ("logistic", "forest")})
    results = []
    for r in range(3):
        results.append(both("nothing", r, (0.9, 0.70), (0.8, 0.99)))  # logistic: 0.70
        results.append(both("ctgan", r, (0.7, 0.99), (0.8, 0.72 + r / 1000)))  # forest: 0.721
    verdict = conclude(results, settings, generators=("ctgan",))
    differences = Comparison(results, settings).differences()
    assert verdict.difference == pytest.approx(0.021)
    assert verdict.learner == "forest"
    per_learner = {d.learner: d.mean for d in differences if d.metric == "roc_auc"}
    assert per_learner == pytest.approx({"best": 0.021, "logistic": 0.29, "forest": -0.269})


def test_the_order_of_the_results_does_not_matter() -> None:
    arms = [_arm("nothing", BASE), _arm("smote", _gain(0.01)), _arm("ctgan", _gain(0.03, True))]
    flat = [result for arm in arms for result in arm]
    verdict = conclude(flat, SETTINGS, generators=("ctgan",))
    for order in (
        sorted(flat, key=lambda r: r.job.resample),
        flat[::-1],
        sorted(flat, key=lambda r: r.job.name),
    ):
        assert conclude(order, SETTINGS, generators=("ctgan",)) == verdict
        assert Comparison(order, SETTINGS).arms == ("nothing", "smote", "ctgan")


def test_capped_rows_are_mentioned() -> None:
    capped = SIZES.model_copy(update={"available": 26000})
    results = [
        result.model_copy(update={"sizes": capped})
        for arm in (_arm("nothing", BASE), _arm("ctgan", _gain(0.03)))
        for result in arm
    ]
    verdict = conclude(results, SETTINGS, generators=("ctgan",))
    assert any("400 of 26,000 training rows" in reason for reason in verdict.reasons)


# ---- variants, placebo, few of a class --------------------------------------------------------


def test_variants_of_a_generator_are_candidates_of_one_family() -> None:
    raw = _arm("ctgan", _gain(0.004), inner=0.80)
    filtered = _arm(
        "ctgan-filtered",
        _gain(0.03, flip=True),
        inner=0.9,
        recipes=[Recipe(ratio=0.5, filter="teacher")] * 4 + [Recipe(ratio=1.0)],
    )
    verdict, _ = _conclude(raw, filtered)
    assert (verdict.decision, verdict.arm) == ("augment", "ctgan-filtered")
    assert verdict.recipe == Recipe(ratio=0.5, filter="teacher")
    assert verdict.ratio == 0.5
    assert "filtered synthetic rows from ctgan (0.5 per training row)" in verdict.sentence
    assert any("adjusted for 2 arms" in reason for reason in verdict.reasons)


def test_the_multipliers_of_the_verdict_are_the_mean_of_those_chosen() -> None:
    recipes = [Recipe(ratio=1.0, multipliers=(1.0, m)) for m in (1.0, 2.0, 4.0, 8.0, 16.0)]
    verdict, _ = _conclude(_arm("ctgan-mixed", _gain(0.03), recipes=recipes))
    assert verdict.recipe is not None
    assert verdict.recipe.multipliers == pytest.approx((1.0, 4.0))
    assert "with a tuned threshold" in verdict.sentence


def test_duplicated_rows_stop_an_augment_and_are_not_recommended() -> None:
    placebo = _arm("placebo", _gain(0.031, flip=True), inner=0.9)
    verdict, _ = _conclude(placebo, _arm("ctgan", _gain(0.03)))
    assert (verdict.decision, verdict.arm) == ("do-not-augment", None)
    assert "which duplicated rows, a placebo, do as well" in verdict.sentence


def test_too_few_of_a_class_is_inconclusive_and_says_how_many_are_needed() -> None:
    few = SIZES.model_copy(update={"rarest": 1})
    results = [
        result.model_copy(update={"sizes": few})
        for arm in (_arm("nothing", BASE), _arm("ctgan", _gain(0.3)))
        for result in arm
    ]
    verdict = conclude(results, SETTINGS, generators=("ctgan",))
    assert verdict.decision == "inconclusive"
    assert "the rarest class has 1.0 test rows per resample and 5 are needed" in verdict.sentence
    assert verdict.rows_needed == 2000


@pytest.mark.parametrize(
    ("metric", "arm"), [("roc_auc", None), ("balanced_accuracy", "class_weights")]
)
def test_too_few_of_a_class_recommend_only_what_theory_asks_for(
    metric: str, arm: str | None
) -> None:
    few = SIZES.model_copy(update={"rarest": 2})
    arms = (_arm("nothing", BASE), _arm("ctgan", _gain(0.0)), _arm("class_weights", _gain(0.05)))
    results = [r.model_copy(update={"sizes": few}) for arm_ in arms for r in arm_]
    settings = SETTINGS.model_copy(update={"metric": metric})
    verdict = conclude(results, settings, generators=("ctgan",))
    assert (verdict.decision, verdict.arm) == ("inconclusive", arm)


@pytest.mark.parametrize("spread", [3, 10])
def test_an_open_question_says_how_many_rows_would_settle_it(spread: int) -> None:
    gain = 0.001 * spread
    scores = [base + gain + spread * float(w) for base, w in zip(BASE, WOBBLE, strict=True)]
    verdict, _ = _conclude(_arm("ctgan", scores))
    assert verdict.rows_needed is not None
    expected = 400 * (verdict.detectable_effect / 0.005) ** 2
    assert expected <= verdict.rows_needed <= 1.1 * expected
    wanted = f"about {verdict.rows_needed:,} training rows"
    # Beyond that a number would be as good as any other.
    far = "more than 100 times your training rows"
    assert (far if verdict.rows_needed > 40_000 else wanted) + " would tell" in verdict.sentence


def test_a_gain_that_is_lost_by_the_number_of_arms_is_told_as_that() -> None:
    """The interval of one arm alone lies above the useful gain, and four arms were tried."""
    arms = [_arm("ctgan", _gain(0.0075), inner=0.95)]
    arms += [_arm(name, _gain(0.001)) for name in ("tvae", "arn", "mixture")]
    verdict, _ = _conclude(*arms)
    (lead,) = [d for d in verdict.alternatives if d.arm == "ctgan"]
    assert verdict.decision == "inconclusive"
    assert lead.interval.low > 0
    assert "shows no gain where 4 arms were tried (p = " in verdict.sentence
    assert any("adjusted for the 4 arms" in reason for reason in verdict.reasons)
    assert not any("contains both" in reason for reason in verdict.reasons)


def test_a_cheap_arm_instead_is_compared_with_what_it_stands_for() -> None:
    verdict, _ = _conclude(_arm("ctgan", _gain(0.01)), _arm("smote", _gain(0.03, flip=True)))
    assert verdict.arm == "smote"
    assert "; over SMOTE −2.0 points (" in verdict.sentence


def test_an_open_question_is_told_of_the_arm_that_leaves_it_open() -> None:
    """The strongest arm inside is ruled out; the other one is not."""
    wide = [base + 10 * float(w) for base, w in zip(BASE, WOBBLE, strict=True)]
    ctgan, tvae = _arm("ctgan", _gain(-0.002), inner=0.95), _arm("tvae", wide, inner=0.85)
    verdict, _ = _conclude(ctgan, tvae)
    assert verdict.decision == "inconclusive"
    assert "synthetic rows from tvae" in verdict.sentence
    assert "A useful gain is ruled out" not in " ".join(verdict.reasons)


def test_resamples_that_some_source_lacks_are_counted_unless_it_was_dropped() -> None:
    verdict, _ = _conclude(_arm("class_weights", BASE), _arm("ctgan", _gain(0.0)[:3]))
    assert verdict.unmeasured == 2
    assert "2 of 5 resamples were not measured to the end" in " ".join(verdict.reasons)
    lost, _ = _conclude(_arm("ctgan", _gain(-0.2)[:3]), _arm("tvae", _gain(0.0, flip=True)))
    assert lost.dropped == {"ctgan": 3}
    assert lost.unmeasured == 0


def test_a_gain_that_is_a_change_of_learner_is_told_and_not_recommended() -> None:
    """Class weights do nothing for either learner; inside, another one happens to be chosen."""
    levels = {"logistic": 0.80, "forest": 0.82}

    def arm(name: str, best: str, spread: float) -> list[JobResult]:
        found = _arm(name, BASE)
        for r, result in enumerate(found):
            scores = {k: v + spread * float(WOBBLE[r]) for k, v in levels.items()}
            learners = [
                _learner(score, inner=0.9 if k == best else 0.8, learner=k)
                for k, score in scores.items()
            ]
            own = result.arms[0].model_copy(update={"learners": learners})
            found[r] = result.model_copy(update={"arms": [own]})
        return found

    settings = {"learners": ("logistic", "forest")}
    weights, ctgan = arm("class_weights", "forest", 1.0), arm("ctgan", "logistic", 1.0)
    nothing = arm("nothing", "logistic", -1.0)
    verdict, _ = _conclude(weights, ctgan, baseline=nothing, settings=settings)
    # Shown to be better as a whole, so it may be recommended; what it owes to the learner is told.
    assert verdict.arm == "class_weights"
    assert verdict.difference == pytest.approx(0.02)
    same = "class weights with the learner that is best without it: 0.0 points"
    assert any(same in reason for reason in verdict.reasons)
    noisy = arm("class_weights", "forest", 6.0)
    verdict, _ = _conclude(noisy, ctgan, baseline=nothing, settings=settings)
    assert verdict.arm is None


def _near_perfect(ctgan: Sequence[float], rarest: int) -> Verdict:
    sizes = SIZES.model_copy(update={"rarest": rarest})
    high = [0.9985, 0.9975, 0.998, 0.999, 0.997]
    results = [
        result.model_copy(update={"sizes": sizes})
        for arm in (
            _arm("nothing", high),
            _arm("ctgan", [base + d for base, d in zip(high, ctgan, strict=True)]),
        )
        for result in arm
    ]
    return conclude(results, SETTINGS, generators=("ctgan",))


def test_no_gain_is_expected_where_hardly_anything_is_left_to_gain() -> None:
    """The interval reaches beyond a perfect score, because the rows do harm in some resamples."""
    losses = [-0.03, 0.0, -0.02, 0.001, 0.0]
    verdict = _near_perfect(losses, rarest=2000)
    assert verdict.interval.high > 0.005
    assert verdict.room == pytest.approx(0.002)
    assert verdict.decision == "do-not-augment"
    assert "ROC-AUC 99.8 of 100, which leaves no room for a gain of 0.5 points" in verdict.sentence
    assert any("what is left to gain is 0.2 points" in reason for reason in verdict.reasons)

    # Few rows may hide errors that none of them shows: no gain is not shown to be impossible.
    verdict = _near_perfect(losses, rarest=40)
    assert verdict.decision == "inconclusive"
    assert "which hardly leaves room for a gain of 0.5 points" in verdict.sentence
    assert verdict.rows_needed is None


# ---- subgroups --------------------------------------------------------------------------------


def _groups(scores: Sequence[float], rows: int = 40) -> list[dict[str, dict[str, float | None]]]:
    return [{"sex = F": {"roc_auc": s}, "sex = M": {"roc_auc": 0.8}} for s in scores]


def test_a_gain_that_harms_a_subgroup_is_no_gain_and_names_it() -> None:
    ctgan = _arm("ctgan", _gain(0.03), groups=_groups(_gain(-0.05)))
    baseline = _arm("nothing", BASE, groups=_groups(BASE))
    verdict, _ = _conclude(ctgan, baseline=baseline)
    assert verdict.decision == "do-not-augment"
    (harm,) = verdict.harmed
    assert harm.subgroup == "sex = F"
    assert harm.difference.mean == pytest.approx(-0.05)
    assert "cost the subgroup sex = F 5.0 points" in verdict.sentence
    assert any("Harmed subgroup sex = F" in reason for reason in verdict.reasons)


def test_a_small_or_unshown_loss_of_a_subgroup_is_no_harm() -> None:
    wide = [b - 0.02 + 10 * float(w) for b, w in zip(BASE, WOBBLE, strict=True)]
    for scores in (_gain(-0.003), wide):
        ctgan = _arm("ctgan", _gain(0.03), groups=_groups(scores))
        verdict, _ = _conclude(ctgan, baseline=_arm("nothing", BASE, groups=_groups(BASE)))
        assert (verdict.decision, verdict.harmed) == ("augment", [])


def test_a_subgroup_with_too_few_rows_is_named_and_not_tested() -> None:
    def small(results: list[JobResult]) -> list[JobResult]:
        return [
            r.model_copy(update={"subgroups": [("sex = F", 11), ("sex = M", 89)]}) for r in results
        ]

    ctgan = small(_arm("ctgan", _gain(0.03), groups=_groups(_gain(-0.05))))
    verdict, _ = _conclude(ctgan, baseline=small(_arm("nothing", BASE, groups=_groups(BASE))))
    assert verdict.decision == "augment"
    assert verdict.untested == ["sex = F: 11 test rows per resample; 30 are needed"]


# ---- clear losers, real rows ------------------------------------------------------------------


def test_a_clear_loser_is_dropped_and_stays_in_the_family() -> None:
    steady = [b - 0.2 + float(w) / 10 for b, w in zip(BASE, WOBBLE, strict=True)]
    verdict, _ = _conclude(_arm("ctgan", _gain(0.0075)), _arm("tvae", steady[:3]))
    assert verdict.dropped == {"tvae": 3}
    # Its p-value counts as 1: the other one is adjusted for two.
    assert verdict.decision == "inconclusive"
    assert any("a clear loser, so it was not measured beyond 3 of 5" in r for r in verdict.reasons)


def test_a_gain_is_worth_as_many_real_rows_as_the_curve_says() -> None:
    """Scores that rise by 0.03 with every doubling of the rows."""
    curve = [
        [
            CurveScore(learner="logistic", rows=75, score=b - 0.06),
            CurveScore(learner="logistic", rows=150, score=b - 0.03),
        ]
        for b in BASE
    ]
    baseline = [
        r.model_copy(update={"curve": c}) for r, c in zip(_arm("nothing", BASE), curve, strict=True)
    ]
    verdict, _ = _conclude(
        _arm("ctgan", _gain(0.03)), baseline=baseline, settings={"curve": (0.25, 0.5)}
    )
    assert verdict.equivalents is not None
    assert verdict.equivalents.rows == pytest.approx(300, abs=3)
    assert verdict.equivalents.useful == pytest.approx(300 * (2 ** (1 / 6) - 1), abs=2)
    assert "as much as about 300 more real rows" in verdict.sentence


def test_the_curve_ends_where_the_comparison_begins() -> None:
    """Both are the means of two measurements."""
    again = dict.fromkeys(CLASSIFICATION, 0.7)
    curve = [CurveScore(learner="logistic", rows=150, score=0.5)]
    results = [
        _replaced(r.model_copy(update={"curve": curve}), again=again) for r in _arm("nothing", BASE)
    ]
    board = Comparison(results, SETTINGS.model_copy(update={"curve": (0.5,)}))
    last = board.curve_points()[-1].score
    assert last == pytest.approx((np.mean(BASE) + 0.7) / 2)
    assert last == pytest.approx(np.mean(board.pairs("nothing", "nothing").other))


# ---- what is wrong with the rows --------------------------------------------------------------


def test_rows_that_repeat_training_rows_are_rejected_whatever_they_seem_to_gain() -> None:
    diagnosis = Diagnosis(
        copied=0.9, coincident=0.1, detected=0.5, learner="boosting", alone=0.8, real=0.8
    )
    gaining = [r.model_copy(update={"diagnosis": diagnosis}) for r in _arm("ctgan", _gain(0.03))]
    verdict, _ = _conclude(gaining)
    assert verdict.decision == "do-not-augment"
    assert "but these rows only repeat training rows" in verdict.sentence


def _diagnosed(**seen: Any) -> list[str]:
    known: dict[str, Any] = {
        "copied": 0.0,
        "coincident": 0.0,
        "detected": 0.6,
        "learner": "boosting",
        "alone": 0.84,
        "real": 0.85,
    }
    diagnosis = Diagnosis(**(known | seen))
    ctgan = [r.model_copy(update={"diagnosis": diagnosis}) for r in _arm("ctgan", _gain(-0.03))]
    return _conclude(ctgan)[0].reasons


def test_the_reasons_say_what_is_wrong_with_the_rows() -> None:
    assert not any("ctgan repeats" in r or "loses the target" in r for r in _diagnosed())
    copies = _diagnosed(copied=0.97, coincident=0.03)
    assert (
        "ctgan repeats what is there: 97% of its rows equal training rows (3% of real rows "
        "do)." in copies
    )
    ignoring = " ".join(_diagnosed(alone=0.51))
    assert "ctgan loses the target" in ignoring
    assert "ROC-AUC 51.0 on real rows, and 85.0 with as many real ones" in ignoring
    assert any("is told from real rows with ROC-AUC 0.99" in r for r in _diagnosed(detected=0.99))


# ---- images -----------------------------------------------------------------------------------


IMAGES = ImageSettings(
    resamples=5, metric="roc_auc", ratios=(0.5, 1.0, "balanced"), **(PLAIN | {"curve": (0.25, 0.5)})
)
"""What :data:`SETTINGS` are to rows, with a learning curve."""
WIDE = [base + 0.01 + 10 * float(w) for base, w in zip(BASE, WOBBLE, strict=True)]
NEAR = [0.9985, 0.9975, 0.998, 0.999, 0.997]


def _each(results: list[JobResult], **update: Any) -> list[JobResult]:
    return [result.model_copy(update=update) for result in results]


def _curved(scores: Sequence[float]) -> list[JobResult]:
    """``nothing`` with a learning curve that rises by 0.03 with every doubling."""
    return [
        result.model_copy(
            update={
                "curve": [
                    CurveScore(learner="logistic", rows=rows, score=score - lost)
                    for rows, lost in ((75, 0.06), (150, 0.03))
                ]
            }
        )
        for result, score in zip(_arm("nothing", scores), scores, strict=True)
    ]


WORDED: dict[str, tuple[list[list[JobResult]], str]] = {
    "a gain": (
        [_curved(BASE), _arm("gan", _gain(0.03)), _arm("placebo", _gain(0.01))],
        "synthetic images from gan (0.5 per training image) raise ROC-AUC by 3.0 points "
        "(95 % interval 2.4 to 3.6), from 80.4 to 83.4, as much as about 300 more real images",
    ),
    "selected": (
        [_arm("nothing", BASE), _arm("gan-filtered", _gain(0.03))],
        "Augment: filtered synthetic images from gan",
    ),
    "no gain": ([_curved(BASE), _arm("gan", BASE)], "more real images would bring 0.5 points"),
    "harm": (
        [_arm("nothing", BASE), _arm("gan", _gain(-0.03))],
        "leave the training images as they are",
    ),
    "placebo": (
        [
            _arm("nothing", BASE),
            _arm("gan", _gain(0.03)),
            _arm("placebo", _gain(0.031, flip=True), inner=0.9),
        ],
        "which duplicated images, a placebo, do as well",
    ),
    "open": ([_arm("nothing", BASE), _arm("gan", WIDE)], " training images would tell"),
    "few of a class": (
        [
            _each(_arm("nothing", BASE), sizes=SIZES.model_copy(update={"rarest": 1})),
            _each(_arm("gan", _gain(0.3)), sizes=SIZES.model_copy(update={"rarest": 1})),
        ],
        "the rarest class has 1.0 test images per resample",
    ),
    "no room": (
        [
            _each(_arm("nothing", NEAR), sizes=SIZES.model_copy(update={"rarest": 2000})),
            _each(
                _arm("gan", [0.9685, 0.9975, 0.978, 1.0, 0.997]),
                sizes=SIZES.model_copy(update={"rarest": 2000}),
            ),
        ],
        "and your images alone reach ROC-AUC 99.8 of 100, which leaves no room",
    ),
    "hardly any room": (
        [_arm("nothing", NEAR), _arm("gan", [0.9685, 0.9975, 0.978, 1.0, 0.997])],
        "and your images alone reach ROC-AUC 99.8 of 100, which hardly leaves room",
    ),
    "copies": (
        [
            _arm("nothing", BASE),
            _each(
                _arm("gan", _gain(0.03)),
                diagnosis=Diagnosis(
                    copied=0.9, coincident=0.1, detected=0.99, learner="cnn", alone=0.4, real=0.8
                ),
            ),
        ],
        "but these images only repeat training images",
    ),
    "capped and short": (
        [
            _each(_arm("nothing", BASE), sizes=SIZES.model_copy(update={"available": 26000})),
            _each(
                _arm("gan", _gain(0.03)),
                failures=[Failure(stage="shortfall", recipe=EMPTY, message="3 of 9 came")],
            ),
            _each(
                _arm("class_weights", BASE), failures=[Failure(stage="learner", message="no sums")]
            ),
        ],
        "Augment: synthetic images from gan",
    ),
}


@pytest.mark.parametrize("case", WORDED)
def test_of_images_the_same_is_said_as_of_rows_but_that_they_are_images(case: str) -> None:
    arms, words = WORDED[case]
    flat = [result for arm in arms for result in arm]
    name = next(r.job.source.name for r in flat if r.job.source.candidate)
    settings = SETTINGS.model_copy(update={"curve": (0.25, 0.5)})
    rows = conclude(flat, settings, generators=(name,))
    images = conclude(flat, IMAGES, generators=(name,))
    assert words in images.sentence
    said = [images.sentence, *images.reasons]
    expected = [text.replace("row", "image") for text in (rows.sentence, *rows.reasons)]
    # A copy of an image need not equal it: it may be mirrored, moved or brighter.
    assert [text.replace("copy training", "equal training") for text in said] == expected
    assert not [text for text in said if re.search(r"\brows?\b", text)]


def test_images_that_repeat_are_called_copies() -> None:
    flat = [result for arm in WORDED["copies"][0] for result in arm]
    reasons = conclude(flat, IMAGES, generators=("gan",)).reasons
    assert "90% of its images copy training images (10% of real images do)." in " ".join(reasons)
    assert any(reason.startswith("Its images are copies of training images") for reason in reasons)


def test_few_images_of_a_subgroup_are_images() -> None:
    groups = {"subgroups": [("camera = A", 11), ("camera = B", 89)]}
    arms = [
        _arm("nothing", BASE, groups=_groups(BASE)),
        _arm("gan", _gain(0.03), groups=_groups(BASE)),
    ]
    flat = [result for arm in arms for result in _each(arm, **groups)]
    untested = conclude(flat, IMAGES, generators=("gan",)).untested
    assert untested[0] == "camera = A: 11 test images per resample; 30 are needed"
