"""Mode-specific normalisation (Xu et al. 2019, arXiv 1907.00503, section 4.2).

A variational Gaussian mixture of at most ten modes is fitted to the column; a value is the mode
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

MODES = 10
"""The mixture's components before the light ones are dropped (section 4.2)."""
LIGHT = 0.005
"""Modes of at most this weight are dropped, as the authors' code does."""
FITTED_ROWS = 10_000
"""The mixture sees at most so many values."""
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
        n = len(values)
        kept = values[_evenly(n)]
        weights, means, stds = _mixture((kept - centre) / spread, n, unit * spread, seed)
        return cls(
            unit=unit,
            weights=tuple(weights.tolist()),
            means=tuple((centre + spread * means).tolist()),
            stds=tuple((spread * stds).tolist()),
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


def _evenly(n: int) -> NDArray[np.int64]:
    """At most :data:`FITTED_ROWS` evenly spaced ranks among ``n`` sorted values."""
    m = min(n, FITTED_ROWS)
    return ((np.arange(m) + 0.5) / (m / n)).astype(np.int64)


def _mixture(
    kept: NDArray[np.float64], n: int, scale: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Weights, means and standard deviations of the modes of ``n`` standardised values.

    Many of them are represented by those ``kept`` (evenly spaced order statistics), and the priors
    are scaled down in proportion: then the posterior is that of all (each one counts for several).
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import BayesianGaussianMixture

    share = len(kept) / n
    mixture = BayesianGaussianMixture(
        n_components=min(MODES, len(np.unique(kept))),
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=0.001 * share,
        mean_precision_prior=share,
        degrees_of_freedom_prior=share,
        covariance_prior=np.array([[share]]),  # the values' variance is 1
        # The reference adds 1e-6 to the variance in the column's own units; where these are
        # large that is kept, so that a spike stays narrow, and where small it must not drown all.
        reg_covar=1e-6 * max(1.0 / max(scale, 1.0), 1e-6) ** 2,
        random_state=seed,
    )
    # One thread: with several, sums and therefore bytes would depend on the machine.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(kept[:, None])
    heavy = mixture.weights_ > LIGHT
    weights = mixture.weights_[heavy]
    stds = np.sqrt(mixture.covariances_[heavy, 0, 0])
    return weights / weights.sum(), mixture.means_[heavy, 0], stds
