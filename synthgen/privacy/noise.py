"""The randomness that privacy rests on. It has to stay secret.

A run's seed is published with its results, and whoever knows the seed of noise takes the noise
off again. So it comes from the operating system's cryptographic generator, is kept nowhere, and
never comes twice. :class:`SeededNoise` is for tests.
"""

from __future__ import annotations

import os
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SUMMANDS = 4
"""A released real number gets the sum of so many normal numbers: taking the noise off by the gaps
between floating-point numbers would mean to guess all of them (Holohan and Braghin 2021, arXiv
2107.10138, section 5.1)."""


class Noise(Protocol):
    def at(self, step: int) -> Noise:
        """The noise of a training step, which counts from 1; 0 is what comes before."""
        ...

    def uniform(self, n: int) -> Floats:
        """(n,) numbers in (0, 1)."""
        ...


class SystemNoise:
    """From the operating system."""

    def at(self, step: int) -> Self:
        return self

    def uniform(self, n: int) -> Floats:
        """53 random bits each; the half keeps 0 out."""
        bits = np.frombuffer(os.urandom(8 * n), dtype=np.uint64) >> np.uint64(11)
        draws: Floats = (bits + 0.5) * np.float64(2.0**-53)
        return draws


class SeededNoise:
    """The same again for the same seed and step: it protects nobody."""

    def __init__(self, seed: int, step: int = 0) -> None:
        self._seed = seed
        self._random = np.random.default_rng([seed, step])

    def at(self, step: int) -> SeededNoise:
        return SeededNoise(self._seed, step)

    def uniform(self, n: int) -> Floats:
        draws: Floats = (self._random.integers(2**53, size=n) + 0.5) * np.float64(2.0**-53)
        return draws


def normal(noise: Noise, n: int, std: float) -> Floats:
    """(n,) normal numbers of mean 0, by Box and Muller (1958). Their tails end at 8.6 standard
    deviations, beyond which a normal number lies with probability 1e-17."""
    half = (n + 1) // 2
    draws = noise.uniform(2 * half)
    radius = std * np.sqrt(-2 * np.log(draws[:half]))
    angle = 2 * np.pi * draws[half:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n]


def summed_normal(noise: Noise, n: int, std: float) -> Floats:
    """(n,) normal numbers, each the sum of :data:`SUMMANDS`."""
    parts = normal(noise, SUMMANDS * n, std).reshape(SUMMANDS, n)
    summed: Floats = parts.sum(axis=0) / np.sqrt(SUMMANDS)
    return summed


def noisy_counts(counts: NDArray[np.int64], std: float, noise: Noise) -> NDArray[np.int64]:
    """The Gaussian mechanism on whole numbers. Rounding the noise rounds the released sum, and
    leaves no low bits that could tell what it was made of."""
    return counts + np.rint(normal(noise, len(counts), std)).astype(np.int64)


def chosen(noise: Noise, n: int, rate: float) -> NDArray[np.int64]:
    """Positions of a Poisson sample: each of ``n`` rows on its own with probability ``rate``."""
    return np.flatnonzero(noise.uniform(n) < rate)
