"""The files of ``sample``: what was drawn, the augmented table, and the weights of its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthgen.benchmark.learners import rows_of
from synthgen.benchmark.weighting import sample_weights
from synthgen.data.assemble import join
from synthgen.generators.base import Sampler
from synthgen.pipeline.recipes import chosen_recipe, instead
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.tables.contents import origin, settings, training_rows
from synthgen.pipeline.tables.recipes import draw_recipe
from synthgen.results import Verdict
from synthgen.runs import Run

WEIGHTS = "weights.csv"
"""Sample weights of the augmented rows, in their order, where the recipe has any."""


def deliver(run: Run, sampler: Sampler, answer: Verdict, folder: Path) -> dict[str, Any]:
    """Draw as many rows as there are training rows, and those that the augmented set takes."""
    config, train = settings(run), training_rows(run)
    recipe = chosen_recipe(config, answer)
    drawn, more = draw_recipe(sampler, train, recipe, config)
    # Keys are made anew over the whole, so that none repeats.
    everything = join([part.rows for part in (drawn, *more)], derive(config.seed, "keys"))
    everything.save(folder / "synthetic.parquet")
    if more:
        chosen = (len(drawn.rows), len(everything))
    else:
        wanted = round(recipe.ratio * len(train)) if isinstance(recipe.ratio, float) else 0
        chosen = (0, min(len(drawn.rows), wanted))
    augmented = train.concat(everything.take(np.arange(*chosen)))
    form = origin(run)
    form.write(augmented.frame, folder / f"augmented{form.extension}")
    followed = recipe if chosen[0] < chosen[1] else instead(answer)
    weights = sample_weights(rows_of(augmented), len(train), followed)
    if weights is not None:
        pd.DataFrame({"sample_weight": weights}).to_csv(folder / WEIGHTS, index=False)
    return {
        "drawn": len(everything),
        "unconditional": len(drawn.rows),
        "chosen": chosen,
        "notices": [notice for part in (drawn, *more) for notice in part.notices],
    }
