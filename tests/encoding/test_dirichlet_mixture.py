"""The mixture on groups of values, against scikit-learn's on the values."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture

from synthgen.encoding.dirichlet_mixture import (
    CONCENTRATION,
    GROUPS,
    ITERATIONS,
    TOLERANCE,
    Groups,
    Mixture,
    fit_mixture,
)

FLOOR = 1e-6
SAMPLES = {
    "normals": lambda rng: np.r_[rng.normal(-2, 0.3, 900), rng.normal(1, 1, 1_100)],
    "skewed": lambda rng: rng.lognormal(size=2_000),
    "spike": lambda rng: np.r_[np.zeros(1_500), rng.normal(3, 1, 500)],
    "few values": lambda rng: rng.integers(0, 12, 3_000).astype(float) ** 2,
}


def standardised(name: str, seed: int = 0) -> NDArray[np.float64]:
    values = np.sort(SAMPLES[name](np.random.default_rng(seed)))
    return (values - values.mean()) / values.std()


class FromLabels(BayesianGaussianMixture):
    """Begins with these labels of the values instead of those of k-means."""

    labels: NDArray[np.int64]

    def _initialize_parameters(self, X: Any, random_state: Any, xp: Any = None) -> None:
        self._initialize(X, np.eye(self.n_components)[self.labels])


def reference(values: NDArray[np.float64], labels: NDArray[np.int64], modes: int) -> Mixture:
    mixture = FromLabels(
        n_components=modes,
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=CONCENTRATION,
        mean_precision_prior=1,
        degrees_of_freedom_prior=1,
        covariance_prior=np.ones((1, 1)),
        reg_covar=FLOOR,
        max_iter=ITERATIONS,
        tol=TOLERANCE * len(values),
    )
    mixture.labels = labels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(values[:, None])
    stds = np.sqrt(mixture.covariances_[:, 0, 0])
    return Mixture(mixture.weights_, mixture.means_[:, 0], stds)


def alike(found: Mixture, wanted: Mixture, rtol: float) -> None:
    np.testing.assert_allclose(found.weights, wanted.weights, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(found.means, wanted.means, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(found.stds, wanted.stds, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("modes", [1, 4, 10])
@pytest.mark.parametrize("name", list(SAMPLES))
def test_grouped_repetitions_give_what_the_values_give(name: str, modes: int) -> None:
    values = standardised(name)
    distinct, where = np.unique(values, return_inverse=True)
    groups = Groups.of(values)
    np.testing.assert_allclose(groups.means, distinct, atol=1e-12)
    assert groups.counts.tolist() == np.bincount(where).tolist()
    np.testing.assert_allclose(groups.variances, 0, atol=1e-25)
    labels = np.random.default_rng(1).integers(0, modes, len(distinct))
    alike(fit_mixture(groups, labels, modes, FLOOR), reference(values, labels[where], modes), 1e-8)


@pytest.mark.parametrize("name", ["normals", "skewed"])
def test_neighbours_in_a_group_change_little(name: str) -> None:
    rng = np.random.default_rng(2)
    values = np.sort(SAMPLES[name](rng)[rng.integers(0, 2_000, 30_000)] + rng.normal(size=30_000))
    values = (values - values.mean()) / values.std()
    groups = Groups.of(values)
    assert len(groups.counts) == GROUPS
    begins = np.r_[0, groups.counts.cumsum()[:-1]].astype(int)
    parts = np.split(values, begins[1:])
    np.testing.assert_allclose(groups.means, [part.mean() for part in parts], atol=1e-12)
    np.testing.assert_allclose(groups.variances, [part.var() for part in parts], atol=1e-12)
    labels = np.digitize(groups.means, [-1, 0, 1])
    expanded = np.repeat(labels, groups.counts.astype(int))
    alike(fit_mixture(groups, labels, 4, FLOOR), reference(values, expanded, 4), 2e-3)


def test_a_group_of_neighbours_never_mixes_more_rows_than_its_share() -> None:
    values = np.arange(100_000.0)
    counts = Groups.of(values).counts
    assert counts.sum() == len(values)
    assert counts.max() - counts.min() <= 1
