"""Verdicts, differences and scores in words; the data card and the terminal's lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from markdown_it import MarkdownIt

from synthgen.report import advice, card, summary
from synthgen.report.steps import steps
from synthgen.report.text import one_line, paragraph, truncated, visible, width
from synthgen.report.wording import Effects, explained, gap, quantity, reading
from synthgen.results import Interval, Report, Score

MakeReport = Callable[..., Report]
EVIL = "<script>alert(1)</script> | `x` *y* _z_ [a](http://b) \x1b[31m\u202e# &lt;\nnext"


def text(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def score(metric: str, value: float, reference: float | None, goal: str, pillar: str) -> Score:
    return Score.model_validate(
        {
            "metric": metric,
            "title": metric,
            "pillar": pillar,
            "goal": goal,
            "value": value,
            "reference": reference,
        }
    )


def test_a_difference_reads_as_in_the_issue() -> None:
    shown = Effects.of("roc_auc", [Interval(low=-0.003, high=0.027)])
    assert text(shown.difference(0.012)) == "+1.2 points"
    assert shown.interval(Interval(low=-0.003, high=0.027)) == "−0.3 to +2.7"
    assert text(shown.amount(0.005)) == "0.5 points"
    assert shown.level(0.774) == "77.4"


def test_narrow_intervals_get_a_second_decimal() -> None:
    narrow = Interval(low=0.0011, high=0.0042)
    shown = Effects.of("roc_auc", [narrow, Interval(low=-0.1, high=0.1)])
    assert shown.interval(narrow) == "+0.11 to +0.42"
    # Two arms that are the same have no width at all.
    assert Effects.of("roc_auc", [narrow, Interval(low=0.0, high=0.0)]) == shown


def test_losses_are_printed_as_they_are_and_less_is_better() -> None:
    falling = Interval(low=-0.02, high=-0.01)
    assert Effects.of("log_loss", [falling]).difference(-0.0151) == "−0.0151"
    assert reading("log_loss", falling) == "better"
    assert reading("roc_auc", falling) == "worse"
    assert reading("roc_auc", Interval(low=-0.01, high=0.02)) == "not told apart"
    assert reading("brier", Interval(low=0.01, high=0.02)) == "worse"


@pytest.mark.parametrize(
    ("made", "shown", "apart"),
    [
        (score("column_shapes", 0.9113, 0.9871, "max", "fidelity"), "91.1 %", "7.6 points worse"),
        (score("roc_auc", 0.912, 0.909, "max", "utility"), "91.2", "0.3 points better"),
        (score("tstr_roc_auc", 0.9, 0.9, "max", "utility"), "90.0", "equal"),
        (score("log_loss", 0.33, 0.32, "min", "utility"), "0.330", "0.01 worse"),
        (score("violations", 0.00012, 0.0, "min", "fidelity"), "0.012 %", "0.01 points worse"),
        (score("exact_copies", 4, 5.997, "min", "privacy"), "4", "2 better"),
        (score("closest_record", 0.51, 0.5, "target", "privacy"), "51.0 %", "1.0 points above"),
        (score("novel", 1234.0, None, "max", "fidelity"), "1,230", ""),
        (score("novel", float("nan"), 0.2, "max", "fidelity"), "–", ""),
    ],
)
def test_scores_and_their_distance_to_the_reference(made: Score, shown: str, apart: str) -> None:
    unit = explained(made).unit
    assert text(quantity(made.value, unit)) == shown
    assert text(gap(made, unit)) == apart


def test_an_unknown_metric_is_explained_by_its_goal() -> None:
    assert "Lower" in explained(score("novel", 3.0, 2.0, "min", "fidelity")).line
    assert explained(score("novel", 0.3, 0.2, "max", "fidelity")).axis == (0, 1)
    assert explained(score("novel", 3.0, 2.0, "max", "fidelity")).axis is None


def test_what_to_do_depends_on_the_decision(make_report: MakeReport) -> None:
    augment, keep, unsure = (
        [text(step) for step in steps(make_report(decision))]
        for decision in ("augment", "do-not-augment", "inconclusive")
    )
    assert "26,049 training rows and 13,024 synthetic rows from ctgan" in augment[0]
    assert "0.5 synthetic per training row" in augment[0]
    assert keep[0].startswith("Use class weights instead")
    assert any("--budget standard" in step for step in unsure)


def test_the_largest_budget_is_not_exceeded(make_report: MakeReport) -> None:
    made = make_report("inconclusive")
    thorough = made.provenance.model_copy(update={"budget": "thorough"})
    last = steps(made.model_copy(update={"provenance": thorough}))[-1]
    assert "more real rows" in last


def test_without_an_arm_the_rows_stay_as_they_are(make_minimal: Callable[..., Report]) -> None:
    assert "as they are" in steps(make_minimal("do-not-augment"))[0]
    assert "as they are" in steps(make_minimal("inconclusive"))[0]


def test_the_arm_of_the_difference_is_found(make_report: MakeReport) -> None:
    made = make_report("do-not-augment")
    ctgan = next(
        d
        for d in made.differences
        if (d.arm, d.learner, d.metric) == ("ctgan", "best", "balanced_accuracy")
    )
    verdict = made.verdict.model_copy(
        update={"arm": None, "difference": ctgan.mean, "interval": ctgan.interval}
    )
    nobody = made.model_copy(update={"verdict": verdict})
    assert advice.shown_arm(nobody) == "ctgan"
    assert advice.measurement(nobody).startswith("ctgan: −1.7")


def test_the_decision_is_not_said_twice(make_report: MakeReport) -> None:
    verdict = make_report("augment").verdict
    assert advice.sentence(verdict).startswith("0.5 synthetic rows")
    plain = verdict.model_copy(update={"sentence": "it helps."})
    assert advice.sentence(plain) == "It helps."


def test_the_command_survives_the_shell(make_report: MakeReport) -> None:
    made = make_report().provenance
    odd = made.model_copy(
        update={
            "source": "my data/it's.csv",
            "target": "a b; rm -rf /",
            "config": {"data": {"source": "my data/it's.csv", "group": "who", "time": None}},
        }
    )
    words = shlex.split(advice.command(odd))
    assert words[:5] == ["synthgen", "augment", "my data/it's.csv", "--target", "a b; rm -rf /"]
    assert words[5:7] == ["--group", "who"]
    assert words[-2:] == ["--seed", "0"]
    assert advice.command(odd.model_copy(update={"command": "make again"})) == "make again"
    memory = odd.model_copy(update={"config": {"data": {"source": ""}}})
    assert advice.command(memory).startswith("synthgen.augment(frame, target='a b; rm -rf /', ")


def _evil(make_report: MakeReport) -> Report:
    made = make_report("inconclusive", names={"education-num": EVIL, "income": "# a | b"})
    return made.model_copy(
        update={
            "title": EVIL,
            "notices": ["1. " + EVIL, "---", "- x", "+ y"],
            "verdict": made.verdict.model_copy(update={"sentence": EVIL}),
            "provenance": made.provenance.model_copy(update={"command": "run ~~~~ <b>"}),
        }
    )


def test_the_card_shows_hostile_text_as_text(make_report: MakeReport) -> None:
    made = _evil(make_report)
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens: list[Any] = []
    for token in parser.parse(card(made)):
        tokens += [token, *(token.children or [])]
    kinds = {token.type for token in tokens}
    assert not kinds & {"html_inline", "html_block", "link_open", "em_open", "s_open", "hr"}
    assert "code_inline" not in kinds
    assert sum(token.type == "heading_open" for token in tokens) == 7
    shown = [token.content for token in tokens if token.type == "inline"]
    plain = "".join(t.content for t in tokens if t.type in ("text", "text_special"))
    assert visible(" ".join(EVIL.split())) in plain
    assert any("education" in line or "script" in line for line in shown)
    assert [t.content for t in tokens if t.type == "fence"] == ["run ~~~~ <b>\n"]
    rows = re.findall(r"^\|.*\|$", card(made), re.MULTILINE)
    assert len(rows) == sum(t.type == "tr_open" for t in tokens) + sum(
        t.type == "thead_open" for t in tokens
    )


def test_the_card_has_its_parts_verdict_first(make_report: MakeReport) -> None:
    written = card(make_report())
    heads = re.findall(r"^#+ (.*)$", written, re.MULTILINE)
    assert heads[1:] == [
        *("Utility", "Scores", "Columns", "Intended use and limits", "Notices", "Provenance")
    ]
    assert written.index("**Augment.**") < written.index("## Utility")
    assert "| ctgan (in the verdict) | +1.9 | +1.1 to +2.7 |" in written
    assert written.endswith("\n")
    assert written == card(make_report())


def test_the_terminal_gets_plain_lines(make_report: MakeReport) -> None:
    shown = summary(make_report("do-not-augment"))
    lines = shown.splitlines()
    assert lines[0] == "DO NOT AUGMENT"
    assert "* class weights" in shown
    assert "-1.7" in shown
    assert "\N{NO-BREAK SPACE}" not in shown
    assert shown.isascii()


def test_the_terminal_cannot_be_steered(make_report: MakeReport) -> None:
    shown = summary(_evil(make_report))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\u001b[31m" in shown


def test_minimal_reports_have_cards_and_summaries(make_minimal: Callable[..., Report]) -> None:
    for decision in ("augment", "do-not-augment", "inconclusive"):
        assert card(make_minimal(decision)).startswith("# ")
        assert "What to do now" in summary(make_minimal(decision))


def test_text_is_cut_by_its_width() -> None:
    assert truncated("short", 5) == "short"
    assert truncated("longer", 5) == "long…"
    assert truncated("性別年齢", 5) == "性…"
    assert width("性別 e\u0301") == 6
    assert all(width(truncated("性a" * 20, most)) <= most for most in range(2, 30))


def test_controls_are_written_out() -> None:
    assert visible("a\tb\nc") == "a\tb\nc"
    assert visible("a\x1b\x07\u202eb") == "a\\u001b\\u0007\\u202eb"
    assert visible("naïve 👩‍🔬") == "naïve 👩‍🔬"
    assert one_line(" a\n b\tc ") == "a b c"
    assert paragraph("1. x") == "1\\. x"
    assert paragraph("+1.9 points") == "+1.9 points"
