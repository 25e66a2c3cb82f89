"""Which synthetic images to keep: those a classifier of the real ones is surest about, within each
class, as the ``teacher`` of :mod:`synthgen.benchmark.filters`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def surest(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], wanted: int
) -> NDArray[np.int64]:
    """Positions of about ``wanted`` images, ascending: of each class the same share, those with the
    highest ``probabilities`` (n, classes) of the class that they were made for (``labels``, (n,)).
    Of equals the first."""
    own = probabilities[np.arange(len(labels)), labels]
    kept = [np.empty(0, dtype=np.int64)]
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = min(len(members), round(wanted / len(labels) * len(members)))
        kept.append(members[np.argsort(-own[members], kind="stable")[:count]])
    return np.sort(np.concatenate(kept))
