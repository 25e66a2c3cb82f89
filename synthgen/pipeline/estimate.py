"""An estimate of what a run would cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

PROCESS_BYTES = 600e6
"""Resident memory of one worker process with torch and scikit-learn loaded."""


@dataclass(frozen=True)
class Forecast:
    """``seconds`` of wall clock and ``memory`` in bytes are estimates; all else is exact."""

    columns: list[tuple[str, str, str]]
    train_rows: int
    test_rows: int
    jobs: int
    workers: int
    seconds: float
    memory: float
    notices: list[str]
    unit: str = "row"
    """What the numbers count."""

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)
