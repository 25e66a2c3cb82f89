"""Small worlds whose truth is known, and generators whose worth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.benchmark.arms import CHEAP_GENERATORS, Generator, ladder
from synthgen.benchmark.jobs import run_job
from synthgen.benchmark.records import JobResult
from synthgen.benchmark.schedule import due
from synthgen.benchmark.settings import DecideSettings
from synthgen.data.infer import infer
from synthgen.data.schema import Value
from synthgen.data.table import Table
from synthgen.training.context import Context


@dataclass(frozen=True)
class World:
    """Gaussian classes: ``signal`` apart along the diagonal, with a category that follows the
    first column. The first class holds ``majority`` of the rows."""

    columns: int = 4
    signal: float = 1.0
    classes: int = 2
    majority: float = 0.6
    gaps: float = 0.0

    @property
    def names(self) -> list[str]:
        return [f"class {k}" for k in range(self.classes)]

    def labels(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Exact shares, so that a class is never absent by chance."""
        rest = (1 - self.majority) / (self.classes - 1)
        shares = np.array([self.majority, *[rest] * (self.classes - 1)])
        edges = np.rint(np.cumsum(shares) * n).astype(int)
        return rng.permutation(np.searchsorted(edges, np.arange(n), side="right"))

    def frame(self, n: int, seed: int, labels: NDArray[np.int64] | None = None) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        codes = self.labels(n, rng) if labels is None else labels
        middle = codes[:, None] * self.signal / np.sqrt(self.columns)
        x = rng.normal(middle, 1.0, (len(codes), self.columns))
        frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(self.columns)])
        frame["colour"] = np.where(x[:, 0] > 0.5, "red", "blue")
        frame.loc[rng.random(len(codes)) < self.gaps, "x1"] = np.nan
        frame["y"] = np.array(self.names, dtype=object)[codes]
        return frame

    def table(self, n: int, seed: int) -> Table:
        frame = self.frame(n, seed)
        return Table(frame, infer(frame, target="y"))


@dataclass(frozen=True)
class Stripes(World):
    """Two classes in turns along one number: few rows show nothing, many show all."""

    stripes: int = 30

    def frame(self, n: int, seed: int, labels: NDArray[np.int64] | None = None) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        codes = rng.permutation(np.arange(n) % 2) if labels is None else labels
        stripe = 2 * rng.integers(0, self.stripes // 2, len(codes)) + codes
        x = (stripe + rng.random(len(codes))) / self.stripes
        return pd.DataFrame({"x": x, "y": np.array(self.names, dtype=object)[codes]})


Draw = Callable[[int, np.random.Generator, Mapping[str, Value] | None], pd.DataFrame]


@dataclass(frozen=True)
class FakeSampler:
    train: Table
    draw: Draw

    def sample(self, n: int, *, seed: int, where: Mapping[str, Value] | None = None) -> Table:
        frame = self.draw(n, np.random.default_rng(seed), where).reset_index(drop=True)
        return Table(frame[list(self.train.frame.columns)], self.train.schema)


@dataclass
class Fake:
    """A generator by a function of its training rows; remembers what it was fitted on."""

    make: Callable[[Table], Draw]
    seen: list[tuple[Table, int]] = field(default_factory=list)

    def fit(self, train: Table, context: Context) -> FakeSampler:
        self.seen.append((train, context.seed))
        return FakeSampler(train, self.make(train))


def _memoriser(train: Table) -> Draw:
    def draw(n: int, rng: np.random.Generator, where: Mapping[str, Value] | None) -> pd.DataFrame:
        rows = train.frame
        if where:
            rows = rows[rows["y"] == where["y"]]
        return rows.iloc[rng.integers(0, len(rows), n)]

    return draw


def _noise(train: Table) -> Draw:
    """Every column on its own, far from anything real."""

    def draw(n: int, rng: np.random.Generator, where: Mapping[str, Value] | None) -> pd.DataFrame:
        frame = pd.DataFrame(index=range(n))
        for name in train.frame.columns:
            if train.frame[name].dtype == object:
                frame[name] = rng.choice(train.frame[name].unique(), n)
            else:
                frame[name] = rng.normal(0.0, 3.0, n)
        if where:
            frame["y"] = where["y"]
        return frame

    return draw


def _class_ignorer(train: Table) -> Draw:
    """Real rows whose class is drawn anew."""
    remember = _memoriser(train)

    def draw(n: int, rng: np.random.Generator, where: Mapping[str, Value] | None) -> pd.DataFrame:
        rows = remember(n, rng, None).reset_index(drop=True)
        rows["y"] = where["y"] if where else remember(n, rng, None)["y"].to_numpy()
        return rows

    return draw


def oracle(world: World) -> Fake:
    """Fresh rows of the true process."""

    def draw(n: int, rng: np.random.Generator, where: Mapping[str, Value] | None) -> pd.DataFrame:
        seed = int(rng.integers(2**31))
        labels = np.full(n, world.names.index(str(where["y"]))) if where else None
        return world.frame(n, seed, labels)

    return Fake(lambda train: draw)


FAKES = {"memoriser": _memoriser, "noise": _noise, "class-ignorer": _class_ignorer}


def fake(name: str) -> Fake:
    return Fake(FAKES[name])


def measure(
    table: Table, settings: DecideSettings, generators: Mapping[str, Generator], seed: int = 0
) -> list[JobResult]:
    """All jobs that come due, in this process."""
    sources = ladder(settings, list(generators), table.schema.task)
    known: dict[str, Generator] = {**CHEAP_GENERATORS, **generators}
    results: list[JobResult] = []
    while jobs := due(settings, sources, seed, results):
        results += [run_job(j, table, settings, known.get(j.source.name)) for j in jobs]
    return results


PLAIN: dict[str, Any] = {"filters": (), "weights": (), "mixed": False, "curve": ()}
"""Settings without the variants of a generator and without a learning curve."""
QUICK = DecideSettings(
    resamples=3,
    learners=("logistic",),
    ratios=(0.5, 1.0),
    arms=("nothing", "class_weights"),
    **PLAIN,
)
"""One cheap learner, few resamples, no arm that needs a real generator."""
