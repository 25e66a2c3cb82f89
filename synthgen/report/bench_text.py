"""A bench in Markdown, for a repository, and in a few lines for the terminal."""

from __future__ import annotations

from synthgen.report import numbers
from synthgen.report.bench import (
    LISTED,
    NOTHING,
    Bench,
    best,
    called,
    effects,
    failures,
    findings,
    mean_rank,
    p_value,
    ranked,
    record,
    size,
    verdicts,
)
from synthgen.report.datacard import bulleted, tabulated
from synthgen.report.terminal import aligned
from synthgen.report.text import markdown, one_line
from synthgen.report.wording import name

WIDE = 6
"""Data sets up to which the terminal shows every score."""
FEWEST_TESTED = 2
"""Data sets from which p-values of pairs are worth a table."""


def to_markdown(bench: Bench) -> str:
    """``bench.md``: the findings, then every table."""
    methods = ranked(bench)
    heads = [called(method) for method in methods]
    parts = [
        f"# {markdown(bench.title)}",
        f"{markdown(size(bench))}.",
        bulleted(findings(bench)),
        f"## What went wrong\n\n{bulleted(failures(bench))}" if failures(bench) else "",
        "## Scores\n\nMean over resamples and seeds, with the difference to doing nothing; "
        "the best score of a data set is marked with a star.\n\n"
        + tabulated(
            ("Data set", "Metric", *heads), [*_rows(bench, methods), _ranks(bench, methods)]
        ),
        "## Wins, ties and losses\n\nData sets on which the row's method wins / ties / loses "
        "against the column's. A difference below the minimum effect is a tie.\n\n"
        + tabulated(("Method", *heads), _matrix(bench, methods)),
        _tests(bench),
        f"## Verdicts\n\n{_verdicts(bench)}",
        "All numbers are in bench.json and bench.csv.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def summary(bench: Bench) -> str:
    """For the terminal: methods by mean rank, the findings, verdicts and failures."""
    shown = bench.datasets if len(bench.datasets) <= WIDE else []
    head = ["", "mean rank", "against nothing", *(dataset.name for dataset in shown)]
    scores = {dataset.name: effects(bench, dataset) for dataset in shown}
    rows = [
        [
            called(method),
            mean_rank(bench, method),
            "" if method == NOTHING else record(bench, method, NOTHING) or "-",
            *(
                scores[dataset.name].level(dataset.scores[method])
                + ("*" if method in best(bench, dataset) else " ")
                if method in dataset.scores
                else "- "
                for dataset in shown
            ),
        ]
        for method in ranked(bench)
    ]
    note = "against nothing: wins / ties / losses over the data sets"
    blocks = [
        [size(bench)],
        [*aligned([head, *rows]), note + ("; * best of a data set" if shown else "")],
        [one_line(sentence) for sentence in findings(bench)],
        [
            f"{one_line(name(generator))}: "
            + ", ".join(f"{words.lower()} {n}" for words, n in counts.items())
            for generator, counts in verdicts(bench)
        ],
        [one_line(failure) for failure in failures(bench)],
    ]
    return numbers.plain("\n\n".join("\n".join(block) for block in blocks if block))


def _rows(bench: Bench, methods: list[str]) -> list[list[str]]:
    rows = []
    for dataset in bench.datasets:
        shown, top = effects(bench, dataset), best(bench, dataset)
        nothing = dataset.scores.get(NOTHING)
        cells = []
        for method in methods:
            score = dataset.scores.get(method)
            if score is None:
                cells.append(numbers.NOTHING)
                continue
            apart = method != NOTHING and nothing is not None
            cells.append(
                shown.level(score)
                + (f" ({shown.signed(score - nothing)})" if apart and nothing is not None else "")
                + (" ★" if method in top else "")
            )
        metric = name(dataset.metric) if dataset.metric else "no result"
        rows.append([dataset.name, metric + (f", {shown.unit}" if shown.unit else ""), *cells])
    return rows


def _ranks(bench: Bench, methods: list[str]) -> list[str]:
    return ["Mean rank", "", *(mean_rank(bench, method) for method in methods)]


def _matrix(bench: Bench, methods: list[str]) -> list[list[str]]:
    return [
        [
            called(one),
            *("" if one == two else record(bench, one, two) or numbers.NOTHING for two in methods),
        ]
        for one in methods
    ]


def _tests(bench: Bench) -> str:
    if len(bench.datasets) < FEWEST_TESTED or not bench.pairs:
        return ""
    rows = [
        (called(p.first), called(p.second), p_value(p.p_value), p_value(p.adjusted))
        for p in sorted(bench.pairs, key=lambda p: (p.adjusted, p.p_value))[:LISTED]
    ]
    table = tabulated(("Method", "Against", "p", "Adjusted (Holm)"), rows)
    return f"## Wilcoxon signed-rank tests\n\nThe smallest {len(rows)} p-values.\n\n{table}"


def _verdicts(bench: Bench) -> str:
    counts = verdicts(bench)
    heads = ("Generator", *counts[0][1])
    return tabulated(heads, [(name(g), *map(numbers.count, of.values())) for g, of in counts])
