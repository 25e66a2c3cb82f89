"""The network of :mod:`synthgen.generators.arn`: all conditional distributions in one pass."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthgen.generators.factors import Factors, count_codes

WAVES = 8
"""Frequencies of the curves that bins are embedded by, whose amplitude falls with the frequency."""


def _embedding(bins: int, size: int, width: int) -> Tensor:
    """What the codes of a factor (size, width) mean to later ones at first: bins beside each other
    nearly the same, by random smooth curves over the ranks; other codes anything. Training may
    change all of it, but need not find out first that numbers have an order."""
    start = torch.randn(size, width)
    if bins > 1:
        rank = (torch.arange(bins)[:, None] + 0.5) / bins
        waves = math.pi * rank * torch.arange(1, WAVES + 1)
        falling = torch.arange(1, WAVES + 1)
        curves = torch.cat([2 * rank - 1, waves.cos() / falling, waves.sin() / falling], dim=1)
        smooth = curves @ torch.randn(curves.shape[1], width)
        start[:bins] = smooth / smooth.std()
    return start


class Conditionals(nn.Module):
    """Per factor a residual network on the embedded codes of the factors before it.

    The first layers of all factors are one product with a masked matrix, the later ones a batch of
    products; what a factor sees never includes itself or a later one.
    """

    seen: Tensor
    starts: Tensor

    def __init__(
        self, factors: Factors, embedding: int, hidden: int, layers: int, dropout: float
    ) -> None:
        super().__init__()
        count, width = len(factors.sizes), factors.width
        self.factors, self.hidden, self.kept = factors, hidden, 1 - dropout
        starts = torch.tensor([own.start for own in factors.slices])
        self.register_buffer("starts", starts, persistent=False)
        before = torch.arange(count)[:, None] < torch.arange(count)[None, :]
        seen = before.repeat_interleave(embedding, 0).repeat_interleave(hidden, 1)
        self.register_buffer("seen", seen.float(), persistent=False)
        embedded = [
            _embedding(bins, size, embedding)
            for bins, size in zip(factors.bins, factors.sizes, strict=True)
        ]
        self.embedding = nn.Parameter(torch.cat(embedded) / math.sqrt(embedding))
        scale = torch.arange(count).clamp(min=1).rsqrt().repeat_interleave(hidden)
        first = torch.randn(count * embedding, count * hidden) * math.sqrt(0.5)
        self.first = nn.Parameter(first * scale * self.seen)
        self.first_bias = nn.Parameter(torch.zeros(count * hidden))
        deep = torch.randn(layers - 1, count, hidden, hidden) * math.sqrt(1 / hidden)
        self.deep = nn.Parameter(deep)
        self.deep_bias = nn.Parameter(torch.zeros(layers - 1, count, 1, hidden))
        self.out = nn.Parameter(torch.zeros(hidden, width))
        self.out_bias = nn.Parameter(torch.zeros(width))

    @torch.no_grad()
    def start_from(self, codes: Tensor) -> None:
        """Begin with the marginal distributions of these rows (n, factors): the outputs are 0."""
        counts = count_codes(self.factors, codes).float()
        self.out_bias.copy_((counts + 0.1).log())

    def masks(self, rows: int, random: torch.Generator) -> Tensor | None:
        """Dropout masks (layers, factors, rows, hidden) of 0 or 1 / kept; None without dropout."""
        if self.kept == 1:
            return None
        shape = (len(self.deep) + 1, len(self.factors.sizes), rows, self.hidden)
        uniform = torch.rand(shape, generator=random, device=random.device)
        return (uniform < self.kept) / self.kept

    def forward(self, codes: Tensor, masks: Tensor | None = None) -> Tensor:
        """(n, factors): minus the log-probability of each code (n, factors) given those before."""
        entered = functional.embedding(codes + self.starts, self.embedding).flatten(1)
        hidden = torch.addmm(self.first_bias, entered, self.first * self.seen)
        # (factors, n, hidden): every factor's rows side by side.
        hidden = self._later(hidden.view(len(codes), -1, self.hidden).transpose(0, 1), masks)
        losses = [
            functional.cross_entropy(
                torch.addmm(self.out_bias[own], hidden[k], self.out[:, own]),
                codes[:, k],
                reduction="none",
            )
            for k, own in enumerate(self.factors.slices)
        ]
        return torch.stack(losses, dim=1)

    def draw(self, noise: Tensor, wanted: int | None = None) -> Tensor:
        """int64 (n, factors): codes that maximise logits plus ``noise`` (n, width), which draws
        from the distributions if it is Gumbel noise; the first is ``wanted``, if that is given."""
        rows, count, hidden = len(noise), len(self.factors.sizes), self.hidden
        codes = torch.zeros(rows, count, dtype=torch.int64)
        entered = self.first_bias.expand(rows, -1).clone()
        for k, own in enumerate(self.factors.slices):
            if k == 0 and wanted is not None:
                codes[:, 0] = wanted
            else:
                units = entered[:, k * hidden : (k + 1) * hidden]
                units = self._later(units[None], None, slice(k, k + 1))[0]
                logits = torch.addmm(self.out_bias[own], units, self.out[:, own])
                codes[:, k] = (logits + noise[:, own]).argmax(1)
            if k + 1 < count:
                embedded = functional.embedding(codes[:, k] + own.start, self.embedding)
                size = embedded.shape[1]
                # What this code says to the factors after it.
                later = self.first[k * size : (k + 1) * size, (k + 1) * hidden :]
                entered[:, (k + 1) * hidden :] += embedded @ later
        return codes

    def _later(self, hidden: Tensor, masks: Tensor | None, factors: slice = slice(None)) -> Tensor:
        """Activation, then the residual layers, of (factors, n, hidden)."""
        hidden = functional.silu(hidden)
        if masks is not None:
            hidden = hidden * masks[0]
        for number in range(len(self.deep)):
            more = torch.baddbmm(
                self.deep_bias[number, factors], hidden, self.deep[number, factors]
            )
            more = functional.silu(more)
            if masks is not None:
                more = more * masks[number + 1]
            hidden = hidden + more
        return hidden
