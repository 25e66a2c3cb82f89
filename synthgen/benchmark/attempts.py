"""What may fail within a job, and how that is recorded."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from synthgen.benchmark.records import Failure, Stage
from synthgen.errors import MachineError, SynthgenError
from synthgen.results import Recipe

log = logging.getLogger(__name__)
T = TypeVar("T")


class Attempts:
    """Work that is not to end the job it belongs to."""

    def __init__(self, failures: list[Failure]) -> None:
        self.failures = failures

    def attempt(
        self,
        stage: Stage,
        work: Callable[[], T],
        learner: str | None = None,
        recipe: Recipe | None = None,
        *,
        quietly: bool = False,
    ) -> T | None:
        """None if the work failed, which is recorded unless ``quietly``; machines are not at
        fault for what they measure, so their errors are raised."""
        try:
            return work()
        except (MachineError, OSError, MemoryError):
            raise
        except Exception as error:
            if not quietly:
                self.fail(stage, describe(error), learner, recipe)
            return None

    def fail(
        self,
        stage: Stage,
        message: str,
        learner: str | None = None,
        recipe: Recipe | None = None,
    ) -> None:
        failure = Failure(stage=stage, learner=learner, recipe=recipe, message=message)
        self.failures.append(failure)


def describe(error: Exception) -> str:
    """What went wrong, without cell values: the text of a foreign error may quote some."""
    log.debug("a job of decide failed", exc_info=error)
    if isinstance(error, SynthgenError):
        return f"{type(error).__name__}: {error.cause}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
