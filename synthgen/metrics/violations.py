"""Synthetic rows that real rows show to be impossible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgen.data.schema import Continuous, Datetime, Numeric, Timedelta
from synthgen.metrics.base import NotComputable, Trio, metric
from synthgen.metrics.levels import MISSING, Codes, levels
from synthgen.metrics.relations import LEAST_ROWS, Mask, dependencies, orderings
from synthgen.results import Reading

HARD = 20
"""Training rows on an extreme value that make it a bound: ages capped at 90, shares at 1."""
REACH = 3
"""Lengths of the tail, from the 1 % quantile to the extreme, by which a value may lie beyond an
extreme that is no bound: the next amount of a heavy-tailed column is no breach."""
UNSEEN = 1e-4
"""Probability at most of a new category per row for the list of categories to be closed."""
FEW = 200
"""Levels at most of a column that takes part in dependencies."""
LISTED = 50

Constraint = tuple[str, tuple[str, ...], Mask]
"""Kind, columns, and which synthetic rows break it."""


@metric(title="Violations", pillar="fidelity", goal="min")
def violations(trio: Trio) -> Reading:
    """Share of synthetic rows that break a constraint which all training rows keep; 0 to 1.

    Kinds: ``category`` (a value that no training row has, where new ones are improbable after
    Good 1953), ``range`` (beyond an extreme that many rows share; of the other sign where all have
    one; else three tails beyond an extreme), ``precision`` (fractions of integers, surplus
    decimals, times off their resolution), ``missing`` (where nothing is ever missing), ``order``
    (first <= second) and ``dependency`` (first determines second), both after
    :mod:`~synthgen.metrics.relations`. ``detail.constraints`` lists the broken ones with their
    rows, most first, then the relations that are kept (50 in all at most); ``detail.checked``
    counts what was looked at.
    """
    if len(trio.train) < LEAST_ROWS:
        raise NotComputable(f"it needs {LEAST_ROWS} training rows to infer constraints from")
    if len(trio.synthetic) == 0:
        raise NotComputable("there are no synthetic rows")
    checked: Counter[str] = Counter()
    found: list[dict[str, Any]] = []
    broken = np.zeros(len(trio.synthetic), dtype=bool)
    for kind, columns, rows in _constraints(trio):
        checked[kind] += 1
        broken |= rows
        if rows.any() or len(columns) == 2:
            found.append({"kind": kind, "columns": list(columns), "rows": int(rows.sum())})
    found.sort(key=lambda constraint: -constraint["rows"])
    return Reading(
        value=float(broken.mean()),
        detail={
            "broken_constraints": sum(1 for c in found if c["rows"]),
            "checked_constraints": checked.total(),
            "checked": dict(checked),
            "constraints": found[:LISTED],
        },
    )


def _constraints(trio: Trio) -> Iterator[Constraint]:
    """Every constraint that the training rows support."""
    units: dict[type, list[str]] = {Numeric: [], Datetime: [], Timedelta: []}
    numbers: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    coded: dict[str, list[Codes]] = {}
    for column in trio.train.schema.modelled:
        name = column.name
        codes = levels(column, trio.train, trio.synthetic)
        if len(np.unique(codes[0])) <= FEW:
            coded[name] = codes
        if (codes[0] != MISSING).all():
            yield "missing", (name,), codes[1] == MISSING
        if isinstance(column, Numeric | Datetime | Timedelta):
            numbers[name] = trio.train.numbers(name), trio.synthetic.numbers(name)
            units[type(column)].append(name)
            yield from _continuous(column, *numbers[name])
        elif _closed(codes[0]):
            yield "category", (name,), (codes[1] != MISSING) & ~np.isin(codes[1], codes[0])
    for names in units.values():
        real, synthetic = ({name: numbers[name][side] for name in names} for side in (0, 1))
        for first, second, rows in orderings(real, synthetic):
            yield "order", (first, second), rows
    known, drawn = ({name: codes[side] for name, codes in coded.items()} for side in (0, 1))
    for first, second, rows in dependencies(known, drawn):
        yield "dependency", (first, second), rows


def _continuous(
    column: Continuous, real: NDArray[np.float64], synthetic: NDArray[np.float64]
) -> Iterator[Constraint]:
    known = real[~np.isnan(real)]
    if len(known) < LEAST_ROWS:
        return
    low, high = known.min(), known.max()
    bottom, top = np.quantile(known, [0.01, 0.99])
    floor = low if (known == low).sum() >= HARD else low - REACH * (bottom - low)
    ceiling = high if (known == high).sum() >= HARD else high + REACH * (high - top)
    if not isinstance(column, Datetime):
        floor = max(floor, 0) if low >= 0 else floor
        ceiling = min(ceiling, 0) if high <= 0 else ceiling
    yield "range", (column.name,), (synthetic < floor) | (synthetic > ceiling)
    full_precision = isinstance(column, Numeric) and not column.integer and column.decimals is None
    if not full_precision and not _off_grid(column, known).any():
        yield "precision", (column.name,), _off_grid(column, synthetic)


def _off_grid(column: Continuous, values: NDArray[np.float64]) -> Mask:
    """Values that are no multiple of the column's unit."""
    if isinstance(column, Numeric):
        nearest = np.round(values, 0 if column.integer else column.decimals or 0)
        # A number on the grid comes back as it is, but for its last bits.
        off: Mask = ~np.isclose(nearest, values, rtol=1e-12, atol=0, equal_nan=True)
    else:
        micro, step = np.rint(values * 1e6), max(1, round(column.resolution * 1e6))
        off = ~np.isnan(micro) & (np.rint(micro / step) * step != micro)
    return off


def _closed(codes: Codes) -> bool:
    """Whether the next row's category is almost surely a known one: Good's estimate of the
    probability of a new one is the share of rows whose value occurs once."""
    counts = np.bincount(codes)[MISSING + 1 :]
    return bool((counts == 1).sum() <= UNSEEN * counts.sum())
