"""What a value stands beside: the same metric of real rows, of the same number.

The tables a value is read from are cut to the size of the reference's, since most metrics depend
on the number of rows: fidelity of 800 synthetic rows against 200 held-out ones would flatter the
generator.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from synthgen.data.table import Columnar
from synthgen.metrics.base import NotComputable, Trio
from synthgen.metrics.levels import distinct

T = TypeVar("T", bound=Columnar)


def fidelity_pair(trio: Trio) -> tuple[Trio, Trio]:
    """Synthetic rows, and held-out rows in their place: both min(synthetic, holdout) in number."""
    rng = np.random.default_rng(trio.seed)
    size = min(len(trio.synthetic), len(trio.holdout))
    if size == 0:
        raise NotComputable("there are no synthetic or no held-out rows")
    synthetic = subsample(trio.synthetic, size, rng)
    held_out = subsample(trio.holdout, size, rng)
    return replace(trio, synthetic=synthetic), replace(trio, synthetic=held_out)


def privacy_pair(trio: Trio) -> tuple[Trio, Trio]:
    """Synthetic rows, and one half of the holdout in their place, against the other half.

    Halves of the *distinct* held-out rows: equal rows never straddle the split into train and
    holdout, so they would lie in both halves, but never in a half and in the training rows.
    """
    rng = np.random.default_rng(trio.seed)
    order = rng.permutation(distinct(trio.holdout))
    if len(order) < 2:
        raise NotComputable("the held-out rows cannot be halved")
    stand_ins, others = np.array_split(order, 2)
    size = min(len(trio.synthetic), len(stand_ins))
    holdout = trio.holdout.take(np.sort(others))
    return (
        replace(trio, holdout=holdout, synthetic=subsample(trio.synthetic, size, rng)),
        replace(trio, holdout=holdout, synthetic=trio.holdout.take(np.sort(stand_ins[:size]))),
    )


def subsample(table: T, size: int, rng: np.random.Generator) -> T:
    """``size`` rows drawn without replacement, in table order; the table itself if no larger."""
    if size >= len(table):
        return table
    return table.take(np.sort(rng.choice(len(table), size, replace=False)))
