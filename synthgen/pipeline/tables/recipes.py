"""Drawing what a recipe asks for from the final model."""

from __future__ import annotations

import numpy as np

from synthgen.benchmark.arms import lacking
from synthgen.benchmark.filters import TIMES, Selection, fit_filter
from synthgen.benchmark.learners import rows_of
from synthgen.config import Config
from synthgen.data.table import Table
from synthgen.generators.base import Sampler, released
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.tables.draw import Drawn, draw
from synthgen.results import Recipe


def draw_recipe(
    sampler: Sampler, train: Table, recipe: Recipe, config: Config
) -> tuple[Drawn, list[Drawn]]:
    """Unconditional rows, at least as many as there are training rows; and the recipe's own where
    they are not simply the first of these (balanced or filtered ones)."""
    ratio = recipe.ratio
    rows = round(max(1.0, ratio if isinstance(ratio, float) else 0.0) * len(train))
    seed, policy = derive(config.seed, "sample"), config.sample.copies
    drawn = draw(sampler, train, rows, seed=seed, policy=policy)
    if ratio is None or (ratio != "balanced" and recipe.filter is None):
        return drawn, []
    selection = None
    if recipe.filter is not None:
        first = drawn.rows.take(np.arange(min(len(drawn.rows), len(train))))
        seed = derive(config.seed, "filter")
        selection = fit_filter(recipe.filter, rows_of(train), rows_of(first), seed)
    times = 1 if selection is None else TIMES
    if ratio != "balanced":
        wanted = round(ratio * len(train))
        seed = derive(config.seed, "filtered")
        many = draw(sampler, train, times * wanted, seed=seed, policy=policy)
        return drawn, [_selected(many, wanted, selection, config)]
    target = next(c for c in train.schema.discrete if c.name == train.schema.target)
    parts = []
    for code, lack in lacking(train).items():
        seed = derive(config.seed, f"balance {code}")
        where = {target.name: target.values[code]}
        if not released(sampler, target.name, target.values[code]):
            parts.append(Drawn(train.take(np.arange(0)), lack, 0, 0))
            continue
        many = draw(sampler, train, times * lack, seed=seed, where=where, policy=policy)
        parts.append(_selected(many, lack, selection, config))
    return drawn, parts


def _selected(many: Drawn, wanted: int, selection: Selection | None, config: Config) -> Drawn:
    if selection is None:
        return many
    seed = derive(config.seed, "selection")
    kept = selection.keep(rows_of(many.rows), wanted, seed)
    return Drawn(many.rows.take(kept), wanted, many.dropped, many.kept)
