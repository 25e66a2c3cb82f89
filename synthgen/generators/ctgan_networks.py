"""The two networks of CTGAN (Xu et al. 2019, arXiv 1907.00503, section 4.4).

Both compute exactly what dense layers on ``noise ⊕ one-hot condition`` would compute, but the
product with a one-hot vector is a look-up, and what is shared between layers is computed once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
"""Of the critic's LeakyReLU."""
KEPT = 0.5
"""Share of the critic's hidden units that dropout leaves."""


class ConditionalGenerator(nn.Module):
    """``h0 = z ⊕ condition``; ``h_k+1 = ReLU(BN(FC(h_k))) ⊕ h_k``; the output is ``FC(h_last)``.

    The concatenation carries noise, condition and all hidden layers into every layer, which is
    kept here as one block of weights for each: ``noise``, ``condition``, ``inner``.
    """

    def __init__(
        self, embedding_dim: int, conditions: int, hidden: Sequence[int], width: int
    ) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        self.sizes = [*hidden, width]
        self.noise = nn.ModuleList(nn.Linear(embedding_dim, size) for size in self.sizes)
        self.condition = nn.ParameterList(torch.empty(conditions, size) for size in self.sizes)
        before = list(accumulate(hidden))
        self.inner = nn.ParameterList(
            torch.empty(inputs, size) for inputs, size in zip(before, self.sizes[1:], strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(size) for size in hidden)
        for k in range(len(self.sizes)):
            # As one dense layer over all its inputs would begin.
            bound = 1 / math.sqrt(embedding_dim + conditions + sum(hidden[:k]))
            blocks = [*self.noise[k].parameters(), self.condition[k]]
            blocks += [self.inner[k - 1]] if k else []
            for block in blocks:
                nn.init.uniform_(block, -bound, bound)

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Raw output (batch, width) for noise (batch, embedding_dim) and the numbers of the
        conditions (batch,), None for a table without discrete columns."""
        hidden: list[Tensor] = []
        out = z
        for k, noise in enumerate(self.noise):
            out = noise(z)
            if condition is not None:
                out = out + functional.embedding(condition, self.condition[k])
            if k:
                out = torch.addmm(out, torch.cat(hidden, dim=1), self.inner[k - 1])
            if k < len(self.norms):
                norm: nn.Module = self.norms[k]
                hidden.append(norm(out).relu())
        return out


class Critic(nn.Module):
    """PacGAN critic (Lin et al. 2018): judges ``pac`` rows at once, each with its condition, by
    dense layers with LeakyReLU(0.2) and dropout 0.5.

    Dropout masks come from the caller, who draws them by step number (:meth:`masks`).
    """

    def __init__(self, width: int, conditions: int, hidden: Sequence[int], pac: int) -> None:
        super().__init__()
        self.pac, self.width, self.conditions = pac, width, conditions
        self.hidden = list(hidden)
        bound = 1 / math.sqrt(pac * (width + conditions))
        self.rows = nn.Parameter(torch.empty(pac * width, hidden[0]).uniform_(-bound, bound))
        self.condition = nn.Parameter(
            torch.empty(pac * conditions, hidden[0]).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(hidden[0]).uniform_(-bound, bound))
        self.inner = nn.ModuleList(
            nn.Linear(inputs, size) for inputs, size in zip(hidden, [*hidden[1:], 1], strict=True)
        )

    def masks(self, packs: int, generator: torch.Generator) -> list[Tensor]:
        """One dropout mask (packs, size) per hidden layer, holding 0 or ``1 / KEPT``."""
        sizes = self.hidden
        uniform = torch.rand(packs, sum(sizes), generator=generator, device=generator.device)
        return list(torch.split((uniform < KEPT) / KEPT, sizes, dim=1))

    def enter(self, rows: Tensor, condition: Tensor | None) -> Tensor:
        """What enters the first hidden layer: (batch / pac, size), linear in the rows."""
        entered = torch.addmm(self.bias, rows.reshape(-1, self.pac * self.width), self.rows)
        if condition is None:
            return entered
        places = condition.view(-1, self.pac)
        places = places + self.conditions * torch.arange(self.pac, device=places.device)
        return entered + functional.embedding_bag(places, self.condition, mode="sum")

    def score(self, entered: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """The critic's values (batch / pac,)."""
        for mask, inner in zip(masks, self.inner, strict=True):
            entered = inner(functional.leaky_relu(entered, SLOPE) * mask)
        scores: Tensor = entered.squeeze(1)
        return scores

    def input_gradient(self, entered: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """The gradient of each value by all its inputs: (batch / pac, pac * (width + conditions)).

        The critic is piecewise linear, so the gradient is a product of the weights and the slopes
        at this point. The slopes are constant almost everywhere; hence differentiating this
        product is all of what differentiating twice would give.
        """
        slopes: list[Tensor] = []
        with torch.no_grad():
            for mask, inner in zip(masks, self.inner, strict=True):
                slopes.append(torch.where(entered > 0, mask, SLOPE * mask))
                entered = inner(functional.leaky_relu(entered, SLOPE) * mask)
        *inner_layers, last = self.inner
        gradient = last.weight * slopes.pop()  # type: ignore[operator]
        for inner in reversed(inner_layers):
            gradient = (gradient @ inner.weight) * slopes.pop()  # type: ignore[operator]
        return torch.cat([gradient @ self.rows.t(), gradient @ self.condition.t()], dim=1)
