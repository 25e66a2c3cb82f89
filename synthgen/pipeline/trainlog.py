"""The training log of a fit that may be killed and resumed: one record per logged step."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from synthgen.pipeline.events import Event, Notify


class TrainLog:
    """Appends records to a draft; a resumed fit logs some steps again, and the last one counts."""

    def __init__(self, draft: Path, notify: Notify) -> None:
        self._draft = draft
        self._notify = notify
        if draft.is_file():
            # A kill can cut the last line short; the next record must not be glued to it.
            whole = draft.read_bytes().rpartition(b"\n")
            draft.write_bytes(whole[0] + whole[1])

    def __call__(self, record: dict[str, float]) -> None:
        # JSON has no NaN: a loss that is not finite is null.
        finite = {name: value if math.isfinite(value) else None for name, value in record.items()}
        with self._draft.open("a", encoding="utf-8") as file:
            file.write(json.dumps(finite) + "\n")
        self._notify(Event("fit", int(record["step"]), int(record.get("steps", 0))))

    def commit(self, target: Path) -> None:
        """Write one record per step, in their order; what was logged last of a quantity counts."""
        steps: dict[float, dict[str, Any]] = {}
        for record in read(self._draft):
            steps.setdefault(record["step"], {}).update(record)
        lines = [json.dumps(steps[step], sort_keys=True) + "\n" for step in sorted(steps)]
        target.write_text("".join(lines), "utf-8")


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a log; a line that a kill cut short is left out."""
    if not path.is_file():
        return []
    records = []
    for line in path.read_text("utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records
