"""Arms against each other over the resamples that measured both.

Which learner stands for an arm in a resample (``best``) is the one with the highest inner score
there, so the choice is part of the procedure that is measured and costs no honesty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthgen.benchmark.jobs import JobResult, LearnerResult
from synthgen.benchmark.scoring import SCORERS
from synthgen.benchmark.settings import DecideSettings, Ratio
from synthgen.benchmark.statistics import Estimate, corrected
from synthgen.results import Decision, Difference, Interval

BEST = "best"
FEWEST = 3
"""Resamples without which no conclusion is drawn: two give an interval of one degree of freedom."""


@dataclass(frozen=True)
class Pairs:
    """Scores of one arm and of another on the same resamples, in the order of the resamples."""

    arm: list[float]
    other: list[float]

    @property
    def differences(self) -> list[float]:
        """Arm minus other."""
        return [a - b for a, b in zip(self.arm, self.other, strict=True)]


@dataclass(frozen=True)
class Contender:
    """An arm that enough resamples measured against ``nothing``."""

    arm: str
    gain: Estimate
    p_value: float
    """Holm-adjusted within the arm's family."""
    helps: bool
    """Shown to help: a useful mean, and a p-value at most 1 - confidence."""


@dataclass(frozen=True)
class Finding:
    """What the decision rests on."""

    decision: Decision
    candidates: tuple[str, ...]
    """The generators in question; ``measured`` are those with enough resamples."""
    measured: list[Contender]
    lead: Contender | None
    """The strongest measured candidate, or the strongest that the verdict is for."""
    cheap: Contender | None
    """The strongest cheap arm; None if that is ``nothing``."""
    ahead: Estimate | None
    """``lead`` against ``cheap``."""
    arm: str | None
    """What to use."""
    ratio: Ratio | None
    detectable: float
    resamples: int


class Comparison:
    """All results of one run. Arms are known by name; ``nothing`` is the baseline."""

    def __init__(self, results: Sequence[JobResult], settings: DecideSettings) -> None:
        self.settings = settings
        self.results = sorted(results, key=lambda result: result.job.resample)
        self.arms = tuple(dict.fromkeys(result.job.arm for result in results))
        self._found: dict[tuple[str, int], dict[str, LearnerResult]] = {
            (result.job.arm, result.job.resample): _with_best(result) for result in self.results
        }
        sizes = [result.sizes for result in self.results if result.sizes is not None]
        self.sizes = sizes[0] if sizes else None
        self.test_ratio = float(np.mean([s.test / s.train for s in sizes])) if sizes else 1.0
        """n_test / n_train, the mean over the resamples."""

    def pairs(self, arm: str, other: str, learner: str = BEST, metric: str | None = None) -> Pairs:
        """Outer scores where both arms have them; ``metric`` None is the primary one."""
        name = metric or self.settings.metric
        found: list[tuple[float, float]] = []
        for one, two in self._both(arm, other, learner):
            a, b = one.scores[name], two.scores[name]
            if a is not None and b is not None:
                found.append((a, b))
        return Pairs([a for a, _ in found], [b for _, b in found])

    def estimate(self, arm: str, other: str) -> Estimate | None:
        """Of the primary metric, with the best learner each; None below :data:`FEWEST`."""
        differences = self.pairs(arm, other).differences
        if len(differences) < FEWEST:
            return None
        return corrected(differences, self.test_ratio, self.settings.confidence)

    def common(self, arms: Sequence[str]) -> int:
        """The most resamples that measured one of these arms and ``nothing``."""
        return max((len(self.pairs(arm, "nothing").arm) for arm in arms), default=0)

    def inner_gain(self, arm: str) -> float:
        """The mean over resamples of the inner score's difference to ``nothing``: what arms are
        ranked by, since outer scores are for reporting."""
        both = self._both(arm, "nothing", BEST)
        return float(np.mean([one.inner - two.inner for one, two in both])) if both else -np.inf

    def difference(self, arm: str, learner: str, metric: str) -> Difference | None:
        """Arm against ``nothing``; None where fewer than two resamples measured both."""
        pairs = self.pairs(arm, "nothing", learner, metric)
        if len(pairs.arm) < 2:
            return None
        estimate = corrected(pairs.differences, self.test_ratio, self.settings.confidence)
        return Difference(
            arm=arm,
            learner=learner,
            metric=metric,
            baseline=float(np.mean(pairs.other)),
            mean=estimate.mean,
            interval=Interval(low=estimate.low, high=estimate.high),
            p_value=estimate.p_value,
            resamples=estimate.n,
        )

    def differences(self) -> list[Difference]:
        """Every arm x learner (``best`` first) x metric (the primary one first)."""
        metrics = dict.fromkeys([self.settings.metric, *SCORERS])
        found = [
            self.difference(arm, learner, metric)
            for metric in metrics
            for arm in self.arms
            if arm != "nothing"
            for learner in (BEST, *self.settings.learners)
        ]
        return [difference for difference in found if difference is not None]

    def usual_ratio(self, arm: str) -> tuple[Ratio | None, int, int]:
        """The ratio that was chosen most often inside (of equals the one with fewer synthetic
        rows), how often it was, and out of how many."""
        chosen = [
            learners[BEST]
            for (name, _), learners in self._found.items()
            if name == arm and BEST in learners
        ]
        if not chosen:
            return None, 0, 0
        counts = Counter(result.ratio for result in chosen)
        rows = {result.ratio: result.rows for result in reversed(chosen)}
        ratio = max(counts, key=lambda r: (counts[r], -rows[r]))
        return ratio, counts[ratio], len(chosen)

    def _both(
        self, arm: str, other: str, learner: str
    ) -> list[tuple[LearnerResult, LearnerResult]]:
        found = []
        for name, resample in self._found:
            if name == arm:
                one = self._found[arm, resample].get(learner)
                two = self._found.get((other, resample), {}).get(learner)
                if one is not None and two is not None:
                    found.append((one, two))
        return found


def _with_best(result: JobResult) -> dict[str, LearnerResult]:
    """By learner's name; of equal inner scores the learner that the settings name first."""
    found: dict[str, LearnerResult] = {one.learner: one for one in result.learners}
    if result.learners:
        found[BEST] = max(result.learners, key=lambda one: one.inner)
    return found
