"""One job: one arm on one resample. Plain data in, plain data out; any executor can run it.

The generator is fitted once, on the inner training rows. Each learner is trained on these with the
synthetic rows of each ratio and scored on the inner rows, which chooses its ratio; then it is
trained on all but the test rows with freshly drawn rows of that ratio and scored on the test rows,
which nothing before has seen (see :mod:`synthgen.benchmark.resamples` for the parts).

So in the outer round the generator knows (1 - inner share) of the rows that the learner knows,
while the final one will be fitted on all of them: the measured gain is on the careful side. A
generator fitted on all but the test rows would make copies of inner rows look good where the ratio
is chosen, or would have to be fitted twice. All synthetic arms, the cheap ones too, are treated
alike.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from synthgen.benchmark import learners
from synthgen.benchmark.arms import Arm, Generator, Kind, Sampler, draw
from synthgen.benchmark.learners import Rows, balancing_weights, rows_of
from synthgen.benchmark.resamples import Resample, Sizes, seed_of, split
from synthgen.benchmark.scoring import recalls, score_all
from synthgen.benchmark.settings import DecideSettings, Learner, Ratio
from synthgen.benchmark.threads import single_thread
from synthgen.data.overrides import ColumnOverride
from synthgen.data.table import Table
from synthgen.errors import ConfigError, MachineError, SynthgenError
from synthgen.training.context import Context

log = logging.getLogger(__name__)
NO_OVERRIDES: Mapping[str, ColumnOverride] = {}


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Job(_Data):
    """One arm on one resample. ``seed`` is the run's and the same in all jobs."""

    resample: int
    arm: str
    kind: Kind
    ratios: tuple[Ratio, ...]
    seed: int

    @property
    def name(self) -> str:
        """A file name; in the order of names, all arms of a resample stand together."""
        return f"r{self.resample:03d}-{self.arm}"


class Trial(_Data):
    """One ratio on the inner part: ``rows`` synthetic rows were added; ``score`` is of the
    primary metric, None where the inner rows do not define it."""

    ratio: Ratio | None
    rows: int
    score: float | None


class LearnerResult(_Data):
    """``ratio`` had the best ``inner`` score of the ``trials``; ``scores`` are outer ones, with
    ``rows`` synthetic rows added; ``recall`` per class, None for classes absent from the test."""

    learner: Learner
    trials: list[Trial]
    ratio: Ratio | None
    inner: float
    rows: int
    scores: dict[str, float | None]
    recall: dict[str, float | None]


class Failure(_Data):
    """Something that did not work, or (``shortfall``) worked with fewer rows than asked for."""

    stage: Literal["split", "generator", "sample", "shortfall", "learner", "choice"]
    learner: Learner | None = None
    ratio: Ratio | None = None
    message: str


class JobResult(_Data):
    """No durations in here: the same job gives the same bytes."""

    job: Job
    sizes: Sizes | None
    """None if the rows could not be split."""
    learners: list[LearnerResult]
    failures: list[Failure]


def plan(settings: DecideSettings, arms: Sequence[Arm], seed: int) -> list[Job]:
    """All jobs, resample by resample: after any number of them the measured resamples are
    complete but for the last, and conclude honestly, with a wider interval."""
    return [
        Job(resample=resample, arm=arm.name, kind=arm.kind, ratios=arm.ratios, seed=seed)
        for resample in range(settings.resamples)
        for arm in arms
    ]


def run_job(
    job: Job,
    train: Table,
    settings: DecideSettings,
    generator: Generator | None,
    *,
    group: str | None = None,
    time: str | None = None,
    overrides: Mapping[str, ColumnOverride] = NO_OVERRIDES,
    checkpoints: Path | None = None,
    device: str = "cpu",
) -> JobResult:
    """Measure one arm on one resample of the run's training rows, in one thread.

    ``generator`` belongs to the arm and is None for the plain and the weighted ones;
    ``overrides`` are what the user said about columns; ``checkpoints`` is a directory of this job
    alone. A failing generator or learner is a finding and recorded. Raises ConfigError for a
    misconfigured generator and whatever is wrong with the machine (MachineError, OSError,
    MemoryError): that is no property of the arm, and the job is to be done again.
    """
    if (generator is None) == (job.kind == "synthetic"):
        raise ValueError(f"arm {job.arm} is {job.kind}: a generator is given to synthetic arms")
    failures: list[Failure] = []
    with single_thread():
        try:
            resample = split(
                train,
                settings,
                seed=job.seed,
                number=job.resample,
                group=group,
                time=time,
                overrides=overrides,
            )
        except SynthgenError as error:
            failures.append(Failure(stage="split", message=_describe(error)))
            return JobResult(job=job, sizes=None, learners=[], failures=failures)
        found: list[LearnerResult] = []
        sampler = None
        if generator is not None:
            context = Context(
                seed_of(job.seed, job.resample, "fit"), device=device, checkpoints=checkpoints
            )
            try:
                sampler = generator.fit(resample.inner_train, context)
            except (ConfigError, MachineError, OSError, MemoryError):
                raise
            except Exception as error:
                failures.append(Failure(stage="generator", message=_describe(error)))
        if generator is None or sampler is not None:
            bench = _Bench(job, settings, resample, sampler, failures)
            measured = [bench.measure(learner) for learner in settings.learners]
            found = [result for result in measured if result is not None]
    return JobResult(job=job, sizes=resample.sizes, learners=found, failures=failures)


# ---- measuring --------------------------------------------------------------------------------


class _Bench:
    """A resample's rows as learners see them; what is drawn at a ratio is drawn once."""

    def __init__(
        self,
        job: Job,
        settings: DecideSettings,
        resample: Resample,
        sampler: Sampler | None,
        failures: list[Failure],
    ) -> None:
        self.job, self.metric, self.resample = job, settings.metric, resample
        self.sampler, self.failures = sampler, failures
        self.inner_train, self.inner = rows_of(resample.inner_train), rows_of(resample.inner)
        self.train, self.test = rows_of(resample.train), rows_of(resample.test)
        self.ratios: tuple[Ratio | None, ...] = job.ratios if sampler else (None,)
        schema = resample.train.schema
        self.classes = next(c.values for c in schema.discrete if c.name == schema.target)
        self.drawn: dict[tuple[str, Ratio], Rows | None] = {}

    def measure(self, learner: Learner) -> LearnerResult | None:
        """None if it failed; then ``failures`` say why."""
        trials = []
        for ratio in self.ratios:
            training = self._training(self.inner_train, "inner", ratio)
            found = self._predict(learner, ratio, training, self.inner)
            if training is not None and found is not None:
                score = score_all(self.inner.labels, found, self.resample.interest)[self.metric]
                added = len(training) - len(self.inner_train)
                trials.append(Trial(ratio=ratio, rows=added, score=score))
        scored = [(trial.score, -trial.rows, trial) for trial in trials if trial.score is not None]
        if not scored:
            if trials:
                message = f"the inner part has one class only, so {self.metric} is not defined"
                self._fail("choice", message, learner)
            return None
        # Of equal scores the one with fewer synthetic rows.
        inner, _, chosen = max(scored, key=lambda entry: entry[:2])
        training = self._training(self.train, "outer", chosen.ratio)
        found = self._predict(learner, chosen.ratio, training, self.test)
        if training is None or found is None:
            return None
        by_class = recalls(self.test.labels, found)
        return LearnerResult(
            learner=learner,
            trials=trials,
            ratio=chosen.ratio,
            inner=inner,
            rows=len(training) - len(self.train),
            scores=score_all(self.test.labels, found, self.resample.interest),
            recall={
                str(value): None if np.isnan(share) else float(share)
                for value, share in zip(self.classes, by_class, strict=True)
            },
        )

    def _training(
        self, real: Rows, part: Literal["inner", "outer"], ratio: Ratio | None
    ) -> Rows | None:
        """The part's training rows with the synthetic ones of the ratio; None if none came."""
        if ratio is None or self.sampler is None:
            return real
        if (part, ratio) not in self.drawn:
            self.drawn[part, ratio] = self._draw(part, ratio)
        synthetic = self.drawn[part, ratio]
        return None if synthetic is None else real.stack(synthetic)

    def _draw(self, part: Literal["inner", "outer"], ratio: Ratio) -> Rows | None:
        assert self.sampler is not None
        table = self.resample.inner_train if part == "inner" else self.resample.train
        try:
            drawn = draw(
                self.sampler,
                table,
                ratio,
                seed=seed_of(self.job.seed, self.job.resample, f"{part} {ratio}"),
            )
            rows = rows_of(drawn.rows)
        except (MachineError, OSError, MemoryError):
            raise
        except Exception as error:
            self._fail("sample", _describe(error), None, ratio)
            return None
        if len(rows) < drawn.wanted:
            message = f"{part} part: {len(rows)} of {drawn.wanted} synthetic rows came"
            self._fail("shortfall", message, None, ratio)
        # Rows that were asked for and did not come at all are not the same as no rows wanted.
        return None if len(rows) == 0 < drawn.wanted else rows

    def _predict(
        self, learner: Learner, ratio: Ratio | None, training: Rows | None, rows: Rows
    ) -> NDArray[np.float64] | None:
        """Probabilities for ``rows``; None if there is nothing to train on or training failed."""
        if training is None:
            return None
        weights = balancing_weights(training) if self.job.kind == "weighted" else None
        try:
            fitted = learners.fit(
                learner, training, seed_of(self.job.seed, self.job.resample, "learner"), weights
            )
            return fitted.probabilities(rows)
        except (OSError, MemoryError):
            raise
        except Exception as error:
            self._fail("learner", _describe(error), learner, ratio)
            return None

    def _fail(
        self,
        stage: Literal["sample", "shortfall", "learner", "choice"],
        message: str,
        learner: Learner | None,
        ratio: Ratio | None = None,
    ) -> None:
        self.failures.append(Failure(stage=stage, learner=learner, ratio=ratio, message=message))


def _describe(error: Exception) -> str:
    """What went wrong, without cell values: the text of a foreign error may quote some."""
    log.debug("a job of decide failed", exc_info=error)
    if isinstance(error, SynthgenError):
        return f"{type(error).__name__}: {error.cause}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
