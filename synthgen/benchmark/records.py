"""Jobs and their results: plain data that travel between processes and stand in a run as JSON."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from synthgen.benchmark.arms import Source
from synthgen.benchmark.resamples import Sizes
from synthgen.results import Choice, Recipe

Scores: TypeAlias = dict[str, float | None]
Stage: TypeAlias = Literal[
    "split", "generator", "sample", "shortfall", "filter", "learner", "choice"
]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Job(_Data):
    """One source on one resample. ``seed`` is the run's and the same in all jobs."""

    resample: int
    source: Source
    seed: int

    @property
    def name(self) -> str:
        """A file name; in the order of names, all sources of a resample stand together."""
        return f"r{self.resample:03d}-{self.source.name}"


class Trial(_Data):
    """One recipe on the inner part: ``rows`` synthetic rows were added; ``score`` is of the
    primary metric, None where the inner rows do not define it."""

    recipe: Recipe
    rows: int
    score: float | None


class LearnerResult(_Data):
    """``recipe`` had the best ``inner`` score of the ``trials``; all other scores are outer ones,
    with ``rows`` synthetic rows added: over all test rows, of each class against the rest, and
    over the rows of each subgroup. A score is None where the rows do not define it.

    ``again``: the first of these measured a second time, with synthetic rows drawn anew and
    another seed of the learner, for the best learner of an arm; it shows how much of the spread
    comes from there."""

    learner: str
    trials: list[Trial]
    recipe: Recipe
    inner: float
    rows: int
    scores: Scores
    classes: dict[str, Scores]
    subgroups: dict[str, Scores]
    again: Scores | None = None


class ArmResult(_Data):
    """What the learners did with one arm; those that failed are missing."""

    arm: str
    learners: list[LearnerResult]


class Failure(_Data):
    """Something that did not work, or (``shortfall``) worked with fewer rows than asked for."""

    stage: Stage
    learner: str | None = None
    recipe: Recipe | None = None
    message: str


class CurveScore(_Data):
    """A learner trained on ``rows`` of the outer training rows alone, scored on the test rows."""

    learner: str
    rows: int
    score: float


class Diagnosis(_Data):
    """What kind of rows a generator makes, told without any test row.

    ``copied``: share of its rows that equal an inner training row; ``coincident``: the same share
    of the inner rows. ``detected``: ROC-AUC of telling its rows from inner rows (0.5: cannot be
    told). ``alone``: score on the inner rows of ``learner``, trained on its rows alone; ``real``:
    trained on as many training rows.
    """

    copied: float
    coincident: float
    detected: float | None
    learner: str
    alone: float | None
    real: float | None


class JobResult(_Data):
    """No durations in here: the same job gives the same bytes."""

    job: Job
    sizes: Sizes | None
    """None if the rows could not be split."""
    arms: list[ArmResult]
    failures: list[Failure]
    classes: list[str] = []
    """Names of the target's classes in the order of their codes, which is that of multipliers."""
    subgroups: list[tuple[str, int]] = []
    """Each subgroup with its test rows."""
    diagnosis: Diagnosis | None = None
    curve: list[CurveScore] = []
    choice: Choice | None = None
    """What the source's generator chose among others, by inner training rows alone."""
