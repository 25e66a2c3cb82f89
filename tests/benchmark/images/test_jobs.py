from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from synthgen.benchmark.arms import Arm, Source, Treatment
from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.images import learners
from synthgen.benchmark.images.arms import ImageGenerator, image_ladder
from synthgen.benchmark.images.duplicates import Duplicates
from synthgen.benchmark.images.jobs import run_image_job
from synthgen.benchmark.images.learners import Labelled
from synthgen.benchmark.images.resamples import split_resample
from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.naming import subject
from synthgen.benchmark.records import Job, JobResult, LearnerResult
from synthgen.benchmark.resamples import seed_of
from synthgen.benchmark.scoring import Asked, Predicted, score_all
from synthgen.benchmark.settings import Ratio
from synthgen.data.images.images import Class, Images
from synthgen.errors import ConfigError, MachineError, TrainingError
from synthgen.results import Recipe
from synthgen.training.context import Context
from synthgen.vision.train import train_classifier
from tests.benchmark.images.worlds import (
    PERCEPTRON,
    QUICK,
    Fake,
    Motifs,
    as_images,
    class_ignorer,
    memoriser,
    noise,
    oracle,
)

WORLD = Motifs(motifs=3)
FULL = ImageSettings(
    resamples=3,
    learners=(PERCEPTRON,),
    ratios=(0.5, "balanced"),
    classifier_steps=10,
    batch_size=32,
)


def _imbalanced(n: int = 90) -> Images:
    """A third of the images is of the second class."""
    return WORLD.images(n, 0, (np.arange(n) % 3 == 0).astype(np.int64))


def _gen(*treatments: Treatment, ratios: tuple[Ratio, ...] = (0.5, 1.0)) -> Source:
    arms = tuple(Arm(name=f"gen-{name}", treatment=name) for name in treatments or ("raw",))
    return Source(name="gen", arms=arms, ratios=ratios, candidate=True)


def _job(source: Source, resample: int = 0, seed: int = 0) -> Job:
    return Job(resample=resample, source=source, seed=seed)


def _rows(settings: ImageSettings) -> Source:
    return image_ladder(settings, [])[0]


def _only(result: JobResult, arm: str) -> LearnerResult:
    (found,) = next(one.learners for one in result.arms if one.arm == arm)
    return found


# ---- what a job measures ----------------------------------------------------------------------


def test_the_plain_arm_by_hand_with_the_small_cnn_on_digits() -> None:
    digits = load_digits()
    pixels = np.rint(digits.images[:200] * 255 / 16).astype(np.uint8)[:, None]
    images = as_images(pixels, digits.target[:200], tuple(range(10)))
    settings = ImageSettings(
        resamples=3, arms=("nothing",), classifier_steps=20, batch_size=32, curve=(0.5,)
    )
    result = run_image_job(_job(_rows(settings), resample=1), images, settings, None)
    parts = split_resample(images, settings, seed=0, number=1)
    scores: list[dict[str, float | None]] = []
    for purpose in ("learner", "learner again"):
        trained = train_classifier(
            torch.from_numpy(parts.train.pixels),
            torch.from_numpy(parts.train.labels),
            10,
            steps=20,
            batch_size=32,
            seed=seed_of(0, 1, purpose),
        )
        told = trained.probabilities(torch.from_numpy(parts.test.pixels)).double().numpy()
        predicted = Predicted.of(told)
        scores.append(score_all("classification", parts.test.labels, predicted, Asked()))
    found = _only(result, "nothing")
    assert [found.scores, found.again] == scores
    assert found.learner == "small-cnn"
    assert [(t.recipe, t.rows) for t in found.trials] == [(Recipe(), 0)]
    assert list(found.classes) == result.classes == [str(k) for k in range(10)]
    assert result.sizes == parts.sizes
    assert [(c.learner, c.rows) for c in result.curve] == [("small-cnn", 77)]
    assert result.failures == []


def test_the_same_job_gives_the_same_bytes_alone_and_after_another() -> None:
    images = _imbalanced()
    job = _job(image_ladder(FULL, ["gen"])[-1], seed=11)
    first = run_image_job(job, images, FULL, oracle(WORLD))
    run_image_job(_job(_rows(FULL)), images, FULL, None)
    torch.manual_seed(5)
    second = run_image_job(job, images, FULL, oracle(WORLD)).model_dump_json()
    assert first.model_dump_json() == second
    assert JobResult.model_validate_json(second) == first


def test_recipes_of_every_arm() -> None:
    images = _imbalanced()
    plain = run_image_job(_job(_rows(FULL)), images, FULL, None)
    assert [arm.arm for arm in plain.arms] == [
        *("nothing", "class_weights", "flips_crops", "randaugment", "mixup")
    ]
    assert _only(plain, "class_weights").recipe == Recipe(balanced=True)
    for kind in ("flips_crops", "randaugment", "mixup"):
        assert _only(plain, kind).recipe == Recipe(augmentation=kind)
    losses = [arm.learners[0].scores["log_loss"] for arm in plain.arms]
    assert len(set(losses)) == len(losses)

    source = image_ladder(FULL, ["gen"])[-1]
    result = run_image_job(_job(source), images, FULL, oracle(WORLD))
    assert result.failures == []
    raw = _only(result, "gen")
    counts = split_resample(images, FULL, seed=0, number=0).inner_train.counts()
    lack = int(counts[0] - counts[1])
    half = round(0.5 * counts.sum())
    assert [(t.recipe.ratio, t.rows) for t in raw.trials] == [(0.5, half), ("balanced", lack)]
    base = raw.recipe
    assert [t.recipe for t in _only(result, "gen-filtered").trials] == [
        base.model_copy(update={"filter": "teacher"})
    ]
    assert [t.recipe for t in _only(result, "gen-weighted").trials] == [
        base.model_copy(update={"weight": 0.3})
    ]
    mixed = [t.recipe for t in _only(result, "gen-mixed").trials]
    assert [r.augmentation for r in mixed[:3]] == ["flips_crops", "randaugment", "mixup"]
    assert mixed[3].balanced
    assert mixed[3].augmentation is not None
    assert all(r.ratio == base.ratio for r in mixed)


def test_every_classifier_has_the_same_steps_and_none_sees_a_test_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = _imbalanced()
    parts = split_resample(images, FULL, seed=0, number=0)
    seen: list[tuple[int, set[bytes]]] = []

    def noting(pixels: torch.Tensor, *args: Any, steps: int, **more: Any) -> Any:
        seen.append((steps, {image.numpy().tobytes() for image in pixels}))
        return train_classifier(pixels, *args, steps=steps, **more)

    monkeypatch.setattr(learners, "train_classifier", noting)
    for source in image_ladder(FULL, ["gen"]):
        generator = {"rows": None, "gen": memoriser()}.get(source.name, Duplicates())
        run_image_job(_job(source), images, FULL, generator)
    test = {image.tobytes() for image in parts.test.pixels}
    inner = {image.tobytes() for image in parts.inner.pixels}
    assert {steps for steps, _ in seen} == {10}
    assert not any(known & test for _, known in seen)
    # The teacher and whatever else is not scored on test images see no inner ones either.
    assert sum(not known & inner for _, known in seen) > len(seen) / 4


def test_the_generator_is_fitted_once_on_inner_training_images() -> None:
    images, generator = _imbalanced(), noise()
    for number in range(2):
        run_image_job(_job(_gen(), resample=number), images, QUICK, generator)
    assert len(generator.seen) == 2
    for number, (seen, seed) in enumerate(generator.seen):
        parts = split_resample(images, QUICK, seed=0, number=number)
        assert seen.names == parts.inner_train.names
        assert seed == seed_of(0, number, "fit")


def test_where_classes_are_full_balancing_is_doing_nothing() -> None:
    """Sixteen images of each class leave equal parts."""
    images = WORLD.images(64, 0)
    settings = QUICK.model_copy(update={"arms": ("nothing", "class_weights", "oversample")})
    rows, oversample = image_ladder(settings, [])
    plain = run_image_job(_job(rows), images, settings, None)
    filled = run_image_job(_job(oversample), images, settings, Duplicates())
    nothing = _only(plain, "nothing")
    for found in (_only(plain, "class_weights"), _only(filled, "oversample")):
        assert (found.scores, found.again, found.rows) == (nothing.scores, nothing.again, 0)


def test_mirrors_come_with_augmentations_only_where_they_are_as_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flips: list[tuple[bool, int]] = []

    def noting(*args: Any, augmentation: Any, **more: Any) -> Any:
        flips.append((augmentation.flip, augmentation.padding))
        return train_classifier(*args, augmentation=augmentation, **more)

    monkeypatch.setattr(learners, "train_classifier", noting)
    for mirrored in (False, True):
        settings = QUICK.model_copy(update={"mirrored": mirrored})
        run_image_job(_job(_rows(settings)), _imbalanced(), settings, None)
    assert set(flips[: len(flips) // 2]) == {(False, 0), (False, 1)}
    assert set(flips[len(flips) // 2 :]) == {(False, 0), (True, 1)}


# ---- beside the arms --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("generator", "copied"),
    [(memoriser(), 1.0), (memoriser(mirror=True), 1.0), (oracle(WORLD), 0.0), (noise(), 0.0)],
)
def test_copies_are_counted_also_mirrored_ones(generator: Fake, copied: float) -> None:
    result = run_image_job(_job(_gen()), _imbalanced(), QUICK, generator)
    assert result.diagnosis is not None
    assert (result.diagnosis.copied, result.diagnosis.coincident) == (copied, 0.0)


def test_what_is_wrong_with_generated_images_is_measured() -> None:
    settings = QUICK.model_copy(update={"classifier_steps": 100})
    found = {}
    makers: dict[str, ImageGenerator] = {
        "oracle": oracle(WORLD),
        "noise": noise(),
        "ignorer": class_ignorer(),
    }
    for name, generator in makers.items():
        result = run_image_job(_job(_gen()), _imbalanced(240), settings, generator)
        diagnosis = result.diagnosis
        assert diagnosis is not None
        assert diagnosis.alone is not None
        assert diagnosis.real is not None
        assert diagnosis.detected is not None
        assert diagnosis.learner == PERCEPTRON
        assert diagnosis.real > 0.95
        found[name] = diagnosis
    assert found["oracle"].alone > 0.95  # type: ignore[operator]
    assert abs(found["oracle"].detected - 0.5) < 0.2  # type: ignore[operator]
    assert found["noise"].detected > 0.95  # type: ignore[operator]
    for name in ("noise", "ignorer"):
        assert found[name].alone < 0.8  # type: ignore[operator]


# ---- what fails -------------------------------------------------------------------------------


@dataclass
class Failing:
    """A generator that raises in ``fit``, or whose sampler gives what it is told."""

    error: Exception | None = None
    images: Images | None = None

    def fit(self, train: Images, context: Context) -> Failing:
        if self.error is not None:
            raise self.error
        return self

    def sample(self, n: int, *, seed: int, where: Mapping[str, Class] | None = None) -> Images:
        assert self.images is not None
        return self.images.take(np.arange(min(n, len(self.images))))


def test_a_failing_generator_is_a_finding() -> None:
    failing = Failing(TrainingError("the losses stayed NaN", "train longer"))
    result = run_image_job(_job(_gen()), _imbalanced(), QUICK, failing)
    (failure,) = result.failures
    assert (failure.stage, failure.message) == ("generator", "TrainingError: the losses stayed NaN")
    assert result.arms == []


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ConfigError("a", "b"), ConfigError),
        (MachineError("a", "b"), MachineError),
        (OSError(), OSError),
        (MemoryError(), MemoryError),
        (torch.OutOfMemoryError(), MachineError),
    ],
)
def test_what_is_no_property_of_the_generator_is_raised(
    error: Exception, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        run_image_job(_job(_gen()), _imbalanced(), QUICK, Failing(error))


def test_images_of_another_shape_and_too_few_images_are_findings() -> None:
    other = Motifs(side=12).images(200, 0)
    result = run_image_job(_job(_gen()), _imbalanced(), QUICK, Failing(images=other))
    assert {failure.stage for failure in result.failures} == {"sample"}
    assert [arm.learners for arm in result.arms] == [[]]
    assert result.diagnosis is None

    few = WORLD.images(10, 3)
    result = run_image_job(_job(_gen()), _imbalanced(), QUICK, Failing(images=few))
    assert {failure.stage for failure in result.failures} == {"shortfall"}
    assert result.failures[0].message == "inner part: 10 of 25 synthetic images came"
    assert _only(result, "gen-raw").rows == 10


def test_a_learner_that_cannot_be_made_is_a_finding_without_its_words() -> None:
    settings = QUICK.model_copy(update={"learners": (f"{Motifs.__module__}:broken",)})
    result = run_image_job(_job(_rows(settings)), _imbalanced(), settings, None)
    assert {failure.stage for failure in result.failures} == {"learner"}
    assert [arm.learners for arm in result.arms] == [[], []]


def test_too_few_images_of_a_class_are_a_finding() -> None:
    images = WORLD.images(40, 0, (np.arange(40) < 2).astype(np.int64))
    result = run_image_job(_job(_rows(QUICK)), images, QUICK, None)
    assert [failure.stage for failure in result.failures] == ["split"]
    assert result.sizes is None


def test_rows_have_no_generator_and_all_others_have_one() -> None:
    for source, generator in ((_rows(QUICK), noise()), (_gen(), None)):
        with pytest.raises(ValueError, match="need a generator"):
            run_image_job(_job(source), _imbalanced(), QUICK, generator)


# ---- what is written down ---------------------------------------------------------------------


def test_recipes_of_before_images_still_load() -> None:
    old = '{"ratio":0.5,"filter":"teacher","weight":1.0,"balanced":true,"multipliers":null}'
    assert Recipe.model_validate_json(old) == Recipe(ratio=0.5, filter="teacher", balanced=True)


def test_a_mixed_arm_says_what_it_does() -> None:
    job = _job(_gen("mixed"))
    board = Comparison([JobResult(job=job, sizes=None, arms=[], failures=[])], QUICK)
    for recipe, words in (
        (Recipe(ratio=1.0, augmentation="randaugment"), "RandAugment"),
        (
            Recipe(ratio=1.0, augmentation="mixup", balanced=True),
            "MixUp and balanced weights",
        ),
    ):
        said = subject("gen-mixed", board, recipe)
        assert said == f"synthetic images from gen with {words}"


def test_labelled_images_are_cut_and_joined() -> None:
    images = Labelled.of(WORLD.images(6, 0))
    both = images.take(np.array([4, 1])).stack(images.take(np.array([0])))
    assert both.labels.tolist() == [0, 1, 0]
    assert torch.equal(both.pixels, images.pixels[[4, 1, 0]])
