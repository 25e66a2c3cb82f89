"""The images of one resample, and every recipe that is tried on them with every learner; as
:mod:`synthgen.benchmark.trials` does with rows."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from synthgen.benchmark.arms import Arm
from synthgen.benchmark.choosing import best_trial, once, place_within_class
from synthgen.benchmark.filters import TIMES
from synthgen.benchmark.images.arms import ImageSampler, draw_images
from synthgen.benchmark.images.detection import detection
from synthgen.benchmark.images.filters import surest
from synthgen.benchmark.images.learners import Labelled, Training, predict
from synthgen.benchmark.images.resamples import ImageResample
from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.records import (
    CurveScore,
    Diagnosis,
    Failure,
    Job,
    LearnerResult,
    Scores,
    Trial,
)
from synthgen.benchmark.resamples import seed_of
from synthgen.benchmark.scoring import Asked, Predicted, score_all, score_classes
from synthgen.benchmark.settings import Ratio
from synthgen.benchmark.trying import Part, Trying
from synthgen.data.images.images import Images
from synthgen.metrics.images.copies import find_copies
from synthgen.results import Augmentation, Recipe
from synthgen.vision.classifier import Classifier

AUGMENTATIONS: tuple[Augmentation, ...] = ("flips_crops", "randaugment", "mixup")


class ImageBench(Trying):
    """A resample's images as learners see them. What is drawn, trained or predicted once serves all
    arms that need it."""

    def __init__(
        self,
        job: Job,
        settings: ImageSettings,
        resample: ImageResample,
        sampler: ImageSampler | None,
        failures: list[Failure],
        device: str,
    ) -> None:
        super().__init__(job, settings, failures)
        self.settings, self.resample = settings, resample
        self.sampler = sampler
        self.asked = Asked(resample.interest, settings.precision)
        self.images: dict[Part, Images] = {"inner": resample.inner_train, "outer": resample.train}
        self.real = {part: Labelled.of(images) for part, images in self.images.items()}
        inner, test = Labelled.of(resample.inner), Labelled.of(resample.test)
        self.judged: dict[Part, Labelled] = {"inner": inner, "outer": test}
        self.images["again"] = self.images["outer"]
        self.real["again"], self.judged["again"] = self.real["outer"], self.judged["outer"]
        self.truth = {part: images.labels.numpy() for part, images in self.judged.items()}
        self.classes = [str(name) for name in resample.train.classes]
        self.training = Training(
            classes=len(self.classes),
            steps=settings.steps(resample.sizes.used),
            batch_size=settings.batch_size,
            mirrored=settings.mirrored,
            device=device,
        )
        self._drawn: dict[tuple[Part, Ratio, int], Labelled | None] = {}
        self._selected: dict[tuple[Part, Ratio], Labelled | None] = {}
        self._taught: dict[str, Classifier | None] = {}
        self._values: dict[tuple[str, Part, Recipe], NDArray[np.float64] | None] = {}

    # ---- an arm ---------------------------------------------------------------------------

    def measure(self, arm: Arm, learner: str) -> LearnerResult | None:
        found = self._choose(arm, learner)
        if found is None:
            return None
        trials, recipe, inner = found
        values = self._predict(learner, "outer", recipe)
        added = self._added("outer", recipe)
        if values is None or added is None:
            return None
        predicted, truth = Predicted.of(values), self.truth["outer"]
        of_classes = score_classes(truth, predicted, self.asked)
        return LearnerResult(
            learner=learner,
            trials=trials,
            recipe=recipe,
            inner=inner,
            rows=len(added),
            scores=score_all("classification", truth, predicted, self.asked),
            classes=dict(zip(self.classes, of_classes, strict=True)),
            subgroups={},
        )

    def _scored_again(self, learner: str, recipe: Recipe) -> Scores | None:
        values = self._predict(learner, "again", recipe)
        if values is None:
            return None
        return score_all("classification", self.truth["again"], Predicted.of(values), self.asked)

    def _recipes(self, arm: Arm, learner: str) -> list[Recipe]:
        raw = [Recipe(ratio=ratio) for ratio in self.job.source.ratios]
        match arm.treatment:
            case "plain":
                return [Recipe()]
            case "balanced":
                return [Recipe(balanced=True)]
            case "flips_crops" | "randaugment" | "mixup":
                return [Recipe(augmentation=arm.treatment)]
            case "raw":
                return raw
            case "filtered" | "weighted":
                return self._refined([arm.treatment], learner, raw)
            case "mixed":
                best = self._best_of_all(learner, raw)
                return [] if best is None else self._mixed(learner, best)
            case "threshold":
                raise ValueError("no threshold is tuned for images")

    def _mixed(self, learner: str, base: Recipe) -> list[Recipe]:
        """With each augmentation that is an arm, and the best of these with balanced weights."""
        augmented = [
            base.model_copy(update={"augmentation": kind})
            for kind in AUGMENTATIONS
            if kind in self.settings.arms
        ]
        best = best_trial(self._kept(learner, augmented))
        chosen = base if best is None else best.recipe
        return [*augmented, chosen.model_copy(update={"balanced": True})]

    # ---- the inner part -------------------------------------------------------------------

    def _try(self, learner: str, recipe: Recipe) -> Trial | None:
        values, added = self._predict(learner, "inner", recipe), self._added("inner", recipe)
        if values is None or added is None:
            return None
        return Trial(recipe=recipe, rows=len(added), score=self._score("inner", values))

    def _score(self, part: Part, values: NDArray[np.float64]) -> float | None:
        predicted = Predicted.of(values)
        scores = score_all("classification", self.truth[part], predicted, self.asked)
        return scores[self.settings.metric]

    # ---- predictions and images -----------------------------------------------------------

    def _predict(self, learner: str, part: Part, recipe: Recipe) -> NDArray[np.float64] | None:
        """What the learner says of the images that the part is judged by; None if there is nothing
        to train on or training failed."""
        added = self._added(part, recipe)
        if added is None:
            return None
        key = (learner, part, self._simplest(added, part, recipe))
        return once(self._values, key, lambda: self._fit(*key))

    def _simplest(self, added: Labelled, part: Part, recipe: Recipe) -> Recipe:
        """The plainest recipe that trains the same: a class that is full lacks no image, and
        classes of one size have one weight."""
        real = self.real[part]
        if len(added) == 0:
            recipe = recipe.model_copy(update={"ratio": None, "filter": None, "weight": 1.0})
        labels = torch.cat([real.labels, added.labels])
        if recipe.balanced and self.training.class_weights(labels, recipe, len(real)) is None:
            recipe = recipe.model_copy(update={"balanced": False})
        return recipe

    def _fit(self, learner: str, part: Part, recipe: Recipe) -> NDArray[np.float64] | None:
        first = self.settings.learners[0]
        if (learner, part, recipe) == (first, "inner", Recipe()):
            model = self._teacher()
        else:
            model = self._train(learner, part, recipe)
        if model is None:
            return None
        return self.attempt("learner", lambda: predict(model, self.judged[part]), learner, recipe)

    def _teacher(self) -> Classifier | None:
        """The first learner, trained on the inner training images as they are."""
        first = self.settings.learners[0]
        return once(self._taught, first, lambda: self._train(first, "inner", Recipe()))

    def _train(self, learner: str, part: Part, recipe: Recipe) -> Classifier | None:
        added, real = self._added(part, recipe), self.real[part]
        if added is None:
            return None
        purpose = "learner again" if part == "again" else "learner"
        seed = seed_of(self.job.seed, self.job.resample, purpose)
        return self.attempt(
            "learner",
            lambda: self.training.train(learner, real.stack(added), seed, recipe, len(real)),
            learner,
            recipe,
        )

    def _added(self, part: Part, recipe: Recipe) -> Labelled | None:
        """The synthetic images of the recipe, which may be none; None if none of those came that
        were asked for."""
        ratio = recipe.ratio
        if ratio is None:
            return self.real[part].take(np.arange(0))
        if recipe.filter is None:
            return self._draw(part, ratio, 1)
        return once(self._selected, (part, ratio), lambda: self._select(part, ratio))

    def _select(self, part: Part, ratio: Ratio) -> Labelled | None:
        teacher = self._teacher()
        many = self._draw(part, ratio, TIMES) if teacher is not None else None
        if teacher is None or many is None or len(many) == 0:
            return many
        wanted = round(len(many) / TIMES)
        return self.attempt(
            "filter",
            lambda: many.take(surest(predict(teacher, many), many.labels.numpy(), wanted)),
            recipe=Recipe(ratio=ratio, filter="teacher"),
        )

    def _draw(self, part: Part, ratio: Ratio, times: int) -> Labelled | None:
        return once(
            self._drawn, (part, ratio, times), lambda: self._drawn_images(part, ratio, times)
        )

    def _drawn_images(self, part: Part, ratio: Ratio, times: int) -> Labelled | None:
        sampler = self.sampler
        assert sampler is not None
        purpose = f"{part} {ratio}" + (f" x{times}" if times > 1 else "")
        recipe = Recipe(ratio=ratio)

        def work() -> tuple[Labelled, int]:
            seed = seed_of(self.job.seed, self.job.resample, purpose)
            drawn = draw_images(sampler, self.images[part], ratio, seed=seed, times=times)
            return Labelled.of(drawn.images), drawn.wanted

        found = self.attempt("sample", work, recipe=recipe)
        if found is None:
            return None
        images, wanted = found
        if len(images) < wanted:
            message = f"{part} part: {len(images)} of {wanted} synthetic images came"
            self.fail("shortfall", message, None, recipe)
        # Images that were asked for and did not come are not the same as none wanted.
        return None if len(images) == 0 < wanted else images

    # ---- beside the arms ------------------------------------------------------------------

    def diagnose(self) -> Diagnosis | None:
        """With the first learner; None where no image could be drawn."""
        drawn = self._draw("inner", 1.0, 1)
        if drawn is None or len(drawn) == 0:
            return None
        inner, train = self.judged["inner"], self.real["inner"]
        learner = self.settings.learners[0]
        size = min(len(drawn), len(train))
        seed = seed_of(self.job.seed, self.job.resample, "diagnosis")
        order = np.random.default_rng(seed).permutation(len(train))[:size]
        some, generated = train.take(np.sort(order)), drawn.take(np.arange(size))

        def detected() -> float | None:
            # Images that the detector has not seen: inner ones, and fresh synthetic ones.
            fresh = self._draw("inner", 1.0, TIMES)
            if fresh is None:
                return None
            fresh = fresh.take(np.arange(min(len(fresh), len(inner))))
            return detection(self.training, learner, (some, generated), (inner, fresh), seed)

        def taught(images: Labelled) -> float | None:
            own = seed_of(self.job.seed, self.job.resample, "learner")
            model = self.training.train(learner, images, own, Recipe(), len(images))
            return self._score("inner", predict(model, inner))

        def real() -> float | None:
            if size < len(train):
                return taught(some)
            values = self._predict(learner, "inner", Recipe())
            return None if values is None else self._score("inner", values)

        copied, coincident = (
            len(find_copies(train.pixels, images.pixels)) / len(images) for images in (drawn, inner)
        )
        return Diagnosis(
            copied=copied,
            coincident=coincident,
            detected=self.attempt("filter", detected),
            learner=learner,
            alone=self.attempt("learner", lambda: taught(generated), learner),
            real=self.attempt("learner", real, learner),
        )

    def curve(self) -> list[CurveScore]:
        """The learning curve of the training images at the shares of the settings; nested parts,
        every class in its share, all trained for the same steps. What a learner cannot learn from
        few images is left out."""
        real, test = self.real["outer"], self.judged["outer"]
        seed = seed_of(self.job.seed, self.job.resample, "curve")
        place = place_within_class(real.labels.numpy(), seed)
        found = []
        for share in sorted(self.settings.curve):
            part = real.take(np.flatnonzero(place < share))
            for learner in self.settings.learners:

                def work(learner: str = learner, part: Labelled = part) -> NDArray[np.float64]:
                    model = self.training.train(learner, part, seed, Recipe(), len(part))
                    return predict(model, test)

                values = self.attempt("learner", work, learner, quietly=True)
                score = None if values is None else self._score("outer", values)
                if score is not None:
                    found.append(CurveScore(learner=learner, rows=len(part), score=score))
        return found
