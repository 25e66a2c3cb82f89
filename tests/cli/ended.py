"""How a command of the ``cli`` fixture ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """Exit code and both streams."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ended]
