"""Synthetic rows that are training rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthgen.data.table import Table
from synthgen.metrics.base import NotComputable, Trio, metric
from synthgen.metrics.levels import row_ids
from synthgen.results import Reading


def coincidences(trio: Trio) -> float:
    """How many of as many real rows would equal a training row by chance.

    Estimated by the share of held-out rows that equal any other real row. Held-out rows alone
    against training rows would say zero wherever duplicates were kept on one side of the split.
    """
    if len(trio.holdout) == 0:
        raise NotComputable("there are no held-out rows")
    train, holdout = row_ids(trio.train, trio.holdout)
    counts = np.bincount(np.concatenate([train, holdout]))
    return float((counts[holdout] > 1).mean()) * len(trio.synthetic)


@metric(title="Exact copies", pillar="privacy", goal="min", reference=coincidences)
def exact_copies(trio: Trio) -> Reading:
    """Number of synthetic rows equal to a training row in all modelled columns.

    Every synthetic row is looked up among all training rows. ``detail.share`` is the number over
    the synthetic rows; ``detail.of_unique_rows`` counts those that repeat a row which stands in
    the training rows once only, which chance does least often.
    """
    if len(trio.synthetic) == 0:
        raise NotComputable("there are no synthetic rows")
    train, synthetic = row_ids(trio.train, trio.synthetic)
    held = np.bincount(train, minlength=int(synthetic.max()) + 1)[synthetic]
    return Reading(
        value=float((held > 0).sum()),
        detail={"share": float((held > 0).mean()), "of_unique_rows": int((held == 1).sum())},
    )


def copies(train: Table, rows: Table) -> NDArray[np.bool_]:
    """Shape (rows,): whether each row equals a training row in all modelled columns; missing
    equals missing."""
    return repeats(train, rows) > 0


def repeats(train: Table, rows: Table) -> NDArray[np.int64]:
    """Shape (rows,): how many training rows each row equals in all modelled columns."""
    if len(rows) == 0:
        return np.zeros(0, dtype=np.int64)
    known, ids = row_ids(train, rows)
    counts: NDArray[np.int64] = np.bincount(known, minlength=int(ids.max()) + 1)[ids]
    return counts
