"""The container: what it holds to, parts of it, and two in one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synthgen.data.images.images import Images
from tests.data.images.made import pixels, same


def some(**changes: Any) -> Images:
    fields: dict[str, Any] = {
        "pixels": pixels(0, (3, 1, 4, 5)),
        "labels": np.array([0, 2, 0]),
        "classes": ("a", "b", "c"),
        "names": ("x.png", "y.png", "z.png"),
    }
    return Images(**fields | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"pixels": np.zeros((3, 1, 4, 5))},
        {"pixels": pixels(0, (3, 2, 4, 5))},
        {"pixels": pixels(0, (3, 4, 5))},
        {"pixels": pixels(0, (2, 1, 4, 5))},
        {"labels": np.array([0, 3, 0])},
        {"labels": np.array([0, -1, 0])},
        {"classes": ("b", "a", "c")},
        {"classes": ("a", "a", "c")},
        {"names": ("x.png", "x.png", "z.png")},
        {"groups": np.array([1, 2])},
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        some(**changes)


def test_counts_with_an_empty_class() -> None:
    assert some().counts().tolist() == [2, 0, 1]
    assert len(some()) == 3


def test_take() -> None:
    images = some(groups=np.array([7, 8, 9]))
    part = images.take(np.array([2, 0]))
    assert part.names == ("z.png", "x.png")
    assert part.groups is not None
    assert part.groups.tolist() == [9, 7]
    same(part, images.take(np.array([2, 0])))
    same(images.take(np.array([True, False, True])), images.take(np.array([0, 2])))
    assert images.take(np.array([1, 1, 1])).names == ("y.png", "y-2.png", "y-3.png")
    assert len(images.take(np.zeros(0, dtype=np.int64))) == 0


def test_concat_joins_classes_by_name() -> None:
    other = some(classes=("a", "c", "d"), labels=np.array([1, 1, 2]), names=("x.png", "q", "r"))
    both = some().concat(other)
    assert both.classes == ("a", "b", "c", "d")
    assert [both.classes[i] for i in both.labels] == ["a", "c", "a", "c", "c", "d"]
    assert both.names == ("x.png", "y.png", "z.png", "x-2.png", "q", "r")
    assert both.groups is None
    np.testing.assert_array_equal(both.pixels[3:], other.pixels)


def test_concat_keeps_groups_apart() -> None:
    both = some(groups=np.array([5, 5, 9])).concat(some())
    assert both.groups is not None
    assert both.groups.tolist() == [0, 0, 1, 2, 3, 4]


def test_numbers_are_sorted_by_size() -> None:
    assert some(classes=(2, 10, 11)).classes == (2, 10, 11)
    with pytest.raises(ValueError, match="sorted"):
        some(classes=(10, 11, 2))


def test_images_of_other_size_do_not_join() -> None:
    with pytest.raises(ValueError, match="size"):
        some().concat(some(pixels=pixels(0, (3, 1, 5, 5))))


def test_images_are_shown_in_a_line() -> None:
    """Not with all their pixels, as a dataclass would be."""
    many = Images(
        pixels=np.zeros((2, 3, 8, 9), dtype=np.uint8),
        labels=np.array([0, 1]),
        classes=("a", "b"),
        names=("1.png", "2.png"),
    )
    assert repr(many) == "<2 RGB images of 9 x 8 pixels, 2 classes>"
