from __future__ import annotations

from collections.abc import Iterator

import pytest

from synthgen.metrics.images import scores


@pytest.fixture(scope="module", autouse=True)
def quick_features() -> Iterator[None]:
    """Features of a classifier that was hardly trained: how good they are is not tested here."""
    steps, scores.STEPS = scores.STEPS, 5
    yield
    scores.STEPS = steps
