"""The networks of DP-CTGAN, and what its generator is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthgen.encoding import Span, Wide

KNOTS = 257
"""Of the map from a scalar's raw output to its place in the column's distribution."""


class ResidualGenerator(nn.Module):
    """``h0 = z ⊕ condition``; ``h_k+1 = ReLU(BN(FC(h_k))) ⊕ h_k``; the output is ``FC(h_last)``, as
    in CTGAN (Xu et al. 2019, arXiv 1907.00503, section 4.4).

    ``knots`` (scalars, KNOTS), ascending, are raw outputs that become places -1 to 1 at equal
    distances.
    """

    knots: Tensor

    def __init__(
        self, embedding_dim: int, conditions: int, hidden: Sequence[int], width: int, scalars: int
    ) -> None:
        super().__init__()
        self.embedding_dim, self.widest = embedding_dim, max(*hidden, width, embedding_dim)
        inputs = embedding_dim + conditions
        blocks = []
        for size in hidden:
            blocks.append(nn.Sequential(nn.Linear(inputs, size), nn.BatchNorm1d(size), nn.ReLU()))
            inputs += size
        self.hidden = nn.ModuleList(blocks)
        self.out = nn.Linear(inputs, width)
        self.register_buffer("knots", torch.linspace(-1, 1, KNOTS).repeat(scalars, 1))

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        """Raw output (batch, width) for noise and one-hot conditions (batch, conditions)."""
        h = torch.cat([z, condition], dim=1)
        for block in self.hidden:
            h = torch.cat([block(h), h], dim=1)
        raw: Tensor = self.out(h)
        return raw

    def place(self, raw: Tensor) -> Tensor:
        """Raw scalars (batch, scalars) as places in [-1, 1]."""
        columns = raw.t().contiguous()
        upper = torch.searchsorted(self.knots, columns).clamp(1, KNOTS - 1)
        low, high = self.knots.gather(1, upper - 1), self.knots.gather(1, upper)
        between = ((columns - low) / (high - low).clamp(min=1e-12)).clamp(0, 1)
        return ((upper - 1 + between) / (KNOTS - 1) * 2 - 1).t()


def critic_of(width: int, hidden: Sequence[int]) -> nn.Sequential:
    """Dense layers with LeakyReLU(0.2). No batch normalisation: it would mix rows."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(width, size), nn.LeakyReLU(0.2)]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, 1))


def log_softmax(wide: Wide, logits: Tensor) -> Tensor:
    """Within each span of (batch, codes)."""
    return logits - wide.logsumexp(logits).index_select(1, wide.segments)


def gumbel(shape: Sequence[int], random: torch.Generator) -> Tensor:
    """Standard Gumbel noise, always finite."""
    waits = torch.empty(*shape, device=random.device).exponential_(generator=random)
    return -waits.clamp_(min=1e-30).log_()


@dataclass(frozen=True)
class Conditions:
    """A condition is one code of one discrete column; conditions count the codes of all discrete
    columns in order."""

    places: Tensor
    """int64 (conditions,): each one's place among the codes of all spans."""
    spans: Tensor
    """int64 (conditions,): its span."""
    weights: Tensor
    """float32 (discrete columns, conditions): how frequent each is within its column, else 0."""

    @classmethod
    def of(cls, spans: Sequence[Span], counts: Sequence[Tensor], wide: Wide) -> Self:
        """``counts`` (size,) per span, from noisy histograms."""
        device = wide.offsets.device
        discrete = torch.tensor([span.discrete for span in spans], device=device)
        segments = wide.segments
        places = torch.nonzero(discrete[segments]).squeeze(1)
        own = segments[places]
        columns = torch.unique(own)
        flat = torch.cat([c.float() for c in counts]).to(device)[places]
        return cls(places, own, torch.where(own == columns[:, None], flat, 0.0))

    def __len__(self) -> int:
        return len(self.places)

    def draw(self, n: int, random: torch.Generator) -> Tensor:
        """(n,): the column uniformly, the code by its frequency; (0,) without discrete columns."""
        if not len(self):
            return torch.empty(0, dtype=torch.int64, device=self.places.device)
        columns = torch.randint(
            len(self.weights), (n,), generator=random, device=self.weights.device
        )
        return torch.multinomial(self.weights[columns], 1, generator=random).squeeze(1)

    def onehot(self, n: int, asked: Tensor) -> Tensor:
        """float32 (n, conditions)."""
        if not len(self):
            return torch.zeros(n, 0, device=self.places.device)
        return functional.one_hot(asked, len(self)).float()

    def cross_entropy(self, logs: Tensor, asked: Tensor) -> Tensor:
        """Mean -log probability of what was asked for; ``logs`` (n, codes) from
        :func:`log_softmax`."""
        if not len(self):
            return logs.new_zeros(())
        return -logs.gather(1, self.places[asked][:, None]).mean()

    def impose(self, codes: Tensor, logits: Tensor, asked: Tensor, wide: Wide) -> None:
        """Write what was asked for into ``codes`` (n, spans), in the rows that make it the
        likeliest of its column; others keep what they drew."""
        if not len(self):
            return
        spans = self.spans[asked]
        wanted = self.places[asked] - wide.offsets[spans]
        likeliest = wide.argmax(logits.T).gather(1, spans[:, None]).squeeze(1)
        rows = torch.nonzero(likeliest == wanted).squeeze(1)
        codes[rows, spans[rows]] = wanted[rows]
