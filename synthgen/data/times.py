"""Times stored as text, and the resolution of times."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

RESOLUTIONS = (86400.0, 3600.0, 60.0, 1.0, 1e-3, 1e-6)


def resolution(micro: NDArray[np.int64]) -> float:
    """The coarsest of day, hour, minute, second, millisecond and microsecond, in seconds, of
    which all these microseconds are multiples."""
    for seconds in RESOLUTIONS[:-1]:
        if (micro % round(seconds * 1e6) == 0).all():
            return seconds
    return RESOLUTIONS[-1]


def formats_of(texts: pd.Series[Any]) -> tuple[str, ...]:
    """The ``strftime`` formats that parse every one of these distinct texts.

    Empty where they are not times; two where day and month cannot be told apart. Only texts with
    digits and a separator count: plain numbers are never times.
    """
    sample = texts.iloc[:: max(1, len(texts) // 20)]
    if not sample.str.fullmatch(r"(?=.*\d)(?=.*[-/.: ,]).{6,40}").all():
        return ()
    return tuple(found for found in _candidates(sample) if _parses(texts, found))


def _candidates(sample: pd.Series[Any]) -> list[str]:
    found: dict[str, None] = {}
    for text in sample:
        for day_first in (True, False):
            guess = _guess(text, day_first)
            # A year in front is ISO's order: nobody writes the day next.
            if guess is not None and "%d" in guess and not re.match(r"%Y.%d", guess):
                found[_literal_zone(guess, sample)] = None
    return list(found)


def _guess(text: str, day_first: bool) -> str | None:
    # pandas knows four-digit years only.
    long = re.sub(r"^(\d{1,2}([/.])\d{1,2}\2)(\d\d)(?!\d)", r"\g<1>20\3", text)
    with warnings.catch_warnings():
        # It warns where its guess goes against day_first; both are tried anyway.
        warnings.simplefilter("ignore")
        guess: str | None = pd.tseries.api.guess_datetime_format(long, dayfirst=day_first)
    return guess.replace("%Y", "%y") if guess is not None and long != text else guess


def _literal_zone(guess: str, sample: pd.Series[Any]) -> str:
    """One suffix that all cells share (Z, +02:00) is kept as it is written."""
    if not guess.endswith("%z"):
        return guess
    suffixes = sample.str.extract(r"(Z|[+-]\d\d:?\d\d)$")[0].unique()
    return guess.removesuffix("%z") + str(suffixes[0]) if len(suffixes) == 1 else guess


def _parses(texts: pd.Series[Any], format: str) -> bool:
    parsed = pd.to_datetime(texts, format=format, errors="coerce", utc="%z" in format)
    return bool(parsed.notna().all())
