"""Which synthetic rows to keep: selection by a model that was fitted on training rows only.

Twice as many rows are drawn as are wanted, and half of them stay.

- ``density_ratio``: a classifier tells training rows from synthetic ones; its odds estimate the
  ratio of the two densities (Sugiyama, Suzuki and Kanamori, *Density Ratio Estimation in Machine
  Learning*, 2012, section 4). Rows are drawn in proportion to that ratio, without replacement,
  which moves the synthetic distribution towards the real one (importance resampling; compare Azadi
  et al., "Discriminator Rejection Sampling", ICLR 2019). The class is one of the columns.
- ``teacher``: a classifier of the target, trained on the training rows; the rows stay to whose own
  class it gives the highest probability (for a numeric target: whose number it misses least).
- ``boundary``: of the same classifier the rows for which its two likeliest classes are closest.

``teacher`` and ``boundary`` select within each class, so that the class shares stay as drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthgen.benchmark import learners
from synthgen.benchmark.learners import Fitted, Rows
from synthgen.results import Filter

TIMES = 2
"""Rows drawn per row that is kept."""
JUDGE = "boosting"
"""The learner behind all filters: it takes every kind of column, and is quick."""


@dataclass(frozen=True)
class Selection:
    """A fitted filter."""

    filter: Filter
    model: Fitted

    def keep(self, rows: Rows, wanted: int, seed: int) -> NDArray[np.int64]:
        """Positions of at most ``wanted`` rows, ascending."""
        if self.filter == "density_ratio":
            odds = _log_odds(self.model, rows)
            # The Gumbel trick: the largest of these are a weighted draw without replacement.
            keys = odds + np.random.default_rng(seed).gumbel(size=len(rows))
            return np.sort(np.argsort(-keys, kind="stable")[:wanted])
        merit = self._merit(rows)
        if rows.classes == 0:
            return np.sort(np.argsort(-merit, kind="stable")[:wanted])
        kept = []
        share = wanted / max(1, len(rows))
        for label in np.unique(rows.labels):
            own = np.flatnonzero(rows.labels == label)
            count = min(len(own), round(share * len(own)))
            kept.append(own[np.argsort(-merit[own], kind="stable")[:count]])
        return np.sort(np.concatenate(kept)) if kept else np.empty(0, dtype=np.int64)

    def _merit(self, rows: Rows) -> NDArray[np.float64]:
        values = self.model.values(rows)
        if rows.classes == 0:
            missed: NDArray[np.float64] = -np.abs(values[:, 0] - rows.labels)
            return missed
        if self.filter == "teacher":
            own: NDArray[np.float64] = values[np.arange(len(rows)), rows.labels.astype(np.int64)]
            return own
        ordered = np.sort(values, axis=1)
        nearness: NDArray[np.float64] = ordered[:, -2] - ordered[:, -1]
        return nearness


def fit_filter(kind: Filter, real: Rows, synthetic: Rows, seed: int) -> Selection:
    """``real`` are training rows; ``synthetic`` (used by ``density_ratio`` alone) are rows of the
    generator that are not selected from. Raises whatever scikit-learn raises."""
    if kind == "density_ratio":
        return Selection(kind, fit_detector(real, synthetic, seed))
    return Selection(kind, learners.fit(JUDGE, real, seed))


def fit_detector(real: Rows, synthetic: Rows, seed: int) -> Fitted:
    """A classifier of real (1) against synthetic (0) rows, the target being one of the columns;
    of the larger side as many rows as the smaller one has."""
    size = min(len(real), len(synthetic))
    order = np.random.default_rng(seed).permutation(len(real))[:size]
    both = with_target(real.take(np.sort(order)).stack(synthetic.take(np.arange(size))), None)
    origin = np.repeat(np.array([1, 0], dtype=np.int64), size)
    return learners.fit(JUDGE, Rows(both.values, both.sizes, origin, 2), seed)


def realness(detector: Fitted, rows: Rows) -> NDArray[np.float64]:
    """Shape (n,): the detector's probability that a row is real."""
    found: NDArray[np.float64] = detector.values(with_target(rows, 2))[:, 1]
    return found


def with_target(rows: Rows, classes: int | None) -> Rows:
    """The same rows with the target as one more column; what they are to be labelled with is the
    caller's to say (``classes`` of it; None: as it is)."""
    column = rows.labels.astype(np.float64)[:, None]
    numeric = rows.classes == 0
    parts = [column, rows.values] if numeric else [rows.values, column]
    sizes = rows.sizes if numeric else (*rows.sizes, rows.classes)
    labels = rows.labels if classes is None else np.zeros(len(rows), dtype=np.int64)
    return Rows(np.column_stack(parts), sizes, labels, classes or rows.classes)


def _log_odds(detector: Fitted, rows: Rows) -> NDArray[np.float64]:
    found = np.clip(realness(detector, rows), 1e-6, 1 - 1e-6)
    odds: NDArray[np.float64] = np.log(found) - np.log1p(-found)
    return odds
