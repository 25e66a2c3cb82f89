"""From rows to a verdict, with generators whose worth is known."""

from __future__ import annotations

from synthgen.benchmark.records import JobResult
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.verdict import conclude
from tests.benchmark.worlds import FAKES, PLAIN, Stripes, World, fake, measure, oracle


def _of(results: list[JobResult], generator: str) -> list[JobResult]:
    """As if this generator alone had been asked for."""
    return [r for r in results if r.job.source.name == generator or not r.job.source.candidate]


def test_fresh_rows_of_the_truth_are_recognised_where_sixty_rows_show_little() -> None:
    world = Stripes()
    settings = DecideSettings(
        resamples=6, learners=("boosting",), ratios=(10.0,), arms=("nothing",), **PLAIN
    )
    found = []
    for seed in range(5):
        results = measure(world.table(60, seed), settings, {"oracle": oracle(world)}, seed)
        found.append(conclude(results, settings, generators=("oracle",)).decision)
    assert found.count("augment") >= 4


def test_memorised_meaningless_and_misclassified_rows_are_never_recommended() -> None:
    """Twenty tables on which none of them can help."""
    world = World(columns=3, signal=1.5)
    settings = DecideSettings(
        resamples=3, learners=("logistic",), ratios=(1.0,), arms=("nothing",), **PLAIN
    )
    decisions: dict[str, list[str]] = {name: [] for name in FAKES}
    for seed in range(20):
        generators = {name: fake(name) for name in FAKES}
        results = measure(world.table(150, seed), settings, generators, seed)
        for name, found in decisions.items():
            found.append(conclude(_of(results, name), settings, generators=(name,)).decision)
    for name, found in decisions.items():
        assert "augment" not in found, name


def test_harm_is_shown_and_said_with_enough_rows() -> None:
    world = World(columns=3, signal=1.5)
    settings = DecideSettings(resamples=6, learners=("logistic",), ratios=(1.0,), **PLAIN)
    settings = settings.model_copy(update={"arms": ("nothing", "class_weights")})
    generators = {"class-ignorer": fake("class-ignorer"), "noise": fake("noise")}
    results = measure(world.table(3000, 0), settings, generators)
    for name in generators:
        verdict = conclude(_of(results, name), settings, generators=(name,))
        assert verdict.decision == "do-not-augment"
        assert verdict.sentence.startswith("Do not augment: ")
