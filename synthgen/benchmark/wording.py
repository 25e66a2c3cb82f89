"""The verdict in words: one sentence for a manager, and the reasons for whoever asks why."""

from __future__ import annotations

import numpy as np

from synthgen.benchmark.comparison import FEWEST, SAME, Comparison
from synthgen.benchmark.diagnosis import diagnosed, repeats
from synthgen.benchmark.finding import (
    FEWEST_OF_CLASS,
    PLACEBO,
    Contender,
    Finding,
    excluded,
    exhausted,
    full,
)
from synthgen.benchmark.limits import limits
from synthgen.benchmark.naming import (
    amount,
    arm_name,
    brief,
    interval,
    points,
    subject,
    useful_text,
    worth,
)
from synthgen.benchmark.scoring import SCORERS
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.statistics import POWER
from synthgen.results import OUT_OF_REACH, Recipe


def sentence(finding: Finding, board: Comparison) -> str:
    """The answer: effect, interval, strongest cheap alternative, and what would change it."""
    settings, lead = board.settings, finding.lead
    if lead is None:
        return (
            f"Inconclusive: {finding.resamples} of {settings.resamples} resamples could be used, "
            f"and at least {FEWEST} are needed to judge {' or '.join(finding.generators)}."
        )
    metric = SCORERS[settings.metric].title
    effect = interval(lead.gain, settings)
    match finding.decision:
        case "augment":
            before = float(np.mean(board.pairs(lead.arm, "nothing").other))
            after = before + lead.gain.mean
            return (
                f"Augment: {subject(lead.arm, board, finding.recipe)} "
                f"({amount(finding.recipe, settings)}) raise {metric} by {effect}, "
                f"from {before * 100:.1f} to {after * 100:.1f}"
                f"{_worth(finding, settings)}; {_cheap(finding, settings)}."
            )
        case "do-not-augment":
            return f"Do not augment: {_refusal(finding, lead, board)}{_instead(finding, settings)}."
        case "inconclusive":
            return f"Inconclusive: {_open(finding, lead, board)}."


def reasons(finding: Finding, board: Comparison) -> list[str]:
    """What the decision rests on, and what limits it."""
    settings, lead, cheap = board.settings, finding.lead, finding.cheap
    found = [_measured(c, finding, settings) for c in finding.measured]
    for arm in board.candidates:
        if arm not in [c.arm for c in finding.measured]:
            usable = board.common([arm])
            found.append(
                f"{arm_name(arm, settings)}: {usable} usable resamples; {FEWEST} are needed."
            )
    if lead is not None and cheap is not None and finding.ahead is not None:
        found.append(
            f"{arm_name(lead.arm, settings)} against {arm_name(cheap.arm, settings)}, the "
            f"strongest cheap arm: {interval(finding.ahead, settings)}."
        )
    elif lead is not None and cheap is None:
        found.append("No cheap arm gains anything: the lead is compared with doing nothing alone.")
    if finding.room is not None and full(finding.room, settings.minimum_effect):
        found.append(
            f"The training {settings.unit}s alone reach {_reached(finding, settings)}; what is "
            f"left to gain is {points(finding.room.mean)}."
        )
    if lead is not None:
        found.append(_why(finding, lead, board))
        found += [_harm(one.subgroup, finding, board) for one in finding.harmed]
        if finding.decision != "augment":
            found += diagnosed(board, finding.generators)
        found += [_same_learner(c, board) for c in (lead, finding.shown) if c is not None]
        recipe, times, of = board.usual_recipe(lead.arm)
        if recipe is not None:
            often = "" if times == of else "most often, "
            found.append(
                f"{arm_name(lead.arm, settings)}: {amount(recipe, settings)}"
                f"{_how(recipe, settings)} was chosen inside {often}in {times} of {of} resamples."
            )
        found.append(
            f"A true effect of {points(finding.detectable)} would have been found with "
            f"{POWER:.0%} probability{_beyond(finding)}; {points(settings.minimum_effect)} count "
            "as useful."
        )
        if finding.rows_needed is not None and finding.decision == "inconclusive":
            found.append(
                f"To find {points(settings.minimum_effect)} would take "
                f"{_wanted(finding.rows_needed, board)}, if all else stays the same."
            )
    return [text for text in dict.fromkeys(found) if text] + limits(board)


def _measured(contender: Contender, finding: Finding, settings: DecideSettings) -> str:
    said = (
        f"{arm_name(contender.arm, settings)} against nothing: {interval(contender.gain, settings)}"
    )
    if contender.arm in finding.dropped:
        return (
            f"{said}; a clear loser, so it was not measured beyond {contender.gain.n} of "
            f"{settings.resamples} resamples."
        )
    family = len(finding.measured)
    adjusted = f", adjusted for {family} arms" if family > 1 else ""
    return f"{said}, p = {contender.p_value:.2g}{adjusted}, over {contender.gain.n} resamples."


def _why(finding: Finding, lead: Contender, board: Comparison) -> str:
    """Which clause of the decision rule applied to the lead."""
    settings = board.settings
    useful, gain, unit = settings.minimum_effect, lead.gain, settings.unit
    cheap, ahead = finding.cheap, finding.ahead
    if finding.decision == "augment":
        return "The gain is shown, useful, and ahead of the strongest cheap arm."
    if finding.scarce:
        return (
            f"The rarest class has {board.rarest:.1f} test {unit}s per resample; without "
            f"{FEWEST_OF_CLASS} no interval can be trusted."
        )
    if repeats(board, board.source(lead.arm)):
        return (
            f"Its {unit}s are copies of training {unit}s: they add nothing, and are not delivered."
        )
    if finding.harmed:
        return "A subgroup is harmed, so what is gained on average is not a gain."
    if gain.high < 0:
        return "Harm is shown: the whole interval lies below zero."
    if excluded(gain, useful):
        return f"A useful gain is ruled out: the interval ends below {points(useful)}."
    if exhausted(finding.room, useful):
        return f"There is no room for a gain of {points(useful)}."
    if cheap is not None and ahead is not None and excluded(ahead, useful):
        return f"A useful gain over {arm_name(cheap.arm, settings)} is ruled out."
    if cheap is not None and ahead is not None and ahead.mean <= 0 and (cheap.helps or lead.helps):
        return f"It is not ahead of {arm_name(cheap.arm, settings)}, the cheaper way."
    if lead.helps and cheap is not None:
        return (
            f"A gain is shown, but not one over {arm_name(cheap.arm, settings)}, the cheaper way."
        )
    if lead.p_value <= 1 - settings.confidence and gain.mean > 0:
        return f"A gain is shown, but its mean is below {points(useful)}."
    if _one_of_many(lead, settings):
        return (
            "The interval alone would show a gain; adjusted for the "
            f"{len(finding.measured)} arms that were tried none is shown."
        )
    return "The interval contains both no gain and a useful one."


def _harm(subgroup: str, finding: Finding, board: Comparison) -> str:
    one = next(h.difference for h in finding.harmed if h.subgroup == subgroup)
    low, high = one.interval.low * 100, one.interval.high * 100
    return (
        f"Harmed subgroup {subgroup}: {one.mean * 100:.1f} points of "
        f"{SCORERS[board.settings.metric].title} ({low:.1f} to {high:.1f}), p = {one.p_value:.2g} "
        "adjusted for all subgroups."
    ).replace("-", "−")


def _how(recipe: Recipe, settings: DecideSettings) -> str:
    return "".join(
        [
            f", selected by {recipe.filter.replace('_', ' ')}" if recipe.filter else "",
            f", each of weight {recipe.weight:g}" if recipe.weight != 1 else "",
            f", with {arm_name(recipe.augmentation, settings)}" if recipe.augmentation else "",
            ", with balanced weights" if recipe.balanced else "",
            ", with a tuned threshold" if recipe.multipliers else "",
        ]
    )


def _same_learner(contender: Contender, board: Comparison) -> str:
    """What is left of a gain without a change of learner; empty where nothing changed."""
    same = board.estimate(contender.arm, "nothing", learner=SAME)
    if same is None or same.n != contender.gain.n or board.unchanged(contender.arm):
        return ""
    return (
        f"{arm_name(contender.arm, board.settings)} with the learner that is best without it: "
        f"{interval(same, board.settings)}."
    )


def _beyond(finding: Finding) -> str:
    """Where hardly anything is left to gain, what could be found is more than there is."""
    if finding.room is None or finding.detectable <= finding.room.mean:
        return ""
    return f", more than the {points(finding.room.mean)} that are left to gain"


# ---- clauses of the sentence ------------------------------------------------------------------


def _refusal(finding: Finding, lead: Contender, board: Comparison) -> str:
    settings = board.settings
    metric, effect = SCORERS[settings.metric].title, interval(lead.gain, settings)
    verb = "raise" if lead.helps else "change"
    said = f"{subject(lead.arm, board)} {verb} {metric} by {effect}"
    if finding.harmed:
        worst = min(finding.harmed, key=lambda one: one.difference.mean)
        lost = f"{abs(worst.difference.mean) * 100:.1f} points"
        return f"{said}, but cost the subgroup {worst.subgroup} {lost}"
    if repeats(board, board.source(lead.arm)):
        return f"{said}, but these {settings.unit}s only repeat training {settings.unit}s"
    if finding.cheap is not None and finding.arm == finding.cheap.arm:
        return said + _over(finding, settings)
    if lead.gain.high >= settings.minimum_effect and exhausted(
        finding.room, settings.minimum_effect
    ):
        return (
            f"{said}, and your {settings.unit}s alone reach {_reached(finding, settings)}, which "
            f"leaves no room for a gain of {points(settings.minimum_effect)}"
        )
    if finding.ahead is not None and lead.gain.high >= settings.minimum_effect:
        assert finding.cheap is not None
        if finding.cheap.arm == PLACEBO:
            return f"{said}, which duplicated {settings.unit}s, a placebo, do as well"
        return f"{said}, which is no useful gain over {arm_name(finding.cheap.arm, settings)}"
    if lead.gain.high < 0:
        return f"{said}; leave the training {settings.unit}s as they are"
    return f"{said}, so a gain of {points(settings.minimum_effect)} or more is ruled out"


def _reached(finding: Finding, settings: DecideSettings) -> str:
    """``ROC-AUC 99.8 of 100``."""
    assert finding.room is not None
    return f"{SCORERS[settings.metric].title} {100 - 100 * finding.room.mean:.1f} of 100"


def _instead(finding: Finding, settings: DecideSettings) -> str:
    """What to use instead, and what would bring a useful gain."""
    cheap = finding.cheap
    if cheap is not None and finding.arm == cheap.arm:
        kind = "a gain" if cheap.helps else "a probable gain"
        return (
            f"; use {arm_name(cheap.arm, settings)} instead, for {kind} of "
            f"{interval(cheap.gain, settings)}"
        )
    return _more_rows(finding, settings)


def _open(finding: Finding, lead: Contender, board: Comparison) -> str:
    settings = board.settings
    metric = SCORERS[settings.metric].title
    verb = "raise" if lead.helps else "change"
    said = f"{subject(lead.arm, board)} {verb} {metric} by {interval(lead.gain, settings)}"
    cheap = finding.cheap
    if finding.scarce:
        said += (
            f", but the rarest class has {board.rarest:.1f} test {settings.unit}s per resample and "
            f"{FEWEST_OF_CLASS} are needed"
        )
    elif lead.helps and cheap is not None:
        said += f", but are not clearly ahead of {arm_name(cheap.arm, settings)}, the cheaper way"
        if finding.ahead is not None:
            said += f" (ahead by {interval(finding.ahead, settings)})"
    elif full(finding.room, settings.minimum_effect):
        said += (
            f", and your {settings.unit}s alone reach {_reached(finding, settings)}, which hardly "
            f"leaves room for a gain of {points(settings.minimum_effect)}"
        )
    elif _one_of_many(lead, settings):
        said += (
            f", which shows no gain where {len(finding.measured)} arms were tried "
            f"(p = {lead.p_value:.2g}, adjusted)"
        )
    else:
        wanted = points(settings.minimum_effect)
        said += f", too uncertain to tell whether it is worth {wanted} or more"
    if finding.rows_needed is not None:
        said += f"; {_wanted(finding.rows_needed, board)} would tell"
    if cheap is not None and finding.arm == cheap.arm:
        kind = "a gain" if cheap.helps else "a probable gain"
        gain = interval(cheap.gain, settings)
        if not (lead.helps or finding.scarce):
            said += _over(finding, settings)
        return f"{said}; meanwhile use {arm_name(cheap.arm, settings)}, for {kind} of {gain}"
    return said if finding.scarce else f"{said}; no cheap alternative is likely to help either"


def _one_of_many(lead: Contender, settings: DecideSettings) -> bool:
    """Whether the lead's own interval shows a gain, and the number of arms takes that back."""
    return lead.gain.low > 0 and lead.p_value > 1 - settings.confidence


def _over(finding: Finding, settings: DecideSettings) -> str:
    """What the lead adds to the arm that is recommended instead."""
    if finding.ahead is None or finding.cheap is None:
        return ""
    return f"; over {arm_name(finding.cheap.arm, settings)} {brief(finding.ahead)}"


def _wanted(rows: int, board: Comparison) -> str:
    """How many training rows; beyond some hundred times those at hand the number says nothing."""
    unit = board.settings.unit
    if board.sizes is not None and rows > OUT_OF_REACH * board.sizes.used:
        return f"more than {OUT_OF_REACH} times your training {unit}s"
    return f"about {rows:,} training {unit}s"


def _cheap(finding: Finding, settings: DecideSettings) -> str:
    if finding.cheap is None:
        return "no cheap alternative gains anything"
    gain = interval(finding.cheap.gain, settings)
    name = arm_name(finding.cheap.arm, settings)
    return f"the strongest cheap alternative, {name}, changes it by {gain}"


def _worth(finding: Finding, settings: DecideSettings) -> str:
    text = worth(finding.equivalents, settings)
    return f", as much as {text} would" if text else ""


def _more_rows(finding: Finding, settings: DecideSettings) -> str:
    text = useful_text(finding.equivalents, settings)
    return f"; {text} would bring {points(settings.minimum_effect)}" if text else ""
