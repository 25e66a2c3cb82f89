"""What an arm does, as steps that a reader can follow; what is done to images is in
:mod:`synthgen.report.image_recipe`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from synthgen.report import image_recipe, numbers
from synthgen.report.wording import REGRESSION, name, noun, source
from synthgen.results import Recipe, Report

_FILTERS = {
    "density_ratio": "those that a classifier takes for real ones",
    "teacher": "those whose class a classifier of the real {rows} agrees with most",
    "boundary": "those near the border between two classes",
}
_NUMERIC_TEACHER = "those whose number a model of the real rows agrees with most"
LISTED = 6
"""Classes whose multipliers are named one by one."""


def rows(recipe: Recipe, report: Report) -> str:
    """How the synthetic rows came about, as half a sentence; empty without any."""
    if recipe.ratio is None:
        return ""
    unit = noun(report.modality)
    made = [ratio(recipe.ratio, unit)]
    if recipe.filter is not None:
        chosen = _FILTERS[recipe.filter].format(rows=f"{unit}s")
        if recipe.filter == "teacher" and report.verdict.metric in REGRESSION:
            chosen = _NUMERIC_TEACHER
        kind = recipe.filter.replace("_", " ")
        made.append(f"selected from twice as many by the {kind} filter: {chosen}")
    return ", ".join(made)


def ratio(value: float | Literal["balanced"] | None, unit: str) -> str:
    """How many synthetic ones for each unit (a row, an image), as half a sentence; empty for
    none."""
    match value:
        case None:
            return ""
        case "balanced":
            return "as many per class as it takes to balance the classes"
        case _:
            return f"{numbers.significant(value)} synthetic per training {unit}"


def weights(recipe: Recipe, report: Report) -> list[str]:
    """How to weight the rows in training; empty if all count the same."""
    if report.modality == "images":
        return image_recipe.weights(recipe)
    said = []
    if recipe.weight < 1:
        said.append(f"a synthetic row counts {numbers.significant(recipe.weight)} of a real one")
    if recipe.balanced:
        part = "part of the target's range" if report.verdict.metric in REGRESSION else "class"
        said.append(f"every {part} counts the same in total")
    if not said:
        return []
    return [
        "Pass the sample weights in weights.csv beside the augmented file, one per row in the "
        f"same order, to the training (sample_weight): {', and '.join(said)}."
    ]


def prediction(recipe: Recipe, report: Report) -> list[str]:
    """How to predict a class; empty if it is the likeliest one."""
    multipliers = recipe.multipliers
    if multipliers is None or len(set(multipliers)) < 2:
        return []
    names = class_names(report, len(multipliers))
    if len(multipliers) == 2:
        total = sum(multipliers)
        # Not finite or all zero: no probability is a threshold then.
        threshold = multipliers[0] / total if total > 0 and math.isfinite(total) else math.nan
        other = "the first class (of the two in schema.json)"
        second = names[1] if names else "the second class"
        return [
            f"Predict {second} where its probability is above {numbers.significant(threshold)}, "
            f"and {names[0] if names else other} elsewhere"
            f"{_by(report)}. (The multipliers are {_listed(multipliers, names)}.)"
        ]
    if names is None or len(multipliers) > LISTED:
        where = "verdict.recipe.multipliers in report.json, in the order of the classes"
    else:
        where = _listed(multipliers, names)
    return [
        f"Predict the class with the largest probability times multiplier{_by(report)}: {where}."
    ]


def cheap(report: Report) -> list[str]:
    """How to do without a generator what the verdict's arm does."""
    verdict = report.verdict
    recipe = verdict.recipe or Recipe()
    arm = source(verdict.arm) if verdict.arm else ""
    if report.modality == "images":
        return image_recipe.cheap(arm, recipe, report)
    match arm:
        case "class_weights":
            return [
                'In scikit-learn: class_weight="balanced", or for models without it sample weights '
                'from compute_sample_weight("balanced", y).'
            ]
        case "density_weights":
            return weights(recipe.model_copy(update={"balanced": True}), report)
        case "threshold":
            return prediction(recipe, report) or ["Predict the likeliest class, as usual."]
        case "oversample":
            return [
                "With imbalanced-learn: RandomOverSampler().fit_resample(X, y), on training rows "
                "only."
            ]
        case "smote" if verdict.metric in REGRESSION:
            return ["Add rows interpolated between yours: synthgen augment with --generator smote."]
        case "smote":
            return [
                "With imbalanced-learn: SMOTE().fit_resample(X, y), or SMOTENC where columns are "
                "categorical, on training rows only."
            ]
        case _:
            return []


def class_names(report: Report, count: int) -> list[str] | None:
    """The classes in the order of their codes; None unless the report has scores of all."""
    names = list(dict.fromkeys(d.part for d in report.by_class if d.part is not None))
    return names if len(names) == count else None


def _by(report: Report) -> str:
    """Multipliers fit one learner's probabilities and no other's."""
    learner = report.verdict.learner
    return f", with the probabilities of {name(learner)}" if learner else ""


def _listed(multipliers: Sequence[float], names: Sequence[str] | None) -> str:
    shown = [numbers.significant(m) for m in multipliers]
    if names is None:
        return " and ".join(shown)
    return ", ".join(f"{m} for {n}" for m, n in zip(shown, names, strict=True))
