"""How recipes are tried and chosen, whether rows are those of a table or images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, TypeVar

from synthgen.benchmark.arms import Arm
from synthgen.benchmark.attempts import Attempts, describe
from synthgen.benchmark.choosing import best_trial, once
from synthgen.benchmark.records import ArmResult, Failure, Job, LearnerResult, Scores, Trial
from synthgen.benchmark.settings import DecideSettings
from synthgen.errors import ConfigError, MachineError
from synthgen.results import Recipe

Part: TypeAlias = Literal["inner", "outer", "again"]
"""``again`` is ``outer`` with other seeds."""
S = TypeVar("S")


class Trying(Attempts):
    """One source on one resample; what is drawn, trained and scored is a subclass's affair."""

    def __init__(self, job: Job, settings: DecideSettings, failures: list[Failure]) -> None:
        super().__init__(failures)
        self.job = job
        self._decide = settings
        self._trials: dict[tuple[str, Recipe], Trial | None] = {}

    @abstractmethod
    def measure(self, arm: Arm, learner: str) -> LearnerResult | None:
        """None if it failed; then ``failures`` say why."""

    @abstractmethod
    def _recipes(self, arm: Arm, learner: str) -> list[Recipe]:
        """What an arm tries with a learner; the later treatments build on the earlier ones."""

    @abstractmethod
    def _try(self, learner: str, recipe: Recipe) -> Trial | None:
        """The recipe on the inner part."""

    @abstractmethod
    def _scored_again(self, learner: str, recipe: Recipe) -> Scores | None:
        """The scores on the outer part with draws of its own."""

    def arms(self) -> list[ArmResult]:
        """All arms of the job's source with all learners."""
        results = []
        for arm in self.job.source.arms:
            found = [self.measure(arm, learner) for learner in self._decide.learners]
            kept = self._repeated([result for result in found if result is not None])
            results.append(ArmResult(arm=arm.name, learners=kept))
        return results

    def _repeated(self, results: list[LearnerResult]) -> list[LearnerResult]:
        """An arm's results, the best of which is measured again with draws of its own."""
        best = max(results, key=lambda result: result.inner, default=None)
        again = None if best is None else self._scored_again(best.learner, best.recipe)
        if again is None:
            return results
        return [r.model_copy(update={"again": again}) if r is best else r for r in results]

    def _choose(self, arm: Arm, learner: str) -> tuple[list[Trial], Recipe, float] | None:
        """The arm's trials, and the recipe that was best on the inner part with its score."""
        trials = self._kept(learner, self._recipes(arm, learner))
        chosen = best_trial(trials)
        if chosen is not None and chosen.score is not None:
            return trials, chosen.recipe, chosen.score
        if trials:
            self.fail("choice", f"the inner part does not define {self._decide.metric}", learner)
        return None

    def _kept(self, learner: str, recipes: Sequence[Recipe]) -> list[Trial]:
        found = [self._trial(learner, recipe) for recipe in recipes]
        return [trial for trial in found if trial is not None]

    def _trial(self, learner: str, recipe: Recipe) -> Trial | None:
        return once(self._trials, (learner, recipe), lambda: self._try(learner, recipe))

    def _refined(self, kinds: Sequence[str], learner: str, raw: list[Recipe]) -> list[Recipe]:
        """The recipes filtered or weighted, or both one after the other, as ``kinds`` say."""
        return [
            recipe
            for base in self._bases(learner, raw)
            for kind in kinds
            for recipe in self._variants(kind, base)
        ]

    def _bases(self, learner: str, raw: list[Recipe]) -> list[Recipe]:
        """The ratios that filters and weights are tried at."""
        if self._decide.every_ratio:
            return raw
        best = best_trial(self._kept(learner, raw))
        return [best.recipe] if best is not None else []

    def _best_of_all(self, learner: str, raw: list[Recipe]) -> Recipe | None:
        """The best of the recipes as they come, filtered and weighted."""
        refined = self._refined(("filtered", "weighted"), learner, raw)
        best = best_trial(self._kept(learner, [*raw, *refined]))
        return None if best is None else best.recipe

    def _variants(self, kind: str, base: Recipe) -> list[Recipe]:
        if kind == "filtered":
            return [base.model_copy(update={"filter": f}) for f in self._decide.filters]
        return [base.model_copy(update={"weight": w}) for w in self._decide.weights]


def fitted(fit: Callable[[], S], failures: list[Failure]) -> S | None:
    """What the generator's ``fit`` gives; None if it failed, which is a finding. Raises what is no
    property of the generator: a misconfiguration, and what is wrong with the machine."""
    try:
        return fit()
    except (ConfigError, MachineError, OSError, MemoryError):
        raise
    except Exception as error:
        failures.append(Failure(stage="generator", message=describe(error)))
        return None
