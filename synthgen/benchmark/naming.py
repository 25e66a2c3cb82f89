"""How arms, effects and numbers of rows are written in a verdict's sentences."""

from __future__ import annotations

from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.finding import PLACEBO
from synthgen.benchmark.settings import DecideSettings, Ratio
from synthgen.benchmark.statistics import Estimate
from synthgen.results import RealEquivalents, Recipe

_NAMES = {
    "class_weights": "class weights",
    "density_weights": "density weights",
    "threshold": "a tuned threshold",
    "flips_crops": "random crops and allowed flips",
    "randaugment": "RandAugment",
    "mixup": "MixUp",
    "oversample": "random oversampling",
    "smote": "SMOTE",
}


def arm_name(arm: str, settings: DecideSettings) -> str:
    """Of an arm, for readers."""
    if arm == PLACEBO:
        return f"duplicated {settings.unit}s (placebo)"
    return _NAMES.get(arm, arm)


def subject(arm: str, board: Comparison, recipe: Recipe | None = None) -> str:
    """What is done: ``filtered synthetic rows from ctgan``."""
    made = f"synthetic {board.settings.unit}s from {board.source(arm)}"
    match board.treatment(arm):
        case "filtered":
            return f"filtered {made}"
        case "weighted":
            return f"{made} with a smaller weight"
        case "mixed":
            chosen = recipe or board.usual_recipe(arm)[0]
            return f"{made} with {_company(chosen, board.settings)}"
        case _:
            return made


def _company(recipe: Recipe | None, settings: DecideSettings) -> str:
    """What a mixed arm does beside adding rows."""
    if recipe is not None and recipe.multipliers is not None:
        return "a tuned threshold"
    if recipe is None or recipe.augmentation is None:
        return "balanced weights"
    weights = " and balanced weights" if recipe.balanced else ""
    return f"{arm_name(recipe.augmentation, settings)}{weights}"


def amount(recipe: Recipe | None, settings: DecideSettings) -> str:
    """How many synthetic rows a recipe adds: ``0.5 per training row``."""
    ratio: Ratio | None = recipe.ratio if recipe is not None else None
    if ratio is None:
        return "none"
    if ratio == "balanced":
        return "as many as balance the classes"
    return f"{ratio:g} per training {settings.unit}"


def interval(gain: Estimate, settings: DecideSettings) -> str:
    """``1.2 points (95 % interval −0.3 to 2.7)``."""
    return brief(gain).replace("(", f"({settings.confidence * 100:g} % interval ")


def brief(gain: Estimate) -> str:
    """``1.2 points (−0.3 to 2.7)``."""
    digits = 2 if gain.high - gain.low < 0.01 else 1
    mean, low, high = (_number(value, digits) for value in (gain.mean, gain.low, gain.high))
    return f"{mean} points ({low} to {high})"


def points(effect: float) -> str:
    """An amount: ``1.2 points``."""
    found = effect * 100
    return f"{found:.1f} points" if found >= 1 else f"{found:.2g} points"


def worth(known: RealEquivalents | None, settings: DecideSettings) -> str:
    """A gain in real rows: ``1,300 more real rows (80 to 4,000)``; empty where it has none."""
    if known is None or known.rows is None or known.rows <= 0:
        return ""
    said = rows_text(known.rows, known.ceiling, settings)
    if known.low is None or known.high is None:
        return said
    low = f"{max(0, known.low):,}"
    high = f"more than {known.ceiling:,}" if known.high >= known.ceiling else f"{known.high:,}"
    return f"{said} ({low} to {high})"


def rows_text(rows: int, ceiling: int, settings: DecideSettings) -> str:
    """``about 1,300 more real rows``, to two digits."""
    if rows >= ceiling:
        return f"more than {ceiling:,} more real {settings.unit}s"
    return f"about {_rounded(rows):,} more real {settings.unit}s"


def useful_text(known: RealEquivalents | None, settings: DecideSettings) -> str:
    """What a useful gain would cost by the interval of the learning curve, ``1,300 to 4,000 more
    real rows``; empty where that is not known."""
    if known is None or known.useful is None or known.useful <= 0:
        return ""
    if known.useful_low is None or known.useful_high is None:
        return rows_text(known.useful, known.ceiling, settings)
    what = f"real {settings.unit}s"
    if known.useful_low >= known.ceiling:
        return f"more than {known.ceiling:,} more {what}"
    low = max(1, _rounded(known.useful_low))
    if known.useful_high >= known.ceiling:
        return f"{low:,} to more than {known.ceiling:,} more {what}"
    return f"{low:,} to {_rounded(known.useful_high):,} more {what}"


def _rounded(rows: int) -> int:
    size = int(10 ** max(0, len(str(abs(rows))) - 2))
    return round(rows / size) * size


def _number(value: float, digits: int) -> str:
    """In hundredths; a rounded zero has no sign."""
    text = f"{abs(value) * 100:.{digits}f}"
    return f"−{text}" if value < 0 and float(text) > 0 else text
