"""Watching a training by how faithful its rows are to held-out training rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from synthgen.data.table import Columnar, Table
from synthgen.generators.base import Sampler
from synthgen.training.checkpoints import capture, restore
from synthgen.training.context import Context
from synthgen.training.randomness import derive

FEWEST_ROWS = 100
"""With fewer held-out rows than this a score would be mostly noise."""
MOST_ROWS = 10_000
"""More held-out rows than this only cost time."""
BINS = 10
CATEGORIES = 50
"""From the last of these on the categories of a column share a bin, to bound memory."""


class Validation(BaseModel):
    """Score the generator by held-out training rows while it trains.

    The score is the mean of column shapes and pair trends (:func:`fidelity`). Of a table too
    small to hold out 100 rows, the training rows themselves are what is compared with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: int = Field(default=10, ge=1)
    """Epochs between two scores."""
    share: float = Field(default=0.1, gt=0, lt=0.5)
    """Share of the training rows that is held out, and not trained on."""
    select: Literal["best", "last"] = "best"
    """Which weights the sampler gets: those with the best score, or the last."""
    patience: int | None = Field(default=None, ge=1)
    """Stop after so many scores in a row without a better one; None: never."""


def hold_out(
    train: Columnar, validation: Validation | None, seed: int
) -> tuple[Columnar, Columnar | None]:
    """The rows to train on, and the rows to compare with if there is a validation."""
    if validation is None:
        return train, None
    if round(len(train) * validation.share) < FEWEST_ROWS:
        return train, train
    order = np.random.default_rng(seed).permutation(len(train))
    count = round(len(train) * validation.share)
    return train.take(np.sort(order[count:])), train.take(np.sort(order[:count]))


class Watch:
    """Scores the network that samples, and remembers its best weights. Part of a checkpoint."""

    def __init__(
        self,
        validation: Validation,
        held_out: Columnar,
        network: nn.Module,
        sampler: Callable[[], Sampler],
        steps: int,
        context: Context,
    ) -> None:
        """``sampler`` gives a sampler with the present weights of ``network``."""
        self.validation = validation
        self.network = network
        self._yardstick = Yardstick.of(held_out.take(np.arange(min(len(held_out), MOST_ROWS))))
        self._sampler = sampler
        self._steps = steps
        self._context = context
        self._score = -1.0
        self._stood = 0
        self._weights: dict[str, Any] = {}

    def examine(self, number: int) -> bool:
        """Score the weights after step ``number``; True if the patience is at its end."""
        rows = len(self._yardstick.real)
        synthetic = self._sampler().sample(rows, seed=derive(self._context.seed, "examine"))
        score = self._yardstick.fidelity(synthetic)
        self._context.log({"step": number, "steps": self._steps, "fidelity": score})
        if score > self._score:
            self._score, self._stood = score, 0
            self._weights = capture({"network": self.network})
        else:
            self._stood += 1
        return self.validation.patience is not None and self._stood >= self.validation.patience

    def select(self) -> None:
        """Give the network its best weights, if that is what was asked for."""
        if self.validation.select == "best" and self._weights:
            restore({"network": self.network}, self._weights)

    def state_dict(self) -> dict[str, Any]:
        return {"score": self._score, "stood": self._stood, "weights": self._weights}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        self._score, self._stood = state_dict["score"], state_dict["stood"]
        self._weights = state_dict["weights"]


@dataclass(frozen=True)
class Yardstick:
    """Held-out rows and how their columns are binned."""

    real: Columnar
    shares: NDArray[np.float64]
    """(bins, bins): share of the rows in each pair of bins of any two columns; the diagonal
    holds the single bins' shares."""
    edges: dict[str, NDArray[np.float64]]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, real: Columnar) -> Yardstick:
        """Continuous columns are cut at the deciles of the real rows."""
        edges = {}
        for column in real.schema.continuous:
            numbers = real.numbers(column.name)
            known = numbers[~np.isnan(numbers)]
            deciles = np.linspace(0, 1, BINS + 1)[1:-1]
            edges[column.name] = np.unique(np.quantile(known, deciles)) if len(known) else known
        sizes = [
            2 + (len(edges[c.name]) if c.name in edges else min(len(c.values), CATEGORIES))  # type: ignore[union-attr]
            for c in real.schema.modelled
        ]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return cls(real, _shares(real, edges, starts), edges, starts)

    def fidelity(self, synthetic: Table) -> float:
        """In [0, 1]: the mean of column shapes and pair trends of ``synthetic``.

        Each is one minus the total variation distance of (pairs of) binned columns, averaged;
        as SDMetrics' quality report weighs the two, but with bins throughout, so that one matrix
        product counts all pairs.
        """
        gaps = np.abs(self.shares - _shares(synthetic, self.edges, self.starts))
        corners = np.add.reduceat(np.add.reduceat(gaps, self.starts[:-1], 0), self.starts[:-1], 1)
        agreement = 1 - corners / 2
        columns = len(agreement)
        shapes = float(np.trace(agreement)) / columns
        if columns == 1:
            return shapes
        trends = (float(agreement.sum()) - columns * shapes) / (columns * (columns - 1))
        return (shapes + trends) / 2


def _shares(
    table: Columnar, edges: dict[str, NDArray[np.float64]], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    onehot = np.zeros((len(table), int(starts[-1])), dtype=np.float32)
    rows = np.arange(len(table))
    for start, column in zip(starts, table.schema.modelled, strict=False):
        if column.name in edges:
            numbers = table.numbers(column.name)
            bins = np.searchsorted(edges[column.name], numbers, side="right") + 1
            bins[np.isnan(numbers)] = 0
        else:
            # The codes -2 (unlisted) and -1 (missing) come first.
            bins = np.minimum(table.codes(column.name), CATEGORIES - 1) + 2
        onehot[rows, start + bins] = 1
    return (onehot.T @ onehot).astype(np.float64) / len(table)
