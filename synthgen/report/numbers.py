"""Numbers as a reader wants them: few digits, a unit, a sign that is a sign.

Spaces inside a number with its unit do not break over lines. A value that is not finite is shown
as an en dash.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
_GAP = "\N{NO-BREAK SPACE}"


def fixed(value: float, digits: int) -> str:
    """``1234.56`` with one digit is ``1,234.6``; a rounded zero has no sign."""
    if not math.isfinite(value):
        return NOTHING
    text = f"{abs(value):,.{digits}f}"
    negative = value < 0 and text.strip("0.,") != ""
    return MINUS + text if negative else text


def signed(value: float, digits: int) -> str:
    """As :func:`fixed`, with a plus sign before what is above zero."""
    text = fixed(value, digits)
    positive = math.isfinite(value) and value > 0 and text.strip("0.,") != ""
    return "+" + text if positive else text


def significant(value: float, digits: int = 3) -> str:
    """So many significant digits, without trailing zeros: ``0.0123``, ``1,230``, ``4.2e-07``."""
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4 or magnitude > 11:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    decimals = max(0, digits - 1 - magnitude)
    text = fixed(round(value, digits - 1 - magnitude), decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def score(value: float) -> str:
    """A number without a unit, three digits wide: ``0.320``, ``1.500``, ``0.0123``, ``1,230``."""
    return fixed(value, 3) if 0.1 <= abs(value) < 10 else significant(value)


def count(value: float) -> str:
    """A number of rows or columns: ``32,561``."""
    return fixed(value, 0)


def counted(value: int, noun: str) -> str:
    """``1 row``, ``32,561 rows``."""
    return f"{count(value)}{_GAP}{noun}{'' if value == 1 else 's'}"


def percent(share: float, digits: int = 1) -> str:
    """A share of 1: ``12.3 %``; only nothing reads as 0 %, and only everything as 100 %."""
    if not math.isfinite(share):
        return NOTHING
    if share in (0, 1):
        return f"{share * 100:.0f}{_GAP}%"
    smallest = 10.0**-digits
    if 0 < share * 100 < 1e-4:
        return f"<{_GAP}0.0001{_GAP}%"
    if 0 < share * 100 < smallest:
        return f"{significant(share * 100, 2)}{_GAP}%"
    if 100 - smallest / 2 <= share * 100 < 100:
        return f">{_GAP}{fixed(100 - smallest, digits)}{_GAP}%"
    return f"{fixed(share * 100, digits)}{_GAP}%"


def short(value: float) -> str:
    """An axis label: ``950``, ``12.5k``, ``1.48M``."""
    for limit, suffix in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if limit <= abs(value) < 1e12:
            base = 1e3 if suffix == "k" else limit
            return significant(value / base) + suffix
    return significant(value)


def edge(value: float, kind: str) -> str:
    """A bin edge of a column of this kind: a date, a duration, or a short number."""
    if not math.isfinite(value):
        return NOTHING
    if kind == "datetime":
        try:
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
        except (OverflowError, OSError, ValueError):
            return significant(value)
    if kind == "timedelta":
        for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
            if abs(value) >= size:
                return f"{significant(value / size)}{_GAP}{unit}"
        return f"{significant(value)}{_GAP}s"
    return short(value)


def digits_for(half_width: float) -> int:
    """Decimals (1 or 2) that show an interval of this half-width, in the unit it is printed in."""
    return 2 if 0 < half_width < 0.5 else 1


def unbroken(text: str) -> str:
    """A sentence whose percent signs stay with their numbers."""
    return text.replace(" %", f"{_GAP}%")


def plain(text: str) -> str:
    """The same in ASCII, for a terminal: minus signs and fixed spaces become ordinary ones."""
    return text.replace(MINUS, "-").replace(_GAP, " ").replace(NOTHING, "-")
