"""Progress of the long stages as an artifact of the flow run, and notices in its log."""

from __future__ import annotations

import time
from typing import cast
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from synthgen.pipeline.events import Event

EVERY = 5.0
"""Seconds between two updates: each is a request to the server."""


class Progress:
    """Hears the events of one stage. A server that does not answer is no reason to end a training,
    so what it is told is told at the next update instead."""

    def __init__(self, stage: str, key: str) -> None:
        self.stage, self.key = stage, f"progress-{key}"
        self._artifact: UUID | None = None
        self._told = -EVERY

    def __call__(self, event: Event) -> None:
        logger = get_run_logger()
        if event.notice is not None:
            logger.warning(event.notice)
            return
        if not event.total:
            return
        ended = event.done >= event.total
        if not ended and time.monotonic() - self._told < EVERY:
            return
        self._told = time.monotonic()
        try:
            self._show(100 * event.done / event.total, f"{event.stage}: {event.done}/{event.total}")
        except Exception as error:
            logger.debug("progress was not told: %s", error)
        if ended:
            logger.info("%s done", event.stage)

    def _show(self, percent: float, description: str) -> None:
        if self._artifact is None:
            if percent >= 100:
                return
            made = create_progress_artifact(percent, self.key, description)
            self._artifact = cast("UUID", made)
        else:
            update_progress_artifact(self._artifact, percent, description)
