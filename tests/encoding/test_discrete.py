"""The codes of discrete columns."""

from __future__ import annotations

import numpy as np
import pytest

from synthgen.data.schema import Categorical
from synthgen.data.values import MISSING, UNLISTED
from synthgen.encoding.discrete import Categories


def fit(codes: list[int], listed: int, *, missing: bool = False) -> Categories:
    values = tuple("abcdefgh"[:listed])
    column = Categorical(name="x", dtype="object", missing=missing, values=values)
    return Categories.fit(np.array(codes, dtype=np.int64), column)


def encode(categories: Categories, codes: list[int]) -> list[int]:
    encoded = categories.encode(np.array(codes, dtype=np.int64))
    return [int(code) for code in encoded]


def decode(categories: Categories, codes: list[int], seed: int = 0) -> list[int]:
    decoded = categories.decode(np.array(codes, dtype=np.int16), np.random.default_rng(seed))
    return [int(code) for code in decoded]


@pytest.mark.parametrize(
    ("missing", "rare", "size"),
    [(False, False, 3), (True, False, 4), (False, True, 4), (True, True, 5)],
)
def test_codes_are_the_values_then_missing_then_rare(missing: bool, rare: bool, size: int) -> None:
    training = [0, 0, 1, 2] + [MISSING] * missing + [UNLISTED] * rare
    categories = fit(training, 3, missing=missing)
    assert categories.size == size
    assert categories.counts == (2, 1, 1)
    expected = [0, 0, 1, 2] + [3] * missing + [3 + missing] * rare
    assert encode(categories, training) == expected
    present = [code for code in training if code != UNLISTED]
    assert decode(categories, expected)[: len(present)] == present


def test_rare_values_are_replaced_by_listed_ones_in_proportion() -> None:
    categories = fit([0] * 70 + [1] * 30 + [UNLISTED] * 4, 3)
    drawn = decode(categories, [3] * 10_000)
    shares = np.bincount(drawn, minlength=3) / 10_000
    np.testing.assert_allclose(shares, [0.7, 0.3, 0], atol=0.025)
    assert drawn == decode(categories, [3] * 10_000)
    assert drawn != decode(categories, [3] * 10_000, seed=1)


def test_where_nothing_is_listed_rare_values_become_missing() -> None:
    categories = fit([UNLISTED] * 9, 0)
    assert categories.size == 1
    assert decode(categories, encode(categories, [UNLISTED, UNLISTED])) == [MISSING, MISSING]


def test_a_resample_without_listed_values_still_decodes() -> None:
    categories = fit([UNLISTED] * 9, 2)
    assert categories.size == 3
    assert set(decode(categories, [2] * 100)) == {0, 1}


def test_what_training_never_showed_becomes_the_most_frequent_value() -> None:
    categories = fit([0, 1, 1, 2], 3)
    assert encode(categories, [MISSING, UNLISTED, 2]) == [1, 1, 2]


def test_there_is_always_a_code() -> None:
    assert fit([], 0).size == 1
    assert fit([MISSING], 0, missing=True).size == 1
