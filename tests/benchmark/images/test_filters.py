from __future__ import annotations

import numpy as np

from synthgen.benchmark.images.filters import surest


def test_of_each_class_the_same_share_of_the_surest_is_kept() -> None:
    own = np.array([0.9, 0.2, 0.8, 0.7, 0.1, 0.3, 0.6, 0.95])
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    probabilities = np.where(labels[:, None] == np.arange(2), own[:, None], 1 - own[:, None])
    assert surest(probabilities, labels, 4).tolist() == [0, 2, 6, 7]
    assert surest(probabilities, labels, 8).tolist() == list(range(8))
    equal = np.full((4, 2), 0.5)
    assert surest(equal, np.array([1, 1, 0, 0]), 2).tolist() == [0, 2]
