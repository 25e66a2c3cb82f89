"""Marginals of a trained generator brought to those of the training rows.

A GAN learns how columns depend on each other before it gets each column's own distribution quite
right. The latter can be mended afterwards: a constant added to each logit brings the codes to
their frequencies (as iterative proportional fitting would), and a monotone map brings the scalars,
which are uniform over the training rows, to the uniform distribution. What is stored are a constant
per code, which follows from the encoder's counts, and quantiles of the generator's own rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from synthgen.encoding import Span, Wide
from synthgen.generators.tabular_batches import unseen_codes

ROUNDS, CLOSE = 30, 1e-3
"""Corrections of the logits at most, after each of which the expected frequencies are counted
again, and the correction that is as good as none."""
LARGEST = 20.0
"""Of the constants, in size: no bound in practice, but a generator that rules a code out stays
finite."""
KNOTS = 257
"""Quantiles of each scalar, from the lowest to the highest."""
FEWEST = 1_000
"""A scalar that fewer of the rows have is left as it is: its quantiles would be noise."""


class Calibration(nn.Module):
    """Buffers, so that they travel with the weights of the generator."""

    def __init__(self, spans: Sequence[Span]) -> None:
        super().__init__()
        scalars = sum(span.scalar for span in spans)
        self.logits: Tensor
        self.knots: Tensor
        self.register_buffer("logits", torch.zeros(sum(span.size for span in spans)))
        """(codes,): what is added to the logits."""
        self.register_buffer("knots", torch.linspace(-1, 1, KNOTS).repeat(scalars, 1))
        """(scalars, knots): the quantiles of each scalar, which are mapped to -1, ..., 1."""

    @torch.no_grad()
    def fit_logits(
        self, raw: Tensor, spans: Sequence[Span], counts: Sequence[Tensor], fixed: Sequence[int]
    ) -> None:
        """From raw rows (rows, width) of the generator, and per span the training rows' counts
        (size,) of each code. The spans at the positions ``fixed`` keep their logits: the generator
        is told their codes.

        What a generated row's probabilities add up to is what is compared, not what is drawn.
        """
        wide = Wide.of(spans)
        logits = raw[:, wide.scalars :].T
        held = torch.cat([count.double() for count in counts])
        wanted = held / (wide.members.double().T @ held)[wide.segments]
        # A code without training rows is never drawn.
        free = (held > 0) & ~torch.isin(wide.segments, torch.tensor(fixed, dtype=torch.int64))
        never = unseen_codes(counts)[:, None]
        for _ in range(ROUNDS):
            shares = wide.softmax_(logits + (self.logits[:, None] + never)).double().mean(1)
            shares = shares.clamp_min(torch.finfo(torch.float32).tiny)
            correction = torch.where(free, (wanted / shares).log(), 0.0).float()
            self.logits += correction
            # Neither can a constant make a code likely that the generator rules out.
            self.logits.clamp_(-LARGEST, LARGEST)
            if correction.abs().max() < CLOSE:
                return

    @torch.no_grad()
    def fit_knots(
        self, raw: Tensor, spans: Sequence[Span], counts: Sequence[Tensor], random: torch.Generator
    ) -> None:
        """The quantiles of the generator's scalars where the first code of their span is drawn;
        the rest as :meth:`fit_logits`."""
        wide = Wide.of(spans)
        logits = raw[:, wide.scalars :] + (self.logits + unseen_codes(counts))
        codes = wide.draw_(logits.T.contiguous(), random)
        levels = torch.linspace(0, 1, KNOTS)
        for scalar, span in enumerate(k for k, span in enumerate(spans) if span.scalar):
            values = raw[codes[:, span] == 0, scalar].tanh()
            if len(values) >= FEWEST:
                self.knots[scalar] = values.quantile(levels)

    def place(self, scalars: Tensor) -> Tensor:
        """The scalars (rows, scalars) that stand for the generator's own, in [-1, 1]."""
        right = torch.searchsorted(self.knots, scalars.T.contiguous()).clamp_(1, KNOTS - 1)
        low = self.knots.gather(1, right - 1)
        width = (self.knots.gather(1, right) - low).clamp_min_(torch.finfo(torch.float32).tiny)
        inside = ((scalars.T - low) / width).clamp_(0, 1)
        return ((right - 1 + inside) * (2 / (KNOTS - 1)) - 1).T
