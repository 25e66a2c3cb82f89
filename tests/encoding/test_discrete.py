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


# ---- more values than codes -------------------------------------------------------------------


def crowd(counts: list[int], most: int, *, missing: bool = False) -> Categories:
    """Fitted to so many rows of each value, with at most so many codes."""
    codes = np.repeat(np.arange(len(counts)), counts)
    values = tuple(f"v{i}" for i in range(len(counts)))
    column = Categorical(name="x", dtype="object", missing=missing, values=values)
    return Categories.fit(codes, column, most)


def test_few_values_have_a_code_each_whatever_the_limit() -> None:
    assert crowd([3, 9, 5], 3) == crowd([3, 9, 5], 10)
    assert crowd([3, 9, 5], 3).codes is None


def test_the_most_frequent_values_keep_a_code_of_their_own() -> None:
    counts = [5, 50, 6, 40, 7, 30, 8, 9]
    categories = crowd(counts, 5, missing=True)
    codes = [categories.code_of(position) for position in range(8)]
    assert [codes[1], codes[3], codes[5]] == [0, 1, 2]
    assert {codes[i] for i in (0, 2, 4, 6, 7)} == {3, 4}
    assert categories.size == 6
    assert encode(categories, [1, 5, MISSING, UNLISTED]) == [0, 2, 5, 0]


@pytest.mark.parametrize("values", [1001, 1500, 40_000])
def test_groups_are_balanced(values: int) -> None:
    rng = np.random.default_rng(values)
    counts = rng.zipf(1.3, values).clip(5, 10_000)
    categories = crowd(counts.tolist(), 1000)
    shared = categories._shared
    rows = np.bincount(shared, weights=counts, minlength=1000)
    assert categories.size == 1000
    assert (rows > 0).all()
    own = np.argsort(-counts, kind="stable")[:500]
    assert (np.bincount(shared)[shared[own]] == 1).all()
    grouped = np.delete(counts, own)
    assert np.ptp(rows[500:]) <= grouped.max()


def test_members_are_drawn_by_their_training_frequency() -> None:
    counts = [900, 700, 40, 30, 20, 10, 0]
    categories = crowd(counts, 3)
    assert [categories.code_of(position) for position in range(7)] == [0, 1, 2, 2, 2, 2, 2]
    drawn = np.bincount(decode(categories, [2] * 20_000), minlength=7) / 20_000
    assert drawn[[0, 1, 6]].sum() == 0
    assert drawn[2:6] == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.015)
    assert decode(categories, [0, 1] * 5) == [0, 1] * 5


def test_a_wanted_member_replaces_its_group_and_nothing_else() -> None:
    counts = [900, 700, 40, 30, 20, 10, 0]
    categories = crowd(counts, 3, missing=True)
    codes = [0, 2, 3, 1, 2, 2]
    free = decode(categories, codes)
    fixed = categories.decode(np.array(codes), np.random.default_rng(0), 5).tolist()
    assert fixed == [0, 5, MISSING, 1, 5, 5]
    assert [free[i] for i in (0, 2, 3)] == [0, MISSING, 1]
    # What no training row showed is not made by asking for it.
    assert categories.decode(np.array(codes), np.random.default_rng(0), 6).tolist() == free


def test_a_group_that_a_resample_lacks_can_be_decoded() -> None:
    categories = crowd([9, 8, 0, 0, 0, 0], 4)
    drawn = decode(categories, [2, 3] * 50)
    assert set(drawn) == {2, 3, 4, 5}


def test_shared_codes_survive_json() -> None:
    categories = crowd(list(range(5, 40)), 10)
    again = Categories.model_validate_json(categories.model_dump_json())
    assert again == categories
    codes = [*range(10)] * 9
    assert decode(again, codes) == decode(categories, codes)
