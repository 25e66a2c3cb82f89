"""The steps of a run on a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from synthgen.benchmark.arms import Source
from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.records import Job, JobResult
from synthgen.benchmark.scoring import SCORERS
from synthgen.config import Config, TableConfig, absorb_metadata
from synthgen.data.origin import Origin
from synthgen.data.read import Loaded, read
from synthgen.data.table import Table
from synthgen.generators.base import Sampler
from synthgen.metrics import TABULAR
from synthgen.pipeline.estimate import Forecast
from synthgen.pipeline.events import Notify
from synthgen.pipeline.machine import check_packages
from synthgen.pipeline.tables import alone, assessing, delivering, forecast, measuring, splitting
from synthgen.pipeline.tables.contents import origin, reading, schema, settings, training_rows
from synthgen.pipeline.whole import Whole
from synthgen.results import Report, Verdict
from synthgen.runs import Run


class TableKind:
    """See :class:`synthgen.pipeline.kinds.Kind`."""

    def check(self, config: Config) -> Config:
        absorbed = absorb_metadata(_table(config))
        check_packages(absorbed)
        return absorbed

    def read(self, config: Config, data: pd.DataFrame | None) -> Loaded:
        source = config.data.source if data is None else data
        return read(source, reading(_table(config)))

    def split(self, run: Run, config: Config, loaded: Loaded, notify: Notify) -> None:
        splitting.split(run, _table(config), loaded, notify)

    def resolved_again(self, run: Run, config: Config) -> Config:
        return splitting.resolved_again(run, _table(config))

    def sources(self, run: Run) -> tuple[Source, ...]:
        return measuring.sources(settings(run), schema(run).task)

    def measure(self, run: Run, job: Job) -> JobResult:
        return measuring.measure(run, job)

    def training(self, run: Run) -> Table:
        return training_rows(run)

    def form(self, run: Run) -> Origin:
        return origin(run)

    def deliver(self, run: Run, sampler: Sampler, answer: Verdict, folder: Path) -> dict[str, Any]:
        return delivering.deliver(run, sampler, answer, folder)

    def report(self, run: Run, board: Comparison, notify: Notify) -> Report:
        return assessing.report(run, board, notify)

    def whole(self, config: Config) -> Whole:
        return alone.whole(_table(config))

    def forecast(self, config: Config) -> Forecast:
        return forecast.forecast(_table(config))

    def scores(self, config: Config) -> list[str]:
        tstr = f"tstr_{config.decide.metric}"
        return [*(metric.name for metric in TABULAR), *SCORERS, tstr]


def _table(config: Config) -> TableConfig:
    assert isinstance(config, TableConfig)
    return config
