"""``card.md``: the run in Markdown, for a repository or a model registry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from synthgen.report import advice, numbers
from synthgen.report.sections import privacy, provenance, utility
from synthgen.report.sections.scores import score_rows
from synthgen.report.sections.verdict import harmed_parts, small_print
from synthgen.report.steps import steps
from synthgen.report.text import markdown, paragraph, visible
from synthgen.report.wording import DECISIONS, REGRESSION, name
from synthgen.report.worth import worth
from synthgen.results import Report

_WORST = 10


def card(report: Report) -> str:
    """The data card: verdict, scores, provenance, intended use and limits."""
    parts = [
        _verdict(report),
        _arms(report),
        _scores(report),
        _columns(report),
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
        arm = paragraph(name(found.harmed[0].difference.arm))
        parts += [
            f"**{arm} harms a part of the rows:**",
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
        (pillar, row.title, row.value, row.reference)
        for pillar in ("utility", "fidelity", "privacy")
        for row in score_rows(report, pillar)
    ]
    if not rows:
        return ""
    table = tabulated(("Pillar", "Score", "Value", "Reference (real rows)"), rows)
    return f"## Scores\n\n{table}"


def _columns(report: Report) -> str:
    worst = report.marginals[:_WORST]
    if not worst:
        return ""
    rows = [(m.column, numbers.percent(m.score), numbers.percent(m.reference)) for m in worst]
    some = f"The {len(rows)} worst of {len(report.marginals)} columns."
    return f"## Columns\n\n{some}\n\n{tabulated(('Column', 'Match', 'Real rows'), rows)}"


def _use(report: Report) -> str:
    known = report.provenance
    formal = privacy.formal(report) or (
        "The privacy counts are evidence, not a guarantee; no formal privacy is claimed.",
    )
    models = "models" if report.verdict.metric in REGRESSION else "classifiers"
    return "## Intended use and limits\n\n" + bulleted(
        [
            f"Meant for training {models} of {known.target} together with the real rows that "
            "the synthetic ones were made from; not a replacement for them.",
            "Never validate or test on synthetic rows: they inherit the generator's mistakes.",
            "The verdict holds for the learners, metric and data named here. With other data, "
            "another target or another learner, measure again.",
            "Synthetic rows repeat the biases of the real rows and may sharpen them.",
            *formal,
        ]
    )


def _notices(report: Report) -> str:
    return f"## Notices\n\n{bulleted(report.notices)}" if report.notices else ""


def _provenance(report: Report) -> str:
    view, known = provenance.build(report), report.provenance
    rows = [(f"{part} rows", numbers.count(n)) for part, n in known.rows.items()]
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
