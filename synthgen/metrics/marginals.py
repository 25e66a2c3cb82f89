"""Each column's distribution, real beside synthetic, for the report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthgen.data.schema import Continuous, Datetime, Discrete, Numeric, Timedelta
from synthgen.data.table import Table
from synthgen.data.values import MISSING, UNLISTED
from synthgen.metrics.base import Trio
from synthgen.metrics.bins import Bins, bins
from synthgen.metrics.column_shapes import shape
from synthgen.metrics.levels import MISSING_LABEL, OTHER_LABEL
from synthgen.metrics.reference import fidelity_pair
from synthgen.results import Marginal

LABELS = 13
"""Categories at most that are shown by name, beside the other and the missing ones."""


def marginals(trio: Trio) -> list[Marginal]:
    """All modelled columns, worst score first.

    Shares are of all training and all synthetic rows (of those that have a value, for binned
    columns; all 0 where none has one). ``score`` and ``reference`` are column shapes against the
    training rows at equal numbers of synthetic and held-out rows, as in ``score_all``; a side
    without any value scores 0. Empty without synthetic or held-out rows.
    """
    if not len(trio.synthetic) or not len(trio.holdout):
        return []
    read, stand_in = fidelity_pair(trio)
    found = []
    for column in trio.train.schema.modelled:
        score, reference = (
            shape(column, pair.train, pair.synthetic) or 0.0 for pair in (read, stand_in)
        )
        labels, edges, real, synthetic = (
            _binned(column, trio)
            if isinstance(column, Numeric | Datetime | Timedelta)
            else _listed(column, trio)
        )
        found.append(
            Marginal(
                column=column.name,
                kind=column.kind,
                score=score,
                reference=reference,
                labels=labels,
                edges=edges,
                real=real,
                synthetic=synthetic,
            )
        )
    return sorted(found, key=lambda marginal: marginal.score)


Shares = tuple[list[str], list[float] | None, list[float], list[float]]


def _binned(column: Continuous, trio: Trio) -> Shares:
    real = trio.train.numbers(column.name)
    cut = bins(column, real[~np.isnan(real)])
    return (
        cut.labels,
        [float(edge) for edge in cut.edges],
        _histogram(real, cut),
        _histogram(trio.synthetic.numbers(column.name), cut),
    )


def _histogram(numbers: NDArray[np.float64], cut: Bins) -> list[float]:
    """Shares per bin; values beyond the ends count in the end bins."""
    known = numbers[~np.isnan(numbers)]
    last = len(cut.labels) - 1
    places = np.clip(np.searchsorted(cut.edges, known, side="right") - 1, 0, last)
    counts = np.bincount(places, minlength=last + 1)
    return [float(share) for share in counts / max(1, len(known))]


def _listed(column: Discrete, trio: Trio) -> Shares:
    real, synthetic = (_shares(table, column) for table in (trio.train, trio.synthetic))
    size = len(column.values)
    # By frequency in the training rows, shown in the schema's order.
    kept = np.sort(np.argsort(-real[:size], kind="stable")[:LABELS])
    labels = [str(column.values[place]) for place in kept]
    rows = [
        [*side[kept], side[:size].sum() - side[kept].sum() + side[size]]
        for side in (real, synthetic)
    ]
    if any(row[-1] > 1e-12 for row in rows):
        labels.append(OTHER_LABEL)
    else:
        rows = [row[:-1] for row in rows]
    if real[size + 1] or synthetic[size + 1]:
        labels.append(MISSING_LABEL)
        rows = [[*row, side[size + 1]] for row, side in zip(rows, (real, synthetic), strict=True)]
    return labels, None, [float(share) for share in rows[0]], [float(share) for share in rows[1]]


def _shares(table: Table, column: Discrete) -> NDArray[np.float64]:
    """Shares of the listed values, of all others, and of missing cells."""
    codes = table.codes(column.name)
    size = len(column.values)
    places = np.select([codes == UNLISTED, codes == MISSING], [size, size + 1], codes)
    return np.bincount(places, minlength=size + 2) / max(1, len(codes))
