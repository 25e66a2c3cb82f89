"""Sample weights: what a recipe gives the rows that a learner is trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthgen.benchmark.learners import Rows, balancing_weights
from synthgen.results import Recipe


def sample_weights(rows: Rows, real: int, recipe: Recipe) -> NDArray[np.float64] | None:
    """Shape (n,), or None where every row weighs 1. The first ``real`` rows are real ones, the
    others synthetic."""
    if recipe.weight == 1 and not recipe.balanced:
        return None
    base = np.where(np.arange(len(rows)) < real, 1.0, recipe.weight)
    if not recipe.balanced:
        return base
    if rows.classes == 0:
        return base * balancing_weights(rows)
    totals = np.bincount(rows.labels, weights=base, minlength=rows.classes)
    present = np.count_nonzero(totals)
    weights: NDArray[np.float64] = base * base.sum() / (present * totals[rows.labels])
    return weights
