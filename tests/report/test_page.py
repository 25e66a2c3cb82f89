"""The page as HTML: well formed, closed in itself, accessible, and the same every time."""

from __future__ import annotations

import hashlib
import math
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from synthgen.report import render
from synthgen.report.page import coordinate
from synthgen.report.sections import SECTIONS
from synthgen.results import CurvePoint, Interval, RealEquivalents, Recipe, Report
from tests.report.image_reports import images

MakeReport = Callable[..., Report]
DECISIONS = ("augment", "do-not-augment", "inconclusive")
VOID = {"meta", "link", "br", "hr", "img", "input"}
HOSTILE = {
    "age": "<script>alert(1)</script>",
    "income": "a_very_long_name_" * 18,
    "sex": "性別 👩‍🔬🇺🇦",
    "race": "\u202eevil\u202c name",
    "education": "عمود التعليم",
    "workclass": '"><img src=x onerror=alert(1)>',
    "fnlwgt": "tab\there\nnewline\x1b[31m\x00",
    "occupation": "{{ 7*7 }} {% raw %} & &amp; </title></svg>",
    "relationship": "' onload='x",
}


class Page(HTMLParser):
    """Elements with their attributes and text; every tag has to close in its place."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, {n: v or "" for n, v in attrs}, tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, f"{tag} closes itself outside of SVG"
        self.elements.append((tag, {n: v or "" for n, v in attrs}, tuple(self.open)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs, _ in self.elements if tag in tags]

    def said(self, *tags: str) -> str:
        """All text, or that directly in elements of these tags."""
        return "\n".join(text for tag, text in self.texts if not tags or tag in tags)


KINDS = ["full", "hostile", "wide", "minimal", "broken"]
IMAGES = ["images", "images-keep", "images-hostile", "images-wide", "images-broken"]
RICH = ["rich", "rich-keep", "rich-hostile", "rich-wide", "rich-broken", "rich-huge"]


@pytest.fixture(scope="module", params=[*KINDS, *RICH, *IMAGES])
def report(
    request: pytest.FixtureRequest,
    make_report: MakeReport,
    make_rich: MakeReport,
    make_minimal: Any,
) -> Report:
    match request.param:
        case "images":
            return images()
        case "images-keep":
            return images("do-not-augment").model_copy(update={"pictures": [], "classes": {}})
        case "images-hostile":
            return _hostile_images(images("inconclusive"))
        case "images-wide":
            return _many_classes(images("inconclusive"))
        case "images-broken":
            return _broken_classes(_without_numbers(_broken(images())))
        case "rich":
            return make_rich()
        case "rich-keep":
            return make_rich("do-not-augment")
        case "rich-hostile":
            return _hostile_parts(make_rich)
        case "rich-wide":
            parts = {f"column_{i} = value {i}": 2 - i / 10 for i in range(60)}
            names = tuple(f"class {i}" for i in range(60))
            return make_rich("inconclusive", classes=names, subgroups=parts)
        case "rich-broken":
            return _without_numbers(_broken(make_rich("do-not-augment")))
        case "rich-huge":
            return _huge(make_rich())
        case "full":
            return make_report()
        case "hostile":
            made = make_report("do-not-augment", names=HOSTILE, classes=40)
            return _with_hostile_sentences(made)
        case "wide":
            return make_report("inconclusive", columns=200, classes=40)
        case "minimal":
            return make_minimal()  # type: ignore[no-any-return]
        case _:
            return _broken(make_report())


def _with_hostile_sentences(made: Report) -> Report:
    evil = "<script>alert(2)</script>"
    return made.model_copy(
        update={
            "title": f"<b>{evil}",
            "notices": [evil + "x" * 400],
            "verdict": made.verdict.model_copy(update={"sentence": evil, "reasons": [evil]}),
            "provenance": made.provenance.model_copy(
                update={"source": "https://evil.example/<x>", "command": f"run {evil}"}
            ),
        }
    )


def _hostile_parts(make_rich: MakeReport) -> Report:
    evil = list(HOSTILE.values())
    made = make_rich(
        "do-not-augment",
        classes=(evil[0], evil[5]),
        subgroups={f"{name} = {evil[1][:40]}": -2.5 for name in evil},
    )
    verdict = made.verdict.model_copy(update={"untested": [f"{name}: too few" for name in evil]})
    return made.model_copy(update={"verdict": verdict})


def _hostile_images(made: Report) -> Report:
    evil = list(HOSTILE.values())
    classes = dict(zip(evil, made.classes.values(), strict=False))
    first = made.pictures[0].model_copy(
        update={"name": evil[5], "title": evil[5], "caption": evil[0], "png": evil[5]}
    )
    return _with_hostile_sentences(made).model_copy(
        update={"classes": classes, "pictures": [first, *made.pictures]}
    )


def _broken_classes(made: Report) -> Report:
    values = {
        str(code): {"value": value, "floor": math.nan, "images": 12}
        for code, value in enumerate((1.0, math.nan, math.inf))
    }
    scores = [
        score.model_copy(update={"detail": score.detail | {"classes": values}})
        for score in made.scores
    ]
    return made.model_copy(update={"scores": scores})


def _many_classes(made: Report) -> Report:
    classes = {f"class {i}": {"train": 5, "test": 1} for i in range(100)}
    values = {f"class {i}": {"value": 9.0 + i, "floor": 8.0, "images": 12} for i in range(100)}
    scores = [
        score.model_copy(
            update={"detail": score.detail | {"classes": values, "left_out": list(classes)[:40]}}
        )
        for score in made.scores
    ]
    return made.model_copy(update={"classes": classes, "scores": scores})


def _huge(made: Report) -> Report:
    """Counts of many digits, at the end of what the curve can tell."""
    rows = 3_000_000_000
    verdict = made.verdict.model_copy(
        update={
            "equivalents": RealEquivalents(
                rows=9 * rows, low=-rows, high=9 * rows, ceiling=9 * rows, floor=-rows, useful=rows
            ),
            "rows_needed": 10**15,
        }
    )
    curve = [CurvePoint(rows=rows // k, score=0.77 - k / 100) for k in (4, 2, 1)]
    return made.model_copy(update={"verdict": verdict, "learning_curve": curve})


def _without_numbers(made: Report) -> Report:
    """Those of the newer parts."""
    nan = math.nan
    lost = {"mean": nan, "baseline": nan, "p_value": nan, "interval": Interval(low=nan, high=nan)}
    verdict = made.verdict
    return made.model_copy(
        update={
            "by_class": [d.model_copy(update=lost) for d in made.by_class],
            "by_subgroup": [d.model_copy(update=lost) for d in made.by_subgroup],
            "sealed": [one.model_copy(update=lost) for one in made.sealed],
            "learning_curve": [
                one.model_copy(update={"score": nan}) for one in made.learning_curve
            ],
            "verdict": verdict.model_copy(
                update={
                    "recipe": Recipe(multipliers=(nan, 0.0), weight=nan),
                    "equivalents": RealEquivalents(rows=None, low=None, high=None, ceiling=0),
                    "harmed": [
                        one.model_copy(
                            update={"difference": one.difference.model_copy(update=lost)}
                        )
                        for one in verdict.harmed
                    ],
                }
            ),
        }
    )


def _broken(made: Report) -> Report:
    """Numbers that are none, wherever a number can be."""
    nan, inf = math.nan, math.inf
    lost = Interval(low=-inf, high=nan)
    return made.model_copy(
        update={
            "differences": [
                made.differences[0].model_copy(
                    update={"mean": nan, "interval": lost, "p_value": nan, "baseline": nan}
                ),
                *made.differences[1:],
            ],
            "scores": [s.model_copy(update={"value": nan, "reference": inf}) for s in made.scores],
            "marginals": [
                m.model_copy(update={"real": [nan] * len(m.real), "score": nan})
                for m in made.marginals
            ],
            "curves": [c.model_copy(update={"values": [nan] * len(c.steps)}) for c in made.curves],
            "pair_trends": made.pair_trends
            and made.pair_trends.model_copy(update={"score": [[nan] * 15] * 15}),
        }
    )


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(render(report))


def test_every_section_is_there_in_order(page: Page, report: Report) -> None:
    ids = [attrs["id"] for attrs in page.all("section")]
    assert ids == [section.name for section in SECTIONS if section.shown(report)]
    linked = [attrs["href"] for tag, attrs, path in page.elements if tag == "a" and "nav" in path]
    assert linked == [f"#{name}" for name in ids]


def test_ids_are_unique_and_references_reach_them(page: Page) -> None:
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = {attrs["href"] for attrs in page.all("a")}
    wanted |= {f"#{attrs['aria-labelledby']}" for attrs in page.all("section")}
    assert wanted <= {f"#{name}" for name in ids}


def test_nothing_is_fetched_or_run(page: Page) -> None:
    tags = {tag for tag, _, _ in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "form", "base", "image", "use"}
    for tag, attrs, _ in page.elements:
        assert not any(name.startswith("on") for name in attrs)
        assert not set(attrs) & {"srcset", "style", "action", "background", "xlink:href"}
        assert ("src" in attrs) == (tag == "img")
        assert attrs.get("src", "data:image/png;").startswith("data:image/png;")
        assert attrs.get("href", "#").startswith("#")
    assert "url(" not in page.said("style")
    assert "@import" not in page.said("style")


def test_the_policy_allows_the_style_and_the_pages_own_pictures(report: Report) -> None:
    html = render(report)
    style = html.split("<style>")[1].split("</style>")[0]
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    pictures = " img-src data:;" if report.pictures else ""
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}';{pictures} base-uri 'none'; "
        "form-action 'none'"
    )


def test_headings_do_not_skip_a_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_scoped_headers(page: Page) -> None:
    assert all(attrs.get("scope") in ("col", "row", "rowgroup") for attrs in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert len(page.all("summary")) == len(page.all("details"))


def test_drawings_are_named_or_hidden(page: Page) -> None:
    outer = [
        (place, attrs)
        for place, (tag, attrs, path) in enumerate(page.elements)
        if tag == "svg" and "svg" not in path
    ]
    for place, attrs in outer:
        if attrs.get("aria-hidden") != "true":
            assert attrs["role"] == "img"
            assert page.elements[place + 1][0] == "title"


def test_coordinates_are_numbers(page: Page) -> None:
    number = r"-?\d+(?:\.\d+)?"
    single = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "width", "height"}
    seen = 0
    for tag, attrs, path in page.elements:
        if "svg" not in (*path, tag):
            continue
        for name, value in attrs.items():
            if name in single:
                assert re.fullmatch(f"{number}%?", value), (tag, name, value)
            elif name == "points":
                assert re.fullmatch(rf"(?:{number},{number} ?)+", value)
            elif name == "d":
                assert re.fullmatch(rf"(?:[MmHhVvLlQqTtz ]|{number})+", value)
            seen += 1
        for name in ("width", "height"):
            assert not attrs.get(name, "0").startswith("-")
    assert seen > 50


def test_no_number_is_a_nan(page: Page) -> None:
    shown = "\n".join(text for tag, text in page.texts if tag != "style")
    assert not re.search(r"\b(nan|NaN|inf|Infinity|None)\b", shown)


def test_the_same_report_gives_the_same_bytes(report: Report) -> None:
    once = render(report)
    assert render(Report.model_validate_json(report.model_dump_json())) == once


def test_names_from_outside_stay_text(make_report: MakeReport) -> None:
    made = _with_hostile_sentences(make_report(names=HOSTILE))
    html = render(made)
    page = Page(html)

    assert page.all("script", "img") == []
    for name in ("age", "workclass", "occupation", "sex", "education"):
        # In a heading, in the map's margin (shortened) and in the names of drawings.
        assert HOSTILE[name] in page.said("bdi")
        assert HOSTILE[name] in page.said("title")
        assert HOSTILE[name][:8] in page.said("text")
    assert "<script>alert(2)</script>" in page.said("h1")
    assert "\x1b" not in html
    assert "\x00" not in html
    assert "\u202e" not in html
    assert "\\u202eevil" in page.said("bdi")


def test_hash_order_does_not_reach_the_page() -> None:
    program = (
        "import runpy, hashlib; from pathlib import Path; from synthgen.report import render;"
        "made = runpy.run_path('tests/report/conftest.py')['rich']();"
        "print(hashlib.sha256(render(made).encode()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_nothing_heavy_is_imported() -> None:
    program = (
        "import sys, synthgen.report;"
        "print({'torch', 'pandas', 'numpy', 'sklearn', 'scipy', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"


@pytest.mark.parametrize("decision", DECISIONS)
def test_each_decision_has_its_own_look_and_words(make_report: MakeReport, decision: str) -> None:
    page = Page(render(make_report(decision)))
    (body,) = page.all("body")
    assert body["class"] == decision
    label = {"augment": "Augment", "do-not-augment": "Do not augment"}.get(decision, "Inconclusive")
    assert page.texts[next(i for i, t in enumerate(page.texts) if t[0] == "span")][1] == label
    # The icon's shape differs, so that nobody needs the colour.
    icon = [tag for tag, attrs, path in page.elements if "h1" in path and "svg" in path]
    assert (
        icon
        == {
            "augment": ["circle", "path"],
            "do-not-augment": ["rect", "path"],
            "inconclusive": ["circle", "path"],
        }[decision]
    )
    assert ("ring" in render(make_report(decision)).split("</h1>")[0].split("<h1")[1]) == (
        decision == "inconclusive"
    )


def test_the_verdict_comes_first_and_says_what_to_do(make_report: MakeReport) -> None:
    html = render(make_report())
    assert html.index("<h1") < html.index("<h2")
    page = Page(html)
    assert "(95\N{NO-BREAK SPACE}% interval 1.1 to 2.7)" in page.said("h1")
    assert "0.5 synthetic rows per training row from ctgan raise" in page.said("h1")
    assert "+1.9\N{NO-BREAK SPACE}points" in page.said("strong")
    assert "26,049\N{NO-BREAK SPACE}training rows" in page.said("li")


def test_wide_tables_are_capped_and_say_so(make_report: MakeReport) -> None:
    html = render(make_report(columns=200, classes=40))
    text = Page(html).said()
    assert "the 40 worst of 200 columns" in text
    assert "the 30 worst of 200 columns" in text
    assert len(html.encode()) < 500_000


@pytest.mark.parametrize("length", [8, 300])
def test_an_ordinary_table_stays_small(make_report: MakeReport, length: int) -> None:
    names = {f"{c}{s}": c + "x" * length for c in HOSTILE for s in ("", "1")}
    assert len(render(make_report(columns=25, names=names)).encode()) < 400_000


def test_missing_parts_are_said_to_be_missing(make_minimal: Callable[[], Report]) -> None:
    text = Page(render(make_minimal())).said("p")
    for line in ("No arm was compared", "No fidelity score", "No column was", "no training curve"):
        assert line in text


def test_an_estimate_that_is_missing_is_not_drawn(make_report: MakeReport) -> None:
    made = make_report("inconclusive")
    verdict = made.verdict.model_copy(
        update={"difference": 0.0, "interval": Interval(low=-1, high=1), "resamples": 2}
    )
    html = render(made.model_copy(update={"verdict": verdict}))
    assert "too few resamples" in html
    assert "100.0\N{NO-BREAK SPACE}points" not in html


def test_coordinates_refuse_what_is_not_finite() -> None:
    assert [coordinate(v) for v in (-0.001, 12.345, 7, 1e-9)] == ["0", "12.35", "7", "0"]
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match="not finite"):
            coordinate(value)
