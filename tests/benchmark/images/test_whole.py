"""From images to a verdict, with generators whose worth is known."""

from __future__ import annotations

from synthgen.benchmark.images.settings import ImageSettings
from synthgen.benchmark.records import JobResult
from synthgen.benchmark.verdict import conclude
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
        assert verdict.sentence.startswith("Augment: synthetic rows from oracle (30 per training")
        assert verdict.ratio == 30.0
        assert verdict.difference > 0.1


def test_meaningless_misclassified_and_memorised_images_are_never_recommended() -> None:
    generators = {"noise": noise(), "class-ignorer": class_ignorer(), "memoriser": memoriser()}
    results = measure(Motifs().images(96, 0), SETTINGS, generators)
    for name in generators:
        verdict = conclude(_of(results, name), SETTINGS, generators=(name,))
        assert verdict.decision != "augment", name
    assert verdict.decision == "do-not-augment"
    assert "these rows only repeat training rows" in verdict.sentence
