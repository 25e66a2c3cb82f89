"""Drawing from a fitted model: no copies of training rows, and the augmented table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np

from synthgen.data.assemble import join
from synthgen.data.schema import RARE
from synthgen.data.table import Table
from synthgen.generators.base import Sampler, Where
from synthgen.generators.conditions import matching
from synthgen.metrics.exact_copies import copies, repeats
from synthgen.pipeline.seeds import derive

ROUNDS = 20
"""Redraws at most to replace dropped copies."""


@dataclass(frozen=True)
class Drawn:
    """``rows`` that came, of ``wanted``; ``dropped`` copies of training rows were left out."""

    rows: Table
    wanted: int
    dropped: int
    kept: int
    """Coincidences that stayed, because real rows coincide as often."""

    @property
    def notices(self) -> list[str]:
        """What the user should know of it, a sentence each."""
        found = []
        if self.dropped:
            found.append(f"{self.dropped} draws were exact copies of training rows and left out")
        if self.kept:
            found.append(
                f"{self.kept} coincidences with training rows stayed: real rows coincide as often"
            )
        if len(self.rows) < self.wanted:
            found.append(
                f"{len(self.rows)} of {self.wanted} rows came: too few draws were new and met "
                "the conditions"
            )
        return found


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

    A row that ``RARE`` or more training rows share is nobody's own: it may be drawn, as often as it
    is among the training rows that meet the conditions. If :data:`ROUNDS` redraws do not find
    enough other rows, further coincidences fill up to the rate at which real rows coincide with
    each other; beyond that fewer rows come back.
    """
    if policy == "allow":
        rows = sampler.sample(n, seed=seed, where=where)
        return Drawn(Table(rows.frame, train.schema), n, 0, 0)
    fresh: list[Table] = []
    spare: list[Table] = []
    found = dropped = common = 0
    alike = train.take(np.flatnonzero(matching(train, where)))
    most = math.ceil(n * float((repeats(train, alike) >= RARE).mean())) if len(alike) else 0
    for attempt in range(ROUNDS):
        # Beyond the first draw some surplus, so that a copy-prone model needs few rounds.
        wanted = n if attempt == 0 else max(64, 2 * (n - found))
        rows = sampler.sample(wanted, seed=derive(seed, f"round {attempt}"), where=where)
        rows = Table(rows.frame, train.schema)  # a private model has a schema of its own
        held = repeats(train, rows)
        shared = np.flatnonzero(held >= RARE)[: most - common]
        common += len(shared)
        copied = held > 0
        copied[shared] = False
        fresh.append(rows.take(~copied))
        spare.append(rows.take(copied))
        dropped += int(copied.sum())
        found += len(fresh[-1])
        if found >= n or len(rows) == 0:
            break
    kept = 0
    if found < n:
        allowed = int(coincidence_rate(train, derive(seed, "halves")) * n)
        filler = reduce(Table.concat, spare)
        kept = min(allowed, n - found, len(filler))
        fresh.append(filler.take(np.arange(kept)))
    whole = join(fresh, derive(seed, "keys"))
    rows = whole.take(np.arange(min(n, len(whole))))
    return Drawn(rows, n, dropped - kept, int(copies(train, rows).sum()))
