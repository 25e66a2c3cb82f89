"""The page on arms, real rows, classes, subgroups and sealed rows; the card and the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from markupsafe import escape

from synthgen.report import card, load, render, summary
from synthgen.report.advice import beside, measured, shown_arm
from synthgen.report.sections import utility, verdict
from synthgen.report.sections.parts import PARTS
from synthgen.report.wording import Effects, explained, name, reading, source, treatment
from synthgen.results import Interval, Report, Score

MakeReport = Callable[..., Report]
GAP = "\N{NO-BREAK SPACE}"
EVIL = "<script>alert(1)</script> \u202e| `x`"
NEW = {
    "verdict": (
        *("recipe", "learner", "cheap", "equivalents", "harmed", "untested", "dropped"),
        *("rows_needed", "room", "scarce", "unmeasured"),
    ),
    "report": ("by_class", "by_subgroup", "learning_curve", "sealed"),
}


def section(html: str, anchor: str) -> str:
    return html.split(f'<section id="{anchor}"')[1].split("</section>")[0]


def text(html: str) -> str:
    """What is read, without the style sheet."""
    body = html.split("</style>")[-1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace(GAP, " ")


# ---- names ------------------------------------------------------------------------------------


def test_arms_learners_and_metrics_have_names() -> None:
    assert name("threshold") == "tuned threshold"
    assert name("density_weights") == "density weights"
    assert name("placebo") == "duplicated rows (placebo)"
    assert name("xgboost") == "XGBoost"
    assert name("lightgbm.sklearn.LGBMClassifier") == "LGBMClassifier"
    assert name("my_networks.small:residual_net") == "residual_net"
    assert name("tstr_1.5") == "tstr 1.5"
    assert [name(m) for m in ("r2", "rmse", "recall_at_precision")] == [
        *("R²", "RMSE", "recall at precision")
    ]


def test_an_arm_is_its_source_and_a_treatment() -> None:
    assert source("ctgan-filtered") == "ctgan"
    assert source("sdv-gaussian-copula") == "sdv-gaussian-copula"
    assert source("sdv-ctgan-mixed") == "sdv-ctgan"
    assert treatment("ctgan-mixed", "table") == "with balancing weights or a tuned threshold"
    assert treatment("sdv-ctgan", "table") == treatment("smote", "table") == ""
    assert treatment("dcgan-mixed", "images").startswith("with a standard augmentation")
    assert treatment("dcgan-filtered", "images") == "only selected synthetic images"


@pytest.mark.parametrize("metric", ["rmse", "mae", "log_loss", "brier", "calibration_error"])
def test_less_of_a_loss_is_better(metric: str) -> None:
    assert reading(metric, Interval(low=-0.02, high=-0.01)) == "better"
    assert reading(metric, Interval(low=0.01, high=0.02)) == "worse"


def test_units_follow_the_metric() -> None:
    wide = [Interval(low=-700.0, high=-100.0)]
    assert Effects.of("rmse", wide).difference(-400.4) == "−400"
    assert Effects.of("mae", [Interval(low=-0.07, high=-0.01)]).signed(-0.04) == "−0.040"
    assert Effects.of("rmse", []).unit == Effects.of("log_loss", []).unit == ""
    assert Effects.of("rmse", [Interval(low=0, high=0)]).digits == 4
    points = Effects.of("r2", [Interval(low=-0.01, high=0.03)])
    assert points.difference(0.012).replace(GAP, " ") == "+1.2 points"
    assert Effects.of("calibration_error", []).unit == "points"


@pytest.mark.parametrize(
    ("metric", "unit", "axis"),
    [
        ("r2", "points", None),
        ("rmse", "number", None),
        ("calibration_error", "points", None),
        ("recall_at_precision", "points", (0, 1)),
    ],
)
def test_scores_of_new_metrics(metric: str, unit: str, axis: object) -> None:
    made = Score(metric=metric, title="t", pillar="utility", goal="min", value=0.1, reference=0.2)
    assert (explained(made).unit, explained(made).axis) == (unit, axis)


# ---- the verdict ------------------------------------------------------------------------------


def test_there_is_an_estimate_from_three_resamples_on(make_rich: MakeReport) -> None:
    made = make_rich().verdict
    # R² can gain more than 1: the size of what is detectable says nothing.
    assert measured(made.model_copy(update={"resamples": 3, "detectable_effect": 1.7}))
    assert not measured(made.model_copy(update={"resamples": 2, "detectable_effect": 0.01}))


def test_the_strongest_cheap_arm_stands_beside(make_rich: MakeReport) -> None:
    made = make_rich()
    second = beside(made)
    assert second is not None
    assert second.arm == "threshold"
    html = section(render(made), "verdict")
    assert "balanced accuracy with a tuned threshold, the strongest cheap alternative" in text(html)
    assert html.count('class="whisker"') == 2
    alone = made.verdict.model_copy(update={"cheap": None})
    assert beside(made.model_copy(update={"verdict": alone})) is None


def test_beside_a_cheap_arm_stands_the_best_generator(make_rich: MakeReport) -> None:
    made = make_rich("do-not-augment")
    second = beside(made)
    assert second is not None
    assert second.arm == "ctgan-filtered"
    assert "the best with synthetic rows" in text(render(made))


def test_the_cheap_arm_is_found_among_the_alternatives(make_rich: MakeReport) -> None:
    made = make_rich().model_copy(update={"differences": []})
    second = beside(made)
    assert second is not None
    assert second.arm == "threshold"


def test_a_generator_with_the_name_of_a_cheap_arm_is_one(make_rich: MakeReport) -> None:
    made = make_rich("do-not-augment")
    smote = made.provenance.model_copy(update={"generator": "smote"})
    groups = utility.build(made.model_copy(update={"provenance": smote})).forest.groups
    assert "Synthetic rows from SMOTE" in [title for title, _ in groups]


def test_real_rows_are_in_the_verdict(make_rich: MakeReport) -> None:
    said = text(section(render(make_rich()), "verdict"))
    assert "worth about 4,300 more real rows (95 % interval 620 to 13,000)" in said
    assert "By the learning curve, about 1,100 more real rows would bring the 0.5 points" in said


def test_harm_stands_before_what_to_do(make_rich: MakeReport) -> None:
    html = render(make_rich("do-not-augment"))
    assert html.index("Worse with ctgan-filtered") < html.index("What to do now")
    assert "−2.1 points balanced accuracy (95 % interval −3.4 to −0.8), from 77.2 to 75.1" in text(
        html
    )
    assert 'class="harm"' not in render(make_rich("augment"))


def test_untested_and_dropped_are_small_print(make_rich: MakeReport) -> None:
    made = make_rich()
    said = text(render(made))
    assert "not tested: race = Other: 12 test rows per resample; 30 are needed." in said
    assert "Dropped as clear losers: ctgan-mixed after 4 resamples." in said
    many = made.verdict.model_copy(update={"untested": [f"group {i}" for i in range(30)]})
    lines = verdict.small_print(made.model_copy(update={"verdict": many}))
    assert lines[0].endswith("group 5; and 24 more, in report.json.")


# ---- utility ----------------------------------------------------------------------------------


def test_arms_are_grouped_and_dropped_ones_say_so(make_rich: MakeReport) -> None:
    table = utility.build(make_rich()).forest
    (first, made), (second, cheap) = table.groups
    assert (first, second) == ("Synthetic rows from ctgan", "Without a generator")
    assert [row.label for row in made] == [
        *("ctgan-filtered", "ctgan-weighted", "ctgan", "ctgan-mixed")
    ]
    assert made[0].badge == "in the verdict"
    assert made[3].line == (
        "with balancing weights or a tuned threshold; dropped after 4 of 10 resamples"
    )
    assert made[3].whisker is not None
    assert made[3].whisker.outside
    assert [row.label for row in cheap][:2] == ["tuned threshold", "class weights"]


def test_one_group_needs_no_heading(make_rich: MakeReport) -> None:
    made = make_rich()
    cheap = [d for d in made.differences if "ctgan" not in d.arm]
    table = utility.build(made.model_copy(update={"differences": cheap})).forest
    assert [title for title, _ in table.groups] == [""]


def test_the_curve_meets_the_arm_where_the_words_say(make_rich: MakeReport) -> None:
    view = utility.build(make_rich()).growth
    assert view is not None
    assert view.meeting == "4,300 more"
    assert view.goal == "79.1 with all your rows and ctgan-filtered"
    html = section(render(make_rich()), "utility")
    assert "What it is worth in real rows" in html
    assert "<desc>74.2 with 3,663" in html


def test_without_a_curve_there_is_no_chart(make_rich: MakeReport, make_report: MakeReport) -> None:
    assert utility.build(make_report()).growth is None
    made = make_rich()
    one = made.model_copy(update={"learning_curve": made.learning_curve[:1]})
    assert utility.build(one).growth is None
    flat = made.verdict.model_copy(update={"equivalents": None})
    view = utility.build(made.model_copy(update={"verdict": flat})).growth
    assert view is not None
    assert view.chart.meeting is None


def test_the_sealed_rows_have_their_own_table(make_rich: MakeReport) -> None:
    (table,) = utility.build(make_rich()).sealed
    assert table.arm == "ctgan-filtered"
    assert table.basis.replace(GAP, " ") == "6,512 sealed rows, 5 seeds"
    assert (table.rows[0].metric, table.rows[0].unit) == ("balanced accuracy", "points")
    loss = next(r for r in table.rows if r.metric == "log loss")
    assert (loss.unit, loss.reading, loss.effect[0]) == ("as it is", "better", "−")
    assert "bootstrap intervals over both" in text(render(make_rich()))
    assert "These rows were set aside" in text(render(make_rich()))


def test_classes_show_the_arm_of_the_verdict(make_rich: MakeReport) -> None:
    view = utility.build(make_rich(classes=("a", "b", "c"))).classes
    assert view is not None
    assert (view.arm, view.metric, view.note) == ("ctgan-filtered", "balanced accuracy", "")
    assert [row.label for row in view.forest.rows] == ["a", "b", "c"]
    assert view.metrics is not None
    assert view.metrics.heads[:2] == ["recall", "precision"]
    assert view.arms is not None
    assert "tuned threshold" in view.arms.heads


def test_recall_tells_two_classes_apart_where_the_metric_does_not(make_rich: MakeReport) -> None:
    made = make_rich()
    same = [
        d.model_copy(update={"mean": 0.01}) if d.metric == "balanced_accuracy" else d
        for d in made.by_class
    ]
    view = utility.build(made.model_copy(update={"by_class": same})).classes
    assert view is not None
    assert view.metric == "recall"
    assert "balanced accuracy of two classes is one number" in view.note


def test_subgroups_that_lose_most_come_first(make_rich: MakeReport) -> None:
    made = make_rich("do-not-augment")
    lead = next(d for d in made.differences if (d.arm, d.learner) == ("ctgan-filtered", "best"))
    # The verdict speaks of the generator's arm: what that harms is marked.
    own = made.verdict.model_copy(
        update={"arm": None, "difference": lead.mean, "interval": lead.interval}
    )
    view = utility.build(made.model_copy(update={"verdict": own})).subgroups
    assert view is not None
    assert view.arm == "ctgan-filtered"
    assert (view.forest.rows[0].label, view.forest.rows[0].badge) == ("sex = Female", "harmed")
    means = [float(row.effect.replace("−", "-")) for row in view.forest.rows]
    assert means == sorted(means)


def test_many_parts_are_capped_and_say_so(make_rich: MakeReport) -> None:
    parts = {f"column = {i}": i - 30.0 for i in range(60)}
    made = make_rich(classes=tuple(f"c{i}" for i in range(100)), subgroups=parts)
    view = utility.build(made)
    assert view.subgroups is not None
    assert len(view.subgroups.forest.rows) == PARTS
    assert view.subgroups.forest.rows[0].label == "column = 0"
    html = render(made)
    assert f"{60 - PARTS} that lose less are not drawn" in html
    assert len(html.encode()) < 700_000


# ---- everywhere -------------------------------------------------------------------------------


def test_hostile_names_stay_text(make_rich: MakeReport) -> None:
    made = make_rich("do-not-augment", classes=(EVIL, "b"), subgroups={EVIL: -2.5, "x": 1.0})
    untested = made.verdict.model_copy(update={"untested": [EVIL]})
    made = made.model_copy(update={"verdict": untested})
    html, written, shown = render(made), card(made), summary(made)
    assert "<script" not in html
    assert str(escape("<script>alert(1)</script>")) in section(html, "verdict")
    for page in (html, written, shown):
        assert "\u202e" not in page
        assert "\\u202e" in page
    assert "<script" not in written.replace("\\<script", "")


def test_old_files_still_render(
    tmp_path: Path, make_report: MakeReport, make_rich: MakeReport
) -> None:
    """Written before there were recipes, curves, classes and subgroups."""
    old = make_report("do-not-augment").model_dump(mode="json")
    for field in NEW["verdict"]:
        del old["verdict"][field]
    for field in NEW["report"]:
        del old[field]
    for one in (*old["differences"], *old["verdict"]["alternatives"]):
        del one["part"]
    path = tmp_path / "report.json"
    path.write_text(json.dumps(old), "utf-8")
    made = load(path)
    html, shown = render(made), summary(made)
    for heading in ("Per class", "Per subgroup", "What it is worth", "Worse with"):
        assert heading not in html
    assert "* class weights" in shown
    assert 'class_weight="balanced"' in html.replace("&#34;", '"')
    assert "## Utility" in card(made)


def test_the_terminal_stays_short(make_rich: MakeReport) -> None:
    made = make_rich("do-not-augment")
    lines = summary(made).splitlines()
    assert "ctgan-filtered harms sex = Female: -2.1 points" in "\n".join(lines)
    assert any(line.startswith("This is worth about 1,600 more real rows") for line in lines)
    assert (
        sum(bool(re.search(r"(better|worse|not told apart|dropped early)$", x)) for x in lines) == 5
    )
    assert "and 4 weaker arms in the report" in lines
    assert len(lines) < 40
    assert "balanced accuracy on sealed rows, tuned threshold" in "\n".join(lines)


def test_the_arm_of_the_verdict_is_always_in_the_terminal(make_rich: MakeReport) -> None:
    made = make_rich("do-not-augment")
    weak = made.verdict.model_copy(update={"arm": "smote"})
    shown = summary(made.model_copy(update={"verdict": weak}))
    assert "* SMOTE" in shown
    assert "and 3 weaker arms in the report" in shown


def test_the_terminal_tells_which_subgroups_were_looked_at(make_rich: MakeReport) -> None:
    made = make_rich(subgroups={"sex = f": 0.1, "sex = m": -0.1, "sex = x": 0.0})
    untested = ["sex = x: 12 test rows per resample; 30 are needed", "age = 99: 1 test rows"]
    own = made.verdict.model_copy(update={"untested": untested, "harmed": []})
    lines = summary(made.model_copy(update={"verdict": own})).splitlines()
    assert "Harm is shown in none of 2 subgroups" in lines
    assert f"Not tested for harm: {'; '.join(untested)}" in lines


def test_many_harmed_subgroups_are_counted(make_rich: MakeReport) -> None:
    made = make_rich("do-not-augment", subgroups={f"c = {i}": -2.0 - i for i in range(12)})
    lines = summary(made).splitlines()
    harmed = [line for line in lines if " harms " in line]
    assert len(harmed) == 3
    assert "harms c = 11:" in harmed[0]
    assert "and 9 more subgroups" in lines
    assert card(made).count("\n- c = ") == 12


def test_the_card_has_the_evidence(make_rich: MakeReport) -> None:
    written = card(make_rich("do-not-augment")).replace(GAP, " ")
    assert "**ctgan-filtered harms a part of the rows:**" in written
    assert "- sex = Female: −2.1 points" in written
    assert "worth about 1,600 more real rows" in written
    assert "dropped after 4 of 10 resamples" in written
    assert "tuned threshold against doing nothing, gradient boosting: 6,512 sealed rows" in written
    assert "weights.csv" in card(make_rich())


def test_the_shown_arm_needs_the_whole_difference(make_rich: MakeReport) -> None:
    made = make_rich("inconclusive")
    assert shown_arm(made) == "ctgan"
    other = made.verdict.model_copy(update={"difference": 0.5})
    assert shown_arm(made.model_copy(update={"verdict": other})) is None
