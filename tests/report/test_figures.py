"""Figures on images: explained, told apart, with what they were made with."""

from __future__ import annotations

from typing import Any

import pytest

from synthgen.report import card, render, summary
from synthgen.report.sections import verdict
from synthgen.report.sections.figures import evidence, origin, titles
from synthgen.report.sections.per_class import SHOWN, class_tables
from synthgen.report.sections.scores import ScoreRow, score_rows
from synthgen.report.wording import explained
from synthgen.results import Report, Score
from tests.report.image_reports import BY_INCEPTION, PIXELS, figure, images

GAP = "\N{NO-BREAK SPACE}"


def rows(*scores: Score) -> tuple[ScoreRow, ...]:
    made = images().model_copy(update={"scores": list(scores)})
    return score_rows(made, scores[0].pillar)


def text(words: str) -> str:
    return words.replace(GAP, " ")


# ---- explained --------------------------------------------------------------------------------


@pytest.mark.parametrize("score", images().scores[1:], ids=lambda score: score.metric)
def test_every_metric_of_images_is_explained(score: Score) -> None:
    words = explained(score)
    assert words.line[-1] == "."
    assert not words.line.startswith(("Higher", "Lower", "The nearer", "Mean over the learners"))
    assert words.details is not None


@pytest.mark.parametrize(
    ("score", "value", "ends"),
    [
        (figure("frechet", 14.31, 3.87), "14.3", ("0", "14.3")),
        (figure("kernel", -0.00041, 0.0002), "−0.00041", ("0", "0.0002")),
        (figure("precision", 0.812, 0.871), "81.2 %", ("0 %", "100 %")),
        (figure("recall", 0.4, 0.9), "40.0 %", ("0 %", "100 %")),
        (figure("density", 0.93, 1.01), "0.930", ("0", "1.01")),
        (figure("memorisation", 0.0272, 0.0492), "2.7 %", ("0 %", "100 %")),
        (figure("image_copies", 0.0016, 0.0), "0.2 %", ("0 %", "0.2 %")),
        (figure("classification_accuracy", 0.628, 0.734), "62.8", ("0", "100")),
    ],
)
def test_units_and_axes(score: Score, value: str, ends: tuple[str, str]) -> None:
    (row,) = rows(score)
    assert text(row.value) == value
    assert (text(row.ends[0]), text(row.ends[1])) == ends


def test_few_images_for_the_features_are_a_warning() -> None:
    (row,) = rows(figure("frechet", 61.2, 44.9, features=2048, singular=True))
    assert row.line.endswith("With no more images than features, as here, it says little.")
    assert row.details == (("features", "2,048"),)
    (row,) = rows(figure("frechet", 14.3, 3.87, features=128, singular=False))
    assert "says little" not in row.line


# ---- origin -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (
            figure("frechet", 61.2, 44.9, origin=BY_INCEPTION),
            "Inception-v3 of 2015-12-05 (version: 6726825d0af5f729; resize: bilinear to 299 x 299 "
            "as TensorFlow 1, no antialiasing); 610 synthetic images against 2,500 training images",
        ),
        (
            figure("inception_score", 3.9, 4.4, images={"reference": 0, "synthetic": 1}),
            "Classifier of the training images (version: 4c3b9f0a71d2; resize: none); 1 synthetic "
            "image",
        ),
        (
            figure("memorisation", 0.06, 0.05, origin=PIXELS, floor_images=305),
            "Pixels (version: 1; resize: averaged to 16 x 16); 610 synthetic images against 2,500 "
            "training images; the reference is of 305 unseen images",
        ),
        (
            figure("frechet", 1.0, 0.5, origin={**PIXELS, "reference": "validation"}),
            "Pixels (version: 1; resize: averaged to 16 x 16); 610 synthetic images against 2,500 "
            "images of validation",
        ),
    ],
)
def test_a_figure_names_what_it_was_made_with(score: Score, words: str) -> None:
    assert text(origin(score)) == words


def test_each_figure_of_the_page_and_the_card_has_its_origin() -> None:
    made = images()
    figures = [score for score in made.scores if "origin" in score.detail]
    assert render(made).count('<span class="line origin">') == len(figures) == 15
    for score in figures:
        assert origin(score)
        assert text(origin(score)) in card(made)


def test_scores_of_tables_have_none(make_rich: Any) -> None:
    assert 'class="line origin"' not in render(make_rich())


# ---- titles -----------------------------------------------------------------------------------


def test_figures_of_one_metric_are_told_apart_by_their_extractors() -> None:
    one, two = figure("frechet", 14.3, 3.9), figure("frechet", 61.2, 44.9, origin=BY_INCEPTION)
    alone = figure("kernel", 0.03, 0.0)
    assert titles([one, alone, two]) == [
        "Fréchet distance (classifier of the training images)",
        "Kernel distance",
        "Fréchet distance (Inception-v3 of 2015-12-05)",
    ]
    shown = summary(images())
    assert "Fréchet distance (classifier of the training images)" in shown
    assert "Fréchet distance (Inception-v3 of 2015-12-05)" in shown


@pytest.mark.parametrize(
    ("changed", "apart"),
    [
        ({"version": "2"}, ["1", "2"]),
        ({"resize": "none"}, ["averaged to 16 x 16", "none"]),
        ({"reference": "test"}, ["train", "test"]),
        ({}, ["", ""]),
    ],
)
def test_else_by_what_differs(changed: dict[str, str], apart: list[str]) -> None:
    scores = [
        figure("frechet", 1.0, 0.5, origin=PIXELS),
        figure("frechet", 2.0, 0.5, origin=PIXELS | changed),
    ]
    assert titles(scores) == [f"Fréchet distance ({a})" if a else "Fréchet distance" for a in apart]


# ---- classes ----------------------------------------------------------------------------------


def test_classes_stand_worst_first_under_their_names() -> None:
    (table,) = class_tables(images(), "fidelity")
    assert table.title == "Fréchet distance per class"
    assert [row.name for row in table.rows] == ["bird", "cat", "airplane", "frog", "ship"]
    first = table.rows[0]
    assert (first.value, first.reference, first.images) == ("61.7", "22.1", "121")
    assert first.gap == "40 worse"
    (table,) = class_tables(images(), "utility")
    assert [row.name for row in table.rows] == ["bird", "cat", "frog", "airplane", "ship"]
    assert text(table.rows[-1].gap) == "1.0 points better"


def _with_classes(number: int, left_out: list[int]) -> Report:
    values = {f"kind {i}": {"value": 1.0 + i, "floor": 1.0, "images": 12} for i in range(number)}
    score = figure(
        "frechet_per_class", 1.0, 0.5, classes=values, left_out=[f"kind {i}" for i in left_out]
    )
    names = {f"kind {i}": {"train": 5} for i in range(120)}
    return images().model_copy(update={"scores": [score], "classes": names})


def test_very_many_classes_are_cut_and_counted() -> None:
    (table,) = class_tables(_with_classes(90, list(range(90, 120))), "fidelity")
    assert len(table.rows) == SHOWN
    assert table.rows[0].name == "kind 89"
    assert table.note.startswith("70 better ones are in report.json. Too few images to be judged: ")
    assert "kind 90, kind 91" in table.note
    assert table.note.endswith("kind 109 and 10 more.")
    assert table.note in render(_with_classes(90, list(range(90, 120))))
    assert class_tables(_with_classes(3, []), "fidelity")[0].note == ""


def test_two_figures_by_class_are_told_apart() -> None:
    made = _with_classes(2, [])
    other = figure("frechet_per_class", 2.0, 1.0, origin=PIXELS, **_detail(made))
    both = made.model_copy(update={"scores": [*made.scores, other]})
    assert [table.title for table in class_tables(both, "fidelity")] == [
        "Fréchet distance per class (classifier of the training images)",
        "Fréchet distance per class (pixels)",
    ]


def _detail(made: Report) -> dict[str, Any]:
    return {"classes": made.scores[0].detail["classes"], "left_out": []}


# ---- privacy ----------------------------------------------------------------------------------


def test_suspects_and_copies_are_counted() -> None:
    closer, _, copied = score_rows(images(), "privacy")
    assert closer.details == (
        ("suspects", "34 of 1,250"),
        ("p", "0.981"),
        ("ratio of the median distances", "1.08"),
    )
    assert [(key, text(part)) for key, part in copied.details] == [
        ("copies", "2 of 1,250"),
        ("equal in every pixel", "0.08 %"),
    ]


def test_no_image_is_named() -> None:
    """The 4,321st training image and the 8,765th synthetic one."""
    named = {"image": 8765, "original": 4321, "distance": 0.5, "file": "anna.png", "exact": True}
    scores = [
        figure("memorisation", 0.0272, 0.05, suspects=[named], p_value=0.98),
        figure("image_copies", 0.0016, 0.0, copies=[named], exact=0.0008),
    ]
    made = images().model_copy(update={"scores": scores})
    for page in (render(made), card(made), summary(made)):
        assert "Copies of training images" in page
        for secret in ("4321", "8765", "4,321", "8,765", "anna.png"):
            assert secret not in page


def test_a_figure_without_numbers_of_images_counts_nothing() -> None:
    score = figure("memorisation", 0.0272, 0.05)
    bare = score.model_copy(update={"detail": {"p_value": 0.98}})
    assert evidence(bare) == []
    assert origin(bare) == ""


# ---- the headline -----------------------------------------------------------------------------


def test_the_first_figure_of_a_pillar_says_which_way_is_better() -> None:
    made = images()
    notes = {tile.anchor: tile.note for tile in verdict.build(made).tiles}
    for pillar in ("fidelity", "privacy"):
        goal = next(score.goal for score in made.scores if score.pillar == pillar)
        way = {"min": "; lower is better", "max": "; higher is better", "target": ""}[goal]
        assert notes[pillar].endswith(way)
    distance = figure("frechet", 9.0, 3.0)
    last = made.model_copy(update={"scores": [distance]})
    note = verdict.build(last).tiles[-1].note
    assert text(note).endswith("; real images 3.000; lower is better")
