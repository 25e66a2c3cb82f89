"""Which text is a time, in which format."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen.data.times import formats_of, resolution

DAYS = pd.Series(pd.date_range("2023-11-25", periods=60, freq="31h"))


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%d.%m.%Y",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d-%m-%Y",
        "%m/%d/%y",
        "%d %b %Y",
        "%B %d, %Y",
        "%d-%b-%Y",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S.%f",
        "%Y-%m-%d %H:%M:%S+02:00",
        "%d.%m.%Y %H:%M",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y %I:%M %p",
    ],
)
def test_formats_are_told(form: str) -> None:
    texts = DAYS.dt.strftime(form).drop_duplicates()
    found = formats_of(texts)
    assert len(found) == 1
    pd.testing.assert_series_equal(
        pd.to_datetime(texts, format=found[0]).dt.strftime(found[0]), texts
    )


def test_several_zones() -> None:
    texts = pd.Series(["2024-01-01T00:00:00+01:00", "2024-07-01T00:00:00+02:00"])
    assert formats_of(texts) == ("%Y-%m-%dT%H:%M:%S%z",)


def test_day_and_month_that_cannot_be_told_apart() -> None:
    texts = pd.Series(["01/02/2024", "03/04/2024", "12/11/2023"])
    assert set(formats_of(texts)) == {"%d/%m/%Y", "%m/%d/%Y"}
    assert formats_of(pd.Series([*texts, "13/01/2024"])) == ("%d/%m/%Y",)
    assert formats_of(pd.Series([*texts, "01/13/2024"])) == ("%m/%d/%Y",)


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-01", "soon"],
        ["2024-01-01", "2024-13-01"],
        ["20240101", "20240102"],
        ["1.5", "2.5"],
        ["10.12.4.1", "192.168.1.1"],
        ["7590-VHVEG", "5575-GNVDE"],
        ["12-14", "25-30"],
        ["Monday", "May"],
        ["1-2 years", "3-4 years"],
        ["12:30", "13:45"],
        ["", "2024-01-01"],
        ["0-4", "5-9"],
        ["A 2024-01-01", "B 2024-01-02"],
    ],
)
def test_what_is_no_time(texts: list[str]) -> None:
    assert formats_of(pd.Series(texts)) == ()


@pytest.mark.parametrize(
    ("micro", "seconds"),
    [
        ([0, 86_400_000_000], 86400.0),
        ([3_600_000_000], 3600.0),
        ([60_000_000, -120_000_000], 60.0),
        ([1_000_000], 1.0),
        ([1_000], 1e-3),
        ([1], 1e-6),
        ([0, 86_400_000_001], 1e-6),
    ],
)
def test_resolution(micro: list[int], seconds: float) -> None:
    assert resolution(np.array(micro)) == seconds
