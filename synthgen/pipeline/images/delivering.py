"""The files of ``sample``: what was drawn, the augmented set, and the weights of its images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.benchmark.images.arms import ImageSampler
from synthgen.benchmark.images.learners import Labelled
from synthgen.config import ImageConfig
from synthgen.data.images.images import Images
from synthgen.data.images.write import written_as
from synthgen.pipeline.images.contents import (
    AUGMENTED,
    SYNTHETIC,
    layout,
    settings,
    training_images,
    write,
)
from synthgen.pipeline.images.draw import draw_recipe, numbered, training_of
from synthgen.pipeline.recipes import chosen_recipe, instead
from synthgen.results import Recipe, Verdict
from synthgen.runs import Run

WEIGHTS = "weights.csv"
"""Sample weights of the augmented images by their names, where the recipe has any."""


def deliver(run: Run, sampler: ImageSampler, answer: Verdict, folder: Path) -> dict[str, Any]:
    """Draw as many images as there are training images, and those that the augmented set takes."""
    config, train, form = settings(run), training_images(run), layout(run)
    recipe = chosen_recipe(config, answer)
    drawn, more = draw_recipe(sampler, train, recipe, config)
    everything = numbered([part.images for part in (drawn, *more)])
    if len(everything):
        write(everything, form, folder, SYNTHETIC)
    if more:
        chosen = (len(drawn.images), len(everything))
    else:
        wanted = round(recipe.ratio * len(train)) if isinstance(recipe.ratio, float) else 0
        chosen = (0, min(len(drawn.images), wanted))
    real = replace(train, groups=None)
    augmented = real.concat(everything.take(np.arange(*chosen)))
    write(augmented, form, folder, AUGMENTED)
    followed = recipe if chosen[0] < chosen[1] else instead(answer)
    weights = weights_of(augmented, len(train), followed, config)
    if weights is not None:
        table = {"image": written_as(augmented, form), "sample_weight": weights}
        pd.DataFrame(table).to_csv(folder / WEIGHTS, index=False)
    return {
        "drawn": len(everything),
        "unconditional": len(drawn.images),
        "chosen": chosen,
        "notices": [notice for part in (drawn, *more) for notice in part.notices],
    }


def weights_of(
    images: Images, real: int, recipe: Recipe, config: ImageConfig
) -> NDArray[np.float64] | None:
    """The weight of each image by the recipe, of which the first ``real`` ones are real; None where
    all are the same. Only their proportions matter."""
    labelled = Labelled.of(images)
    weights = np.ones(len(images))
    weights[real:] = recipe.weight
    by_class = training_of(images, config).class_weights(labelled.labels, recipe, real)
    if by_class is not None:
        weights = weights * by_class.double().numpy()[images.labels]
    return None if (weights == weights[:1]).all() else weights
