"""Splits by class, with groups kept whole, and what cannot be split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.data.images.checks import check_images
from synthgen.data.images.images import Images
from synthgen.data.images.split import split_images
from synthgen.errors import ConfigError
from tests.data.images.made import refusal

quick = settings(deadline=None, max_examples=60, derandomize=True)


def images(labels: list[int], groups: list[int] | None = None, classes: int = 0) -> Images:
    n = len(labels)
    return Images(
        pixels=np.zeros((n, 1, 2, 2), dtype=np.uint8),
        labels=np.array(labels, dtype=np.int64),
        classes=tuple(range(classes or max(labels) + 1)),
        names=tuple(f"{i}.png" for i in range(n)),
        groups=None if groups is None else np.array(groups, dtype=np.int64),
    )


def test_classes_have_their_share() -> None:
    given = images([0] * 500 + [1] * 50 + [2] * 10)
    train, test = split_images(given, 0.2, 7)
    assert np.bincount(given.labels[test]).tolist() == [100, 10, 2]
    assert sorted([*train, *test]) == list(range(560))
    assert (np.diff(test) > 0).all()
    again = split_images(given, 0.2, 7)
    np.testing.assert_array_equal(again[1], test)
    assert split_images(given, 0.2, 8)[1].tolist() != test.tolist()


def test_equal_images_are_not_looked_for() -> None:
    # near_duplicates does that; the pixels here are all the same.
    assert len(split_images(images([0, 1] * 50), 0.5, 0)[1]) == 50


@pytest.mark.parametrize("given", [True, False])
def test_groups_stay_whole(given: bool) -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 80, 600)
    labels = (groups % 3).tolist()
    made = images(labels, None if given else groups.tolist())
    train, test = split_images(made, 0.25, 3, groups if given else None)
    assert not set(groups[train]) & set(groups[test])
    assert abs(len(test) / 600 - 0.25) < 0.05
    assert set(made.labels[test]) == set(made.labels[train]) == {0, 1, 2}


@quick
@given(st.data())
def test_every_class_is_on_both_sides(data: st.DataObject) -> None:
    labels: list[int] = []
    groups: list[int] = []
    for label in range(data.draw(st.integers(2, 4))):
        for size in data.draw(st.lists(st.integers(1, 5), min_size=2, max_size=6)):
            labels += [label] * size
            groups += [len(set(groups))] * size
    made = images(labels, groups)
    share = data.draw(st.sampled_from([0.05, 0.2, 0.5, 0.9]))
    train, test = split_images(made, share, data.draw(st.integers(0, 99)))
    assert set(made.labels[train]) == set(made.labels[test]) == set(labels)
    assert not set(made.groups[train]) & set(made.groups[test])  # type: ignore[index]


def test_a_class_of_one_group() -> None:
    error = refusal(lambda: split_images(images([0, 0, 1, 1], [0, 1, 2, 2]), 0.5, 0))
    assert "rows of one group" in error.cause


def test_what_cannot_be_learned_and_tested() -> None:
    assert "1 class:" in refusal(lambda: check_images(images([0, 0]))).cause
    error = refusal(lambda: check_images(images([0, 0, 1, 2, 2])))
    assert "1 of 3 classes have one image only: 2.png" in error.cause
    assert "two images or more" in error.remedy
    error = refusal(lambda: split_images(images([0, 0, 1, 1], classes=3), 0.5, 0))
    assert "1 of 3 classes have no image: 2" in error.cause
    check_images(images([0, 0, 1, 1]))


@pytest.mark.parametrize("share", [0, 1, -1, 2])
def test_shares(share: float) -> None:
    refusal(lambda: split_images(images([0, 0, 1, 1]), share, 0), ConfigError)
