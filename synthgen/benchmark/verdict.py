"""Does augmentation help? The decision rule.

Everything is about the primary metric on rows that nothing was chosen on, every arm being
represented in each resample by its best learner and recipe of the inner rows, and every difference
having the corrected interval of :mod:`synthgen.benchmark.statistics`.

The *candidates* are the arms of the generators in question. ``cheap`` is the strongest of all
others (those that were measured): the one with the highest mean of inner and outer gains, if that
is above 0. A *useful* gain is one of at least the minimum effect. An arm is *shown to help* if its
difference against ``nothing`` is useful and its Holm-adjusted p-value at most 1 - confidence. A
gain is *likely* if it is useful on average and above its standard error.

- **do not augment** if every candidate is rejected: (i) a useful gain is ruled out, as the interval
  against ``nothing``, or the one against ``cheap``, ends below the minimum effect (a harmful
  candidate is a case of this), or at a look on the way (:mod:`synthgen.benchmark.sequential`); or
  (ii) ``cheap`` is shown to help and the candidate's mean is not above it; or (iii) a subgroup is
  shown to be harmed, by a useful amount, at the same level with Holm's adjustment over subgroups;
  or (iv) the generator repeats training rows, which are no new evidence and are not delivered;
  or (v) ``nothing`` is shown to be so close to a perfect score that no room for a useful gain is
  left.
- **augment** if a candidate not rejected so is shown to help and is likely to gain over ``cheap``:
  what costs less is not to be lost for what may be chance.
- **inconclusive** otherwise, with fewer than three usable resamples, and where the rarest class
  has so few test rows that no interval can be trusted.

A false *augment* needs a candidate without any effect to pass a test at level 1 - confidence, in
the good direction: Holm's adjustment over the candidates keeps the chance of that, over all of
them, at half that level or less, and the further conditions can only lower it. *Do not augment*
needs every candidate to be rejected, so it needs no adjustment.

The cheap arms are not part of that family, since what they show can only stop an *augment*; for
the recommendation of one of them they form a family of their own. Where none is shown to help, one
that is likely to is recommended, since it costs next to nothing. If the primary metric is one of
predicted classes, a useful mean of inner and outer gains is enough for an arm that balances: that
is what such metrics ask for (balanced accuracy: Menon et al., ICML 2013; F1: Lipton et al., ECML
2014). For others the gain has to be useful with the learner of ``nothing`` too, lest it be one of a
change of learner, and nothing is recommended where the rarest class has too few test rows. The
placebo (duplicated rows) is never recommended.

The strongest of several candidates is the one with the highest mean inner score, so that the
reported difference is not the largest of several.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from synthgen.benchmark import learning_curve, threshold, wording
from synthgen.benchmark.comparison import BEST, FEWEST, SAME, Comparison
from synthgen.benchmark.diagnosis import repeats
from synthgen.benchmark.finding import (
    FEWEST_OF_CLASS,
    PLACEBO,
    Contender,
    Finding,
    excluded,
    exhausted,
    full,
    likely,
)
from synthgen.benchmark.limits import unmeasured
from synthgen.benchmark.records import JobResult
from synthgen.benchmark.schedule import dropped
from synthgen.benchmark.sequential import rows_needed
from synthgen.benchmark.settings import FOR_IMAGES, DecideSettings, Ratio
from synthgen.benchmark.statistics import Estimate, detectable_effect, holm
from synthgen.benchmark.subgroups import FEWEST_ROWS
from synthgen.results import Decision, Difference, Harm, Interval, RealEquivalents, Verdict

Standing: TypeAlias = Literal["helps", "rejected", "open"]


def conclude(
    results: Sequence[JobResult],
    settings: DecideSettings,
    *,
    generators: Sequence[str],
    fixed_ratio: Ratio | None = None,
) -> Verdict:
    """The verdict on the arms of these generators.

    ``results`` may be those of an interrupted run. ``fixed_ratio`` is what the user insists on;
    else the verdict's recipe is the one that was chosen most often inside (of equals the one with
    fewer synthetic rows). Differences are arm minus ``nothing`` whatever the metric's direction;
    their intervals and p-values are not adjusted for the number of arms.
    """
    board = Comparison(results, settings)
    finding = find(board, generators)
    shown = finding.shown
    augment = finding.decision == "augment"
    ratio: Ratio | None = fixed_ratio
    if ratio is None and augment and finding.recipe is not None:
        ratio = finding.recipe.ratio
    differences = [
        d for d in board.differences() if d.learner == BEST and d.metric == settings.metric
    ]
    # Without an estimate only the range of the metric is known.
    low, high = (shown.gain.low, shown.gain.high) if shown else (-1.0, 1.0)
    return Verdict(
        decision=finding.decision,
        arm=finding.arm,
        recipe=finding.recipe,
        ratio=ratio,
        metric=settings.metric,
        difference=shown.gain.mean if shown else 0.0,
        interval=Interval(low=low, high=high),
        confidence=settings.confidence,
        sentence=wording.sentence(finding, board),
        reasons=wording.reasons(finding, board),
        alternatives=sorted(
            (d for d in differences if d.arm != finding.arm), key=lambda d: -d.mean
        ),
        minimum_effect=settings.minimum_effect,
        detectable_effect=finding.detectable,
        resamples=finding.resamples,
        learners=list(settings.learners),
        learner=board.usual_learner(shown.arm) if shown else None,
        cheap=finding.cheap.arm if finding.cheap else None,
        equivalents=finding.equivalents,
        harmed=finding.harmed,
        untested=finding.untested,
        dropped=finding.dropped,
        rows_needed=finding.rows_needed,
        room=finding.room.mean if finding.room else None,
        scarce=board.rarest if finding.scarce else None,
        unmeasured=unmeasured(board),
    )


def find(board: Comparison, generators: Sequence[str]) -> Finding:
    """Apply the rule."""
    settings = board.settings
    lost = dropped(board.results, settings)
    asked = _contenders(board, board.candidates, lost)
    ladder = _contenders(board, [a for a in board.arms if a not in board.candidates], {})
    cheap = _rival(board, ladder)
    if cheap is not None and board.evidence(cheap.arm) <= 0:
        cheap = None  # nothing is the strongest
    harms = {c.arm: _harms(board, c.arm) for c in asked}
    room = board.room()
    standings = {c.arm: _standing(board, c, cheap, lost, harms[c.arm], room) for c in asked}
    helpful = [c for c in asked if standings[c.arm] == "helps"]
    lead = _strongest(board, helpful or [c for c in asked if c.arm not in lost] or asked)
    scarce = 0 < board.rarest < FEWEST_OF_CLASS

    decision: Decision = "inconclusive"
    arm: str | None = None
    if scarce:
        pass
    elif helpful and lead is not None:
        decision, arm = "augment", lead.arm
    elif asked and set(standings.values()) == {"rejected"}:
        decision = "do-not-augment"
    elif asked:
        # What keeps the question open is what there is to be told.
        lead = _strongest(board, [c for c in asked if standings[c.arm] == "open"])
    if decision != "augment":
        # What only loses to a cheap arm is evidence for that arm; and as such arms cost next to
        # nothing, one that is likely to help is worth having before it is shown to.
        # Where no interval can be trusted, only what theory asks for is recommended.
        able = [c for c in ladder if c.arm != PLACEBO and (not scarce or _asked_for(board, c.arm))]
        advised = _rival(board, [c for c in able if c.helps]) or _rival(
            board, [c for c in able if _promising(board, c)]
        )
        if advised is None and cheap in able and any(c.helps for c in asked):
            advised = cheap
        arm = advised.arm if advised is not None else None
        cheap = advised or cheap
    detectable = _detectable(lead, settings, len(asked))
    limited = full(room, settings.minimum_effect)
    shown = cheap if cheap is not None and arm == cheap.arm else lead
    return Finding(
        decision=decision,
        generators=tuple(generators),
        measured=asked,
        lead=lead,
        cheap=cheap,
        ahead=board.estimate(lead.arm, cheap.arm) if lead and cheap else None,
        arm=arm,
        recipe=board.usual_recipe(arm)[0] if arm else None,
        harmed=harms[lead.arm] if lead else [],
        untested=_untested(board),
        dropped=lost,
        equivalents=_equivalents(board, shown, limited or scarce),
        detectable=detectable,
        rows_needed=None if limited else _rows_needed(board, lead, detectable, scarce),
        resamples=lead.gain.n if lead else board.common(board.candidates),
        scarce=scarce,
        room=room,
    )


def _contenders(board: Comparison, arms: Sequence[str], lost: dict[str, int]) -> list[Contender]:
    """One family of tests: the measured arms among these, in their order."""
    settings = board.settings
    gains = [(a, board.estimate(a, "nothing")) for a in arms if a != "nothing"]
    measured = [(a, gain) for a, gain in gains if gain is not None]
    adjusted = holm([1.0 if a in lost else gain.p_value for a, gain in measured])
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


def _rival(board: Comparison, contenders: Sequence[Contender]) -> Contender | None:
    """The strongest cheap arm by inner and outer gains; of equals the first."""
    return max(contenders, key=lambda c: board.evidence(c.arm), default=None)


def _promising(board: Comparison, cheap: Contender) -> bool:
    """Whether a cheap arm that is not shown to help is worth having."""
    useful = board.settings.minimum_effect
    if _asked_for(board, cheap.arm):
        return cheap.gain.mean > 0 and board.evidence(cheap.arm) >= useful
    same = board.estimate(cheap.arm, "nothing", learner=SAME)
    return likely(cheap.gain, useful) and same is not None and same.mean >= useful


def _asked_for(board: Comparison, cheap: str) -> bool:
    """Whether the metric asks in theory for what a cheap arm does: one of predicted classes for
    balancing, and nothing for an augmentation of images."""
    augments = board.treatment(cheap) in FOR_IMAGES
    return board.settings.metric in threshold.TUNABLE and not augments


def _standing(
    board: Comparison,
    candidate: Contender,
    cheap: Contender | None,
    lost: dict[str, int],
    harms: list[Harm],
    room: Estimate | None,
) -> Standing:
    ahead = board.estimate(candidate.arm, cheap.arm) if cheap is not None else None
    useful = board.settings.minimum_effect
    if candidate.arm in lost or harms or repeats(board, board.source(candidate.arm)):
        return "rejected"
    if any(excluded(gain, useful) for gain in (candidate.gain, ahead) if gain is not None):
        return "rejected"
    if exhausted(room, useful):
        return "rejected"
    if cheap is not None and cheap.helps and ahead is not None and ahead.mean <= 0:
        return "rejected"
    if candidate.helps and (cheap is None or (ahead is not None and likely(ahead, useful))):
        return "helps"
    return "open"


# ---- subgroups --------------------------------------------------------------------------------


def _harms(board: Comparison, arm: str) -> list[Harm]:
    """The subgroups that an arm makes worse: by a useful amount, and shown."""
    settings = board.settings
    tested = [name for name, rows in board.subgroups().items() if rows >= FEWEST_ROWS]
    gains = [(name, board.estimate(arm, "nothing", subgroup=name)) for name in tested]
    measured = [(name, gain) for name, gain in gains if gain is not None]
    adjusted = holm([gain.p_value for _, gain in measured])
    return [
        Harm(
            subgroup=name,
            difference=Difference(
                arm=arm,
                learner=BEST,
                metric=settings.metric,
                part=name,
                baseline=float(np.mean(board.pairs(arm, "nothing", subgroup=name).other)),
                mean=gain.mean,
                interval=Interval(low=gain.low, high=gain.high),
                p_value=p_value,
                resamples=gain.n,
            ),
        )
        for (name, gain), p_value in zip(measured, adjusted, strict=True)
        if gain.mean < 0
        and gain.mean <= -settings.minimum_effect
        and p_value <= 1 - settings.confidence
    ]


def _untested(board: Comparison) -> list[str]:
    found, unit = [], board.settings.unit
    for name, rows in board.subgroups().items():
        if rows < FEWEST_ROWS:
            found.append(f"{name}: {rows:.0f} test {unit}s per resample; {FEWEST_ROWS} are needed")
        elif (
            board.arms
            and max(
                (len(board.pairs(a, "nothing", subgroup=name).arm) for a in board.candidates),
                default=0,
            )
            < FEWEST
        ):
            found.append(f"{name}: its {unit}s do not define {board.settings.metric}")
    return found


# ---- how much more ----------------------------------------------------------------------------


def _equivalents(
    board: Comparison, shown: Contender | None, limited: bool
) -> RealEquivalents | None:
    """What the shown gain is worth in real rows; None without a learning curve. ``limited``: a
    useful gain is out of reach, whatever a curve says that knows no best score."""
    scores, rows, resamples = board.curve()
    if shown is None or len(scores) < FEWEST:
        return None
    pairs = board.pairs(shown.arm, "nothing")
    gains = dict(zip(pairs.resamples, pairs.differences, strict=True))
    both = [place for place, resample in enumerate(resamples) if resample in gains]
    if len(both) < FEWEST:
        return None
    options = {"test_ratio": board.test_ratio, "confidence": board.settings.confidence}
    worth = learning_curve.real_equivalents(
        scores[both], rows, np.array([gains[resamples[place]] for place in both]), **options
    )
    # A gain that may as well be none is worth no number of rows.
    known = shown.gain.low > 0 or shown.gain.high < 0
    wanted = board.settings.minimum_effect
    useful = None
    if wanted and not limited:
        useful = learning_curve.rows_for(wanted, scores, rows, **options)
    return RealEquivalents(
        rows=worth.rows if known else None,
        low=worth.low if known else None,
        high=worth.high if known else None,
        ceiling=worth.ceiling,
        floor=worth.floor,
        useful=useful.rows if useful else None,
        useful_low=useful.low if useful else None,
        useful_high=useful.high if useful else None,
    )


def _detectable(lead: Contender | None, settings: DecideSettings, tests: int) -> float:
    """At the strictest level that Holm's procedure uses; the whole range without an estimate."""
    if lead is None:
        return 1.0
    alpha = (1 - settings.confidence) / tests
    return min(1.0, detectable_effect(lead.gain.error, lead.gain.n, alpha))


def _rows_needed(
    board: Comparison, lead: Contender | None, detectable: float, scarce: bool
) -> int | None:
    """Training rows at which the minimum effect would show, or the rarest class be large enough to
    trust an interval; None where that cannot be said."""
    settings, sizes = board.settings, board.sizes
    if sizes is None or lead is None or settings.minimum_effect == 0:
        return None
    if scarce:
        return math.ceil(sizes.used * FEWEST_OF_CLASS / board.rarest)
    if lead.helps:
        return None  # What is open is whether it is ahead of a cheap arm.
    return rows_needed(detectable, settings.minimum_effect, sizes.used)
