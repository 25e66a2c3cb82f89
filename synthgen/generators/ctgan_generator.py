"""The generator of CTGAN (Xu et al. 2019, arXiv 1907.00503, section 4.4), with its gradients in
closed form.

It computes exactly what dense layers on ``noise ⊕ one-hot condition`` would compute, but the
product with a one-hot vector is a look-up, and the noise enters all layers in one product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

import torch
from torch import Tensor, nn

from synthgen.encoding import Span
from synthgen.training.batch_norm import Statistics, normalise, normalise_backward
from synthgen.training.parallel import ALONE, Ranks


@dataclass(frozen=True)
class Pass:
    """What one pass through the generator leaves for the way back."""

    z: Tensor
    condition: Tensor | None
    entered: list[Tensor]
    """(batch, size) per hidden layer: what its normalisation receives."""
    statistics: list[Statistics]
    """Per hidden layer those of the batch."""
    hidden: Tensor
    """(batch, sum of hidden sizes): the outputs of all hidden layers."""
    raw: Tensor
    """(batch, width): the output."""


class ConditionalGenerator(nn.Module):
    """``h0 = z ⊕ condition``; ``h_k+1 = ReLU(BN(FC(h_k))) ⊕ h_k``; the output is ``FC(h_last)``.

    The concatenation carries noise, condition and all hidden layers into every layer k, whose
    weights are kept as one block for each: ``noise[k]``, ``condition[k]``, ``inner[k - 1]``.
    """

    def __init__(
        self,
        embedding_dim: int,
        conditions: int,
        hidden: Sequence[int],
        width: int,
        ranks: Ranks = ALONE,
    ) -> None:
        super().__init__()
        self.ranks = ranks
        self.embedding_dim = embedding_dim
        self.sizes = [*hidden, width]
        before = list(accumulate(hidden, initial=0))
        self.noise = nn.ParameterList(torch.empty(embedding_dim, size) for size in self.sizes)
        self.condition = nn.ParameterList(torch.empty(conditions, size) for size in self.sizes)
        self.bias = nn.ParameterList(torch.empty(size) for size in self.sizes)
        self.inner = nn.ParameterList(
            torch.empty(inputs, size)
            for inputs, size in zip(before[1:], self.sizes[1:], strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(size) for size in hidden)
        for k, inputs in enumerate(before):
            # As one dense layer over all its inputs would begin.
            bound = 1 / math.sqrt(embedding_dim + conditions + inputs)
            blocks = [self.noise[k], self.condition[k], self.bias[k]]
            blocks += [self.inner[k - 1]] if k else []
            for block in blocks:
                nn.init.uniform_(block, -bound, bound)

    @classmethod
    def of(
        cls,
        spans: Sequence[Span],
        told: Sequence[int],
        embedding_dim: int,
        hidden: Sequence[int],
        ranks: Ranks = ALONE,
    ) -> Self:
        """For rows of these spans, of which it is told the codes of those at the positions
        ``told``."""
        conditions = sum(spans[k].size for k in told)
        width = sum(span.size + span.scalar for span in spans)
        return cls(embedding_dim, conditions, hidden, width, ranks)

    @torch.no_grad()
    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Raw output (batch, width) for noise (batch, embedding_dim) and the numbers of the
        conditions (batch,), None for a table without discrete columns. Without gradients."""
        return self.traced(z, condition).raw

    @torch.no_grad()
    def traced(self, z: Tensor, condition: Tensor | None) -> Pass:
        """As :meth:`forward`, with all that :meth:`set_gradients` needs."""
        entered: list[Tensor] = []
        statistics: list[Statistics] = []
        hidden = z.new_empty(len(z), sum(self.sizes[:-1]))
        seen = 0
        for k, size in enumerate(self.sizes):
            if condition is None:
                out = torch.addmm(self.bias[k], z, self.noise[k])
            else:
                out = (self.condition[k] + self.bias[k]).index_select(0, condition)
                out.addmm_(z, self.noise[k])
            if k:
                out.addmm_(hidden[:, :seen], self.inner[k - 1])
            if k < len(self.norms):
                norm: nn.BatchNorm1d = self.norms[k]  # type: ignore[assignment]
                normal, of_batch = normalise(norm, out, self.ranks)
                entered.append(out)
                statistics.append(of_batch)
                torch.clamp_min(normal, 0, out=hidden[:, seen : seen + size])
                seen += size
        return Pass(z, condition, entered, statistics, hidden, out)

    @torch.no_grad()
    def set_gradients(self, traced: Pass, gradient: Tensor) -> None:
        """Set ``grad`` of all parameters, given that of a loss by ``traced.raw``, for a pass in
        training mode. The same as autograd would give, without its graph."""
        to_hidden = None
        part, seen = gradient, traced.hidden.shape[1]
        for k in reversed(range(len(self.sizes))):
            self.noise[k].grad = traced.z.T @ part
            self.bias[k].grad = part.sum(0)
            if traced.condition is not None:
                self.condition[k].grad = torch.ops.aten.embedding_dense_backward(
                    part, traced.condition, len(self.condition[k]), -1, False
                )
            if not k:
                return
            hidden, weights = traced.hidden[:, :seen], self.inner[k - 1]
            weights.grad = hidden.T @ part
            if to_hidden is None:
                to_hidden = part @ weights.T
            else:
                to_hidden = to_hidden[:, :seen].addmm_(part, weights.T)
            seen -= self.sizes[k - 1]
            norm: nn.BatchNorm1d = self.norms[k - 1]  # type: ignore[assignment]
            part = torch.ops.aten.threshold_backward(to_hidden[:, seen:], hidden[:, seen:], 0)
            part = normalise_backward(
                norm, traced.entered[k - 1], traced.statistics[k - 1], part, self.ranks
            )
