"""One metric a file: pure functions of real and synthetic rows, listed here per modality."""

from __future__ import annotations

from synthgen.metrics.base import Metric, Trio
from synthgen.metrics.class_balance import class_balance
from synthgen.metrics.closest_record import closest_record
from synthgen.metrics.column_shapes import column_shapes
from synthgen.metrics.exact_copies import exact_copies
from synthgen.metrics.pair_trends import mean_pair_trend
from synthgen.metrics.score import score
from synthgen.metrics.two_sample import two_sample_auc
from synthgen.metrics.violations import violations
from synthgen.results import Score

TABULAR: tuple[Metric, ...] = (
    column_shapes,
    mean_pair_trend,
    violations,
    two_sample_auc,
    class_balance,
    exact_copies,
    closest_record,
)
"""In the order of the report."""


def score_all(trio: Trio) -> tuple[list[Score], list[str]]:
    """Every tabular metric beside its reference, and notices on those that the data do not allow.

    Values are read from as many rows as the reference has (:mod:`synthgen.metrics.reference`).
    """
    return score(TABULAR, trio)
