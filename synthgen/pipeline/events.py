"""What a running pipeline tells whoever watches it: the command line, a flow, a notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """``done`` of ``total`` units of a stage (jobs, steps, rows); equal when it has finished.

    A ``notice`` is a sentence for the user; it never holds a cell of the data.
    """

    stage: str
    done: int = 0
    total: int = 0
    notice: str | None = None


Notify = Callable[[Event], None]


def unheard(event: Event) -> None:
    """For callers that watch nothing."""


def spoken(stage: str, notify: Notify) -> Callable[[str], None]:
    """For parts that have nothing but sentences to tell."""
    return lambda sentence: notify(Event(stage, notice=sentence))
