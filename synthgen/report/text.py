"""Text from outside made fit to be shown: nothing in it moves the cursor or rearranges the page."""

from __future__ import annotations

import re
import unicodedata

_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's explicit direction overrides, embeddings and isolates."""
_MARKUP = re.compile(r"([\\`*_\[\]<>&|~$]|:(?=//))")
_LEADING = re.compile(r"^(\d*)([-+=#.)])(?=[-=+#]*(?:\s|$))")
"""What makes a list, a heading or a rule of a line."""


def visible(text: str) -> str:
    """Control and direction marks written out as escapes; line breaks and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"\\u{ord(c):04x}" if _hidden(c) else c for c in text)


def one_line(text: str) -> str:
    """The same, with every run of white space as one space."""
    return visible(" ".join(text.split()))


def markdown(text: str) -> str:
    """One line that Markdown shows as it is, within a heading, a paragraph or a table cell."""
    return _MARKUP.sub(r"\\\1", one_line(text))


def paragraph(text: str) -> str:
    """The same where a paragraph or a list's item begins."""
    return _LEADING.sub(r"\1\\\2", markdown(text))


def width(text: str) -> int:
    """In narrow characters; East Asian wide ones and emoji count double, combining ones nothing."""
    return sum(map(_width, text))


def truncated(text: str, most: int) -> str:
    """At most ``most`` narrow characters wide, an ellipsis in place of the rest."""
    used = 0
    for position, character in enumerate(text):
        used += _width(character)
        if used > most:
            return text[: max(0, position - 1)].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return text


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _hidden(character: str) -> bool:
    if character in "\n\t":
        return False
    return unicodedata.category(character) == "Cc" or character in _TURNS
