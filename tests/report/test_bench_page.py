"""The page, the Markdown and the terminal's lines about a bench."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest

from synthgen.report.bench import (
    Bench,
    Cell,
    DataSet,
    Failure,
    Measured,
    Pair,
    Ranking,
    findings,
    render,
    verdicts,
)
from synthgen.report.bench_text import summary, to_markdown
from synthgen.report.charts.critical import SIDE, WIDTH, diagram
from tests.report.test_page import Page

METHODS = ["nothing", "class_weights", "ctgan", "ctgan-filtered"]
GAINS = {"nothing": 0.0, "class_weights": 0.012, "ctgan": -0.031, "ctgan-filtered": 0.002}
EVIL = "<script>alert(1)</script> {{ 7*7 }} \x1b[31m"


def cell(dataset: str, seed: int = 0, **changes: Any) -> Cell:
    known: dict[str, Any] = {
        "dataset": dataset,
        "generator": "ctgan",
        "seed": seed,
        "run": f"{dataset}/ctgan/seed-{seed}",
        "metric": "roc_auc",
        "decision": "do-not-augment",
        "sentence": "Do not augment.",
        "seconds": 12.3,
        "measured": [
            Measured(
                method=method,
                score=0.8 + gain,
                difference=gain,
                low=None if method == "nothing" else gain - 0.02,
                high=None if method == "nothing" else gain + 0.02,
            )
            for method, gain in GAINS.items()
        ],
    }
    return Cell.model_validate(known | changes)


def made(**changes: Any) -> Bench:
    datasets = [
        DataSet(
            name=name,
            source=f"{name}.csv",
            target="y",
            metric="roc_auc",
            minimum_effect=0.005,
            scores={method: 0.8 + gain for method, gain in GAINS.items()},
        )
        for name in ("adult", "magic", "wine")
    ]
    order = ["class_weights", "ctgan-filtered", "nothing", "ctgan"]
    known: dict[str, Any] = {
        "title": "mine",
        "generators": ["ctgan"],
        "seeds": [0],
        "methods": METHODS,
        "cells": [cell(d.name) for d in datasets],
        "datasets": datasets,
        "ranking": Ranking(
            methods=order,
            mean_ranks=[1.0, 2.0, 3.0, 4.0],
            datasets=["adult", "magic", "wine"],
            friedman=0.0293,
            critical_difference=2.708,
            groups=[order[:3], order[1:]],
        ),
        "left_out": {},
        "unranked": [],
        "pairs": [
            Pair(
                first=one,
                second=two,
                wins=3 * (GAINS[one] - GAINS[two] >= 0.005),
                ties=3 * (abs(GAINS[one] - GAINS[two]) < 0.005),
                losses=3 * (GAINS[two] - GAINS[one] >= 0.005),
                p_value=0.25,
                adjusted=1.0,
            )
            for i, one in enumerate(METHODS)
            for two in METHODS[i + 1 :]
        ],
        "alpha": 0.05,
        "settings": {"seeds": [0]},
        "versions": {"synthgen": "0.1.0"},
    }
    return Bench.model_validate(known | changes)


def failed() -> Bench:
    """One data set lacks everything, another one method, and a gate failed."""
    whole = made()
    failure = Failure(cause=f"bad {EVIL}", remedy="do better", exit_code=5)
    empty = {"metric": None, "decision": None, "sentence": None, "seconds": None, "measured": []}
    wine = whole.datasets[2].model_copy(update={"metric": None, "scores": {}})
    magic = whole.datasets[1].model_copy(update={"scores": {"nothing": 0.8, "ctgan": 0.81}})
    return whole.model_copy(
        update={
            "cells": [
                whole.cells[0],
                cell("magic", gate="gate exact_copies: 3"),
                cell("wine", failure=failure, **empty),
            ],
            "datasets": [whole.datasets[0], magic, wine],
            "left_out": {"wine": METHODS, "magic": ["class_weights"]},
            "unranked": ["threshold"],
        }
    )


def unmeasured() -> Bench:
    failure = Failure(cause="no", remedy="none", exit_code=3)
    whole = made()
    return whole.model_copy(
        update={
            "methods": [],
            "cells": [
                Cell(dataset=d.name, generator="ctgan", seed=0, run=f"{d.name}/x", failure=failure)
                for d in whole.datasets
            ],
            "datasets": [
                d.model_copy(update={"metric": None, "scores": {}}) for d in whole.datasets
            ],
            "ranking": None,
            "pairs": [],
        }
    )


def hostile() -> Bench:
    whole = made(title=EVIL, settings={EVIL: EVIL})
    data = [d.model_copy(update={"name": EVIL}) for d in whole.datasets[:1]]
    return whole.model_copy(
        update={
            "datasets": data,
            "cells": [cell(EVIL, run=f"{EVIL}/x")],
            "generators": [EVIL],
        }
    )


@pytest.fixture(scope="module", params=["whole", "failed", "unmeasured", "hostile"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return {"whole": made, "failed": failed, "unmeasured": unmeasured, "hostile": hostile}[
        request.param
    ]()


# ---- the page ---------------------------------------------------------------------------------


def test_the_page_is_whole_closed_and_accessible(bench: Bench) -> None:
    html = render(bench)
    page = Page(html)
    assert not {tag for tag, _, _ in page.elements} & {"script", "img", "iframe", "use"}
    for tag, attrs, _ in page.elements:
        assert not any(name.startswith("on") for name in attrs)
        assert not set(attrs) & {"src", "style", "xlink:href"}
        href = attrs.get("href", "#")
        assert (
            href.startswith("#")
            or href.endswith("/report.html")
            or (tag, href)
            == (
                "link",
                "data:,",
            )
        )
        assert ":" not in href or tag == "link"
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = {a["href"] for a in page.all("a") if a["href"].startswith("#")}
    assert wanted <= {f"#{name}" for name in ids}
    assert {a["aria-labelledby"] for a in page.all("section")} <= set(ids)
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(attrs.get("scope") in ("col", "row") for attrs in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert not re.search(r"\b(nan|inf|None)\b", page.said())
    assert "\x1b" not in html
    assert render(Bench.model_validate_json(bench.model_dump_json())) == html


def test_the_policy_is_that_of_the_style(bench: Bench) -> None:
    import hashlib
    from base64 import b64encode

    html = render(bench)
    style = html.split("<style>")[1].split("</style>")[0]
    assert ".ranks" in style
    assert "--paper" in style
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in html


def test_the_best_score_of_a_data_set_is_marked() -> None:
    html = render(made())
    scores = html.split('id="scores"')[1].split("</table>")[0]
    lines = [line for line in scores.splitlines() if line.startswith('<tr><th scope="row"><bdi>')]
    assert len(lines) == 3
    for line in lines:
        cells = re.findall(r"<td[^>]*>.*?</td>", line)
        # In the order of the ranks; only the first, class weights, is best.
        assert ["best" in one for one in cells] == [True, False, False, False]
        assert "<strong>81.2</strong>" in cells[0]
        assert "+1.2" in cells[0]
        assert "80.0" in cells[2]
        assert "−3.1" in cells[3]
    assert re.findall(r"Mean rank</th>(.*)</tr>", scores)[0].count("<td") == 4


def test_losses_are_best_when_low() -> None:
    whole = made()
    lower = whole.datasets[0].model_copy(update={"metric": "log_loss"})
    html = render(whole.model_copy(update={"datasets": [lower], "cells": whole.cells[:1]}))
    scores = html.split('id="scores"')[1].split("</table>")[0]
    (line,) = [one for one in scores.splitlines() if one.startswith('<tr><th scope="row"><bdi>')]
    cells = re.findall(r"<td[^>]*>.*?</td>", line)
    assert ["best" in one for one in cells] == [False, False, False, True]


def test_the_matrix_is_read_from_both_sides() -> None:
    wins = render(made()).split('id="wins"')[1].split("</table>")[0]
    table = {
        re.findall(r'scope="row">(.*?)</th>', line)[0]: re.findall(r"<td[^>]*>(.*?)</td>", line)
        for line in wins.splitlines()
        if line.startswith('<tr><th scope="row">')
    }
    assert table["class weights"] == ["", "3 / 0 / 0", "3 / 0 / 0", "3 / 0 / 0"]
    assert table["doing nothing"] == ["0 / 0 / 3", "0 / 3 / 0", "", "3 / 0 / 0"]
    assert table["ctgan"] == ["0 / 0 / 3", "0 / 0 / 3", "0 / 0 / 3", ""]


def test_failures_are_shown_with_count_and_cause() -> None:
    for said in (Page(render(failed())).said(), to_markdown(failed()), summary(failed())):
        assert "3 cells, 1 of them failed".replace(" cells", "\xa0cells") in said or (
            "3 cells, 1 of them failed" in said
        )
        assert "do better" in said
        assert "exact" in said
    assert verdicts(failed()) == [
        ("ctgan", {"Augment": 0, "Do not augment": 2, "Inconclusive": 0, "Failed": 1})
    ]
    said = "\n".join(findings(failed()))
    assert "magic is not in the ranks: it lacks class weights." in said
    assert "wine is not in the ranks: it has no result." in said
    assert "tuned threshold" in said


def test_findings_say_what_can_be_said() -> None:
    said = "\n".join(findings(made())).replace("\xa0", " ")
    assert "class weights, 1.00 among 4 methods" in said
    assert "p = 0.029, so the methods differ" in said
    assert "2.71 (Nemenyi test, 5 %)" in said
    assert "Not told apart: class weights, ctgan-filtered, doing nothing." in said
    whole = made()
    assert whole.ranking is not None
    alone = whole.ranking.model_copy(
        update={"datasets": ["wine"], "friedman": None, "critical_difference": None, "groups": []}
    )
    said = "\n".join(findings(whole.model_copy(update={"ranking": alone})))
    assert "nothing can be tested" in said
    assert "Friedman" not in said
    weak = whole.ranking.model_copy(update={"friedman": 0.3})
    said = "\n".join(findings(whole.model_copy(update={"ranking": weak})))
    assert "are not shown to differ" in said


def test_nothing_heavy_is_imported() -> None:
    program = (
        "import sys, synthgen.report.bench_text;"
        "print({'torch', 'pandas', 'numpy', 'sklearn', 'scipy', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"


# ---- text -------------------------------------------------------------------------------------


def test_markdown_tables_are_whole(bench: Bench) -> None:
    text = to_markdown(bench)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1
    assert "\x1b" not in text
    assert "<script>" not in text


def test_the_terminal_shows_methods_by_rank(bench: Bench) -> None:
    text = summary(bench)
    assert "\x1b" not in text
    assert text.isascii()
    if bench.ranking is not None:
        lines = text.splitlines()
        first = next(i for i, line in enumerate(lines) if line.startswith("class weights"))
        assert "1.00" in lines[first]
        assert lines[first + 3].startswith("ctgan ")


def test_many_data_sets_are_left_to_the_page() -> None:
    whole = made()
    many = [whole.datasets[0].model_copy(update={"name": f"set{i}"}) for i in range(9)]
    text = summary(whole.model_copy(update={"datasets": many}))
    assert "set3" not in text
    assert "3 / 0 / 0" in text


# ---- the diagram ------------------------------------------------------------------------------


def test_ranks_stand_where_the_axis_says() -> None:
    drawn = diagram([1.5, 2.0, 3.25, 3.25], [(0, 1), (1, 3)], 1.1)
    scale = (WIDTH - 2 * SIDE) / 3
    assert [label.x for label in drawn.labels] == pytest.approx(
        [SIDE + scale * (rank - 1) for rank in (1.5, 2.0, 3.25, 3.25)]
    )
    assert [rank for _, rank in drawn.ticks] == [1, 2, 3, 4]
    assert drawn.span is not None
    assert drawn.span[1] - drawn.span[0] == pytest.approx(1.1 * scale)
    (x1, x2, y1), (x3, x4, y2) = drawn.bars
    assert (x1, x2) == pytest.approx((drawn.labels[0].x - 3, drawn.labels[1].x + 3))
    assert (x3, x4) == pytest.approx((drawn.labels[1].x - 3, drawn.labels[3].x + 3))
    assert drawn.axis < y1 < y2 < min(label.y for label in drawn.labels)


@pytest.mark.parametrize("count", [2, 3, 9, 22])
def test_leaders_do_not_cross_and_labels_do_not_touch(count: int) -> None:
    drawn = diagram([1 + i * (count - 1) / (count - 1) for i in range(count)], [], None)
    assert drawn.span is None
    for left in (True, False):
        side = [label for label in drawn.labels if label.left is left]
        gaps = [abs(b.y - a.y) for a, b in pairwise(side)]
        assert all(gap >= 20 for gap in gaps)
        # The higher a label, the nearer its leader is to its side.
        for one in side:
            for other in side:
                if one.y < other.y:
                    assert (one.x <= other.x) if left else (one.x >= other.x)
    assert max(label.y for label in drawn.labels) < drawn.height


def test_a_critical_difference_longer_than_the_axis_is_not_drawn() -> None:
    assert diagram([1.0, 2.0], [(0, 1)], 1.5).span is None
    assert all(map(math.isfinite, diagram([1.5, 1.5], [(0, 1)], 1.5).bars[0]))
