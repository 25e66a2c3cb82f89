"""Names: without tricks, different on any disk."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.data.images.names import clean, points_outside, unique, written_names

quick = settings(deadline=None, max_examples=100, derandomize=True)
anything = st.text(
    st.characters() | st.sampled_from("/\\.:\0\n aAéÉ\udcff"), max_size=12
) | st.sampled_from(
    ["../x", "C:\\x", "/etc/passwd", "con.png", ".png", "a/..", "Thumbs.db", "É/e\u0301.png"]
)


@pytest.mark.parametrize(
    "name", ["../x", "/x", "\\x", "C:\\x", "c:x", "a/../../x", "a\\..\\x", "", "//server/x"]
)
def test_names_that_leave(name: str) -> None:
    assert points_outside(name)
    assert not points_outside(clean(name) or "x")


@quick
@given(anything)
def test_clean(name: str) -> None:
    cleaned = clean(name)
    assert not cleaned.startswith("/")
    assert not {"", ".", ".."} & set(cleaned.split("/")) or not cleaned
    cleaned.encode()


def test_unique() -> None:
    assert unique(["a.png", "a.png", "a-2.png", "a.png"]) == (
        "a.png",
        "a-3.png",
        "a-2.png",
        "a-4.png",
    )
    assert unique(["A.png", "a.png"]) == ("A.png", "a.png")
    assert unique(["A.png", "a.png"], fold=True) == ("A.png", "a-2.png")
    assert unique(["é", "e\u0301"], fold=True) == ("é", "e\u0301-2")


@quick
@given(st.lists(anything, max_size=6))
def test_written_names(names: list[str]) -> None:
    written = written_names(names)
    assert len({name.casefold() for name in written}) == len(names)
    assert all(name.lower().endswith(".png") for name in written)
    assert all(not points_outside(name) and clean(name) == name for name in written)
    assert all(not part.startswith(".") for name in written for part in name.split("/"))
    assert written_names(written) == written


def test_plain_names_are_written_as_they_are() -> None:
    plain = ("cat/0001.png", "Zoë/ü 1.PNG", "a.b/c.d.png")
    assert written_names(plain) == plain
    assert written_names(["a.png", "a.png/b.png"]) == ("a.png", "a.png_/b.png")
    assert written_names(["a.jpg", "a.png", "a", "x" * 300 + ".png"]) == (
        "a.png",
        "a-2.png",
        "a-3.png",
        "x" * 200 + ".png",
    )
