"""Warnings about draws that fell short, as notices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from synthgen.errors import ShortfallWarning


@contextmanager
def shortfalls(notices: list[str]) -> Iterator[None]:
    """Turn shortfall warnings into notices."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ShortfallWarning)
        yield
    for warning in caught:
        if issubclass(warning.category, ShortfallWarning):
            notices.append(str(warning.message))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
