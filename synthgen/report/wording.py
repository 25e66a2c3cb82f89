"""What the report says about arms, learners and metrics: names, units and one-line explanations.

A name that is not listed here is shown as it is, with underscores as spaces, and its number with
three significant digits: a new metric needs no change here to appear.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from synthgen.report import numbers
from synthgen.report.image_metrics import IMAGE_METRICS
from synthgen.report.metrics import TABLE_METRICS, Explained, Unit
from synthgen.results import Decision, Interval, Modality, Score

DECISIONS: dict[Decision, str] = {
    "augment": "Augment",
    "do-not-augment": "Do not augment",
    "inconclusive": "Inconclusive",
}

NAMES = {
    "threshold": "tuned threshold",
    "flips_crops": "random crops and allowed flips",
    "randaugment": "RandAugment",
    "mixup": "MixUp",
    "oversample": "random oversampling",
    "smote": "SMOTE",
    "placebo": "duplicated rows (placebo)",
    "resample": "duplicated rows",
    "best": "best learner",
    "logistic": "logistic regression",
    "ridge": "ridge regression",
    "forest": "random forest",
    "boosting": "gradient boosting",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "small-cnn": "small CNN",
    "roc_auc": "ROC-AUC",
    "macro_f1": "macro F1",
    "brier": "Brier score",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
}
"""Generators are called what the user types."""
_NAMES_OF_IMAGES = {"placebo": "duplicated images (placebo)"}
_IMPORT_PATH = re.compile(r"(?:[A-Za-z_]\w*[.:])+([A-Za-z_]\w*)")

LOWER_IS_BETTER = frozenset({"log_loss", "brier", "calibration_error", "rmse", "mae"})
"""Utility metrics that are losses."""

OWN_UNIT = frozenset({"log_loss", "brier", "rmse", "mae"})
"""Utility metrics that are printed as they are; all others in points of 100."""

REGRESSION = frozenset({"r2", "rmse", "mae"})
"""Utility metrics of a numeric target."""

CHEAP = frozenset(
    {
        *("class_weights", "density_weights", "threshold", "oversample", "smote", "placebo"),
        *("flips_crops", "randaugment", "mixup"),
    }
)
"""Arms that train no generator."""

TREATMENTS = {
    "filtered": "only selected synthetic rows",
    "weighted": "synthetic rows count for less",
    "mixed": "with balancing weights or a tuned threshold",
}
"""What arms called ``GENERATOR-TREATMENT`` do with a generator's rows."""
_TREATMENTS_OF_IMAGES = {
    "filtered": "only selected synthetic images",
    "weighted": "synthetic images count for less",
    "mixed": "with a standard augmentation, balancing weights or both",
}

METRICS = TABLE_METRICS | IMAGE_METRICS

_GLOSSARY = {
    "recall_at_precision": "Recall at precision: the share of a class that is found while so many "
    "of the {rows} named so have to be of it.",
    "calibration_error": "Calibration error: how far the probability of the predicted class lies "
    "from how often it is right.",
    "log_loss": "Log loss and Brier score: errors of the probabilities.",
    "rmse": "RMSE and MAE: errors in the unit of the target.",
}
"""What a table of metrics says below it, if it holds the one that is named here."""

POINTS = frozenset(
    {
        *("accuracy", "balanced_accuracy", "roc_auc", "average_precision", "macro_f1", "f1"),
        *("recall", "precision", "recall_at_precision"),
    }
)
"""Utility scores from 0 to 1, printed as points of 100 on an axis of their whole range."""
_POINTS_OF_A_PART = frozenset({"r2", "calibration_error"})
"""Printed as points of 100 too, on an axis that ends at the larger one."""


def noun(modality: Modality) -> str:
    """What the data hold, one of it; the plural takes an s."""
    return "image" if modality == "images" else "row"


def name(key: str, modality: Modality = "table") -> str:
    """What a reader calls this arm, learner or metric; of an import path the last part. Only arms
    may be called otherwise for images."""
    if modality == "images" and key in _NAMES_OF_IMAGES:
        return _NAMES_OF_IMAGES[key]
    path = _IMPORT_PATH.fullmatch(key)
    return path[1] if path else NAMES.get(key) or key.replace("_", " ")


def phrase(arm: str, modality: Modality) -> str:
    """An arm within a sentence."""
    return f"a {name(arm)}" if arm == "threshold" else name(arm, modality)


def source(arm: str) -> str:
    """``ctgan`` of ``ctgan-filtered``; an arm of one treatment only is its own source."""
    base, _, treatment = arm.rpartition("-")
    return base if base and treatment in TREATMENTS else arm


def glossary(metrics: Sequence[str], modality: Modality) -> list[str]:
    """What metrics of a table mean that a reader may not know."""
    known = [said for metric, said in _GLOSSARY.items() if metric in metrics]
    return [said.format(rows=f"{noun(modality)}s") for said in known]


def treatment(arm: str, modality: Modality) -> str:
    """What this arm does with what its source makes, in a few words; empty if it adds that."""
    if source(arm) == arm:
        return ""
    known = _TREATMENTS_OF_IMAGES if modality == "images" else TREATMENTS
    return known[arm.rpartition("-")[2]]


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
        metric = score.metric.removeprefix("tstr_")
        if metric in POINTS | _POINTS_OF_A_PART:
            return Explained("points", (0.0, 1.0) if metric in POINTS else None, line)
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
    """How differences on one metric are printed: in points of 100, or in a unit of its own.

    The number of decimals is one for all that stand in the same table.
    """

    factor: float
    unit: str
    digits: int

    @classmethod
    def of(cls, metric: str, intervals: Sequence[Interval]) -> Effects:
        halves = [(i.high - i.low) / 2 for i in intervals]
        narrowest = min((h for h in halves if math.isfinite(h) and h > 0), default=None)
        if metric in OWN_UNIT:
            digits = 1 - math.floor(math.log10(narrowest or 0.001))
            return cls(1.0, "", min(6, max(0, digits)))
        return cls(100.0, "points", numbers.digits_for((narrowest or 0.01) * 100))

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
