"""Arms against each other over the resamples that measured both.

Which learner stands for an arm in a resample (``best``) is the one with the highest inner score
there, so the choice is part of the procedure that is measured and costs no honesty. A part of what
an arm gains may then be a change of learner: ``same`` is every arm with the learner that is best
for ``nothing``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from synthgen.benchmark.arms import Treatment
from synthgen.benchmark.records import Diagnosis, Job, JobResult, LearnerResult
from synthgen.benchmark.scoring import COUNTED, scorers
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.statistics import Estimate, corrected
from synthgen.data.schema import Task
from synthgen.results import CurvePoint, Difference, Interval, Recipe

BEST = "best"
SAME = "same"
FEWEST = 3
"""Resamples without which no conclusion is drawn: two give an interval of one degree of freedom."""

Reading: TypeAlias = Callable[[LearnerResult], float | None]


@dataclass(frozen=True)
class Pairs:
    """Scores of one arm and of another on the same resamples, in the order of the resamples.
    ``anew``: the part of the variance of their differences that is drawn anew in each. ``step``: by
    how much one test row changes a difference, for scores that count rows."""

    resamples: list[int]
    arm: list[float]
    other: list[float]
    anew: float = 0.0
    step: float = 0.0

    @property
    def differences(self) -> list[float]:
        """Arm minus other."""
        return [a - b for a, b in zip(self.arm, self.other, strict=True)]


class Comparison:
    """All results of one run. Arms are known by name; ``nothing`` is the baseline."""

    def __init__(self, results: Sequence[JobResult], settings: DecideSettings) -> None:
        self.settings = settings
        self.task: Task = "regression" if settings.metric == "r2" else "classification"
        self.results = sorted(results, key=lambda result: result.job.resample)
        jobs = sorted((result.job for result in self.results), key=_place(settings))
        self._treatments: dict[str, Treatment] = {
            arm.name: arm.treatment for job in jobs for arm in job.source.arms
        }
        self._sources = {arm.name: job.source for job in jobs for arm in job.source.arms}
        self.arms = tuple(self._treatments)
        self.candidates = tuple(arm for arm in self.arms if self._sources[arm].candidate)
        """The arms of the generators in question."""
        self._found: dict[tuple[str, int], dict[str, LearnerResult]] = {
            (arm.arm, result.job.resample): _with_best(arm.learners)
            for result in self.results
            for arm in result.arms
        }
        for (_, resample), learners in self._found.items():
            plain = self._found.get(("nothing", resample), {}).get(BEST)
            if plain is not None and plain.learner in learners:
                learners[SAME] = learners[plain.learner]
        sizes = [result.sizes for result in self.results if result.sizes is not None]
        self.sizes = sizes[0] if sizes else None
        self.test_ratio = float(np.mean([s.test / s.train for s in sizes])) if sizes else 1.0
        """n_test / n_train, the mean over the resamples."""
        self.rarest = float(np.mean([s.rarest for s in sizes])) if sizes else 0.0
        """Test rows of the rarest class, the mean over the resamples."""

    def source(self, arm: str) -> str:
        """The name of what the arm's rows come from."""
        return self._sources[arm].name

    def treatment(self, arm: str) -> Treatment:
        """What the arm does with its source."""
        return self._treatments[arm]

    # ---- pairs ----------------------------------------------------------------------------

    def pairs(
        self,
        arm: str,
        other: str,
        learner: str = BEST,
        metric: str | None = None,
        subgroup: str | None = None,
        target_class: str | None = None,
    ) -> Pairs:
        """Outer scores where both arms have them; ``metric`` None is the primary one."""
        name = metric or self.settings.metric

        def read(result: LearnerResult) -> float | None:
            if subgroup is not None:
                return result.subgroups.get(subgroup, {}).get(name)
            if target_class is not None:
                return result.classes.get(target_class, {}).get(name)
            return result.scores[name]

        def repeated(result: LearnerResult) -> float | None:
            return (result.again or {}).get(name)

        found = list(self._readings(arm, other, learner, read))
        step = self.step(name, subgroup)
        if step and self._same(arm, other, learner):
            step = 0.0
        if learner == BEST and subgroup is None and target_class is None:
            second = list(self._readings(arm, other, learner, repeated))
            if [r for r, _, _ in second] == [r for r, _, _ in found]:
                return _averaged(found, second, step / 2)
        return Pairs(
            [r for r, _, _ in found], [a for _, a, _ in found], [b for _, _, b in found], step=step
        )

    def step(self, metric: str, subgroup: str | None = None) -> float:
        """By how much one test row changes this metric, if it counts rows (on average: a row of
        a rare class changes an average over classes by more); else 0."""
        if metric not in COUNTED:
            return 0.0
        rows = float(self.sizes.test) if self.sizes else 0.0
        if subgroup is not None:
            rows = self.subgroups().get(subgroup, 0.0)
        return 1 / rows if rows else 0.0

    def _same(self, arm: str, other: str, learner: str) -> bool:
        """Whether every score of both is the same, those of probabilities too: an arm that changes
        nothing, as oversampling where classes are equally large."""
        return all(
            (one.scores, one.again) == (two.scores, two.again)
            for name, resample in self._found
            if name == arm
            and (one := self._found[arm, resample].get(learner)) is not None
            and (two := self._found.get((other, resample), {}).get(learner)) is not None
        )

    def scores(self, arm: str, metric: str) -> dict[int, float]:
        """Outer scores of an arm's best learner by resample, where the metric is defined."""
        pairs = self.pairs(arm, arm, metric=metric)
        return dict(zip(pairs.resamples, pairs.arm, strict=True))

    def estimate(
        self, arm: str, other: str, subgroup: str | None = None, learner: str = BEST
    ) -> Estimate | None:
        """Of the primary metric, by default with the best learner each; None below
        :data:`FEWEST`."""
        return self.of(self.pairs(arm, other, learner, subgroup=subgroup))

    def of(self, pairs: Pairs) -> Estimate | None:
        """The corrected estimate of these pairs' difference; None below :data:`FEWEST`."""
        if len(pairs.arm) < FEWEST:
            return None
        confidence = self.settings.confidence
        return corrected(pairs.differences, self.test_ratio, confidence, pairs.anew, pairs.step)

    def common(self, arms: Sequence[str]) -> int:
        """The most resamples that measured one of these arms and ``nothing``."""
        return max((len(self.pairs(arm, "nothing").arm) for arm in arms), default=0)

    def room(self) -> Estimate | None:
        """What is left to gain: 1, the best that a primary metric can be, less the score of
        ``nothing``. None below :data:`FEWEST`.

        Where hardly a row is missed, the spread of the scores says little: zero misses among n rows
        of a class leave room for 3 / n at 95 % (the rule of three), so the interval ends no
        earlier.
        """
        left = [1 - score for score in self.scores("nothing", self.settings.metric).values()]
        if len(left) < FEWEST:
            return None
        found = corrected(left, self.test_ratio, self.settings.confidence)
        unseen = 3 / self.rarest if self.rarest else 0.0
        return replace(found, high=max(found.high, unseen))

    def inner_gain(self, arm: str) -> float:
        """The mean over resamples of the inner score's difference to ``nothing``: what candidates
        are ranked by, since their outer scores are for reporting."""
        found = [one - two for _, one, two in self._readings(arm, "nothing", BEST, _inner)]
        return float(np.mean(found)) if found else -np.inf

    def evidence(self, arm: str) -> float:
        """The mean of inner and outer gains: what cheap arms are ranked by. It uses twice the rows,
        and that the winner's outer gain is flattered makes it the harder to beat."""
        outer = self.pairs(arm, "nothing").differences
        return (self.inner_gain(arm) + float(np.mean(outer))) / 2 if outer else -np.inf

    # ---- differences for the report -------------------------------------------------------

    def differences(self) -> list[Difference]:
        """Every arm x learner (``best`` first) x metric (the primary one first)."""
        return [
            difference
            for metric in self._metrics()
            for arm in self.arms
            if arm != "nothing"
            for learner in (BEST, *self.settings.learners)
            if (difference := self._difference(arm, learner, metric)) is not None
        ]

    def by_subgroup(self) -> list[Difference]:
        """Every arm x subgroup x metric, with the best learner."""
        return [
            difference
            for metric in self._metrics()
            for arm in self.arms
            if arm != "nothing"
            for name in self.subgroups()
            if (difference := self._difference(arm, BEST, metric, subgroup=name)) is not None
        ]

    def by_class(self) -> list[Difference]:
        """Every arm x class against the rest x metric, with the best learner."""
        found = []
        for arm in self.arms:
            if arm == "nothing":
                continue
            for name in self._classes():
                for metric in (*self._metrics(), "recall", "precision"):
                    one = self._difference(arm, BEST, metric, target_class=name)
                    if one is not None:
                        found.append(one)
        return found

    def _difference(
        self,
        arm: str,
        learner: str,
        metric: str,
        *,
        subgroup: str | None = None,
        target_class: str | None = None,
    ) -> Difference | None:
        """Arm against ``nothing``; None where fewer than two resamples measured both."""
        pairs = self.pairs(arm, "nothing", learner, metric, subgroup, target_class)
        if len(pairs.arm) < 2:
            return None
        confidence = self.settings.confidence
        estimate = corrected(pairs.differences, self.test_ratio, confidence, pairs.anew, pairs.step)
        return Difference(
            arm=arm,
            learner=learner,
            metric=metric,
            part=subgroup or target_class,
            baseline=float(np.mean(pairs.other)),
            mean=estimate.mean,
            interval=Interval(low=estimate.low, high=estimate.high),
            p_value=estimate.p_value,
            resamples=estimate.n,
        )

    def _metrics(self) -> list[str]:
        return list(dict.fromkeys([self.settings.metric, *scorers(self.task)]))

    def subgroups(self) -> dict[str, float]:
        """Every subgroup, with its test rows per resample on average."""
        counts: dict[str, list[int]] = {}
        for result in self.results:
            if any(arm.arm == "nothing" for arm in result.arms):
                for name, rows in result.subgroups:
                    counts.setdefault(name, []).append(rows)
        return {name: float(np.mean(rows)) for name, rows in counts.items()}

    def _classes(self) -> list[str]:
        return next((result.classes for result in self.results if result.classes), [])

    # ---- what was chosen ------------------------------------------------------------------

    def unchanged(self, arm: str) -> bool:
        """Whether the arm's best learner is that of ``nothing`` in every resample."""
        return all(
            learners[BEST] is learners.get(SAME)
            for (name, _), learners in self._found.items()
            if name == arm and BEST in learners
        )

    def usual_learner(self, arm: str) -> str | None:
        """The learner that was best inside most often; of equals the settings' first."""
        chosen = [result.learner for result in self._bests(arm)]
        known = [name for name in self.settings.learners if name in chosen]
        return max(known, key=chosen.count, default=None)

    def usual_recipe(self, arm: str) -> tuple[Recipe | None, int, int]:
        """The recipe that was chosen most often inside (of equals the one with fewer synthetic
        rows), how often it was, and out of how many.

        Multipliers are the geometric mean of those of the usual learner, since they fit its
        probabilities and no other's.
        """
        chosen = self._bests(arm)
        if not chosen:
            return None, 0, 0
        plain = [r.recipe.model_copy(update={"multipliers": None}) for r in chosen]
        tuned = [r.recipe.multipliers is not None for r in chosen]
        keys = list(zip(plain, tuned, strict=True))
        counts = Counter(keys)
        rows = {key: r.rows for key, r in zip(reversed(keys), reversed(chosen), strict=True)}
        key = max(counts, key=lambda k: (counts[k], -rows[k]))
        recipe, with_threshold = key
        if with_threshold:
            usual = self.usual_learner(arm)
            found = [
                np.log(r.recipe.multipliers)
                for k, r in zip(keys, chosen, strict=True)
                if k == key and r.learner == usual and r.recipe.multipliers is not None
            ] or [np.log(r.recipe.multipliers) for r in chosen if r.recipe.multipliers is not None]
            mean = np.exp(np.mean(found, axis=0))
            recipe = recipe.model_copy(update={"multipliers": tuple(mean.tolist())})
        return recipe, counts[key], len(chosen)

    def _bests(self, arm: str) -> list[LearnerResult]:
        return [
            learners[BEST]
            for (name, _), learners in self._found.items()
            if name == arm and BEST in learners
        ]

    # ---- beside the arms ------------------------------------------------------------------

    def diagnoses(self, source: str) -> list[Diagnosis]:
        """Of one generator, resample by resample."""
        return [
            result.diagnosis
            for result in self.results
            if result.job.source.name == source and result.diagnosis is not None
        ]

    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.int64], list[int]]:
        """The learning curve of ``nothing``, with the learner that is best there: scores (J, m),
        mean rows (m,) ascending, and the resamples that have all points; (0, 0) without any."""
        scores, rows, found = [], [], []
        for result in self.results:
            best = self._found.get(("nothing", result.job.resample), {}).get(BEST)
            if not result.curve or best is None or result.sizes is None:
                continue
            points = {c.rows: c.score for c in result.curve if c.learner == best.learner}
            full = _full(best, self.settings.metric)
            if len(points) == len(self.settings.curve) and full is not None:
                points[result.sizes.train] = full
                rows.append(sorted(points))
                scores.append([points[size] for size in sorted(points)])
                found.append(result.job.resample)
        widths = {len(row) for row in rows}
        if len(widths) != 1:  # none at all, or parts so small that two shares are the same rows
            return np.empty((0, 0)), np.empty(0, dtype=np.int64), []
        return np.array(scores), np.rint(np.mean(rows, axis=0)).astype(np.int64), found

    def curve_points(self) -> list[CurvePoint]:
        """The mean curve."""
        scores, rows, _ = self.curve()
        if not len(scores):
            return []
        return [
            CurvePoint(rows=int(n), score=float(score))
            for n, score in zip(rows, scores.mean(axis=0), strict=True)
        ]

    def _readings(
        self, arm: str, other: str, learner: str, read: Reading
    ) -> Iterator[tuple[int, float, float]]:
        for name, resample in self._found:
            if name != arm:
                continue
            one = self._found[arm, resample].get(learner)
            two = self._found.get((other, resample), {}).get(learner)
            if one is None or two is None:
                continue
            a, b = read(one), read(two)
            if a is not None and b is not None:
                yield resample, a, b


Triple: TypeAlias = tuple[int, float, float]


def _averaged(first: Sequence[Triple], second: Sequence[Triple], step: float) -> Pairs:
    """The means of two measurements per resample, which move in steps of ``step``, and what their
    disagreement says: half of the mean squared difference estimates the variance of one, half of
    that the variance of a mean."""
    pairs = list(zip(first, second, strict=True))
    apart = [(a - b) - (c - d) for (_, a, b), (_, c, d) in pairs]
    return Pairs(
        [r for r, _, _ in first],
        [(a + c) / 2 for (_, a, _), (_, c, _) in pairs],
        [(b + d) / 2 for (_, _, b), (_, _, d) in pairs],
        float(np.mean(np.square(apart))) / 4 if apart else 0.0,
        step,
    )


def _full(result: LearnerResult, metric: str) -> float | None:
    """The mean of both measurements, as the differences have it; of one where there is one."""
    measured = (result.scores[metric], (result.again or {}).get(metric))
    known = [score for score in measured if score is not None]
    return float(np.mean(known)) if known else None


def _inner(result: LearnerResult) -> float:
    return result.inner


def _with_best(learners: Sequence[LearnerResult]) -> dict[str, LearnerResult]:
    """By learner's name; of equal inner scores the learner that the settings name first."""
    found: dict[str, LearnerResult] = {one.learner: one for one in learners}
    if learners:
        found[BEST] = max(learners, key=lambda one: one.inner)
    return found


def _place(settings: DecideSettings) -> Callable[[Job], tuple[bool, int, str]]:
    """The order of arms: the training rows, the cheap generators as the settings name them, then
    the generators in question."""

    def place(job: Job) -> tuple[bool, int, str]:
        source, known = job.source, list(map(str, settings.arms))
        at = known.index(source.name) + 1 if source.name in known else 0
        return source.candidate, at, source.name

    return place
