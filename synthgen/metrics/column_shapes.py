"""How well each column's own distribution is matched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthgen.data.schema import Continuous, Datetime, Discrete, Numeric, Timedelta
from synthgen.data.table import Table
from synthgen.metrics.base import NotComputable, Trio, metric
from synthgen.metrics.levels import MISSING, Codes, levels
from synthgen.results import Reading

DECIMALS = 14
"""Floats that agree to so many decimals count as equal, as in SDMetrics."""


@metric(title="Column shapes", pillar="fidelity", goal="max")
def column_shapes(trio: Trio) -> Reading:
    """Mean over the columns of 1 - Kolmogorov-Smirnov distance (continuous) or 1 - total variation
    distance (discrete) between training and synthetic rows; 0 to 1.

    Equal to "Column Shapes" of SDMetrics' QualityReport (0.32): missing cells are left out, and a
    column without any value on one side does not count. ``detail.columns`` holds each column's
    score, or None where it does not count.
    """
    scores = {c.name: shape(c, trio.train, trio.synthetic) for c in trio.train.schema.modelled}
    known = [score for score in scores.values() if score is not None]
    if not known:
        raise NotComputable("no column has values in both tables")
    return Reading(
        value=float(np.mean(known)),
        detail={"worst": min(known), "counted": len(known), "columns": scores},
    )


def shape(column: Continuous | Discrete, real: Table, synthetic: Table) -> float | None:
    """The score of one column, 0 to 1; None where one side has no value."""
    if isinstance(column, Numeric | Datetime | Timedelta):
        known = [_present(table.numbers(column.name)) for table in (real, synthetic)]
        return 1.0 - ks_distance(*known) if all(map(len, known)) else None
    codes = [code[code != MISSING] for code in levels(column, real, synthetic)]
    return 1.0 - tv_distance(*codes) if all(map(len, codes)) else None


def ks_distance(real: NDArray[np.float64], synthetic: NDArray[np.float64]) -> float:
    """Largest gap between the two empirical distribution functions; no NaN in either sample."""
    real, synthetic = np.sort(real), np.sort(synthetic)
    steps = np.concatenate([real, synthetic])
    gaps = np.searchsorted(real, steps, side="right") / len(real) - np.searchsorted(
        synthetic, steps, side="right"
    ) / len(synthetic)
    return float(np.abs(gaps).max())


def tv_distance(real: Codes, synthetic: Codes) -> float:
    """Half the summed differences of the two sides' shares per code; codes are non-negative."""
    size = int(max(real.max(), synthetic.max())) + 1
    shares = [np.bincount(codes, minlength=size) / len(codes) for codes in (real, synthetic)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _present(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = numbers[~np.isnan(numbers)]
    # From 128 on, neighbouring floats lie further apart than the rounding, and scaling could
    # overflow.
    small = np.abs(kept) < 128
    kept[small] = np.round(kept[small], DECIMALS)
    return kept
