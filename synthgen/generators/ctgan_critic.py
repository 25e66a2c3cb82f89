"""The critic of CTGAN and its kin, which judges packs of rows (PacGAN: Lin et al. 2018, arXiv
1712.04086).

It is piecewise linear: at a given point every layer multiplies by a *slope*, which is 1 or 0.2,
times the dropout mask. So its value, its gradient by the input, and the gradients of both by the
weights are products of weights and slopes. The slopes are constant almost everywhere, hence that
is all that differentiating twice would give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

SLOPE = 0.2
"""Of the LeakyReLU."""
KEPT = 0.5
"""Share of the hidden units that dropout leaves."""
BYTE = 8


@dataclass(frozen=True)
class Judged:
    """What one pass through the critic leaves for the way back: per hidden layer the slopes and
    the outputs, both (packs, size), and the values (packs,)."""

    slopes: list[Tensor]
    hidden: list[Tensor]
    values: Tensor


class Critic(nn.Module):
    """Judges ``pac`` rows at once, each with its condition, by dense layers with LeakyReLU(0.2)
    and, where the caller gives masks, dropout 0.5. Masks are drawn by step number (:meth:`masks`).

    ``first`` (pac * (width + conditions), size) holds the weights of all rows of a pack, then
    those of all their conditions, whose one-hot vectors are never made.
    """

    patterns: Tensor
    """float32 (256, 8): the masks of eight units that a byte stands for."""

    def __init__(self, width: int, conditions: int, hidden: Sequence[int], pac: int) -> None:
        super().__init__()
        self.pac, self.width, self.conditions = pac, width, conditions
        self.hidden = list(hidden)
        inputs = pac * (width + conditions)
        bound = 1 / math.sqrt(inputs)
        self.first = nn.Parameter(torch.empty(inputs, hidden[0]).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(hidden[0]).uniform_(-bound, bound))
        bits = torch.arange(256)[:, None] >> torch.arange(BYTE) & 1
        self.register_buffer("patterns", bits.float() / KEPT, persistent=False)
        self.inner = nn.ModuleList(
            nn.Linear(inputs, size) for inputs, size in zip(hidden, [*hidden[1:], 1], strict=True)
        )

    @property
    def weights(self) -> list[Tensor]:
        """Of the layers after the first: (outputs, inputs) each."""
        return [layer.weight for layer in self.inner]  # type: ignore[misc]

    def masks(
        self, packs: int, random: torch.Generator, own: slice = slice(None), times: int = 1
    ) -> list[Tensor]:
        """One dropout mask per hidden layer, holding 0 or ``1 / KEPT``: for ``times`` batches of
        ``packs`` packs, of each batch those that are this process's ``own``,
        (times * own packs, size)."""
        size = times * packs * sum(self.hidden)
        drawn = torch.randint(256, (-(-size // BYTE),), generator=random, device=random.device)
        mask = self.patterns.index_select(0, drawn).view(-1)[:size].view(times, packs, -1)
        return list(torch.split(mask[:, own].flatten(0, 1), self.hidden, dim=1))

    def enter(self, rows: Tensor, condition: Tensor | None) -> Tensor:
        """What enters the first hidden layer: (batch / pac, size), linear in the rows."""
        weights = self.first[: self.pac * self.width]
        entered = torch.addmm(self.bias, rows.reshape(-1, self.pac * self.width), weights)
        if condition is None:
            return entered
        places = self.places(condition)
        return entered + torch.nn.functional.embedding_bag(places, self.first, mode="sum")

    def judge(self, entered: Tensor, masks: Sequence[Tensor] | None) -> Judged:
        """The values of packs, from what :meth:`enter` gave; without masks nothing drops out."""
        slopes, hidden = [], []
        for k, layer in enumerate(self.inner):
            mask = torch.ones_like(entered) if masks is None else masks[k]
            # torch.where(entered > 0, mask, SLOPE * mask), which takes ten times as long.
            slopes.append(torch.ops.aten.leaky_relu_backward(mask, entered, SLOPE, False))
            hidden.append(entered * slopes[-1])
            entered = layer(hidden[-1])
        return Judged(slopes, hidden, entered.squeeze(1))

    def backward(self, judged: Judged, by_value: Tensor) -> list[Tensor]:
        """Given the gradients of a loss by the values (packs,): those by what enters each hidden
        layer, (packs, size) each, the first layer's first."""
        entering: list[Tensor] = []
        towards = by_value[:, None]
        for slope, weight in zip(reversed(judged.slopes), reversed(self.weights), strict=True):
            towards = (towards @ weight).mul_(slope)
            entering.insert(0, towards)
        return entering

    def by_rows(self, entering: Tensor) -> Tensor:
        """The gradient by the rows (batch, width), given that by what enters the first layer."""
        return (entering @ self.first[: self.pac * self.width].T).view(-1, self.width)

    def places(self, condition: Tensor) -> Tensor:
        """(packs, pac): the rows of ``first`` that the conditions of a pack select."""
        place = torch.arange(self.pac, device=condition.device)
        return condition.view(-1, self.pac) + (self.pac * self.width + self.conditions * place)
