"""Does an unconditional sample hold the classes at their true rates?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthgen.data.table import Table
from synthgen.data.values import MISSING, UNLISTED
from synthgen.metrics.base import NotComputable, Trio, metric
from synthgen.metrics.levels import MISSING_LABEL, OTHER_LABEL
from synthgen.results import Reading


@metric(title="Class balance", pillar="fidelity", goal="min")
def class_balance(trio: Trio) -> Reading:
    """Total variation distance of the target's class shares, training against synthetic rows; 0
    to 1. For two classes it is the error of the positive class's share.

    The synthetic rows must be drawn without conditions: rows that were drawn to balance the
    classes miss the true shares on purpose. ``detail`` gives both sides' shares per listed class;
    classes held by fewer than five training rows are summed.
    """
    target = trio.train.schema.target
    if target is None:
        raise NotComputable("the table has no target column")
    if trio.train.schema.task == "regression":
        raise NotComputable("the target is a quantity and has no classes")
    if len(trio.synthetic) == 0:
        raise NotComputable("there are no synthetic rows")
    real, synthetic = (_shares(table) for table in (trio.train, trio.synthetic))
    if np.count_nonzero(real) < 2:
        raise NotComputable("the target has one class only")
    column = next(c for c in trio.train.schema.discrete if c.name == target)
    labels = [*map(str, column.values), MISSING_LABEL, OTHER_LABEL]
    classes = [
        {"class": label, "real": float(r), "synthetic": float(s)}
        for label, r, s in zip(labels, real, synthetic, strict=True)
        if r or s
    ]
    error = float(np.abs(real - synthetic).sum() / 2)
    return Reading(value=error, detail={"classes": classes})


def _shares(table: Table) -> NDArray[np.float64]:
    """Shares of the listed classes in schema order, of missing and of unlisted ones."""
    codes = table.labels
    listed = len(next(c for c in table.schema.discrete if c.name == table.schema.target).values)
    codes = np.select([codes == MISSING, codes == UNLISTED], [listed, listed + 1], codes)
    return np.bincount(codes, minlength=listed + 2) / len(codes)
