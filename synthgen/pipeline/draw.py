"""Drawing from a fitted model: no copies of training rows, and the augmented table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from synthgen.data.table import Table
from synthgen.generators.base import Sampler, Where
from synthgen.metrics.exact_copies import copies
from synthgen.pipeline.seeds import derive

ROUNDS = 20
"""Redraws at most to replace dropped copies."""


@dataclass(frozen=True)
class Drawn:
    """``rows`` at most as many as asked for; ``dropped`` copies were replaced by other draws."""

    rows: Table
    dropped: int
    kept: int
    """Coincidences that stayed, because the table is so coarse that real rows coincide as often."""

    @property
    def notice(self) -> str | None:
        """What the user should know of it, or None."""
        parts = []
        if self.dropped:
            parts.append(f"{self.dropped} exact copies of training rows were drawn and replaced")
        if self.kept:
            parts.append(f"{self.kept} coincidences with training rows stayed")
        return "; ".join(parts) or None


def coincidence_rate(train: Table, seed: int) -> float:
    """How often a real row equals another one: the share of one random half found in the other.

    Only training rows are looked at. In a coarse table (few columns of few values) fresh rows of
    the true process coincide with known ones at this rate, and doing so discloses nothing.
    """
    order = np.random.default_rng(seed).permutation(len(train))
    half = len(train) // 2
    if half == 0:
        return 0.0
    return float(copies(train.take(order[:half]), train.take(order[half:])).mean())


def draw(
    sampler: Sampler,
    train: Table,
    n: int,
    *,
    seed: int,
    where: Where | None = None,
    policy: Literal["drop", "allow"] = "drop",
) -> Drawn:
    """``n`` rows, with copies of training rows replaced by further draws.

    If :data:`ROUNDS` redraws do not find enough other rows, coincidences fill up to the rate at
    which real rows coincide with each other; beyond that fewer rows come back.
    """
    if policy == "allow":
        return Drawn(sampler.sample(n, seed=seed, where=where), 0, 0)
    fresh, spare = train.take(np.arange(0)), train.take(np.arange(0))
    dropped = 0
    for attempt in range(ROUNDS):
        missing = n - len(fresh)
        if missing <= 0:
            break
        # Beyond the first draw some surplus, so that a copy-prone model needs few rounds.
        wanted = missing if attempt == 0 else max(64, 2 * missing)
        rows = sampler.sample(wanted, seed=derive(seed, f"round {attempt}"), where=where)
        copied = copies(train, rows)
        # The first draw's own dtypes count: the training rows' categories may name rare values.
        fresh = rows.take(~copied) if attempt == 0 else fresh.concat(rows.take(~copied))
        spare = rows.take(copied) if attempt == 0 else spare.concat(rows.take(copied))
        dropped += int(copied.sum())
        if len(rows) == 0:
            break
    kept = 0
    if len(fresh) < n:
        allowed = int(coincidence_rate(train, derive(seed, "halves")) * n)
        kept = min(allowed, n - len(fresh), len(spare))
        fresh = fresh.concat(spare.take(np.arange(kept)))
    return Drawn(fresh.take(np.arange(min(n, len(fresh)))), dropped - kept, kept)


def balancing(train: Table) -> dict[int, int]:
    """Rows that each target class (by code) lacks to the largest one; full classes left out."""
    counts = np.bincount(train.labels[train.labels >= 0])
    return {
        code: int(counts.max() - count) for code, count in enumerate(counts) if count < counts.max()
    }
