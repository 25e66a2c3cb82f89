"""The generator's output as rows, and the way back (Xu et al., arXiv 1907.00503, section 4.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from synthgen.encoding import Span, Wide


@dataclass(frozen=True)
class Activated:
    """Fake rows (batch, width), and what the way back needs of how they came about."""

    rows: Tensor
    scalars: Tensor
    """(batch, scalars): tanh of the raw scalars."""
    shares: Tensor
    """(batch, codes): the Gumbel-softmax of each span."""


@dataclass(frozen=True)
class Activation:
    """tanh of the scalars, and in each span Gumbel-softmax (Jang et al. 2017, arXiv 1611.01144).

    ``hard`` rows hold the likeliest code of each span in full, as real rows do, while gradients
    are those of the softmax (*straight through*, Bengio et al. 2013, arXiv 1308.3432). Their
    scalars count only where the code is ``regular``, the place (scalars,) of each scalar's code
    among all codes; None: everywhere.
    """

    wide: Wide
    temperature: float
    hard: bool = False
    regular: Tensor | None = None

    @classmethod
    def straight_through(
        cls, spans: Sequence[Span], wide: Wide, temperature: float, *, masked: bool
    ) -> Self:
        """Hard rows; ``masked``: of spans with a scalar, only the first code has one."""
        owners = torch.tensor([k for k, span in enumerate(spans) if span.scalar], dtype=torch.int64)
        places = wide.offsets[owners.to(wide.offsets.device)] if masked else None
        return cls(wide, temperature, True, places)

    @torch.no_grad()
    def of(self, raw: Tensor, noise: Tensor) -> Activated:
        """From raw output (batch, width) and Gumbel noise (codes, batch)."""
        scalars = self.wide.scalars
        logits = torch.add(noise, raw[:, scalars:].T).div_(self.temperature)
        shares = self.wide.softmax_(logits)
        tanh = raw[:, :scalars].tanh()
        rows = torch.empty_like(raw)
        rows[:, scalars:] = (self.wide.largest(shares) if self.hard else shares).T
        if self.regular is None:
            rows[:, :scalars] = tanh
        else:
            torch.mul(tanh, rows[:, scalars + self.regular], out=rows[:, :scalars])
        return Activated(rows, tanh, shares.T)

    @torch.no_grad()
    def by_raw(self, activated: Activated, by_rows: Tensor) -> Tensor:
        """The gradient of a loss by the raw output, given that by the rows."""
        scalars, tanh, shares = self.wide.scalars, activated.scalars, activated.shares
        gradient = torch.empty_like(by_rows)
        by_scalars, by_shares = by_rows[:, :scalars], by_rows[:, scalars:]
        if self.regular is not None:
            by_shares = by_shares.index_add(1, self.regular, by_scalars * tanh)
            by_scalars = by_scalars * activated.rows[:, scalars + self.regular]
        torch.ops.aten.tanh_backward(by_scalars, tanh, grad_input=gradient[:, :scalars])
        weighted = by_shares * shares
        sums = (weighted @ self.wide.members).index_select(1, self.wide.segments)
        weighted.addcmul_(shares, sums, value=-1)
        torch.div(weighted, self.temperature, out=gradient[:, scalars:])
        return gradient
