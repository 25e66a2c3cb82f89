"""The verdict in plain language: the effect, what stands beside it, and how to run it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from synthgen.report import numbers
from synthgen.report.wording import CHEAP, DECISIONS, LOWER_IS_BETTER, Effects, name, source
from synthgen.results import Difference, Provenance, Report, Verdict

FEWEST = 3
"""Resamples without which there is no estimate."""


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
    return (
        f"{name(arm, report.modality)}: {effect(report.verdict)}" if arm else effect(report.verdict)
    )


def measured(verdict: Verdict) -> bool:
    """Whether there is an estimate at all: without one only the metric's own range is known."""
    return verdict.resamples >= FEWEST


def shown_arm(report: Report) -> str | None:
    """Whose difference the verdict shows: its arm, or the candidate that it speaks of."""
    verdict = report.verdict
    if verdict.arm is not None:
        return verdict.arm
    for one in primary(report):
        if one.mean == verdict.difference and one.interval == verdict.interval:
            return one.arm
    return None


def beside(report: Report) -> Difference | None:
    """What the verdict's difference is to be seen beside: that of the strongest cheap arm, or, if
    the verdict is about a cheap arm itself, that of the strongest one with a generator's rows."""
    shown, wanted = shown_arm(report), report.verdict.cheap
    if shown is None:
        return None
    if generated(shown, report):
        others = [d for d in primary(report) if d.arm == wanted]
    else:
        others = [d for d in primary(report) if generated(d.arm, report)]
    return next((d for d in others if d.arm != shown), None)


def primary(report: Report) -> list[Difference]:
    """Every arm on the verdict's metric and all rows, strongest first, with the learner that is
    chosen inside, or the first one listed; the verdict's own list where the report has none."""
    found = [d for d in report.differences if d.metric == report.verdict.metric]
    chosen = [d for d in found if d.learner == "best"]
    if found and not chosen:
        chosen = [d for d in found if d.learner == found[0].learner]
    return strongest(chosen or report.verdict.alternatives)


def strongest(differences: Iterable[Difference]) -> list[Difference]:
    """Best first, of one metric."""
    # NaN compares with nothing: such a row goes last.
    return sorted(
        differences,
        key=lambda d: (
            d.mean != d.mean,
            d.mean * (1 if d.metric in LOWER_IS_BETTER else -1),
            d.arm,
        ),
    )


def generated(arm: str, report: Report) -> bool:
    """Whether this arm adds rows of a generator in question. (SMOTE can be one.)"""
    return source(arm) == report.provenance.generator or source(arm) not in CHEAP


def confidence(verdict: Verdict) -> str:
    """``95 % interval``."""
    level = numbers.significant(verdict.confidence * 100)
    return f"{level}\N{NO-BREAK SPACE}% interval"


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
