"""Numbers as they are read."""

from __future__ import annotations

import math

import pytest

from synthgen.report import numbers


def test_signs_and_digits() -> None:
    assert numbers.signed(1.24, 1) == "+1.2"
    assert numbers.signed(-0.26, 1) == "−0.3"
    assert numbers.signed(0.04, 1) == "0.0"
    assert numbers.signed(-0.04, 1) == "0.0"
    assert numbers.fixed(-12345.67, 1) == "−12,345.7"
    assert numbers.fixed(math.nan, 1) == "–"
    assert numbers.signed(math.inf, 1) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234.5, "1,230"),
        (1235.5, "1,240"),
        (99.96, "100"),
        (0.012345, "0.0123"),
        (-0.5, "−0.5"),
        (2.0, "2"),
        (4.2e-7, "4.20e−07"),
        (3e15, "3.00e+15"),
        (math.nan, "–"),
    ],
)
def test_significant_digits(value: float, text: str) -> None:
    assert numbers.significant(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.1234, "12.3 %"),
        (0.00012, "0.012 %"),
        (1e-9, "< 0.0001 %"),
        (0.9996, "> 99.9 %"),
        (0.99949, "99.9 %"),
        (1.5, "150.0 %"),
        (math.nan, "–"),
    ],
)
def test_shares(share: float, text: str) -> None:
    assert numbers.percent(share).replace("\N{NO-BREAK SPACE}", " ") == text


def test_counts_scores_and_axis_labels() -> None:
    assert numbers.counted(1, "row").replace("\N{NO-BREAK SPACE}", " ") == "1 row"
    assert numbers.counted(32561, "row").replace("\N{NO-BREAK SPACE}", " ") == "32,561 rows"
    assert [numbers.score(v) for v in (0.32, 1.5, 0.0123, 1234)] == [
        "0.320",
        "1.500",
        "0.0123",
        "1,230",
    ]
    assert [numbers.short(v) for v in (950, 12500, 1484705, -2e9, 0.5)] == [
        "950",
        "12.5k",
        "1.48M",
        "−2B",
        "0.5",
    ]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (1577836800.0, "datetime", "2020-01-01"),
        (1e18, "datetime", "1.00e+18"),
        (90.0, "timedelta", "1.5 min"),
        (172800.0, "timedelta", "2 d"),
        (5.0, "timedelta", "5 s"),
        (20000, "numeric", "20k"),
        (math.inf, "numeric", "–"),
    ],
)
def test_bin_edges(value: float, kind: str, text: str) -> None:
    assert numbers.edge(value, kind).replace("\N{NO-BREAK SPACE}", " ") == text


def test_decimals_follow_the_interval() -> None:
    assert [numbers.digits_for(h) for h in (0.0, 0.2, 0.49, 0.5, 3.0)] == [1, 2, 2, 1, 1]


def test_the_terminal_gets_ascii() -> None:
    assert numbers.plain("−0.3\N{NO-BREAK SPACE}points –") == "-0.3 points -"
