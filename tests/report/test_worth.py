"""What an effect is worth in real rows, in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from synthgen.report.worth import worth
from synthgen.results import RealEquivalents, Report

MakeReport = Callable[..., Report]
CEILING, FLOOR = 90_000, -9_000


def said(make_rich: MakeReport, **known: int | None) -> list[str]:
    made = make_rich()
    equivalents = RealEquivalents.model_validate(
        {"low": None, "high": None, "ceiling": CEILING, "floor": FLOOR} | known
    )
    verdict = made.verdict.model_copy(update={"equivalents": equivalents})
    curve = [p.model_copy(update={"rows": 10_000}) for p in made.learning_curve[-1:]]
    whole = made.model_copy(update={"verdict": verdict, "learning_curve": curve})
    return [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in worth(whole)]


@pytest.mark.parametrize(
    ("rows", "low", "high", "sentence"),
    [
        (
            *(1342, 204, 3987),
            "This is worth about 1,300 more real rows (95 % interval 200 to 4,000).",
        ),
        (1, None, None, "This is worth about 1 more real row."),
        (0, -300, 250, "This is worth no further real rows (95 % interval 300 fewer to 250 more)."),
        (
            *(1342, -600, CEILING),
            "This is worth about 1,300 more real rows "
            "(95 % interval 600 fewer to more than 90,000 more).",
        ),
        (
            *(-612, FLOOR, 100),
            "This is as if about 610 rows had been taken away "
            "(95 % interval at least 9,000 fewer to 100 more).",
        ),
        (
            *(-612, -1000, 0),
            "This is as if about 610 rows had been taken away (95 % interval 1,000 fewer to none).",
        ),
        (FLOOR, None, None, "This is as if at least 9,000 rows had been taken away."),
        (
            *(CEILING, 4000, CEILING),
            "This is worth more than 90,000 further real rows, 9 times those that were trained on "
            "(95 % interval 4,000 to more than 90,000).",
        ),
        (
            *(None, None, None),
            "What this is worth in real rows cannot be said: the learning curve of your data is "
            "flat.",
        ),
    ],
)
def test_worth_in_words(
    make_rich: MakeReport, rows: int | None, low: int | None, high: int | None, sentence: str
) -> None:
    assert said(make_rich, rows=rows, low=low, high=high) == [sentence]


@pytest.mark.parametrize(
    ("useful", "sentence"),
    [
        ((2130, None, None), "about 2,100 more real rows"),
        ((1, None, None), "about 1 more real row"),
        ((CEILING, None, None), "more than 90,000 more real rows"),
        ((2130, 1320, 4480), "1,300 to 4,500 more real rows"),
        ((2130, 1320, CEILING), "1,300 to more than 90,000 more real rows"),
        ((CEILING, CEILING, CEILING), "more than 90,000 more real rows"),
    ],
)
def test_what_a_useful_gain_costs(
    make_rich: MakeReport, useful: tuple[int | None, ...], sentence: str
) -> None:
    known = dict(zip(("useful", "useful_low", "useful_high"), useful, strict=True))
    assert said(make_rich, rows=5, **known)[1:] == [
        f"By the learning curve, {sentence} would bring the 0.5 points that count as useful."
    ]


def test_nothing_is_said_without_a_curve_or_an_estimate(
    make_report: MakeReport, make_rich: MakeReport
) -> None:
    assert worth(make_report()) == []
    made = make_rich()
    two = made.verdict.model_copy(update={"resamples": 2})
    assert worth(made)
    assert worth(made.model_copy(update={"verdict": two})) == []


def test_without_the_curve_the_multiple_is_left_out(make_rich: MakeReport) -> None:
    made = make_rich()
    known = RealEquivalents(rows=CEILING, low=None, high=None, ceiling=CEILING)
    verdict = made.verdict.model_copy(update={"equivalents": known})
    bare = made.model_copy(update={"verdict": verdict, "learning_curve": []})
    assert worth(bare) == ["This is worth more than 90,000 further real rows."]
