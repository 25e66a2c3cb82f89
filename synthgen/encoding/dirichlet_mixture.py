"""A mixture of normal distributions on a line, with a Dirichlet process prior, by variational Bayes
(Blei & Jordan, *Bayesian Analysis* 1, 2006; Bishop, *Pattern Recognition and Machine Learning*,
chapter 10.2).

Values come in groups that share their responsibilities (Kurihara, Welling & Vlassis, *Accelerated
variational Dirichlet process mixtures*, 2006): an iteration costs the same whatever the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, gammaln, logsumexp

Floats = NDArray[np.float64]
GROUPS = 2048
"""Of more distinct values, neighbours share a group."""
ITERATIONS = 100
TOLERANCE = 1e-7
"""The fit ends where the bound on the log-likelihood rises by less than this per value."""
CONCENTRATION = 0.001
"""Of the Dirichlet process: small, so that modes nobody needs become light."""
TINY = 10 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class Groups:
    """Values by the count, mean and variance of each group, (groups,) each; counts are above 0."""

    counts: Floats
    means: Floats
    variances: Floats

    @classmethod
    def of(cls, values: Floats) -> Self:
        """Of sorted values: one group for each distinct value, or :data:`GROUPS` groups of
        neighbours, all of one size."""
        n = len(values)
        begins = np.flatnonzero(np.r_[True, values[1:] > values[:-1]])
        if len(begins) > GROUPS:
            begins = np.arange(GROUPS) * n // GROUPS
        counts = np.diff(np.r_[begins, n])
        means = np.add.reduceat(values, begins) / counts
        squares = (values - np.repeat(means, counts)) ** 2
        return cls(counts.astype(np.float64), means, np.add.reduceat(squares, begins) / counts)


@dataclass(frozen=True)
class Mixture:
    """Expected weights, and means and standard deviations, (modes,) each."""

    weights: Floats
    means: Floats
    stds: Floats


def fit_mixture(groups: Groups, labels: NDArray[np.integer], modes: int, floor: float) -> Mixture:
    """The variational posterior of so many modes, from the ``labels`` (groups,) of a first guess.

    The prior of a mode is worth one value: its mean is that of all values, and its variance 1, for
    which the values ought to be standardised. ``floor`` is added to the variances of the modes.
    """
    counts = groups.counts
    centre = float(np.average(groups.means, weights=counts))
    shares = (labels == np.arange(modes)[:, None]).astype(np.float64)
    posterior = _maximise(shares, groups, centre, floor)
    least = TOLERANCE * counts.sum()
    bound = -np.inf
    for _ in range(ITERATIONS):
        logs = posterior.expected_log_densities(groups)
        logs -= logsumexp(logs, axis=0)
        shares = np.exp(logs)
        posterior = _maximise(shares, groups, centre, floor)
        before, bound = bound, posterior.bound(-float(((shares * logs) @ counts).sum()))
        if abs(bound - before) < least:
            break
    return posterior.mixture()


@dataclass(frozen=True)
class _Posterior:
    """Beta distributions (``a``, ``b``) of the stick-breaking shares, normal-Wishart ones of the
    modes; (modes,) each."""

    a: Floats
    b: Floats
    precision: Floats
    means: Floats
    freedom: Floats
    variances: Floats

    def expected_log_densities(self, groups: Groups) -> Floats:
        """(modes, groups): E[log weight + log density], the mean over the group's values, but for
        a constant."""
        sums = digamma(self.a + self.b)
        rests = (digamma(self.b) - sums).cumsum()
        weights = digamma(self.a) - sums + np.r_[0.0, rests[:-1]]
        scale = digamma(self.freedom / 2) - np.log(self.freedom / 2) - np.log(self.variances)
        offsets = weights + 0.5 * (scale - 1 / self.precision)
        distances = (groups.means - self.means[:, None]) ** 2
        distances += groups.variances
        distances *= (-0.5 / self.variances)[:, None]
        distances += offsets[:, None]
        return distances

    def bound(self, entropy: float) -> float:
        """The evidence's lower bound after a maximisation, but for a constant."""
        v = self.freedom
        wishart = 0.5 * v * (np.log(self.variances) + np.log(v / 2)) - gammaln(v / 2)
        sticks = betaln(self.a, self.b)
        return entropy + float((sticks - wishart - 0.5 * np.log(self.precision)).sum())

    def mixture(self) -> Mixture:
        left = np.r_[1.0, np.cumprod(self.b / (self.a + self.b))[:-1]]
        weights = self.a / (self.a + self.b) * left
        return Mixture(weights / weights.sum(), self.means, np.sqrt(self.variances))


def _maximise(shares: Floats, groups: Groups, centre: float, floor: float) -> _Posterior:
    """The posterior, given which ``shares`` (modes, groups) of each group the modes have."""
    weighted = shares * groups.counts
    n = weighted.sum(1) + TINY
    means = weighted @ groups.means / n
    squares = (groups.means - means[:, None]) ** 2
    squares += groups.variances
    spread = (weighted * squares).sum(1) / n + floor
    after = n[::-1].cumsum()[::-1] - n
    precision = 1 + n
    scatter = 1 + n * spread + n / precision * (means - centre) ** 2
    return _Posterior(
        a=1 + n,
        b=CONCENTRATION + after,
        precision=precision,
        means=(centre + n * means) / precision,
        freedom=1 + n,
        variances=scatter / (1 + n),
    )
