"""Which recipe a run follows."""

from __future__ import annotations

from synthgen.config import Config
from synthgen.results import Recipe, Verdict


def chosen_recipe(config: Config, answer: Verdict) -> Recipe:
    """What the user fixed, else what the verdict chose. Without synthetic rows it is empty."""
    chosen = answer.recipe if answer.decision == "augment" and answer.recipe else Recipe()
    if config.sample.ratio != "auto":
        return chosen.model_copy(update={"ratio": config.sample.ratio})
    return chosen


def instead(answer: Verdict) -> Recipe:
    """What the verdict recommends for the training rows alone."""
    recipe = answer.recipe
    return recipe if recipe is not None and recipe.ratio is None else Recipe()
