"""Small rules that tables and images share: what is done once, which trial is best, and which rows
a part of a learning curve has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from synthgen.benchmark.records import Trial

K = TypeVar("K")
T = TypeVar("T")


def once(known: dict[K, T], key: K, work: Callable[[], T]) -> T:
    """What is known under this key, or is then found by the work."""
    if key not in known:
        known[key] = work()
    return known[key]


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """The highest inner score; of equals the one with fewer synthetic rows, then the first."""
    scored = [trial for trial in trials if trial.score is not None]
    return max(scored, key=lambda trial: (trial.score, -trial.rows), default=None)


def place_within_class(labels: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Shape (n,): a random place from 0 to below 1 among the rows of the same class."""
    order = np.random.default_rng(seed).permutation(len(labels))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        own = order[labels[order] == label]
        place[own] = np.arange(len(own)) / len(own)
    return place
