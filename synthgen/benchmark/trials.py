"""The rows of one resample, and every recipe that is tried on them with every learner."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from synthgen.benchmark import learners, threshold
from synthgen.benchmark.arms import Arm, Sampler, draw
from synthgen.benchmark.choosing import once, place_within_class
from synthgen.benchmark.filters import JUDGE, TIMES, Selection, fit_detector, fit_filter, realness
from synthgen.benchmark.learners import Rows, rows_of
from synthgen.benchmark.records import (
    CurveScore,
    Diagnosis,
    Failure,
    Job,
    LearnerResult,
    Scores,
    Trial,
)
from synthgen.benchmark.resamples import Resample, seed_of
from synthgen.benchmark.scoring import Asked, Predicted, score_all, score_classes
from synthgen.benchmark.settings import DecideSettings, Ratio
from synthgen.benchmark.trying import Part, Trying
from synthgen.benchmark.weighting import sample_weights
from synthgen.data.schema import Schema
from synthgen.results import Filter, Recipe


class Bench(Trying):
    """A resample's rows as learners see them. What is drawn, fitted or predicted once serves all
    arms that need it."""

    def __init__(
        self,
        job: Job,
        settings: DecideSettings,
        resample: Resample,
        sampler: Sampler | None,
        groups: Mapping[str, NDArray[np.bool_]],
        failures: list[Failure],
    ) -> None:
        super().__init__(job, settings, failures)
        self.settings, self.resample = settings, resample
        self.sampler, self.groups = sampler, groups
        self.task = resample.train.schema.task
        self.asked = Asked(resample.interest, settings.precision)
        self.tables = {"inner": resample.inner_train, "outer": resample.train}
        self.real = {part: rows_of(table) for part, table in self.tables.items()}
        self.judged = {"inner": rows_of(resample.inner), "outer": rows_of(resample.test)}
        self.tables["again"] = self.tables["outer"]
        self.real["again"], self.judged["again"] = self.real["outer"], self.judged["outer"]
        self.classes = _classes(resample.train.schema)
        self._drawn: dict[tuple[str, Ratio, int], Rows | None] = {}
        self._chosen: dict[tuple[str, Ratio, Filter | None], Rows | None] = {}
        self._filters: dict[Filter, Selection | None] = {}
        self._values: dict[tuple[str, str, Recipe], NDArray[np.float64] | None] = {}

    # ---- an arm ---------------------------------------------------------------------------

    def measure(self, arm: Arm, learner: str) -> LearnerResult | None:
        found = self._choose(arm, learner)
        if found is None:
            return None
        trials, recipe, inner = found
        values = self._predict(learner, "outer", recipe)
        added = self._training("outer", recipe)
        if values is None or added is None:
            return None
        predicted = _predicted(values, recipe)
        truth = self.judged["outer"].labels
        return LearnerResult(
            learner=learner,
            trials=trials,
            recipe=recipe,
            inner=inner,
            rows=len(added) - len(self.real["outer"]),
            scores=score_all(self.task, truth, predicted, self.asked),
            classes=dict(
                zip(self.classes, score_classes(truth, predicted, self.asked), strict=True)
            )
            if self.classes
            else {},
            subgroups={
                name: score_all(self.task, truth[mask], predicted.take(mask), self.asked)
                for name, mask in self.groups.items()
                if mask.any()
            },
        )

    def _scored_again(self, learner: str, recipe: Recipe) -> Scores | None:
        values = self._predict(learner, "again", recipe)
        if values is None:
            return None
        truth = self.judged["again"].labels
        return score_all(self.task, truth, _predicted(values, recipe), self.asked)

    def _recipes(self, arm: Arm, learner: str) -> list[Recipe]:
        raw = [Recipe(ratio=ratio) for ratio in self.job.source.ratios]
        match arm.treatment:
            case "plain":
                return [Recipe()]
            case "balanced":
                return [Recipe(balanced=True)]
            case "threshold":
                return self._tuned(learner, Recipe())
            case "raw":
                return raw
            case "filtered" | "weighted":
                return self._refined([arm.treatment], learner, raw)
            case "mixed":
                best = self._best_of_all(learner, raw)
                if best is None:
                    return []
                balanced = best.model_copy(update={"balanced": True})
                # Where the metric does not see thresholds, a tuned one would give this arm the
                # scores of its base under another name.
                seen = self.settings.metric in threshold.TUNABLE
                return [balanced, *(self._tuned(learner, best) if seen else [])]
            case "flips_crops" | "randaugment" | "mixup":
                raise ValueError(f"{arm.treatment} is done to images")

    def _tuned(self, learner: str, base: Recipe) -> list[Recipe]:
        """The recipe with class multipliers tuned on the inner rows; none without classes."""
        values = self._predict(learner, "inner", base) if self.classes else None
        truth = self.judged["inner"].labels
        if values is None or len(np.unique(truth)) < 2:
            return []
        found = threshold.tune(self._tuned_for, truth, values, self.asked)
        return [base.model_copy(update={"multipliers": tuple(found.tolist())})]

    @property
    def _tuned_for(self) -> str:
        """A threshold changes what is predicted and not the probabilities: where the primary
        metric looks at these alone, balanced accuracy is what it is tuned for."""
        metric = self.settings.metric
        return metric if metric in threshold.TUNABLE else "balanced_accuracy"

    # ---- the inner part -------------------------------------------------------------------

    def _try(self, learner: str, recipe: Recipe) -> Trial | None:
        values, training = self._predict(learner, "inner", recipe), self._training("inner", recipe)
        if values is None or training is None:
            return None
        truth = self.judged["inner"].labels
        if recipe.multipliers is None:
            score = self._score(truth, Predicted.of(values))
        else:
            score = self._crossed(truth, values)
        rows = len(training) - len(self.real["inner"])
        return Trial(recipe=recipe, rows=rows, score=score)

    def _crossed(self, truth: NDArray[np.int64], values: NDArray[np.float64]) -> float | None:
        """The inner score of a tuned threshold, each half of the rows being judged by what was
        tuned on the other: the rows that a threshold was tuned on flatter it."""
        order = np.argsort(truth, kind="stable")
        side = np.zeros(len(truth), dtype=bool)
        side[order[::2]] = True
        classes = np.empty(len(truth), dtype=np.int64)
        for half in (side, ~side):
            if len(np.unique(truth[half])) < 2:
                return self._score(truth, Predicted.of(values))
            found = threshold.tune(self._tuned_for, truth[half], values[half], self.asked)
            classes[~half] = threshold.apply(values[~half], found).classes
        return self._score(truth, Predicted(values, classes))

    def _score(self, truth: NDArray[np.int64], predicted: Predicted) -> float | None:
        return score_all(self.task, truth, predicted, self.asked)[self.settings.metric]

    # ---- predictions and rows -------------------------------------------------------------

    def _predict(self, learner: str, part: Part, recipe: Recipe) -> NDArray[np.float64] | None:
        """What the learner says of the rows that the part is judged by; None if there is nothing
        to train on or training failed. Multipliers do not matter here."""
        plain = recipe.model_copy(update={"multipliers": None})
        key = (learner, part, plain)
        return once(self._values, key, lambda: self._fit(learner, part, plain))

    def _fit(self, learner: str, part: Part, recipe: Recipe) -> NDArray[np.float64] | None:
        training = self._training(part, recipe)
        if training is None:
            return None
        weights = sample_weights(training, len(self.real[part]), recipe)
        purpose = "learner again" if part == "again" else "learner"
        seed = seed_of(self.job.seed, self.job.resample, purpose)

        def work() -> NDArray[np.float64]:
            return learners.fit(learner, training, seed, weights).values(self.judged[part])

        return self.attempt("learner", work, learner, recipe)

    def _training(self, part: Part, recipe: Recipe) -> Rows | None:
        """The part's real rows, then the synthetic ones of the recipe; None if none came."""
        if recipe.ratio is None:
            return self.real[part]
        ratio, kind = recipe.ratio, recipe.filter
        chosen = once(self._chosen, (part, ratio, kind), lambda: self._synthetic(part, ratio, kind))
        return None if chosen is None else self.real[part].stack(chosen)

    def _synthetic(self, part: Part, ratio: Ratio, kind: Filter | None) -> Rows | None:
        if kind is None:
            return self._draw(part, ratio, 1)
        selection = once(self._filters, kind, lambda: self._filter(kind))
        many = self._draw(part, ratio, TIMES) if selection is not None else None
        if selection is None or many is None:
            return None
        seed = seed_of(self.job.seed, self.job.resample, f"{part} {ratio} {kind}")
        return self.attempt(
            "filter",
            lambda: many.take(selection.keep(many, round(len(many) / TIMES), seed)),
            recipe=Recipe(ratio=ratio, filter=kind),
        )

    def _filter(self, kind: Filter) -> Selection | None:
        drawn = self._draw("inner", 1.0, 1) if kind == "density_ratio" else self.real["inner"]
        if drawn is None:
            return None
        seed = seed_of(self.job.seed, self.job.resample, f"filter {kind}")
        return self.attempt("filter", lambda: fit_filter(kind, self.real["inner"], drawn, seed))

    def _draw(self, part: Part, ratio: Ratio, times: int) -> Rows | None:
        return once(self._drawn, (part, ratio, times), lambda: self._drawn_rows(part, ratio, times))

    def _drawn_rows(self, part: Part, ratio: Ratio, times: int) -> Rows | None:
        sampler = self.sampler
        assert sampler is not None
        purpose = f"{part} {ratio}" + (f" x{times}" if times > 1 else "")
        recipe = Recipe(ratio=ratio)

        def work() -> tuple[Rows, int]:
            seed = seed_of(self.job.seed, self.job.resample, purpose)
            drawn = draw(sampler, self.tables[part], ratio, seed=seed, times=times)
            return rows_of(drawn.rows), drawn.wanted

        found = self.attempt("sample", work, recipe=recipe)
        if found is None:
            return None
        rows, wanted = found
        if len(rows) < wanted:
            message = f"{part} part: {len(rows)} of {wanted} synthetic rows came"
            self.fail("shortfall", message, None, recipe)
        # Rows that were asked for and did not come at all are not the same as no rows wanted.
        return None if len(rows) == 0 < wanted else rows

    # ---- beside the arms ------------------------------------------------------------------

    def diagnose(self) -> Diagnosis | None:
        """None where no row could be drawn."""
        drawn = self._draw("inner", 1.0, 1)
        if drawn is None or len(drawn) == 0:
            return None
        inner, train = self.judged["inner"], self.real["inner"]
        seed = seed_of(self.job.seed, self.job.resample, "diagnosis")
        known = {row.tobytes() for row in _cells(train)}
        size = min(len(drawn), len(train))

        def detected() -> float | None:
            detector = fit_detector(train, drawn, seed)
            # Rows that the detector has not seen: inner ones, and as many fresh synthetic ones.
            fresh = self._draw("inner", 1.0, TIMES)
            if fresh is None:
                return None
            fresh = fresh.take(np.arange(min(len(fresh), len(inner))))
            values = np.concatenate([realness(detector, inner), realness(detector, fresh)])
            truth = np.repeat(np.array([1, 0]), [len(inner), len(fresh)])
            both = Predicted.of(np.column_stack([1 - values, values]))
            return score_all("classification", truth, both, Asked(1))["roc_auc"]

        def taught(rows: Rows) -> float | None:
            values = learners.fit(JUDGE, rows, seed).values(inner)
            return self._score(inner.labels, Predicted.of(values))

        return Diagnosis(
            copied=float(np.mean([row.tobytes() in known for row in _cells(drawn)])),
            coincident=float(np.mean([row.tobytes() in known for row in _cells(inner)])),
            detected=self.attempt("filter", detected),
            learner=JUDGE,
            alone=self.attempt("learner", lambda: taught(drawn.take(np.arange(size))), JUDGE),
            real=self.attempt("learner", lambda: taught(train.take(np.arange(size))), JUDGE),
        )

    def curve(self) -> list[CurveScore]:
        """The learning curve of the training rows at the shares of the settings; nested parts,
        every class in its share. What a learner cannot learn from few rows is left out."""
        real, test = self.real["outer"], self.judged["outer"]
        seed = seed_of(self.job.seed, self.job.resample, "curve")
        labels = real.labels if real.classes else np.zeros(len(real), dtype=np.int64)
        place = place_within_class(labels, seed)
        found = []
        for share in sorted(self.settings.curve):
            part = real.take(np.flatnonzero(place < share))
            for learner in self.settings.learners:

                def work(learner: str = learner, part: Rows = part) -> NDArray[np.float64]:
                    return learners.fit(learner, part, seed).values(test)

                values = self.attempt("learner", work, learner, quietly=True)
                score = None if values is None else self._score(test.labels, Predicted.of(values))
                if score is not None:
                    found.append(CurveScore(learner=learner, rows=len(part), score=score))
        return found


def _predicted(values: NDArray[np.float64], recipe: Recipe) -> Predicted:
    if recipe.multipliers is None:
        return Predicted.of(values)
    return threshold.apply(values, np.array(recipe.multipliers))


def _classes(schema: Schema) -> list[str]:
    """Names of the target's classes; none for a numeric target."""
    return [
        str(value)
        for column in schema.discrete
        if column.name == schema.target
        for value in column.values
    ]


def _cells(rows: Rows) -> NDArray[np.float64]:
    """Values and target side by side; -0.0 as 0.0, so that equal rows are equal bytes."""
    return np.ascontiguousarray(np.column_stack([rows.values, rows.labels])) + 0.0
