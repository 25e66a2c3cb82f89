"""Duplicated training images: what random oversampling and the placebo add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synthgen.data.images.images import Class, Images
from synthgen.training.context import Context


@dataclass(frozen=True)
class DuplicateSampler:
    """The training images."""

    train: Images

    def sample(self, n: int, *, seed: int, where: Mapping[str, Class] | None = None) -> Images:
        """``n`` of them, drawn with replacement; of the class ``where["label"]``, if given, which
        has at least one."""
        rows = np.arange(len(self.train))
        if where:
            rows = np.flatnonzero(self.train.labels == self.train.classes.index(where["label"]))
        drawn = np.random.default_rng(seed).choice(rows, n) if n else rows[:0]
        return self.train.take(drawn)


class Duplicates:
    """A generator that learns nothing."""

    def fit(self, train: Images, context: Context) -> DuplicateSampler:
        """Keep the images."""
        return DuplicateSampler(train)
