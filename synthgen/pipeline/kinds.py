"""What a run does differently with a table and with images; all else is written once.

A kind is the same steps in other types: rows of a frame here, pixels and labels there. The stages
know none of these types: they hand on what a kind gives them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from synthgen.benchmark.arms import Source
from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.records import Job, JobResult
from synthgen.config import Config
from synthgen.pipeline.contents import settings
from synthgen.pipeline.estimate import Forecast
from synthgen.pipeline.events import Notify
from synthgen.pipeline.images.kind import ImageKind
from synthgen.pipeline.models import Form
from synthgen.pipeline.tables.kind import TableKind
from synthgen.pipeline.whole import Whole
from synthgen.results import Report, Verdict
from synthgen.runs import Run


class Kind(Protocol):
    """``read`` gives what ``split`` takes, and ``training`` what the generator does."""

    def check(self, config: Config) -> Config:
        """What can be checked before anything is read; the configuration without what depends on
        further files. Raises ConfigError and MachineError."""
        ...

    def read(self, config: Config, data: Any) -> Any:
        """The source, or ``data`` that was handed over in memory."""
        ...

    def split(self, run: Run, config: Config, loaded: Any, notify: Notify) -> None:
        """The first stage: seals the test part and resolves the configuration."""
        ...

    def resolved_again(self, run: Run, config: Config) -> Config:
        """A configuration as it would be resolved for the run's training data."""
        ...

    def sources(self, run: Run) -> tuple[Source, ...]:
        """What the run measures."""
        ...

    def measure(self, run: Run, job: Job) -> JobResult:
        """One job of ``decide``."""
        ...

    def training(self, run: Run) -> Any:
        """What everything may be learned from."""
        ...

    def form(self, run: Run) -> Form:
        """How the source was written."""
        ...

    def deliver(self, run: Run, sampler: Any, answer: Verdict, folder: Path) -> dict[str, Any]:
        """Write what was drawn and the augmented set; returns the record ``sample.json``."""
        ...

    def report(self, run: Run, board: Comparison, notify: Notify) -> Report:
        """Score what was drawn against the sealed part; ``board`` is what ``decide`` measured."""
        ...

    def whole(self, config: Config) -> Whole:
        """All that the source holds, to train one model on."""
        ...

    def forecast(self, config: Config) -> Forecast:
        """What a run would cost."""
        ...

    def scores(self, config: Config) -> list[str]:
        """Names of the scores that a report of the run may hold."""
        ...


TABLE: Kind = TableKind()
IMAGES: Kind = ImageKind()


def kind_of(config: Config) -> Kind:
    """The kind of a configuration."""
    return TABLE if config.modality == "table" else IMAGES


def kind_in(run: Run) -> Kind:
    """The kind of a run."""
    return kind_of(settings(run))
