"""The verdict in plain language: the effect, what to do now, and how to run it again."""

from __future__ import annotations

import shlex

from synthgen.report import numbers
from synthgen.report.wording import DECISIONS, Effects, name
from synthgen.results import Provenance, Report, Verdict

_NEXT_BUDGET = {"quick": "standard", "standard": "thorough"}


def sentence(verdict: Verdict) -> str:
    """The verdict's sentence without the decision, which stands above it wherever it is shown."""
    rest = verdict.sentence.removeprefix(f"{DECISIONS[verdict.decision]}: ")
    return rest[:1].upper() + rest[1:]


def effects(verdict: Verdict) -> Effects:
    """How the verdict's own differences are printed."""
    return Effects.of(verdict.metric, [verdict.interval])


def effect(verdict: Verdict) -> str:
    """``+1.2 points balanced accuracy, 95 % interval -0.3 to +2.7``."""
    shown = effects(verdict)
    return (
        f"{shown.difference(verdict.difference)} {name(verdict.metric)}, "
        f"{confidence(verdict)} {shown.interval(verdict.interval)}"
    )


def measurement(report: Report) -> str:
    """The effect and whose it is: ``class weights: +1.2 points ...``."""
    if not measured(report.verdict):
        return "There were too few resamples to estimate an effect."
    arm = shown_arm(report)
    return f"{name(arm)}: {effect(report.verdict)}" if arm else effect(report.verdict)


def measured(verdict: Verdict) -> bool:
    """Whether there is an estimate at all: without one only the metric's own range is known."""
    return verdict.detectable_effect < 1


def shown_arm(report: Report) -> str | None:
    """Whose difference the verdict shows: its arm, or the candidate that it speaks of."""
    verdict = report.verdict
    if verdict.arm is not None:
        return verdict.arm
    for one in report.differences:
        primary = one.learner == "best" and one.metric == verdict.metric
        if primary and one.mean == verdict.difference and one.interval == verdict.interval:
            return one.arm
    return None


def confidence(verdict: Verdict) -> str:
    """``95 % interval``."""
    level = numbers.significant(verdict.confidence * 100)
    return f"{level}\N{NO-BREAK SPACE}% interval"


def ratio(verdict: Verdict) -> str:
    """How many synthetic rows the verdict wants, as half a sentence; empty where it wants none."""
    match verdict.ratio:
        case None:
            return ""
        case "balanced":
            return "as many per class as it takes to balance the classes"
        case rows:
            return f"{numbers.significant(rows)} synthetic per training row"


def steps(report: Report) -> list[str]:
    """What to do now, most important first."""
    match report.verdict.decision:
        case "augment":
            return _augment(report)
        case "do-not-augment":
            return _keep(report)
        case "inconclusive":
            return _find_out(report)


def command(provenance: Provenance) -> str:
    """The command line that gives this run again."""
    if provenance.command is not None:
        return provenance.command
    data = provenance.config.get("data", {})
    if data.get("source") == "":  # a frame that was handed over in memory
        return (
            f"synthgen.augment(frame, target={provenance.target!r}, "
            f"generator={provenance.generator!r}, budget={provenance.budget!r}, "
            f"seed={provenance.seed})"
        )
    words = ["synthgen", "augment", provenance.source, "--target", provenance.target]
    for option in ("group", "time"):
        if data.get(option):
            words += [f"--{option}", str(data[option])]
    words += ["--generator", provenance.generator, "--budget", provenance.budget]
    return shlex.join([*words, "--seed", str(provenance.seed)])


def _augment(report: Report) -> list[str]:
    verdict, rows = report.verdict, report.provenance.rows
    made = f" from {name(verdict.arm)}" if verdict.arm else ""
    amount = ratio(verdict)
    real, drawn = rows.get("train"), rows.get("augmented", 0) - rows.get("train", 0)
    held = (
        f": {numbers.counted(real, 'training row')} and {numbers.counted(drawn, 'synthetic row')}"
        if real is not None and drawn > 0
        else ""
    )
    return [
        f"Train your classifier on the augmented file of this run{held}{made}"
        + (f" ({amount})." if amount else "."),
        "Keep validating and testing on real rows only.",
        f"Expect {effect(verdict)}. If the lower end would not be worth the trouble, "
        "leave your data as they are.",
    ]


def _keep(report: Report) -> list[str]:
    verdict = report.verdict
    shown = effects(verdict)
    advice = []
    if verdict.arm is not None and verdict.arm != "nothing":
        advice.append(
            f"Use {name(verdict.arm)} instead, which trains no generator: {effect(verdict)}."
        )
    else:
        advice.append("Train on your own rows as they are; nothing was shown to beat them.")
    if report.provenance.rows.get("synthetic"):
        advice.append("The synthetic rows of this run are there to be looked at; leave them out.")
    advice.append(
        "If the score is too low, more real rows or better features are the way: a gain of "
        f"{shown.amount(verdict.detectable_effect)} from synthetic rows would have shown."
    )
    return advice


def _find_out(report: Report) -> list[str]:
    verdict, budget = report.verdict, report.provenance.budget
    shown = effects(verdict)
    sees, wants = shown.amount(verdict.detectable_effect), shown.amount(verdict.minimum_effect)
    larger = _NEXT_BUDGET.get(budget)
    advice = [
        "Train on your own rows as they are until the question is settled."
        if verdict.arm is None or verdict.arm == "nothing"
        else f"Use {name(verdict.arm)} until the question is settled: {effect(verdict)}."
    ]
    if not measured(verdict):
        return [
            *advice,
            "Nothing could be measured; the reasons say why. Merge or remove the rarest classes of "
            "the target, or collect more of their rows.",
        ]
    advice.append(
        f"This run would have found an effect of {sees} or more; "
        f"effects from {wants} on count as useful."
    )
    advice.append(
        f"For a finer answer run it again with --budget {larger}."
        if larger
        else "For a finer answer collect more real rows: the largest budget is already in use."
    )
    return advice
