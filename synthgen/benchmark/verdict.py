"""Does augmentation help? The decision rule.

Everything is about the primary metric on rows that nothing was chosen on, every arm being
represented in each resample by its best learner and ratio of the inner rows, and every difference
having the corrected interval of :mod:`synthgen.benchmark.statistics`.

``cheap`` is the arm with the highest mean inner score among ``nothing``, class weights, random
oversampling and SMOTE (those that were measured and are no candidates themselves). A *useful*
gain is one of at least the minimum effect. An arm is *shown to help* if its difference against
``nothing`` is useful and its Holm-adjusted p-value at most 1 - confidence.

- **do not augment** if for every candidate (i) a useful gain is ruled out: the interval against
  ``nothing``, or the one against ``cheap``, ends below the minimum effect (a harmful candidate is
  a case of this); or (ii) ``cheap`` is shown to help and the candidate's mean is not above it.
- **augment** if a candidate not rejected so is shown to help and its mean is above that of
  ``cheap``.
- **inconclusive** otherwise, and with fewer than three usable resamples.

A false *augment* needs a candidate without any effect to pass a test at level 1 - confidence, in
the good direction: Holm's adjustment over the candidates keeps the chance of that, over all of
them, at half that level or less, and the further conditions can only lower it. The cheap arms
are not part of that family, since what they show can only stop an *augment*; for the
recommendation of one of them they form a family of their own. *Do not augment* needs every
candidate to be rejected, so it needs no adjustment.

The strongest of several candidates is the one with the highest mean inner score, so that the
reported difference is not the largest of several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from synthgen.benchmark import wording
from synthgen.benchmark.comparison import BEST, Comparison, Contender, Finding
from synthgen.benchmark.jobs import JobResult
from synthgen.benchmark.settings import DecideSettings, Ratio
from synthgen.benchmark.statistics import Estimate, detectable_effect, holm
from synthgen.results import Decision, Difference, Interval, Verdict

Standing: TypeAlias = Literal["helps", "rejected", "open"]


def conclude(
    results: Sequence[JobResult],
    settings: DecideSettings,
    *,
    candidates: Sequence[str],
    fixed_ratio: Ratio | None = None,
) -> tuple[Verdict, list[Difference]]:
    """The verdict on the candidate arms, and every difference against ``nothing``.

    ``results`` may be those of an interrupted run. ``fixed_ratio`` is what the user insists on;
    else the verdict's ratio is the one that was chosen most often inside (of equals the one with
    fewer synthetic rows). ``Difference.mean`` is arm minus ``nothing`` whatever the metric's
    direction; its interval and p-value are not adjusted for the number of arms.
    """
    board = Comparison(results, settings)
    asked = _contenders(board, [a for a in board.arms if a in candidates])
    ladder = _contenders(
        board, [a for a in board.arms if a in settings.arms if a not in candidates]
    )
    cheap = _strongest(board, ladder)
    if cheap is not None and board.inner_gain(cheap.arm) <= 0:
        cheap = None  # nothing is the strongest
    standings = {c.arm: _standing(board, c, cheap) for c in asked}
    helpful = [c for c in asked if standings[c.arm] == "helps"]
    lead = _strongest(board, helpful or asked)

    decision: Decision = "inconclusive"
    arm: str | None = None
    ratio: Ratio | None = fixed_ratio
    if helpful and lead is not None:
        decision, arm = "augment", lead.arm
        ratio = fixed_ratio if fixed_ratio is not None else board.usual_ratio(lead.arm)[0]
    else:
        if asked and set(standings.values()) == {"rejected"}:
            decision = "do-not-augment"
        # What only loses to a cheap arm is evidence for that arm.
        if cheap is not None and (cheap.helps or any(c.helps for c in asked)):
            arm = cheap.arm
    shown = cheap if cheap is not None and arm == cheap.arm else lead
    finding = Finding(
        decision=decision,
        candidates=tuple(candidates),
        measured=asked,
        lead=lead,
        cheap=cheap,
        ahead=board.estimate(lead.arm, cheap.arm) if lead and cheap else None,
        arm=arm,
        ratio=ratio,
        detectable=_detectable(lead, settings, len(asked)),
        resamples=lead.gain.n if lead else board.common(candidates),
    )
    differences = board.differences()
    others = [
        d for d in differences if d.learner == BEST and d.metric == settings.metric and d.arm != arm
    ]
    # Without an estimate only the range of the metric is known.
    low, high = (shown.gain.low, shown.gain.high) if shown else (-1.0, 1.0)
    verdict = Verdict(
        decision=decision,
        arm=arm,
        ratio=ratio,
        metric=settings.metric,
        difference=shown.gain.mean if shown else 0.0,
        interval=Interval(low=low, high=high),
        confidence=settings.confidence,
        sentence=wording.sentence(finding, board),
        reasons=wording.reasons(finding, board),
        alternatives=sorted(others, key=lambda d: -d.mean),
        minimum_effect=settings.minimum_effect,
        detectable_effect=finding.detectable,
        resamples=finding.resamples,
        learners=list(settings.learners),
    )
    return verdict, differences


def _contenders(board: Comparison, arms: Sequence[str]) -> list[Contender]:
    """One family of tests: the measured arms among these, in their order."""
    settings = board.settings
    gains = [(a, board.estimate(a, "nothing")) for a in arms if a != "nothing"]
    measured = [(a, gain) for a, gain in gains if gain is not None]
    adjusted = holm([gain.p_value for _, gain in measured])
    return [
        Contender(
            arm,
            gain,
            p_value,
            helps=gain.mean > 0
            and gain.mean >= settings.minimum_effect
            and p_value <= 1 - settings.confidence,
        )
        for (arm, gain), p_value in zip(measured, adjusted, strict=True)
    ]


def _strongest(board: Comparison, contenders: Sequence[Contender]) -> Contender | None:
    """By the mean inner score; of equals the first."""
    return max(contenders, key=lambda c: board.inner_gain(c.arm), default=None)


def _standing(board: Comparison, candidate: Contender, cheap: Contender | None) -> Standing:
    ahead = board.estimate(candidate.arm, cheap.arm) if cheap is not None else None
    useful = board.settings.minimum_effect
    if any(_excluded(gain, useful) for gain in (candidate.gain, ahead) if gain is not None):
        return "rejected"
    if cheap is not None and cheap.helps and ahead is not None and ahead.mean <= 0:
        return "rejected"
    if candidate.helps and (ahead is None or ahead.mean > 0):
        # Without a common resample nothing says that it is ahead.
        return "helps" if cheap is None or ahead is not None else "open"
    return "open"


def _excluded(gain: Estimate, useful: float) -> bool:
    return gain.high < useful or gain.high <= 0


def _detectable(lead: Contender | None, settings: DecideSettings, tests: int) -> float:
    """At the strictest level that Holm's procedure uses; the whole range without an estimate."""
    if lead is None:
        return 1.0
    alpha = (1 - settings.confidence) / tests
    return min(1.0, detectable_effect(lead.gain.error, lead.gain.n, alpha))
