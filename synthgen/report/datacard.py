"""``card.md``: the run in Markdown, for a repository or a model registry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from synthgen.report import advice, numbers
from synthgen.report.sections import data, privacy, provenance, utility
from synthgen.report.sections.scores import score_rows
from synthgen.report.sections.verdict import harmed_parts, small_print
from synthgen.report.steps import steps
from synthgen.report.text import markdown, paragraph, visible
from synthgen.report.wording import DECISIONS, REGRESSION, name, noun
from synthgen.report.worth import worth
from synthgen.results import Report

_WORST = 10
_CLASSES = 30


def card(report: Report) -> str:
    """The data card: verdict, scores, provenance, intended use and limits."""
    parts = [
        _verdict(report),
        _arms(report),
        _scores(report),
        _classes(report) if report.modality == "images" else _columns(report),
        _use(report),
        _notices(report),
        _provenance(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(report: Report) -> str:
    found = report.verdict
    smallest = advice.effects(found).amount(found.minimum_effect)
    parts = [
        f"# {markdown(report.title)}",
        f"**{DECISIONS[found.decision]}.** {markdown(advice.sentence(found))}",
        f"{paragraph(advice.measurement(report))} "
        f"({numbers.counted(found.resamples, 'resample')}; less than {smallest} is no gain).",
    ]
    if said := worth(report):
        parts.append(paragraph(" ".join(said)))
    harmed = harmed_parts(report)
    if harmed:
        arm = paragraph(name(found.harmed[0].difference.arm, report.modality))
        parts += [
            f"**{arm} harms a part of the {noun(report.modality)}s:**",
            bulleted(f"{one.subgroup}: {one.effect}" for one in harmed),
        ]
    parts.append(bulleted(steps(report)))
    return "\n\n".join([*parts, *map(paragraph, small_print(report))])


def _arms(report: Report) -> str:
    view = utility.build(report)
    if not view.forest.rows:
        return ""
    unit = f" ({view.unit})" if view.unit else ""
    rows = [
        (
            row.label + (f" ({row.badge})" if row.badge else ""),
            row.effect,
            row.interval,
            row.reading if not row.faint else row.line.rpartition("; ")[2],
        )
        for row in view.forest.rows
    ]
    heads = ("Arm", f"Change of {view.metric}{unit}", view.confidence, "Reading")
    parts = [f"## Utility\n\nAgainst doing nothing, {view.learner}.\n\n{tabulated(heads, rows)}"]
    for table in view.sealed:
        known = [(r.metric, r.unit, r.baseline, r.effect, r.interval) for r in table.rows]
        titles = ("Metric", "Unit", "Doing nothing", "Change", view.confidence)
        said = f"{table.arm} against doing nothing, {table.learner}: {table.basis}."
        parts.append(f"{paragraph(said)}\n\n{tabulated(titles, known)}")
    return "\n\n".join(parts)


def _scores(report: Report) -> str:
    rows = [
        (pillar, row.title, row.value, row.reference, row.origin)
        for pillar in ("utility", "fidelity", "privacy")
        for row in score_rows(report, pillar)
    ]
    if not rows:
        return ""
    heads = ["Pillar", "Score", "Value", f"Reference (real {noun(report.modality)}s)"]
    if any(row[-1] for row in rows):
        heads.append("Made with")
    return f"## Scores\n\n{tabulated(heads, [row[: len(heads)] for row in rows])}"


def _columns(report: Report) -> str:
    worst = report.marginals[:_WORST]
    if not worst:
        return ""
    rows = [(m.column, numbers.percent(m.score), numbers.percent(m.reference)) for m in worst]
    some = f"The {len(rows)} worst of {len(report.marginals)} columns."
    return f"## Columns\n\n{some}\n\n{tabulated(('Column', 'Match', 'Real rows'), rows)}"


def _classes(report: Report) -> str:
    rows = [(name, *counts) for name, counts in data.class_rows(report)]
    if not rows:
        return ""
    some = f"The first {_CLASSES} of {data.counted_classes(report)}.\n\n" * (len(rows) > _CLASSES)
    heads = ("Class", "Training", "Test", "Synthetic", "Augmented")
    return f"## Classes\n\n{some}{tabulated(heads, rows[:_CLASSES])}"


def _use(report: Report) -> str:
    known, unit = report.provenance, noun(report.modality)
    formal = privacy.formal(report) or (
        "The privacy counts are evidence, not a guarantee; no formal privacy is claimed.",
    )
    what = "these classes" if report.modality == "images" else known.target
    models = "models" if report.verdict.metric in REGRESSION else "classifiers"
    return "## Intended use and limits\n\n" + bulleted(
        [
            f"Meant for training {models} of {what} together with the real {unit}s that "
            "the synthetic ones were made from; not a replacement for them.",
            f"Never validate or test on synthetic {unit}s: they inherit the generator's mistakes.",
            "The verdict holds for the learners, metric and data named here. With other data, "
            f"{'other classes' if report.modality == 'images' else 'another target'} or another "
            "learner, measure again.",
            f"Synthetic {unit}s repeat the biases of the real {unit}s and may sharpen them.",
            *formal,
        ]
    )


def _notices(report: Report) -> str:
    return f"## Notices\n\n{bulleted(report.notices)}" if report.notices else ""


def _provenance(report: Report) -> str:
    view, known = provenance.build(report), report.provenance
    rows = [
        (f"{part} {noun(report.modality)}s", numbers.count(n)) for part, n in known.rows.items()
    ]
    facts = [*view.facts, *rows, *view.versions, *((f"SHA-256 of {f}", h) for f, h in view.hashes)]
    fence = "~" * max(3, _longest_run(view.command, "~") + 1)
    return (
        f"## Provenance\n\n{tabulated(('What', 'Value'), facts)}\n\n"
        f"Run it again:\n\n{fence}\n{visible(view.command)}\n{fence}\n\n"
        "All numbers are in report.json."
    )


def bulleted(items: Iterable[str]) -> str:
    return "\n".join(f"- {paragraph(item)}" for item in items)


def tabulated(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads)]
    text = [f"| {' | '.join(map(markdown, heads))} |", f"| {' | '.join(lines[1])} |"]
    text += [f"| {' | '.join(map(markdown, row))} |" for row in rows]
    return "\n".join(text)


def _longest_run(text: str, character: str) -> int:
    longest = current = 0
    for c in text:
        current = current + 1 if c == character else 0
        longest = max(longest, current)
    return longest
