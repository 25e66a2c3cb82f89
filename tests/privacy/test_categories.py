"""A value of few rows is not released, a frequent one is, and the counts have the noise."""

from __future__ import annotations

import numpy as np
import pytest

from synthgen.data.schema import RARE
from synthgen.privacy.categories import private_values, public_values, threshold
from synthgen.privacy.noise import SeededNoise


def counted(*counts: int) -> np.ndarray:
    """Codes with these counts; -1, missing, comes last."""
    return np.repeat([*range(len(counts) - 1), -1], counts)


def test_one_row_makes_a_value_appear_with_at_most_delta() -> None:
    """The worst case is a value of exactly as many rows as could be released: without one of them
    it is never released."""
    delta, std, runs = 0.02, 8.0, 20_000
    codes = counted(1000, RARE, RARE - 1, 0)
    shown = np.zeros(3)
    for run in range(runs):
        found = private_values(codes, 3, std, delta, SeededNoise(run))
        shown[found.positions] += 1
    shares = shown / runs
    assert shares[0] == 1
    # Four standard errors above.
    assert delta / 3 < shares[1] <= delta + 4 * np.sqrt(delta / runs)
    assert shares[2] == 0


def test_a_single_row_is_never_released_however_small_the_noise() -> None:
    for std in (1e-3, 1.0, 100.0):
        found = private_values(counted(500, 1, 0), 2, std, 1e-6, SeededNoise(1))
        assert 1 not in found.positions


def test_released_values_have_their_counts_and_the_rest_is_one_group() -> None:
    found = private_values(counted(300, 900, 3, 200), 3, 0.01, 1e-6, SeededNoise(1))
    assert found.positions.tolist() == [0, 1]
    assert found.counts.tolist() == [300, 900]
    assert found.missing == 200
    assert found.others == 0  # three rows cannot be told from none
    many = private_values(counted(300, 4, 4, 4, 4, 0), 5, 0.01, 1e-6, SeededNoise(1))
    assert (many.others, many.missing) == (16, 0)


def test_where_noise_drowns_all_nothing_is_released() -> None:
    assert len(private_values(counted(50, 60, 0), 2, 500.0, 1e-6, SeededNoise(1)).positions) == 0


def test_public_values_are_all_there() -> None:
    found = public_values(counted(0, 40, 0), 2, 5.0, SeededNoise(1))
    assert found.positions.tolist() == [0, 1]
    assert found.counts[0] >= 1
    assert found.missing == 0


@pytest.mark.parametrize("std", [0.1, 3.0, 50.0])
def test_the_threshold_is_above_rare_rows(std: float) -> None:
    assert threshold(std, 1e-7) > RARE + 5 * std
