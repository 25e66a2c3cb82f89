"""From images to a verdict, with generators whose worth is known."""

from __future__ import annotations

from synthgen.benchmark.arms import Arm, Source
from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.records import ArmResult, Job, JobResult, LearnerResult
from synthgen.benchmark.resamples import Sizes
from synthgen.benchmark.scoring import CLASSIFICATION
from synthgen.benchmark.verdict import conclude
from synthgen.results import Recipe
from tests.benchmark.images.worlds import (
    PERCEPTRON,
    PLAIN,
    Motifs,
    class_ignorer,
    measure,
    memoriser,
    noise,
    oracle,
)


def _of(results: list[JobResult], generator: str) -> list[JobResult]:
    """As if this generator alone had been asked for."""
    return [r for r in results if r.job.source.name == generator or not r.job.source.candidate]


SETTINGS = ImageSettings(
    resamples=5,
    learners=(PERCEPTRON,),
    ratios=(30.0,),
    arms=("nothing", "placebo"),
    classifier_steps=200,
    batch_size=64,
    **PLAIN,
)


def test_fresh_images_of_the_truth_are_recognised_where_a_hundred_show_little() -> None:
    world = Motifs()
    for seed in range(2):
        results = measure(world.images(96, seed), SETTINGS, {"oracle": oracle(world)}, seed)
        assert not [failure for result in results for failure in result.failures]
        verdict = conclude(results, SETTINGS, generators=("oracle",))
        assert verdict.decision == "augment"
        assert verdict.sentence.startswith(
            "Augment: synthetic images from oracle (30 per training image"
        )
        assert verdict.ratio == 30.0
        assert verdict.difference > 0.1


def test_meaningless_misclassified_and_memorised_images_are_never_recommended() -> None:
    generators = {"noise": noise(), "class-ignorer": class_ignorer(), "memoriser": memoriser()}
    settings = SETTINGS.model_copy(update={"ratios": (8.0,), "classifier_steps": 60})
    results = measure(Motifs().images(96, 0), settings, generators)
    for name in generators:
        verdict = conclude(_of(results, name), settings, generators=(name,))
        assert verdict.decision != "augment", name
    assert verdict.decision == "do-not-augment"
    assert "these images only repeat training images" in verdict.sentence


def test_an_augmentation_is_recommended_for_what_it_shows_and_for_nothing_else() -> None:
    """Balanced accuracy asks for balancing in theory, but not for augmentations: a gain that may
    be chance is no reason for one."""
    for gains, arm in (([0.06, -0.05, 0.02], None), ([0.05, 0.06, 0.04], "mixup")):
        results = [_scored(resample, gain) for resample, gain in enumerate(gains)]
        verdict = conclude(results, SETTINGS, generators=("gan",))
        assert verdict.arm == arm


def _scored(resample: int, gain: float) -> JobResult:
    """``nothing``, and MixUp with this gain, inside and outside."""
    learners = {
        name: LearnerResult(
            learner=PERCEPTRON,
            trials=[],
            recipe=Recipe(),
            inner=score,
            rows=0,
            scores=dict.fromkeys(CLASSIFICATION, score),
            classes={},
            subgroups={},
        )
        for name, score in (("nothing", 0.7), ("mixup", 0.7 + gain))
    }
    arms = (Arm(name="nothing", treatment="plain"), Arm(name="mixup", treatment="mixup"))
    return JobResult(
        job=Job(resample=resample, source=Source(name="rows", arms=arms), seed=0),
        sizes=Sizes(
            available=400, used=400, inner_train=225, inner=75, train=300, test=100, rarest=40
        ),
        arms=[ArmResult(arm=name, learners=[one]) for name, one in learners.items()],
        failures=[],
    )
