"""Cells of a bench that are finished in no time: the first stage is real, the rest is made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from synthgen import pipeline
from synthgen.config import Config
from synthgen.errors import SynthgenError, TrainingError
from synthgen.pipeline import stages
from synthgen.pipeline.events import Event, Notify, unheard
from synthgen.results import Decision, Difference, Interval, Provenance, Report, Verdict
from synthgen.runs import Run, dump

CHEAP = {"class_weights": 0.01, "smote": -0.02}
GAINS = {"ctgan": -0.03, "tvae": -0.05, "smote": 0.02, "resample": 0.0}
BASELINES = {"sklearn:wine": 0.98, "sklearn:iris": 0.9, "sklearn:breast_cancer": 0.8}


def report(
    config: Config,
    gains: dict[str, float],
    baseline: float = 0.8,
    decision: Decision = "do-not-augment",
    **provenance: Any,
) -> Report:
    """``gains`` are the arms' mean differences; each interval is a point either way."""
    metric = config.decide.metric
    differences = [
        Difference(
            arm=arm,
            learner=learner,
            metric=name,
            part=part,
            # An arm that lost two resamples has a baseline of its own.
            baseline=baseline + 0.05 * (arm.endswith("-weighted")),
            mean=mean + 0.5 * ((learner, name, part) != ("best", metric, None)),
            interval=Interval(low=mean - 0.01, high=mean + 0.01),
            p_value=0.5,
            resamples=3 if arm.endswith("-weighted") else 5,
        )
        for arm, mean in gains.items()
        for learner, name, part in (
            ("best", metric, None),
            ("logistic", metric, None),
            ("best", "log_loss", None),
            ("best", metric, "class yes"),
        )
    ]
    return Report(
        title=config.data.source,
        verdict=Verdict(
            decision=decision,
            arm=None,
            ratio=None,
            metric=metric,
            difference=differences[0].mean if differences else 0.0,
            interval=Interval(low=-0.05, high=-0.01),
            confidence=0.95,
            sentence="Do not augment: nothing is gained.",
            minimum_effect=config.decide.minimum_effect,
            detectable_effect=0.02,
            resamples=5,
            learners=["logistic"],
        ),
        differences=differences,
        scores=[],
        marginals=[],
        pair_trends=None,
        curves=[],
        columns=[],
        notices=[],
        provenance=Provenance(
            source=config.data.source,
            source_sha256=provenance.get("source_sha256"),
            rows={"train": 100, "test": 25},
            target=config.data.target,
            generator=config.generator.name,
            seed=config.seed,
            budget=config.budget,
            device="cpu",
            versions={},
            config=config.model_dump(mode="json"),
            hashes=provenance.get("hashes", {}),
        ),
    )


class Cells:
    """In place of ``pipeline.augment`` and ``pipeline.resume``. Everything that is to go wrong is
    a function of a run directory that raises."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.resumed: list[str] = []
        self.before: Callable[[Path], None] = lambda path: None
        self.between: Callable[[Path], None] = lambda path: None

    def augment(
        self,
        config: Config,
        out: Path,
        *,
        frame: object = None,
        force: bool = False,
        notify: Notify = unheard,
    ) -> Run:
        self.before(out)
        run = pipeline.start(config, out, force=force, notify=notify)
        self.made.append("/".join(out.parts[-3:]))
        self._finish(run, notify)
        return run

    def resume(self, path: Path, notify: Notify = unheard) -> Run:
        self.resumed.append("/".join(path.parts[-3:]))
        run = Run.open(path)
        self._finish(run, notify)
        return run

    def _finish(self, run: Run, notify: Notify) -> None:
        self.between(run.path)
        config = stages.settings(run)
        own = config.generator.name
        gain = GAINS[own] + 0.001 * config.seed
        gains = {arm: mean for arm, mean in CHEAP.items() if arm != own}
        gains |= {own: gain, f"{own}-weighted": gain + 0.002}
        baseline = BASELINES.get(config.data.source, 0.7) + 0.01 * config.seed
        notify(Event("decide", 1, 1, None))
        text = dump(report(config, gains, baseline).model_dump(mode="json"))
        (run / "report.json").write_text(text, "utf-8")
        run.finish({})


def failing(where: str) -> Callable[[Path], None]:
    """Raises TrainingError in run directories whose path holds ``where``."""

    def fail(path: Path) -> None:
        if where in str(path):
            error: SynthgenError = TrainingError("the losses stayed NaN", "lower the rates")
            raise error

    return fail
