"""Names of columns, classes and files as messages hold them."""

from __future__ import annotations

from collections.abc import Sequence


def shown(name: str) -> str:
    """The name as a message may hold it: one line, all that is not printable escaped."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name
    )


def some(names: Sequence[str], at_most: int = 3) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(map(shown, names[:at_most])) + more
