"""The verdict in words: one sentence for a manager, and the reasons for whoever asks why."""

from __future__ import annotations

from collections import Counter

import numpy as np

from synthgen.benchmark.comparison import FEWEST, Comparison, Contender, Finding
from synthgen.benchmark.scoring import SCORERS
from synthgen.benchmark.settings import DecideSettings, Ratio
from synthgen.benchmark.statistics import POWER, Estimate

_NAMES = {
    "class_weights": "class weights",
    "oversample": "random oversampling",
    "smote": "SMOTE",
}


def sentence(finding: Finding, board: Comparison) -> str:
    """The answer."""
    settings, lead = board.settings, finding.lead
    if lead is None:
        return (
            f"Inconclusive: {finding.resamples} of {settings.resamples} resamples could be used, "
            f"and at least {FEWEST} are needed to judge {_listed(finding.candidates)}."
        )
    metric = SCORERS[settings.metric].title
    effect = _interval(lead.gain, settings)
    match finding.decision:
        case "augment":
            before = float(np.mean(board.pairs(lead.arm, "nothing").other))
            after = before + lead.gain.mean
            return (
                f"Augment: {_rows(finding.ratio)} from {lead.arm} raise {metric} by {effect}, "
                f"from {before * 100:.1f} to {after * 100:.1f}; {_cheap(finding, settings)}."
            )
        case "do-not-augment":
            return f"Do not augment: {_refusal(finding, lead, settings)}."
        case "inconclusive":
            meanwhile = (
                f"; meanwhile {_name(finding.cheap.arm)} gains "
                f"{_interval(finding.cheap.gain, settings)}"
                if finding.cheap and finding.cheap.helps
                else ""
            )
            return (
                f"Inconclusive: synthetic rows from {lead.arm} change {metric} by {effect}, and "
                f"with these rows and resamples only an effect of "
                f"{_points(finding.detectable)} or more is likely to be found{meanwhile}."
            )


def reasons(finding: Finding, board: Comparison) -> list[str]:
    """What the decision rests on, and what limits it."""
    settings, lead, cheap = board.settings, finding.lead, finding.cheap
    found = [_measured(c, len(finding.measured), settings) for c in finding.measured]
    for arm in finding.candidates:
        if arm not in [c.arm for c in finding.measured]:
            usable = board.common([arm])
            found.append(f"{arm}: {usable} usable resamples; at least {FEWEST} are needed.")
    if lead is not None and cheap is not None and finding.ahead is not None:
        found.append(
            f"{lead.arm} against {_name(cheap.arm)}, the strongest cheap arm on the inner rows: "
            f"{_interval(finding.ahead, settings)}."
        )
    elif lead is not None:
        found.append("No cheap arm gains on the inner rows, so nothing is the strongest of them.")
    if lead is not None:
        found.append(_why(finding, lead, settings))
        ratio, times, of = board.usual_ratio(lead.arm)
        if ratio is not None and len(settings.ratios) > 1:
            found.append(f"Ratio {ratio} was chosen inside in {times} of {of} resamples.")
        found.append(
            f"A true effect of {_points(finding.detectable)} would have been found with "
            f"{POWER:.0%} probability; {_points(settings.minimum_effect)} count as useful."
        )
    return found + _limits(board)


def _measured(contender: Contender, family: int, settings: DecideSettings) -> str:
    adjusted = f", adjusted for {family} generators" if family > 1 else ""
    return (
        f"{contender.arm} against nothing: {_interval(contender.gain, settings)}, "
        f"p = {contender.p_value:.2g}{adjusted}, over {contender.gain.n} resamples."
    )


def _why(finding: Finding, lead: Contender, settings: DecideSettings) -> str:
    """Which clause of the decision rule applied to the lead."""
    useful, gain = settings.minimum_effect, lead.gain
    cheap, ahead = finding.cheap, finding.ahead
    if finding.decision == "augment":
        return "The gain is shown, useful, and ahead of the strongest cheap arm."
    if gain.high < 0:
        return "Harm is shown: the whole interval lies below zero."
    if gain.high < useful or gain.high <= 0:
        return f"A useful gain is ruled out: the interval ends below {_points(useful)}."
    if cheap is not None and ahead is not None and (ahead.high < useful or ahead.high <= 0):
        return f"A useful gain over {_name(cheap.arm)} is ruled out."
    if cheap is not None and ahead is not None and ahead.mean <= 0 and (cheap.helps or lead.helps):
        return f"It is not ahead of {_name(cheap.arm)}, which costs less."
    if lead.p_value <= 1 - settings.confidence and gain.mean > 0:
        return f"A gain is shown, but its mean is below {_points(useful)}."
    return "The interval contains both no gain and a useful one."


def _limits(board: Comparison) -> list[str]:
    """Failures, missing jobs and capped rows."""
    settings = board.settings
    counts: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for result in board.results:
        stages: dict[str, str] = {}
        for failure in result.failures:
            what = f"{failure.stage} {failure.learner}" if failure.learner else failure.stage
            stages.setdefault(what, failure.message)
        # Rows that cannot be split fail in all arms alike: told once.
        arm = "every arm" if "split" in stages else _name(result.job.arm)
        if arm == "every arm" and result.job.arm != board.arms[0]:
            continue
        for what, message in stages.items():
            counts[arm, what] += 1
            example.setdefault((arm, what), message)
    found = [
        f"{arm}: {'too few rows came' if what == 'shortfall' else f'{what} failed'} in "
        f"{count} of {settings.resamples} resamples ({example[arm, what]})."
        for (arm, what), count in counts.items()
    ]
    planned = settings.resamples * len(board.arms)
    if len(board.results) < planned:
        found.append(
            f"{planned - len(board.results)} of {planned} measurements were not made; the interval "
            "is honest for those that were, and wider than it would have been."
        )
    sizes = board.sizes
    if sizes is not None and sizes.used < sizes.available:
        found.append(
            f"Measured on {sizes.used:,} of {sizes.available:,} training rows: what helps few rows "
            "may help many less."
        )
    return found


def _refusal(finding: Finding, lead: Contender, settings: DecideSettings) -> str:
    metric, effect = SCORERS[settings.metric].title, _interval(lead.gain, settings)
    verb = "raise" if lead.helps else "change"
    said = f"synthetic rows from {lead.arm} {verb} {metric} by {effect}"
    cheap = finding.cheap
    if cheap is not None and finding.arm == cheap.arm:
        return (
            f"{said}, and {_name(cheap.arm)}, which costs less, gains "
            f"{_interval(cheap.gain, settings)}: use that instead"
        )
    if finding.ahead is not None and lead.gain.high >= settings.minimum_effect:
        assert cheap is not None
        return f"{said}, which is no useful gain over {_name(cheap.arm)}"
    if lead.gain.high < 0:
        return f"{said}; leave the training rows as they are"
    return f"{said}, so a gain of {_points(settings.minimum_effect)} or more is ruled out"


def _cheap(finding: Finding, settings: DecideSettings) -> str:
    if finding.cheap is None:
        return "no cheap alternative gains anything"
    gain = _interval(finding.cheap.gain, settings)
    return f"the strongest cheap alternative, {_name(finding.cheap.arm)}, changes it by {gain}"


def _rows(ratio: Ratio | None) -> str:
    if ratio == "balanced":
        return "synthetic rows that balance the classes"
    return f"{ratio:g} synthetic rows per training row"


def _interval(gain: Estimate, settings: DecideSettings) -> str:
    digits = 2 if gain.high - gain.low < 0.01 else 1
    low, high = _number(gain.low, digits), _number(gain.high, digits)
    return (
        f"{_number(gain.mean, digits)} points "
        f"({settings.confidence * 100:g} % interval {low} to {high})"
    )


def _points(effect: float) -> str:
    points = effect * 100
    return f"{points:.1f} points" if points >= 1 else f"{points:.2g} points"


def _number(value: float, digits: int) -> str:
    """In hundredths; a rounded zero has no sign."""
    text = f"{abs(value) * 100:.{digits}f}"
    return f"−{text}" if value < 0 and float(text) > 0 else text


def _name(arm: str) -> str:
    return _NAMES.get(arm, arm)


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join(names)
