"""Two runs side by side, for the terminal: plain text, no escape sequence in names."""

from __future__ import annotations

import json
from typing import Any

from synthgen.pipeline.compare import Comparison, ScorePair
from synthgen.report import numbers
from synthgen.report.terminal import aligned
from synthgen.report.text import one_line
from synthgen.report.wording import DECISIONS, Effects, explained, name, quantity, reading
from synthgen.results import Difference, Score


def text(found: Comparison) -> str:
    """Verdicts, what the runs share, arms, scores, settings and notices."""
    blocks = [
        _verdicts(found),
        _alike(found),
        _paired(found),
        _arms(found),
        _scores(found),
        _settings(found),
        *_notices(found),
    ]
    return numbers.plain("\n\n".join("\n".join(block) for block in blocks if block))


def _verdicts(found: Comparison) -> list[str]:
    lines = []
    for letter, side in (("A", found.a), ("B", found.b)):
        lines += [
            f"{letter}  {one_line(side.run)}: {side.generator} on {one_line(side.source)}",
            f"   {DECISIONS[side.decision].upper()}. {one_line(side.sentence)}",
        ]
    return lines


def _alike(found: Comparison) -> list[str]:
    alike = found.alike
    if alike.resamples:
        lines = ["Same data, same split, same resamples."]
        if any(pair.name.startswith("decide.learners") for pair in found.settings):
            lines.append("Other learners: differences are of generator and learners together.")
        return lines
    lines = ["Not the same resamples; what differs: " + ", ".join(alike.why_not) + "."]
    if alike.data is False:
        lines.insert(0, "NOT THE SAME DATA: nothing below tells which run is better.")
    elif not alike.split:
        about = "Same data, but other" if alike.data else "Other"
        nouns = "images" if found.a.modality == "images" else "rows"
        lines.insert(0, f"{about} sealed {nouns}: small differences of scores mean nothing.")
    return lines


def _paired(found: Comparison) -> list[str]:
    rows = [
        [
            f"{name(one.metric)}{f' ({shown.unit})' if shown.unit else ''}",
            shown.signed(one.mean),
            shown.interval(one.interval),
            reading(one.metric, one.interval),
        ]
        for one in found.paired
        for shown in (Effects.of(one.metric, [one.interval]),)
    ]
    arms = f"B ({found.b.generator}) against A ({found.a.generator}), resample by resample"
    heads = [arms, "B - A", "interval", "B is"]
    return aligned([heads, *rows]) if rows else []


def _arms(found: Comparison) -> list[str]:
    heads, shown = [], []
    for letter, side in (("A", found.a), ("B", found.b)):
        own = [one for pair in found.arms if (one := getattr(pair, letter.lower())) is not None]
        effects = Effects.of(side.metric, [one.interval for one in own] or [side.interval])
        unit = f" ({effects.unit})" if effects.unit else ""
        heads += [f"{letter}: {name(side.metric)}{unit}", "interval"]
        shown.append(effects)
    rows = [
        [name(pair.arm, found.a.modality), *_effect(pair.a, shown[0]), *_effect(pair.b, shown[1])]
        for pair in found.arms
    ]
    return aligned([["against doing nothing", *heads], *rows]) if rows else []


def _effect(one: Difference | None, shown: Effects) -> tuple[str, str]:
    if one is None:
        return "-", ""
    return shown.signed(one.mean), shown.interval(one.interval)


def _scores(found: Comparison) -> list[str]:
    words = {"a": "A", "b": "B", "equal": "equal", None: ""}
    rows = [
        [
            pair.title,
            *(_quantity(pair, value) for value in (pair.a, pair.a_reference)),
            *(_quantity(pair, value) for value in (pair.b, pair.b_reference)),
            words[pair.better],
        ]
        for pair in found.scores
    ]
    heads = ["score", "A", "reference", "B", "reference", "better"]
    return aligned([heads, *rows]) if rows else []


def _quantity(pair: ScorePair, value: float | None) -> str:
    score = Score(
        metric=pair.metric,
        title=pair.title,
        pillar=pair.pillar,
        goal=pair.goal,
        value=pair.a,
        reference=pair.a_reference,
    )
    return quantity(value, explained(score).unit)


def _settings(found: Comparison) -> list[str]:
    rows = [[pair.name, _value(pair.a), _value(pair.b)] for pair in found.settings]
    return aligned([["setting", "A", "B"], *rows]) if rows else ["The settings are the same."]


def _value(value: Any) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)


def _notices(found: Comparison) -> list[list[str]]:
    return [
        [f"Notices of {letter} alone", *(f"- {one_line(notice)}" for notice in notices)]
        for letter, notices in (("A", found.notices_a), ("B", found.notices_b))
        if notices
    ]
