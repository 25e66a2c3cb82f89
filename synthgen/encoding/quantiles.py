"""Quantile encoding: a value's position in the training distribution, beside explicit codes for
missing cells and spikes.

The distribution is a histogram of at most about a thousand bins of nearly equal row counts. Bins
meet midway between two neighbouring values, at a value that many rows share, or at the schema's
protected bounds; each counts for at least ``RARE`` rows. So no edge tells the value of one row.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from synthgen.data.schema import RARE, Continuous, Numeric
from synthgen.encoding.continuous import step_of

BINS = 500
"""Bins of equal row counts; values that fill one alone can at most double their number."""
CHUNK = 1 << 14
"""Values that are encoded at once."""
INNER = 0.98
"""The share of a value's interval that is used: away from its ends float32 cannot cross them."""


class Quantiles(BaseModel):
    """Codes: regular, then missing if the column may lack values, then one per spike. Only
    regular values have a scalar, ``2 u - 1`` with ``u`` the value's position in the distribution
    of regular values; it is uniform on [-1, 1] over the training rows.

    A value that many rows share has an interval of positions, of which one is drawn; on a grid
    (integers, decimals, dates) each value has its cell. Decoding any position of the interval
    gives the value back, and uniform positions give the training distribution.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["quantiles"] = "quantiles"
    left: tuple[float, ...]
    right: tuple[float, ...]
    rows: tuple[int, ...]
    """Bin i spans ``left[i]`` to ``right[i]`` and holds ``rows[i]`` of the regular rows."""
    step: float
    """Distance of neighbouring values on a grid; 0 for full precision."""
    spikes: tuple[float, ...]
    missing: bool

    @classmethod
    def fit(cls, numbers: NDArray[np.float64], column: Continuous) -> Quantiles:
        """``numbers`` (n,): clipped training values, NaN where missing."""
        spikes = tuple(float(s) for s in column.spikes) if isinstance(column, Numeric) else ()
        regular = numbers[~np.isnan(numbers) & ~np.isin(numbers, spikes)]
        step = step_of(column)
        bounds = (float(column.low) - step / 2, float(column.high) + step / 2)
        left, right, rows = _histogram(regular, bounds, step)
        return cls(
            left=tuple(left),
            right=tuple(right),
            rows=tuple(rows),
            step=step,
            spikes=spikes,
            missing=column.missing,
        )

    @property
    def size(self) -> int:
        return 1 + self.missing + len(self.spikes)

    def encode(
        self, numbers: NDArray[np.float64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        codes = np.empty(len(numbers), dtype=np.int64)
        scalars = np.empty(len(numbers), dtype=np.float32)
        # Piece by piece: on the way a number needs some twelve others beside it.
        for start in range(0, len(numbers), CHUNK):
            part = slice(start, start + CHUNK)
            codes[part], scalars[part] = self._encode(numbers[part], rng)
        return codes, scalars

    def _encode(
        self, numbers: NDArray[np.float64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        left, right, ends = self._bins()
        absent = np.isnan(numbers)
        values = np.where(absent, 0.0, numbers)
        # In a gap between two bins the lower one is meant; its upper end is nearest to be had.
        bins = np.clip(np.searchsorted(left, values, side="right") - 1, 0, len(left) - 1)
        # A point shared by many rows has its own bin, which the next bin's left end repeats.
        before = np.maximum(bins - 1, 0)
        bins = np.where((left[before] == values) & (right[before] == values), before, bins)
        jitter = INNER * (rng.random(len(numbers)) - 0.5)
        low, high = left[bins], right[bins]
        # Halves, because the difference of two doubles may overflow.
        half = high / 2 - low / 2
        inside = np.clip(values + self.step * jitter, low, high) / 2 - low / 2
        inside = np.where(half > 0, inside / np.where(half > 0, half, 1.0), 0.5 + jitter)
        starts = np.concatenate([[0.0], ends[:-1]])
        positions = starts[bins] + (ends - starts)[bins] * inside
        codes = np.zeros(len(numbers), dtype=np.int64)
        for place, spike in enumerate(self.spikes, start=1 + self.missing):
            codes[numbers == spike] = place
        positions[absent] = 0.5
        if self.missing:
            codes[absent] = 1
        return codes, np.where(codes == 0, 2 * positions - 1, 0.0).astype(np.float32)

    def decode(self, codes: NDArray[Any], scalars: NDArray[Any]) -> NDArray[np.float64]:
        left, right, ends = self._bins()
        positions = (np.clip(scalars.astype(np.float64), -1.0, 1.0) + 1) / 2
        bins = np.minimum(np.searchsorted(ends, positions, side="right"), len(ends) - 1)
        starts = np.concatenate([[0.0], ends[:-1]])
        inside = np.clip((positions - starts[bins]) / (ends - starts)[bins], 0.0, 1.0)
        half = (right[bins] / 2 - left[bins] / 2) * inside
        regular = left[bins] + half + half
        special = np.array([0.0, *([np.nan] if self.missing else []), *self.spikes])
        numbers: NDArray[np.float64] = np.where(codes == 0, regular, special[codes])
        return numbers

    def _bins(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        ends = np.cumsum(self.rows, dtype=np.float64)
        return np.array(self.left), np.array(self.right), ends / ends[-1]


def _histogram(
    values: NDArray[np.float64], bounds: tuple[float, float], step: float
) -> tuple[list[float], list[float], list[int]]:
    """Left ends, right ends and rows of the bins.

    A value with as many rows as a bin should have is an atom: a bin of its own, one step wide
    (a point, for full precision). The values between two atoms are cut into bins of equal counts.
    """
    low, high = bounds
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) == 0:
        return [low], [high], [RARE]
    target = max(RARE, -(-len(values) // BINS))
    totals = np.concatenate([[0], np.cumsum(counts)])
    atoms = np.append(np.flatnonzero(counts >= target), len(distinct))
    left: list[float] = []
    right: list[float] = []
    rows: list[int] = []
    first = 0
    while first < len(distinct):
        atom = int(atoms[np.searchsorted(atoms, first)])
        if atom == first:
            stop = first + 1
            left.append(max(low, float(distinct[first]) - step / 2))
            right.append(min(high, float(distinct[first]) + step / 2))
        else:
            stop = int(np.searchsorted(totals, totals[first] + target))
            # What is left before the next atom must fill a bin; else it joins this one.
            if stop >= atom or totals[atom] - totals[stop] < target:
                stop = atom
            left.append(right[-1] if right else low)
            if stop == len(distinct):
                right.append(high)
            elif stop == atom:
                right.append(float(distinct[atom]) - step / 2)
            else:
                right.append(float(distinct[stop - 1] / 2 + distinct[stop] / 2))
        rows.append(max(int(totals[stop] - totals[first]), RARE))
        first = stop
    return left, right, rows
