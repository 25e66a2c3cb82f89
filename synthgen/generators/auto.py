"""Lets generators compete for the training rows, and takes the one whose rows are hardest to tell
from rows that none of them was fitted to.

The only generator that knows others: it chooses among them. Each candidate is fitted to a part of
the training rows and judged by a classifier two-sample test (Lopez-Paz and Oquab 2017, arXiv
1610.06545) against the held-out part. That needs no likelihood, so a GAN and a mixture are judged
alike, and every candidate meets the same held-out rows, in the same folds. A candidate that is not
worse than the best by more than the standard error of their difference is as good as it (the rule
of one standard error: Breiman, Friedman, Olshen and Stone 1984, section 3.4.3), and among such the
first one listed is taken, which should be the cheapest. It is then fitted to all training rows.

Nothing here looks at a clock, so the same seed makes the same choice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from synthgen.data.table import Table
from synthgen.errors import TrainingError
from synthgen.generators.arn import ARN
from synthgen.generators.base import Generator, Sampler, Where
from synthgen.generators.ctgan import CTGAN
from synthgen.generators.description import DESCRIPTION, damaged
from synthgen.generators.mixture import Mixture
from synthgen.generators.tabular_batches import check_rows
from synthgen.generators.tvae import TVAE
from synthgen.metrics.base import NotComputable
from synthgen.metrics.two_sample import FOLDS, LEAST, fold_aucs
from synthgen.results import Choice, Contender
from synthgen.runs import dump, write_atomic
from synthgen.training.context import Context
from synthgen.training.randomness import derive

MOST = 5_000
"""Rows held out at most: the AUC's standard error is then below 0.01."""
CHOICE = "choice.json"
COPYING = ("smote", "resample")

Name: TypeAlias = Literal["mixture", "arn", "tvae", "ctgan"]
_Candidate: TypeAlias = Annotated[Mixture | ARN | TVAE | CTGAN, Field(discriminator="name")]
_adapter: TypeAdapter[Any] = TypeAdapter(_Candidate)


def _named(value: Any) -> Any:
    """A name alone stands for the generator with its default settings."""
    settings = {"name": value} if isinstance(value, str) else value
    name = settings.get("name") if isinstance(settings, dict) else getattr(value, "name", None)
    if name in COPYING:
        raise PydanticCustomError(
            "copying_candidate",
            "{name} makes its rows of training rows, so that it would win by repeating them",
            {"name": name},
        )
    return settings


Candidate: TypeAlias = Annotated[
    _Candidate, BeforeValidator(_named, json_schema_input_type=Name | _Candidate)
]


class Auto(Generator):
    """Which generators compete, and how they are judged."""

    name: Literal["auto"] = "auto"
    candidates: tuple[Candidate, ...] = Field(
        default=(Mixture(), ARN(), TVAE(), CTGAN()), min_length=2
    )
    """Generators that compete, by name or with hyper-parameters, the cheapest first: of equals the
    first is taken."""
    held_out: float = Field(default=0.2, gt=0, le=0.5)
    """Share of the training rows that no candidate is fitted to, and that all are judged by; at
    least 50 rows, and at most 5,000."""
    draws: int = Field(default=5, ge=1)
    """Samples of each candidate that are compared with the held-out rows."""

    def fit(self, train: Table, context: Context) -> ChosenSampler:
        """Choose, then fit the chosen one to all of these rows, with the seed of the context: the
        model is what that generator makes of them by itself.

        A candidate whose training fails is left out. Raises
        :class:`~synthgen.errors.TrainingError` if all of them fail.
        """
        check_rows(train)
        fitted, held_out = self._divide(train, derive(context.seed, "held out"))
        trials = [Trial() for _ in self.candidates]
        if held_out is not None:
            digest = self._fingerprint(train, context.seed)
            trials = [
                self._recalled(place, digest, context)
                or self._trial(place, fitted, held_out, digest, context)
                for place in range(len(self.candidates))
            ]
        while (place := choose(trials)) is not None:
            own = replace(context, checkpoints=_below(context.checkpoints, "chosen"))
            try:
                sampler = self.candidates[place].fit(train, own)
            except TrainingError as error:
                trials[place] = replace(trials[place], failure=error.cause)
                continue
            judged = 0 if held_out is None else len(held_out)
            return ChosenSampler(sampler, self._choice(place, trials, judged))
        said = [f"{n}: {t.failure}" for n, t in zip(self.labels, trials, strict=True)]
        raise TrainingError(
            f"no candidate of auto could be trained ({'; '.join(said)})",
            "choose a generator with --generator, and look for columns with extreme values",
        )

    def load(self, path: Path) -> ChosenSampler:
        """Read what :meth:`ChosenSampler.save` wrote: the chosen generator's model, whichever that
        is, and the choice.

        Raises :class:`~synthgen.errors.DataError` where that is not a whole model of one of the
        generators that can be candidates.
        """
        try:
            description = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
            chosen: Generator = _adapter.validate_python(description["generator"])
            choice = Choice.model_validate_json((path / CHOICE).read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise damaged(path, Auto, error) from error
        return ChosenSampler(chosen.load(path), choice)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the candidates are called: their names, numbered from the second of a name on."""
        names = [candidate.name for candidate in self.candidates]
        counts = [names[: place + 1].count(name) for place, name in enumerate(names)]
        return tuple(
            name if count == 1 else f"{name} {count}"
            for name, count in zip(names, counts, strict=True)
        )

    def judging(self, rows: int) -> int:
        """How many of so many training rows the candidates are judged by; 0 if there are too few
        to hold some out."""
        if rows < 2 * LEAST:
            return 0
        return min(max(round(self.held_out * rows), LEAST), MOST)

    def _divide(self, train: Table, seed: int) -> tuple[Table, Table | None]:
        """Rows to fit to, and held-out ones if there are enough for both."""
        count = self.judging(len(train))
        if count == 0:
            return train, None
        order = np.random.default_rng(seed).permutation(len(train))
        return train.take(np.sort(order[count:])), train.take(np.sort(order[:count]))

    def _trial(
        self, place: int, fitted: Table, held_out: Table, digest: str, context: Context
    ) -> Trial:
        label, folder = self.labels[place], _below(context.checkpoints, f"candidate-{place}")
        seed = derive(context.seed, f"candidate {place}")

        def log(record: dict[str, float]) -> None:
            rest = {k: v for k, v in record.items() if k not in ("step", "steps", "epoch")}
            named = {f"trial {label} {key}": value for key, value in rest.items()}
            context.log({"step": record["step"], "steps": record["steps"], **named})

        own = replace(context, seed=seed, log=log, checkpoints=folder)
        try:
            trial = Trial(self._judge(self.candidates[place].fit(fitted, own), held_out, context))
        except TrainingError as error:
            trial = Trial(failure=error.cause)
        if trial.auc is not None:
            scores = {"two_sample_auc": trial.auc, "standard_error": trial.standard_error}
            log({"step": place + 1, "steps": len(self.candidates), **scores})
        if folder is not None:
            record = {"of": digest, "aucs": trial.aucs.tolist(), "failure": trial.failure}
            write_atomic(folder / "trial.json", dump(record))
        return trial

    def _judge(self, sampler: Sampler, held_out: Table, context: Context) -> NDArray[np.float64]:
        """Shape (draws, folds): AUCs of telling fresh rows from the held-out ones; empty where the
        rows are too much alike to be compared."""
        folds = derive(context.seed, "folds")
        found = []
        for number in range(self.draws):
            rows = sampler.sample(len(held_out), seed=derive(context.seed, f"draw {number}"))
            try:
                found.append(fold_aucs(held_out, rows, folds))
            except NotComputable:
                return np.empty((0, FOLDS))
        return np.stack(found)

    def _recalled(self, place: int, digest: str, context: Context) -> Trial | None:
        """A trial that was finished before the training was killed."""
        folder = _below(context.checkpoints, f"candidate-{place}")
        if folder is None:
            return None
        try:
            record = json.loads((folder / "trial.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if record["of"] != digest:
            return None
        return Trial(np.array(record["aucs"]).reshape(-1, FOLDS), record["failure"])

    def _fingerprint(self, train: Table, seed: int) -> str:
        """What tells one choice from another: the candidates, the rows and the seed."""
        settings = [self.model_dump(mode="json"), train.schema.model_dump(mode="json"), seed]
        digest = hashlib.sha256(json.dumps(settings).encode())
        for continuous in train.schema.continuous:
            digest.update(train.numbers(continuous.name).tobytes())
        for discrete in train.schema.discrete:
            digest.update(train.codes(discrete.name).tobytes())
        return digest.hexdigest()

    def _choice(self, place: int, trials: Sequence[Trial], held_out: int) -> Choice:
        contenders = [
            Contender(
                name=label,
                auc=trial.auc,
                standard_error=trial.standard_error if trial.auc is not None else None,
                failure=trial.failure,
            )
            for label, trial in zip(self.labels, trials, strict=True)
        ]
        return Choice(chosen=self.labels[place], held_out=held_out, candidates=contenders)


@dataclass(frozen=True)
class Trial:
    """How a candidate did: ``aucs`` (draws, folds), empty where its rows were not compared, and
    why it could not be trained."""

    aucs: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, FOLDS)))
    failure: str | None = None

    @property
    def auc(self) -> float | None:
        return float(self.aucs.mean()) if self.aucs.size else None

    @property
    def standard_error(self) -> float:
        return standard_error(self.aucs)


def choose(trials: Sequence[Trial]) -> int | None:
    """The place of the first trial that is not told apart from the best; None if all failed.

    Where nothing could be compared it is the first that did not fail.
    """
    standing = [place for place, trial in enumerate(trials) if trial.failure is None]
    judged = [place for place in standing if trials[place].auc is not None]
    if not judged:
        return standing[0] if standing else None
    best = min(judged, key=lambda place: _excess(trials[place]))
    for place in judged:
        gap = _excess(trials[place]) - _excess(trials[best])
        if gap <= standard_error(trials[place].aucs - trials[best].aucs):
            return place
    return best


def standard_error(aucs: NDArray[np.float64]) -> float:
    """Of the mean of AUCs, or of paired differences of them, (draws, folds).

    In every draw a fold holds the same held-out rows, so only folds count as independent.
    """
    return float(aucs.mean(0).std(ddof=1) / np.sqrt(FOLDS))


def _excess(trial: Trial) -> float:
    """How far rows are told apart; below 0.5 is chance, and no merit."""
    return max(float(trial.aucs.mean()), 0.5)


def _below(folder: Path | None, name: str) -> Path | None:
    return None if folder is None else folder / name


@dataclass(frozen=True)
class ChosenSampler:
    """The chosen generator's sampler, and the choice."""

    sampler: Sampler
    choice: Choice

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """As :meth:`synthgen.generators.base.Sampler.sample`."""
        return self.sampler.sample(n, seed=seed, where=where)

    def save(self, path: Path) -> None:
        """Write the chosen generator's own files, and ``choice.json`` beside them."""
        self.sampler.save(path)
        text = dump(self.choice.model_dump(mode="json", exclude_defaults=True))
        (path / CHOICE).write_text(text, encoding="utf-8")
