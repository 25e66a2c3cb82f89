"""Lets generators compete for the training rows, and takes the one whose rows are hardest to tell
from real ones.

The only generator that knows others: it chooses among them. Each candidate is fitted to a part of
the training rows. A classifier learns to tell these rows from synthetic ones, and is then asked
about the rows that were held out and about fresh synthetic ones: a two-sample test (Lopez-Paz and
Oquab 2017, arXiv 1610.06545) that needs no likelihood, so a GAN and a mixture are judged alike, by
the same rows. A candidate that is not worse than the best by more than the standard error of their
difference is as good as it (the rule of one standard error: Breiman, Friedman, Olshen and Stone
1984, section 3.4.3), and among such the first one listed is taken, which should be the cheapest. It
is then fitted to all training rows.

Rows that repeat training rows could not be told from them by any classifier, so generators that
copy cannot be candidates. Nothing here looks at a clock: the same seed makes the same choice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from synthgen.data.table import Columnar, Table
from synthgen.errors import TrainingError
from synthgen.generators.arn import ARN
from synthgen.generators.base import Generator, Sampler, Where
from synthgen.generators.ctgan import CTGAN
from synthgen.generators.description import DESCRIPTION, damaged
from synthgen.generators.mixture import Mixture
from synthgen.generators.tabular_batches import check_rows
from synthgen.generators.tabular_files import rows_fingerprint
from synthgen.generators.tvae import TVAE
from synthgen.metrics.reference import subsample
from synthgen.metrics.two_sample import placements
from synthgen.results import Choice, Contender
from synthgen.runs import dump, write_atomic
from synthgen.training.context import Context
from synthgen.training.randomness import derive

LEAST = 50
"""Rows held out at least."""
MOST = 5_000
"""Rows held out at most: the AUC's standard error is then below 0.01."""
LEARNED = 10_000
"""Rows that the classifier learns from at most, per side."""
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
    draws: int = Field(default=5, ge=2)
    """Samples of each candidate, for each of which a classifier learns anew."""

    def fit(self, train: Columnar, context: Context) -> ChosenSampler:
        """Choose, then fit the chosen one to all of these rows, with the seed of the context: the
        model is what that generator makes of them by itself.

        A candidate whose training fails is left out. Raises
        :class:`~synthgen.errors.TrainingError` if all of them fail.
        """
        check_rows(train)
        fitted, held_out = self._divide(train, derive(context.seed, "held out"))
        trials = [Trial() for _ in self.candidates]
        if held_out is not None:
            digest = rows_fingerprint(self, train, context.seed)
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

    def _divide(self, train: Columnar, seed: int) -> tuple[Columnar, Columnar | None]:
        """Rows to fit to, and held-out ones if there are enough for both."""
        count = self.judging(len(train))
        if count == 0:
            return train, None
        order = np.random.default_rng(seed).permutation(len(train))
        return train.take(np.sort(order[count:])), train.take(np.sort(order[:count]))

    def _trial(
        self, place: int, fitted: Columnar, held_out: Columnar, digest: str, context: Context
    ) -> Trial:
        label, folder = self.labels[place], _below(context.checkpoints, f"candidate-{place}")
        seed = derive(context.seed, f"candidate {place}")

        def log(record: dict[str, float]) -> None:
            rest = {k: v for k, v in record.items() if k not in ("step", "steps", "epoch")}
            named = {f"trial {label} {key}": value for key, value in rest.items()}
            context.log({"step": record["step"], "steps": record["steps"], **named})

        own = replace(context, seed=seed, log=log, checkpoints=folder)
        try:
            sampler = self.candidates[place].fit(fitted, own)
        except TrainingError as error:
            trial = Trial(failure=error.cause)
        else:
            trial = self._judge(sampler, fitted, held_out, context.seed)
            scores = {"two_sample_auc": trial.auc, "standard_error": trial.standard_error}
            log({"step": place + 1, "steps": len(self.candidates), **scores})
        if folder is not None:
            write_atomic(folder / "trial.json", dump({"of": digest, **trial.record()}))
        return trial

    def _judge(self, sampler: Sampler, fitted: Columnar, held_out: Columnar, seed: int) -> Trial:
        known = subsample(fitted, LEARNED, np.random.default_rng(derive(seed, "learned")))
        found = []
        for number in range(self.draws):
            size = len(known) + len(held_out)
            rows = sampler.sample(size, seed=derive(seed, f"draw {number}"))
            learned, fresh = (
                rows.take(np.arange(len(known))),
                rows.take(np.arange(len(known), size)),
            )
            found.append(placements(known, learned, held_out, fresh))
        return Trial(np.mean(found, axis=0), np.mean(found, axis=1))

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
        return Trial.of(record)

    def _choice(self, place: int, trials: Sequence[Trial], held_out: int) -> Choice:
        contenders = [
            Contender(
                name=label,
                auc=trial.auc if trial.judged else None,
                standard_error=trial.standard_error if trial.judged else None,
                failure=trial.failure,
            )
            for label, trial in zip(self.labels, trials, strict=True)
        ]
        return Choice(chosen=self.labels[place], held_out=held_out, candidates=contenders)


def _none() -> NDArray[np.float64]:
    return np.empty(0)


@dataclass(frozen=True)
class Trial:
    """How a candidate did. ``placements`` (held-out rows,): see
    :func:`~synthgen.metrics.two_sample.placements`, means over the draws; ``aucs`` (draws,); both
    empty where it was not judged. ``failure``: why it could not be trained."""

    placements: NDArray[np.float64] = field(default_factory=_none)
    aucs: NDArray[np.float64] = field(default_factory=_none)
    failure: str | None = None

    @property
    def judged(self) -> bool:
        return bool(self.aucs.size)

    @property
    def auc(self) -> float:
        return float(self.aucs.mean())

    @property
    def standard_error(self) -> float:
        """Of the AUC."""
        return _standard_error(self.placements, self.aucs)

    def noise(self, other: Trial) -> float:
        """The standard error of the difference of two AUCs, which are pairs of the same rows."""
        return _standard_error(self.placements - other.placements, self.aucs - other.aucs)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "placements": self.placements.tolist(),
            "aucs": self.aucs.tolist(),
            "failure": self.failure,
        }

    @classmethod
    def of(cls, record: dict[str, Any]) -> Trial:
        """What :meth:`record` gave."""
        return cls(np.array(record["placements"]), np.array(record["aucs"]), record["failure"])


def choose(trials: Sequence[Trial]) -> int | None:
    """The place of the first trial that is not told apart from the best; None if all failed.

    Where none was judged it is the first that did not fail.
    """
    standing = [place for place, trial in enumerate(trials) if trial.failure is None]
    judged = [place for place in standing if trials[place].judged]
    if not judged:
        return standing[0] if standing else None
    best = trials[min(judged, key=lambda place: _excess(trials[place]))]
    return next(
        place
        for place in judged
        if _excess(trials[place]) - _excess(best) <= trials[place].noise(best)
    )


def _excess(trial: Trial) -> float:
    """How far rows are told apart; below 0.5 is chance, and no merit."""
    return max(trial.auc, 0.5)


def _standard_error(placements: NDArray[np.float64], aucs: NDArray[np.float64]) -> float:
    """By what is drawn at random: the held-out rows, and the samples with what is learned from
    them."""
    return float(np.sqrt(placements.var(ddof=1) / len(placements) + aucs.var(ddof=1) / len(aucs)))


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
