"""What an effect is worth in real rows, in words."""

from __future__ import annotations

from synthgen.report import advice, numbers
from synthgen.report.wording import noun
from synthgen.results import RealEquivalents, Report


def worth(report: Report) -> list[str]:
    """What the verdict's difference is worth, and what a useful gain would cost; at most two
    sentences, none without a learning curve, the second alone where no gain is shown."""
    known = report.verdict.equivalents
    if known is None or not advice.measured(report.verdict):
        return []
    found = report.verdict.interval
    if known.rows is None and found.low <= 0 <= found.high:
        return _useful(known, report)  # What may as well be no gain is worth no number of rows.
    return [_worth(known, report), *_useful(known, report)]


def amount(rows: int, known: RealEquivalents) -> str:
    """So many rows to two digits, or that the curve ends before: ``about 1,300``."""
    if rows >= known.ceiling:
        return f"more than {numbers.significant(known.ceiling, 2)}"
    if known.floor < 0 and rows <= known.floor:
        return f"at least {numbers.significant(-known.floor, 2)}"
    return f"about {numbers.significant(abs(rows), 2)}"


def _worth(known: RealEquivalents, report: Report) -> str:
    unit = noun(report.modality)
    if known.rows is None:
        return (
            f"What this is worth in real {unit}s cannot be said: the learning curve of your data "
            "is flat."
        )
    interval = _interval(known, advice.confidence(report.verdict))
    if known.rows == 0:
        return f"This is worth no further real {unit}s{interval}."
    number = amount(known.rows, known)
    if known.rows <= known.floor < 0:
        return f"This is as if {number} {unit}s had been taken away."
    if known.rows < 0:
        return f"This is as if {number} {unit}s had been taken away{interval}."
    if known.rows >= known.ceiling:
        return f"This is worth {number} further real {unit}s{_times(known, report)}{interval}."
    return f"This is worth {number} more real {unit}{'' if known.rows == 1 else 's'}{interval}."


def _times(known: RealEquivalents, report: Report) -> str:
    """The ceiling in multiples of the rows that were trained on."""
    if not report.learning_curve or report.learning_curve[-1].rows < 1:
        return ""
    times = known.ceiling / report.learning_curve[-1].rows
    return f", {numbers.significant(times, 2)} times those that were trained on"


def _interval(known: RealEquivalents, level: str) -> str:
    if known.low is None or known.high is None:
        return ""
    if known.low >= 0:
        ends = [amount(rows, known).removeprefix("about ") for rows in (known.low, known.high)]
    else:
        ends = [_signed(rows, known) for rows in (known.low, known.high)]
    return f" ({level} {ends[0]} to {ends[1]})"


def _signed(rows: int, known: RealEquivalents) -> str:
    if rows == 0:
        return "none"
    number = amount(rows, known).removeprefix("about ")
    return f"{number} {'more' if rows > 0 else 'fewer'}"


def _useful(known: RealEquivalents, report: Report) -> list[str]:
    if known.useful is None or known.useful <= 0:
        return []
    verdict = report.verdict
    gain = advice.effects(verdict).amount(verdict.minimum_effect)
    number = _cost(known.useful, known)
    return [
        f"By the learning curve, {number} more real {noun(report.modality)}"
        f"{'' if number == 'about 1' else 's'} would bring the {gain} that count as useful."
    ]


def _cost(rows: int, known: RealEquivalents) -> str:
    """``1,300 to 4,000``; without an interval ``about 1,300``, and where the upper end is beyond
    the curve ``1,300 to more than 9,000``."""
    low, high = known.useful_low, known.useful_high
    if low is None or high is None or low >= known.ceiling:
        return amount(rows, known)
    least = numbers.significant(max(1, low), 2)
    if high >= known.ceiling:
        return f"{least} to {amount(high, known)}"
    return f"{least} to {numbers.significant(high, 2)}"
