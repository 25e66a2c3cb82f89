"""Names in messages: one line, a few of many."""

from __future__ import annotations

from synthgen.data.quoting import shown, some


def test_what_is_not_printable_is_escaped() -> None:
    assert shown("a\nb\x1b[31m\u202e\udcff é") == "a\\nb\\x1b[31m\\u202e\\udcff é"


def test_three_are_named_and_the_rest_is_counted() -> None:
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d\n", "e"]) == "a, b, c and 2 more"
