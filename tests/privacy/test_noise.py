"""The noise has the distribution that it is paid for, and does not come twice."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from synthgen.privacy.noise import (
    Noise,
    SeededNoise,
    SystemNoise,
    chosen,
    noisy_counts,
    normal,
    summed_normal,
)

SOURCES = [SystemNoise(), SeededNoise(5)]


def least(noise: Noise) -> float:
    """The p-value that is asked for. What has no seed must not fail once in some thousand runs."""
    return 1e-4 if isinstance(noise, SeededNoise) else 1e-7


@pytest.mark.parametrize("noise", SOURCES)
def test_uniform_numbers_are_uniform_and_never_an_end(noise: Noise) -> None:
    draws = noise.uniform(50_000)
    assert 0 < draws.min() < draws.max() < 1
    assert kstest(draws, "uniform").pvalue > least(noise)


@pytest.mark.parametrize("draw", [normal, summed_normal])
@pytest.mark.parametrize("noise", SOURCES)
def test_normal_numbers_have_the_stated_deviation(noise: Noise, draw: object) -> None:
    draws = draw(noise, 49_999, 3.0)  # type: ignore[operator]
    assert draws.shape == (49_999,)
    assert kstest(draws / 3.0, "norm").pvalue > least(noise)
    # A fifth of a percent: six standard errors of the deviation are 1.9 %.
    assert draws.std() == pytest.approx(3.0, rel=0.019)


def test_counts_stay_whole_and_get_the_noise() -> None:
    counts = np.full(20_000, 100)
    noisy = noisy_counts(counts, 7.0, SystemNoise())
    assert noisy.dtype == np.int64
    assert noisy.mean() == pytest.approx(100, abs=0.35)
    assert noisy.std() == pytest.approx(np.sqrt(49 + 1 / 12), rel=0.03)


def test_a_poisson_sample_takes_each_row_on_its_own() -> None:
    sizes = [len(chosen(SystemNoise(), 1000, 0.2)) for _ in range(400)]
    assert np.mean(sizes) == pytest.approx(200, abs=4)
    # Of a fixed size they would not vary at all: np(1 - p) is the binomial variance.
    assert np.var(sizes) == pytest.approx(160, rel=0.4)
    assert len(chosen(SystemNoise(), 50, 1.0)) == 50


def test_system_noise_never_repeats_and_seeded_noise_always_does() -> None:
    system, seeded = SystemNoise(), SeededNoise(3)
    assert not np.array_equal(system.at(4).uniform(5), system.at(4).uniform(5))
    assert np.array_equal(seeded.at(4).uniform(5), seeded.at(4).uniform(5))
    assert not np.array_equal(seeded.at(4).uniform(5), seeded.at(5).uniform(5))
    assert not np.array_equal(SeededNoise(2).at(4).uniform(5), seeded.at(4).uniform(5))
