"""Two finished runs side by side: what they share, and in what they differ.

Scores can be compared one to one only on the same sealed rows, and gains only over the same
resamples; so that is found out first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict

from synthgen.benchmark.comparison import BEST, Pairs
from synthgen.benchmark.comparison import Comparison as Board
from synthgen.benchmark.scoring import scorers
from synthgen.pipeline import assess, stages
from synthgen.report import load
from synthgen.report.advice import sentence
from synthgen.results import Decision, Difference, Goal, Interval, Modality, Pillar, Report, Score
from synthgen.runs import Run

Better: TypeAlias = Literal["a", "b", "equal"]

SPLIT = "split/"
"""What the hashes of the parts of a run begin with."""
RESAMPLING = (
    "data.target",
    "data.group",
    "data.time",
    "decide.resamples",
    "decide.test_share",
    "decide.inner_share",
    "decide.max_rows",
    "seed",
)
"""Settings that, with the training rows, fix the resamples."""
_ROUNDING = 1e-12


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Side(_Data):
    """One run's answer. ``difference`` and ``interval`` are those of its verdict."""

    run: str
    modality: Modality = "table"
    source: str
    generator: str
    seed: int
    decision: Decision
    sentence: str
    arm: str | None
    metric: str
    difference: float
    interval: Interval


class Alike(_Data):
    """What two runs share. ``data`` is None where it cannot be told."""

    data: bool | None
    split: bool
    """The same training rows and the same sealed rows, to the byte."""
    resamples: bool
    """Then the two runs' differences over the resamples are pairs."""
    why_not: list[str]
    """What keeps the resamples from being the same."""


class ArmPair(_Data):
    """An arm against doing nothing, by the best learner, on each run's own metric; None where a
    run has no such arm."""

    arm: str
    a: Difference | None
    b: Difference | None


class ScorePair(_Data):
    """A score that both runs have. ``better`` goes by its goal: larger, smaller, or nearer to the
    run's own reference; None on different data, or where a number is missing."""

    metric: str
    title: str
    pillar: Pillar
    goal: Goal
    a: float
    a_reference: float | None
    b: float
    b_reference: float | None
    better: Better | None


class SettingPair(_Data):
    """A setting that differs, by its dotted name; None in a run that has no such setting."""

    name: str
    a: Any
    b: Any


class Comparison(_Data):
    a: Side
    b: Side
    alike: Alike
    paired: list[Difference]
    """See :func:`paired`; empty unless the resamples are the same."""
    arms: list[ArmPair]
    """By the larger of the two gains."""
    scores: list[ScorePair]
    settings: list[SettingPair]
    notices_a: list[str]
    """Those that only this run has."""
    notices_b: list[str]


def compare(first: Path, second: Path) -> Comparison:
    """Compare two finished runs. Raises ConfigError for what is no finished run, and DataError
    for a broken ``report.json``."""
    run_a, run_b = assess.finished(first), assess.finished(second)
    a, b = load(run_a / "report.json"), load(run_b / "report.json")
    alike = _alike(a, b)
    return Comparison(
        a=_side(run_a, a),
        b=_side(run_b, b),
        alike=alike,
        paired=[d for d in paired(run_a, run_b) if d is not None] if alike.resamples else [],
        arms=_arms(a, b),
        scores=_scores(a, b, comparable=alike.data is not False),
        settings=_settings(a, b),
        notices_a=[notice for notice in a.notices if notice not in b.notices],
        notices_b=[notice for notice in b.notices if notice not in a.notices],
    )


# ---- the paired difference --------------------------------------------------------------------


def paired(run_a: Run, run_b: Run) -> tuple[Difference | None, ...]:
    """The generator of ``run_b`` minus that of ``run_a`` over the resamples that both measured:
    one difference per metric, the primary one first, with ``run_a``'s mean score as the baseline;
    None where too few resamples have it.

    Called for runs with the same resamples only.
    """
    one, two = stages.comparison(run_a), stages.comparison(run_b)
    arms: list[str] = [stages.settings(run).generator.name for run in (run_a, run_b)]
    metrics = list(dict.fromkeys([one.settings.metric, *scorers(one.task)]))
    # Equal in every score, those of probabilities too: no difference, and none by chance.
    same = all(one.scores(arms[0], name) == two.scores(arms[1], name) for name in metrics)
    return tuple(_paired(one, two, arms, metric, counted=not same) for metric in metrics)


def _paired(
    one: Board, two: Board, arms: list[str], metric: str, *, counted: bool
) -> Difference | None:
    """``counted``: a score that counts rows varies by what counting must."""
    first, second = one.scores(arms[0], metric), two.scores(arms[1], metric)
    both = sorted(set(first) & set(second))
    # Scores are means of two measurements, and move in half steps.
    step = one.step(metric) / 2 if counted else 0.0
    found = Pairs(both, [second[r] for r in both], [first[r] for r in both], step=step)
    estimate = one.of(found)
    if estimate is None:
        return None
    return Difference(
        arm=arms[1],
        learner=BEST,
        metric=metric,
        baseline=float(np.mean(found.other)),
        mean=estimate.mean,
        interval=Interval(low=estimate.low, high=estimate.high),
        p_value=estimate.p_value,
        resamples=estimate.n,
    )


# ---- what the runs share ----------------------------------------------------------------------


def _alike(a: Report, b: Report) -> Alike:
    one, two = a.provenance, b.provenance
    sealed, others = _sealed(a), _sealed(b)
    split = bool(sealed) and sealed == others
    flat_a, flat_b = _flat(one.config), _flat(two.config)
    why_not = [name for name in RESAMPLING if flat_a.get(name) != flat_b.get(name)]
    if not split:
        why_not.insert(0, "the split")
    return Alike(
        data=_same_data(a, b, split),
        split=split,
        resamples=not why_not,
        why_not=why_not,
    )


def _sealed(report: Report) -> dict[str, str]:
    """Hashes of the training and the test part."""
    return {k: v for k, v in report.provenance.hashes.items() if k.startswith(SPLIT)}


def _same_data(a: Report, b: Report, split: bool) -> bool | None:
    """Rows and target."""
    one, two = a.provenance, b.provenance
    if one.target != two.target:
        return False
    if split:
        return True
    if (one.source_sha256 is None) != (two.source_sha256 is None):
        return False
    if one.source_sha256 is not None:
        return one.source_sha256 == two.source_sha256
    # A set with a name is the same under the same name; of a frame nothing is known.
    named = one.config.get("data", {}).get("source") != ""
    return one.source == two.source if named or one.source != two.source else None


# ---- side by side -----------------------------------------------------------------------------


def _side(run: Run, report: Report) -> Side:
    found, known = report.verdict, report.provenance
    return Side(
        run=str(run.path),
        modality=report.modality,
        source=known.source,
        generator=known.generator,
        seed=known.seed,
        decision=found.decision,
        sentence=sentence(found),
        arm=found.arm,
        metric=found.metric,
        difference=found.difference,
        interval=found.interval,
    )


def _arms(a: Report, b: Report) -> list[ArmPair]:
    one, two = _primary(a), _primary(b)
    pairs = [
        ArmPair(arm=arm, a=one.get(arm), b=two.get(arm)) for arm in dict.fromkeys([*one, *two])
    ]

    def gain(pair: ArmPair) -> float:
        return max(d.mean for d in (pair.a, pair.b) if d is not None)

    return sorted(pairs, key=gain, reverse=True)


def _primary(report: Report) -> dict[str, Difference]:
    return {
        d.arm: d
        for d in report.differences
        if (d.learner, d.metric, d.part) == ("best", report.verdict.metric, None)
    }


def _scores(a: Report, b: Report, *, comparable: bool) -> list[ScorePair]:
    others = {score.metric: score for score in b.scores}
    return [
        ScorePair(
            metric=one.metric,
            title=one.title,
            pillar=one.pillar,
            goal=one.goal,
            a=one.value,
            a_reference=one.reference,
            b=two.value,
            b_reference=two.reference,
            better=_better(one, two) if comparable else None,
        )
        for one in a.scores
        if (two := others.get(one.metric)) is not None
    ]


def _better(one: Score, two: Score) -> Better | None:
    a, b = _badness(one), _badness(two)
    if not (math.isfinite(a) and math.isfinite(b)):
        return None
    if abs(a - b) <= _ROUNDING:
        return "equal"
    return "a" if a < b else "b"


def _badness(score: Score) -> float:
    """Smaller is better."""
    match score.goal:
        case "min":
            return score.value
        case "max":
            return -score.value
        case "target":
            return math.nan if score.reference is None else abs(score.value - score.reference)


def _settings(a: Report, b: Report) -> list[SettingPair]:
    one, two = _flat(a.provenance.config), _flat(b.provenance.config)
    return [
        SettingPair(name=name, a=one.get(name), b=two.get(name))
        for name in dict.fromkeys([*one, *two])
        if one.get(name) != two.get(name)
    ]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted names and values; a name that holds dots stands in quotes."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = prefix + (f'"{key}"' if "." in key else key)
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{name}.")
        else:
            found[name] = value
    return found
