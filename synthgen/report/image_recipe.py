"""What an arm does to images, as steps that a reader can follow; as :mod:`synthgen.report.recipe`
does for the rows of a table."""

from __future__ import annotations

from synthgen.report import numbers
from synthgen.results import Augmentation, Recipe, Report

_FURTHER: dict[Augmentation, str] = {
    "flips_crops": "",
    "randaugment": ", then apply one operation of RandAugment at magnitude 9",
    "mixup": ", then blend pairs of them by MixUp with alpha 0.2",
}


def weights(recipe: Recipe) -> list[str]:
    """How to weight the images in training; empty if all count the same."""
    said = []
    if recipe.weight < 1:
        said.append(f"a synthetic image counts {numbers.significant(recipe.weight)} of a real one")
    if recipe.balanced:
        said.append("smaller classes count more, by their effective numbers of images")
    if not said:
        return []
    return [
        "In training, multiply the loss of each image by its sample_weight in weights.csv beside "
        f"the augmented set, where image is its name in the set: {', and '.join(said)}."
    ]


def augmentation(recipe: Recipe, report: Report) -> list[str]:
    """What to do to images in training; empty without an augmentation."""
    if recipe.augmentation is None:
        return []
    decide = report.provenance.config.get("decide") or {}
    mirror = " and mirror half of them" if decide.get("mirrored") else ", but mirror none"
    return [
        "In training, at every step anew, move each image at random by up to an eighth of its side"
        f"{mirror}{_FURTHER[recipe.augmentation]}."
    ]


def cheap(arm: str, recipe: Recipe, report: Report) -> list[str]:
    """How to do without a generator what a cheap arm does."""
    match arm:
        case "class_weights":
            return [
                "Weight the loss of an image by 1 / (1 - 0.999 ** n), n being the training images "
                "of its class."
            ]
        case "oversample":
            return [
                "Repeat images of the smaller classes, drawn at random, until every class is as "
                "large as the largest."
            ]
        case _:
            return augmentation(recipe, report)
