"""Which values a column has, released without telling of one row.

A value is released if its noisy count reaches a threshold so far above :data:`RARE` that a value
held by just so many rows does so with probability ``delta`` at most, and never if fewer hold it. So
one row makes a value appear with no more than that probability: the stability-based histogram
(Korolova et al. 2009; Bun, Nissim and Stemmer 2016, arXiv 1511.08552) with Gaussian noise (Wilkins
et al. 2024, J. Privacy and Confidentiality 14), which begins at ``RARE`` rows instead of one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from synthgen.data.schema import RARE
from synthgen.privacy.noise import Noise, noisy_counts


@dataclass(frozen=True)
class Released:
    """Positions of the released values among those asked about, and noisy counts."""

    positions: NDArray[np.int64]
    """Ascending."""
    counts: NDArray[np.int64]
    missing: int
    """Of missing cells; 0 where they cannot be told from none."""
    others: int
    """Of cells with values that are not released; 0 where they cannot be told from none."""


def threshold(std: float, delta: float) -> int:
    """The noisy count from which a value is released. The noise is rounded to whole numbers:
    hence the half."""
    return RARE + math.ceil(std * float(norm.isf(delta)) + 0.5)


def private_values(
    codes: NDArray[np.int64], size: int, std: float, delta: float, noise: Noise
) -> Released:
    """Of values 0 to ``size - 1``, which are data themselves. ``codes`` (n,): one value a row, or
    -1 where missing, or less where none of these.

    Spends one Gaussian mechanism of noise ``std``, and ``delta``.
    """
    counts = np.bincount(codes[codes >= 0], minlength=size)
    bar = threshold(std, delta)
    noisy = noisy_counts(np.append(counts, (codes == -1).sum()), std, noise)
    missing = int(noisy[-1]) if noisy[-1] >= bar else 0
    found = np.flatnonzero((counts >= RARE) & (noisy[:-1] >= bar))
    others = len(codes) - int(noisy[found].sum()) - missing
    return Released(found, noisy[found], missing, others if others >= bar else 0)


def public_values(codes: NDArray[np.int64], size: int, std: float, noise: Noise) -> Released:
    """The same where the values are no secret: all of them, in their order, with noisy counts."""
    counts = np.bincount(codes[codes >= 0], minlength=size)
    noisy = noisy_counts(np.append(counts, (codes == -1).sum()), std, noise)
    missing = int(noisy[-1]) if noisy[-1] >= doubtful(std) else 0
    kept = np.maximum(noisy[:-1], 1)
    others = len(codes) - int(kept.sum()) - missing
    return Released(
        np.arange(size), kept, missing, others if others >= doubtful(std * math.sqrt(size)) else 0
    )


def doubtful(std: float) -> int:
    """A noisy count below this may be of fewer than ``RARE`` rows: by noise alone it is reached
    once in a thousand times."""
    return RARE + math.ceil(std * float(norm.isf(1e-3)))
