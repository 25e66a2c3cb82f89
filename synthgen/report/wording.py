"""What the report says about arms, learners and metrics: names, units and one-line explanations.

A name that is not listed here is shown as it is, with underscores as spaces, and its number with
three significant digits: a new metric needs no change here to appear.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from synthgen.report import numbers
from synthgen.results import Decision, Interval, Score

Unit: TypeAlias = Literal["share", "points", "count", "number"]

DECISIONS: dict[Decision, str] = {
    "augment": "Augment",
    "do-not-augment": "Do not augment",
    "inconclusive": "Inconclusive",
}

NAMES = {
    "class_weights": "class weights",
    "oversample": "random oversampling",
    "smote": "SMOTE",
    "resample": "duplicated rows",
    "best": "best learner",
    "logistic": "logistic regression",
    "forest": "random forest",
    "boosting": "gradient boosting",
    "roc_auc": "ROC-AUC",
    "macro_f1": "macro F1",
    "brier": "Brier score",
}
"""Generators are called what the user types."""

LOWER_IS_BETTER = frozenset({"log_loss", "brier"})
"""Utility metrics that are losses; they are printed as they are, all others in points of 100."""


@dataclass(frozen=True)
class Explained:
    """``axis``: ends of the drawing; None from zero to the larger of value and reference."""

    unit: Unit
    axis: tuple[float, float] | None
    line: str
    details: tuple[tuple[str, str], ...] | None = None
    """Parts of the score's detail that stand below the line, and what they are called there;
    None: all single numbers by their keys."""


METRICS = {
    "column_shapes": Explained(
        "share",
        (0.0, 1.0),
        "How well each column's distribution is matched, mean over the columns; 100 % is perfect.",
        (),
    ),
    "pair_trends": Explained(
        "share",
        (0.0, 1.0),
        "How well the association of two columns is matched, mean over the pairs that are "
        "associated in the training rows; 100 % is perfect.",
        (("associated_pairs", "associated pairs"), ("pairs", "of all pairs")),
    ),
    "class_balance": Explained(
        "share",
        None,
        "Rows that would have to change class for the shares of the classes to be right; "
        "0 % is perfect.",
        (),
    ),
    "violations": Explained(
        "share",
        None,
        "Synthetic rows that break a rule which all training rows keep: a value never seen, a "
        "range, an order, a dependency.",
        (("checked_constraints", "rules checked"), ("broken_constraints", "broken")),
    ),
    "two_sample_auc": Explained(
        "number",
        (0.5, 1.0),
        "ROC-AUC of a boosted tree that tells synthetic rows from real ones: at 0.5 it cannot, "
        "at 1 it always can.",
        (("standard_error", "standard error"), ("rows_per_side", "rows per side")),
    ),
    "exact_copies": Explained(
        "count",
        None,
        "Synthetic rows that equal a training row in every column. In coarse tables some do so by "
        "chance; the reference says how many.",
        (("of_unique_rows", "of rows that occur only once"),),
    ),
    "closest_record": Explained(
        "share",
        (0.0, 1.0),
        "Synthetic rows that lie nearer to a training row than to any held-out row: about 50 % if "
        "nothing was memorised, towards 100 % if the training rows are repeated. The ratios "
        "compare distances to the closest training row with those of held-out rows; 1 is ideal.",
        (
            ("5th_percentile_ratio", "ratio of the 5th percentiles"),
            ("median_ratio", "of the medians"),
        ),
    ),
}

POINTS = frozenset(
    {"accuracy", "balanced_accuracy", "roc_auc", "average_precision", "macro_f1", "f1", "recall"}
)
"""Utility scores from 0 to 1, printed as points of 100."""


def name(key: str) -> str:
    """What a reader calls this arm, learner or metric."""
    return NAMES.get(key) or key.replace("_", " ")


def explained(score: Score) -> Explained:
    """Unit, axis and explanation of a score; sensible ones for a metric not listed."""
    if score.metric in METRICS:
        return METRICS[score.metric]
    better = {
        "max": "Higher is better.",
        "min": "Lower is better.",
        "target": "The nearer to the reference, the better.",
    }[score.goal]
    if score.pillar == "utility":
        line = f"Mean over the learners. {better}"
        if score.metric.removeprefix("tstr_") in POINTS:
            return Explained("points", (0.0, 1.0), line)
        return Explained("number", None, line)
    known = [v for v in (score.value, score.reference) if v is not None]
    within = all(0 <= v <= 1 for v in known)
    return Explained("number", (0.0, 1.0) if within else None, better)


def quantity(value: float | None, unit: Unit) -> str:
    """A score with its unit."""
    if value is None or not math.isfinite(value):
        return numbers.NOTHING
    match unit:
        case "share":
            return numbers.percent(value)
        case "points":
            return numbers.fixed(value * 100, 1)
        case "count":
            return numbers.count(value) if value == round(value) else numbers.significant(value)
        case "number":
            return numbers.score(value)


def gap(score: Score, unit: Unit) -> str:
    """The score against its reference in words: ``2.1 points worse``."""
    if score.reference is None or not math.isfinite(score.value - score.reference):
        return ""
    apart = score.value - score.reference
    if apart == 0:
        return "equal"
    if unit in ("share", "points"):
        points = abs(apart) * 100
        size = numbers.fixed(points, 1) if points >= 0.1 else numbers.significant(points, 1)
        amount = f"{size}\N{NO-BREAK SPACE}points"
    elif unit == "count":
        amount = quantity(abs(apart), unit)
    else:
        amount = numbers.significant(abs(apart), 2)
    if score.goal == "target":
        return f"{amount} {'above' if apart > 0 else 'below'}"
    return f"{amount} {'better' if (apart > 0) == (score.goal == 'max') else 'worse'}"


@dataclass(frozen=True)
class Effects:
    """How differences on one metric are printed: in points of 100, or as they are for a loss.

    The number of decimals is one for all that stand in the same table.
    """

    factor: float
    unit: str
    digits: int

    @classmethod
    def of(cls, metric: str, intervals: Sequence[Interval]) -> Effects:
        if metric in LOWER_IS_BETTER:
            return cls(1.0, "", 4)
        widths = [(i.high - i.low) / 2 * 100 for i in intervals]
        known = [w for w in widths if math.isfinite(w)]
        return cls(100.0, "points", numbers.digits_for(min(known, default=1.0)))

    def signed(self, value: float) -> str:
        return numbers.signed(value * self.factor, self.digits)

    def amount(self, value: float) -> str:
        """``1.2 points``."""
        return self._with_unit(numbers.fixed(value * self.factor, self.digits))

    def difference(self, value: float) -> str:
        """``+1.2 points``."""
        return self._with_unit(self.signed(value))

    def interval(self, interval: Interval) -> str:
        """``-0.3 to +2.7``."""
        return f"{self.signed(interval.low)} to {self.signed(interval.high)}"

    def level(self, value: float) -> str:
        """A score itself, not a difference: ``77.4`` (of 100) or ``0.3312``."""
        return numbers.fixed(value * self.factor, self.digits)

    def _with_unit(self, text: str) -> str:
        return f"{text}\N{NO-BREAK SPACE}{self.unit}" if self.unit else text


def reading(metric: str, interval: Interval) -> str:
    """What the interval of a difference says, in words."""
    sign = -1 if metric in LOWER_IS_BETTER else 1
    low, high = sorted((sign * interval.low, sign * interval.high))
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "not told apart"
