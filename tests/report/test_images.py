"""The report on labelled images: it speaks of images, and shows classes in place of columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from synthgen.report import card, load, render, summary
from synthgen.report.sections import data, utility
from synthgen.report.wording import glossary, name, phrase
from synthgen.results import Harm, RealEquivalents, Recipe, Report
from tests.report.conftest import difference
from tests.report.image_reports import CLASSES, images

MakeReport = Callable[..., Report]
GAP = "\N{NO-BREAK SPACE}"
OF_TABLES = re.compile(r"\b(?:rows?|columns?|tables?|frames?)\b", re.IGNORECASE)


class Words(HTMLParser):
    """What is read or read aloud on the page; settings and commands are not our words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.skipped = 0
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skipped += tag in ("style", "pre")
        spoken = ("alt", "aria-label", "data-label", "title")
        self.found += [value for key, value in attrs if key in spoken and value]

    def handle_endtag(self, tag: str) -> None:
        self.skipped -= tag in ("style", "pre")

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.found.append(data)


def words(made: Report) -> dict[str, list[str]]:
    """Of the page, the card and the terminal."""
    written = re.sub(r"~~~\n.*?\n~~~", "", card(made), flags=re.DOTALL)
    return {
        "page": Words(render(made)).found,
        "card": written.splitlines(),
        "terminal": summary(made).splitlines(),
    }


def changed(made: Report, **verdict: Any) -> Report:
    return made.model_copy(update={"verdict": made.verdict.model_copy(update=verdict)})


def flat(**known: Any) -> RealEquivalents:
    return RealEquivalents(
        **({"rows": None, "low": None, "high": None, "ceiling": 22_500, "floor": -2250} | known)
    )


HARM = difference("cgan", "best", "balanced_accuracy", -2.0, 0.8)
VARIANTS: dict[str, Callable[[], Report]] = {
    "augment": images,
    "do not augment": lambda: images("do-not-augment"),
    "inconclusive": lambda: images("inconclusive"),
    "weights": lambda: changed(
        images(), recipe=Recipe(ratio="balanced", weight=0.3, balanced=True, augmentation="mixup")
    ),
    "placebo": lambda: changed(images("do-not-augment"), arm="placebo"),
    "class weights": lambda: changed(images("do-not-augment"), arm="class_weights"),
    "oversampling": lambda: changed(images("inconclusive"), arm="oversample"),
    "no arm": lambda: changed(images("do-not-augment"), arm=None),
    "hardly any room": lambda: changed(images("do-not-augment"), room=0.001),
    "no room to find out": lambda: changed(images("inconclusive"), room=0.001),
    "unmeasured": lambda: changed(images("inconclusive"), unmeasured=8, resamples=2),
    "nothing measured": lambda: changed(images("inconclusive"), resamples=0),
    "a few unmeasured": lambda: changed(images("inconclusive"), unmeasured=3),
    "rare": lambda: changed(images("inconclusive"), scarce=2.0),
    "the largest budget": lambda: changed(
        images("inconclusive").model_copy(
            update={
                "provenance": images().provenance.model_copy(update={"budget": "thorough"}),
            }
        ),
        rows_needed=None,
    ),
    "harm": lambda: changed(
        images("do-not-augment"), harmed=[Harm(subgroup="camera = A", difference=HARM)]
    ),
    "worth nothing": lambda: changed(images(), equivalents=flat(rows=0)),
    "as if fewer": lambda: changed(images(), equivalents=flat(rows=-300, low=-900, high=-100)),
    "as few as can be told": lambda: changed(images(), equivalents=flat(rows=-2250)),
    "as many as can be told": lambda: changed(images(), equivalents=flat(rows=22_500, useful=1)),
    "one image": lambda: changed(images(), equivalents=flat(rows=1, low=1, high=2, useful=3)),
    "a flat curve": lambda: changed(images(), equivalents=flat()),
    "without scores": lambda: images().model_copy(update={"scores": [], "by_class": []}),
    "without classes": lambda: images().model_copy(update={"classes": {}, "curves": []}),
    "without arms": lambda: images("inconclusive").model_copy(update={"differences": []}),
}


@pytest.mark.parametrize("kind", VARIANTS)
def test_no_sentence_speaks_of_a_table(kind: str) -> None:
    for where, found in words(VARIANTS[kind]()).items():
        assert any("image" in text for text in found), where
        assert [text for text in found if OF_TABLES.search(text)] == [], where


def test_the_words_of_a_table_are_found_where_they_are(make_rich: MakeReport) -> None:
    """The control of the test above."""
    for where, found in words(make_rich()).items():
        assert any(OF_TABLES.search(text) for text in found), where


# ---- names ------------------------------------------------------------------------------------


def test_the_placebo_duplicates_images() -> None:
    assert name("placebo", "images") == phrase("placebo", "images") == "duplicated images (placebo)"
    assert name("placebo") == "duplicated rows (placebo)"
    groups = utility.build(images()).forest.groups
    assert [title for title, _ in groups] == ["Synthetic images from cgan", "Without a generator"]
    assert "duplicated images (placebo)" in [row.label for row in groups[1][1]]


def test_the_glossary_speaks_of_what_there_is() -> None:
    (of_images,) = glossary(["recall_at_precision"], "images")
    (of_rows,) = glossary(["recall_at_precision"], "table")
    assert "of the images named so" in of_images
    assert of_images.replace("images", "rows") == of_rows


# ---- data and fidelity ------------------------------------------------------------------------


def test_classes_stand_in_place_of_columns() -> None:
    view = data.build(images())
    assert view.count.replace(GAP, " ") == "5 classes"
    assert view.classes[1] == ("bird", ["500", "121", "250", "750"])
    html = render(images())
    section = html.split('<section id="data"')[1].split("</section>")[0]
    assert [f"<bdi>{one}</bdi>" in section for one in CLASSES] == [True] * len(CLASSES)
    assert "how many images has each class?" in section
    assert "<h3>Columns" not in html
    assert "<h3>Pairs of columns" not in html


def test_counts_that_a_class_lacks_are_none_of_its_images() -> None:
    one = images().model_copy(update={"classes": {"cat": {"train": 1234}}})
    view = data.build(one)
    assert view.classes == [("cat", ["1,234", "0", "0", "0"])]
    assert view.count.replace(GAP, " ") == "1 class"


def test_very_many_classes_are_folded_and_cut() -> None:
    many = {f"class {i}": {"train": i} for i in range(100)}
    made = images().model_copy(update={"classes": many})
    assert not data.build(made).unfolded
    assert data.build(images()).unfolded
    assert f"The first 30 of 100{GAP}classes." in card(made)
    assert "| class 29 |" in card(made)
    assert "| class 30 |" not in card(made)


def test_missing_classes_are_said_to_be_missing() -> None:
    made = images().model_copy(update={"classes": {}})
    assert "The classes were not recorded." in render(made)
    assert "## Classes" not in card(made)


# ---- card -------------------------------------------------------------------------------------


def test_the_card_has_classes_and_what_each_figure_was_made_with() -> None:
    written = card(images())
    heads = re.findall(r"^#+ (.*)$", written, re.MULTILINE)
    assert heads[1:] == [
        *("Utility", "Scores", "Classes", "Intended use and limits", "Notices", "Provenance")
    ]
    assert "| Pillar | Score | Value | Reference (real images) | Made with |" in written
    (copies,) = [line for line in written.splitlines() if "Copies of training images" in line]
    assert "Pixels (version: copies-1; resize: none); 1,250" in copies
    assert "| bird | 500 | 121 | 250 | 750 |" in written
    assert (
        "Meant for training classifiers of these classes together with the real images" in written
    )


def test_a_tables_card_has_no_such_list(make_report: MakeReport) -> None:
    assert "| Pillar | Score | Value | Reference (real rows) |\n" in card(make_report())


# ---- file -------------------------------------------------------------------------------------


def test_a_report_on_images_comes_back_as_it_was(tmp_path: Path) -> None:
    made = images()
    path = tmp_path / "report.json"
    path.write_text(made.model_dump_json(), "utf-8")
    assert load(path) == made


def test_a_file_from_before_there_were_images_is_of_a_table(make_report: MakeReport) -> None:
    old = make_report().model_dump(mode="json")
    for field in ("modality", "pictures", "classes"):
        del old[field]
    assert Report.model_validate(old) == make_report()
