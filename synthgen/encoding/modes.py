"""Mode-specific normalisation (Xu et al. 2019, arXiv 1907.00503, section 4.2).

A variational Gaussian mixture of at most ten modes is fitted to the column
(:mod:`~synthgen.encoding.dirichlet_mixture`); a value is the mode
it was drawn from and its place within the mode, ``alpha = (x - mean) / (4 std)``.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from threadpoolctl import threadpool_limits

from synthgen.encoding.dirichlet_mixture import Groups, Mixture, fit_mixture

MODES = 10
"""The mixture's components before the light ones are dropped (section 4.2)."""
LIGHT = 0.005
"""Modes of at most this weight are dropped, as the authors' code does."""
CHUNK = 1 << 13
"""Values that are encoded at once: few enough for the processor's cache."""


class Modes(BaseModel):
    """Codes: the modes, then missing if the column may lack values; its scalar is 0.

    ``means`` and ``stds`` are in multiples of ``unit``, a power of two near the largest
    magnitude: so no square overflows, at 1e300 as at 1e-300.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["modes"] = "modes"
    unit: float
    weights: tuple[float, ...]
    means: tuple[float, ...]
    stds: tuple[float, ...]
    missing: bool

    @classmethod
    def fit(cls, numbers: NDArray[np.float64], *, missing: bool, seed: int) -> Modes:
        """``numbers`` (n,): clipped training values, NaN where missing; ``missing``: whether to
        have a code for missing cells."""
        values = np.sort(numbers[~np.isnan(numbers)])
        peak = float(np.abs(values[[0, -1]]).max()) if len(values) else 0.0
        unit = 2.0 ** min(math.frexp(peak)[1], 1023)
        values /= unit
        centre = float(values.mean()) if len(values) else 0.0
        # Zero for a constant column, up to the rounding of its mean.
        spread = float(values.std()) if len(values) and values[0] < values[-1] else 0.0
        if spread == 0.0:
            return cls(unit=unit, weights=(1.0,), means=(centre,), stds=(1e-6,), missing=missing)
        values -= centre
        values /= spread
        found = _mixture(values, unit * spread, seed)
        return cls(
            unit=unit,
            weights=tuple(found.weights.tolist()),
            means=tuple((centre + spread * found.means).tolist()),
            stds=tuple((spread * found.stds).tolist()),
            missing=missing,
        )

    @property
    def size(self) -> int:
        return len(self.weights) + self.missing

    def encode(
        self, numbers: NDArray[np.float64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The mode is drawn from its posterior probabilities; alpha is clipped to [-0.99, 0.99]."""
        codes = np.empty(len(numbers), dtype=np.int64)
        scalars = np.empty(len(numbers), dtype=np.float32)
        means, stds = np.array(self.means), np.array(self.stds)
        offsets = np.log(self.weights) - np.log(stds)
        middle = float(np.average(means, weights=self.weights))
        for start in range(0, len(numbers), CHUNK):
            values = numbers[start : start + CHUNK] / self.unit
            absent = np.isnan(values)
            values[absent] = middle
            # Each mode's density up to a common factor, of which the largest is exactly 1.
            # (modes, values): sums over a short last axis would take most of the time.
            scores = offsets[:, None] - 0.5 * ((values - means[:, None]) / stds[:, None]) ** 2
            scores -= scores.max(axis=0)
            steps = np.exp(scores).cumsum(axis=0)
            draws = rng.random(len(values)) * steps[-1]
            picked = (steps[:-1] <= draws).sum(axis=0)
            alpha = np.clip((values - means[picked]) / (4 * stds[picked]), -0.99, 0.99)
            if self.missing:
                picked[absent] = len(means)
                alpha[absent] = 0.0
            codes[start : start + CHUNK] = picked
            scalars[start : start + CHUNK] = alpha
        return codes, scalars

    def decode(self, codes: NDArray[Any], scalars: NDArray[Any]) -> NDArray[np.float64]:
        alpha = np.clip(scalars.astype(np.float64), -1.0, 1.0)
        means, stds = np.array([*self.means, np.nan]), np.array([*self.stds, np.nan])
        # The largest double times two: beyond it there is nothing to return but the bound.
        with np.errstate(over="ignore"):
            numbers: NDArray[np.float64] = (means[codes] + 4 * stds[codes] * alpha) * self.unit
        return numbers


def _mixture(values: NDArray[np.float64], scale: float, seed: int) -> Mixture:
    """The modes of sorted, standardised values, whose standard deviation was ``scale``."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    groups = Groups.of(values)
    modes = min(MODES, len(groups.means))
    # One thread: with several, sums and therefore bytes would depend on the machine.
    with threadpool_limits(1), warnings.catch_warnings():
        # Values that differ by rounding errors share a cluster.
        warnings.simplefilter("ignore", ConvergenceWarning)
        guess = KMeans(modes, n_init=1, random_state=seed)
        guess.fit(groups.means[:, None], sample_weight=groups.counts)
        # The reference adds 1e-6 to the variance in the column's own units; where these are
        # large that is kept, so that a spike stays narrow, and where small it must not drown all.
        floor = 1e-6 * max(1.0 / max(scale, 1.0), 1e-6) ** 2
        found = fit_mixture(groups, guess.labels_, modes, floor)
    heavy = found.weights > LIGHT
    weights = found.weights[heavy]
    return Mixture(weights / weights.sum(), found.means[heavy], found.stds[heavy])
