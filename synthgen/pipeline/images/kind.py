"""The steps of a run on labelled images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthgen.benchmark.arms import Source
from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.images.arms import ImageSampler
from synthgen.benchmark.records import Job, JobResult
from synthgen.benchmark.scoring import SCORERS
from synthgen.config import Config, ImageConfig
from synthgen.data.images.images import Images
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.read import LoadedImages, read_images
from synthgen.pipeline.estimate import Forecast
from synthgen.pipeline.events import Notify
from synthgen.pipeline.images import alone, assessing, delivering, forecast, measuring, splitting
from synthgen.pipeline.images.beginning import beginning
from synthgen.pipeline.images.contents import layout, settings, training_images
from synthgen.pipeline.images.inception import inception_weights
from synthgen.pipeline.whole import Whole
from synthgen.results import Report, Verdict
from synthgen.runs import Run

SCORES = (
    *("frechet", "frechet_per_class", "kernel", "precision", "recall", "density", "coverage"),
    *("inception_score", "sliced_wasserstein", "pyramid_distance", "memorisation", "image_copies"),
    "classification_accuracy",
)
"""Those of :mod:`synthgen.metrics.images`."""


class ImageKind:
    """See :class:`synthgen.pipeline.kinds.Kind`."""

    def check(self, config: Config) -> Config:
        asked = _images(config)
        if asked.inception is not None:
            inception_weights(asked.inception)
        return beginning(asked)

    def read(self, config: Config, data: Any) -> LoadedImages:
        source = config.data.source if data is None else data
        return read_images(source, config.data.target, _images(config).data.read)

    def split(self, run: Run, config: Config, loaded: LoadedImages, notify: Notify) -> None:
        splitting.split(run, _images(config), loaded, notify)

    def resolved_again(self, run: Run, config: Config) -> Config:
        return splitting.resolved_again(run, _images(config))

    def sources(self, run: Run) -> tuple[Source, ...]:
        return measuring.sources(settings(run))

    def measure(self, run: Run, job: Job) -> JobResult:
        return measuring.measure(run, job)

    def training(self, run: Run) -> Images:
        return training_images(run)

    def form(self, run: Run) -> ImageLayout:
        return layout(run)

    def deliver(
        self, run: Run, sampler: ImageSampler, answer: Verdict, folder: Path
    ) -> dict[str, Any]:
        return delivering.deliver(run, sampler, answer, folder)

    def report(self, run: Run, board: Comparison, notify: Notify) -> Report:
        return assessing.report(run, board, notify)

    def whole(self, config: Config) -> Whole:
        return alone.whole(_images(config))

    def forecast(self, config: Config) -> Forecast:
        return forecast.forecast(_images(config))

    def scores(self, config: Config) -> list[str]:
        return [*SCORES, *SCORERS]


def _images(config: Config) -> ImageConfig:
    assert isinstance(config, ImageConfig)
    return config
