"""The placebo: training rows drawn again.

What an arm gains by mere repetition of rows it gains without any generator, so this is the
control that every generator has to beat (a bootstrap draw, Efron 1979).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from synthgen.data.table import Columnar, Table
from synthgen.generators.base import Generator, Where
from synthgen.generators.conditions import matching, warn_shortfall
from synthgen.generators.rows import Rows, protect
from synthgen.training.context import Context


class Resample(Generator):
    """Draws training rows with replacement, each with the same chance; ``where`` draws among
    those that match. Nothing is added to a row: there is no jitter and there are no options.

    The rows come back as they may be shared (numbers within the protected bounds, rare
    categories replaced), but they *are* training rows, in the output and in the saved model.
    """

    name: Literal["resample"] = "resample"

    def fit(self, train: Columnar, context: Context) -> ResampleSampler:
        """Keep the rows."""
        return ResampleSampler(protect(train, context.seed))

    def load(self, path: Path) -> ResampleSampler:
        """Read what :meth:`ResampleSampler.save` wrote."""
        _, rows, _ = Rows.load(path, Resample)
        return ResampleSampler(rows)


@dataclass(frozen=True)
class ResampleSampler:
    """The training rows."""

    rows: Rows

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """As :meth:`synthgen.generators.base.Sampler.sample`; none come back if no row matches."""
        candidates = np.flatnonzero(matching(self.rows, where))
        if where and n > 0 and len(candidates) == 0:
            warn_shortfall(0, n, where, "no training row meets the conditions")
            n = 0
        rng = np.random.default_rng(seed)
        return self.rows.take(rng.choice(candidates, n) if n else candidates[:0]).table(seed)

    def save(self, path: Path) -> None:
        """Write ``model.safetensors`` and ``model.json``."""
        self.rows.save(path, Resample())
