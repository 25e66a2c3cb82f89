"""Facts of a numeric column that may be shared: protected bounds, decimals, spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgen.data.schema import RARE

SPIKE_SHARE = 0.01
SPIKE_FACTOR = 5
MOST_SPIKES = 20
MOST_DECIMALS = 12


def bounds(numbers: NDArray[Any]) -> tuple[Any, Any]:
    """The ``RARE``-th smallest and largest of these numbers: no single row's value is a bound.

    Fewer than ``2 * RARE`` numbers have no such pair; theirs is the mean less and plus two
    standard deviations, not below zero where no number is. ``low < high`` holds always: where the
    order statistics meet, the upper one is moved by one.
    """
    if len(numbers) < 2 * RARE:
        floats = numbers.astype(np.float64)
        mean, spread = float(floats.mean()), 2 * float(floats.std())
        low, high = mean - spread, mean + spread
        if (floats >= 0).all():
            low = max(low, 0.0)
        if numbers.dtype.kind in "iu":
            low, high = int(np.floor(low)), int(np.ceil(high))
    else:
        placed = np.partition(numbers, (RARE - 1, len(numbers) - RARE))
        low, high = placed[RARE - 1].item(), placed[len(numbers) - RARE].item()
    return low, high if high > low else low + 1


def decimals(numbers: NDArray[Any]) -> int | None:
    """Decimal places that all numbers share, 0 to 12; None where they have full precision."""
    floats = numbers.astype(np.float64)
    sample = floats[:: max(1, len(floats) // 1000)]
    for places in range(MOST_DECIMALS + 1):
        if _rounded(sample, places, numbers.dtype) and _rounded(floats, places, numbers.dtype):
            return places
    return None


def _rounded(floats: NDArray[np.float64], places: int, dtype: Any) -> bool:
    # A float32 is compared as float32: 0.1 is not 0.1 once it is widened.
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.round(floats, places).astype(dtype).astype(np.float64)
    return bool((rounded == floats).all())


def spikes(numbers: NDArray[Any]) -> tuple[int | float, ...]:
    """Values held by at least 1 % of the cells (and ``RARE`` rows) and by at least five times as
    many as is usual among their neighbours, the two next smaller and two next larger values.

    At most 20, by falling frequency.
    """
    values, counts = np.unique(numbers, return_counts=True)
    if len(values) < 2:
        return ()
    # A hundred at most: all else is far too many to look at the neighbours of each.
    enough = np.flatnonzero(counts >= max(RARE, SPIKE_SHARE * len(numbers)))
    padded = np.concatenate([[np.nan] * 2, counts.astype(np.float64), [np.nan] * 2])
    neighbours = np.stack([padded[enough + k] for k in (0, 1, 3, 4)])
    usual = np.nanmedian(neighbours, axis=0)
    found = enough[counts[enough] >= SPIKE_FACTOR * usual]
    ordered = found[np.argsort(-counts[found], kind="stable")][:MOST_SPIKES]
    return tuple(values[ordered].tolist())
