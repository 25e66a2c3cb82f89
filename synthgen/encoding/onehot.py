"""A batch of encoded rows as the wide matrix that networks see, and back.

The order is that of Xu et al. 2019 (arXiv 1907.00503, section 4.2): for every column its scalar,
if it has one, then one entry per code. Only batches are expanded, never a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from synthgen.encoding.layout import Span


@dataclass(frozen=True)
class Layout:
    """Where the spans lie in a wide row of ``width`` entries: index tensors, made once.

    All operations work on every column at once, without a loop over columns.
    """

    width: int
    scalars: Tensor
    """int64 (scalar spans,): position of each scalar."""
    onehots: Tensor
    """int64 (sum of sizes,): positions of the entries that stand for codes, span after span."""
    segments: Tensor
    """int64 (sum of sizes,): the span to which each of ``onehots`` belongs."""
    offsets: Tensor
    """int64 (spans,): where each span begins within ``onehots``."""

    @classmethod
    def of(cls, spans: Sequence[Span], device: torch.device | str = "cpu") -> Layout:
        sizes = torch.tensor([span.size for span in spans], dtype=torch.int64)
        owns_scalar = torch.tensor([span.scalar for span in spans], dtype=torch.int64)
        ends = (sizes + owns_scalar).cumsum(0)
        offsets = sizes.cumsum(0) - sizes
        segments = torch.repeat_interleave(torch.arange(len(spans)), sizes)
        # In front of a one-hot entry stand all those before it and the scalars up to its span's.
        onehots = torch.arange(len(segments)) + owns_scalar.cumsum(0)[segments]
        return cls(
            width=int(ends[-1]) if len(spans) else 0,
            scalars=(ends - sizes - 1)[owns_scalar.bool()].to(device),
            onehots=onehots.to(device),
            segments=segments.to(device),
            offsets=offsets.to(device),
        )

    def expand(self, codes: Tensor, scalars: Tensor) -> Tensor:
        """float32 (batch, width) from codes (batch, spans) and scalars (batch, scalar spans)."""
        wide = torch.zeros(len(codes), self.width, device=scalars.device)
        wide[:, self.scalars] = scalars
        return wide.scatter_(1, self.onehots[self.offsets + codes.long()], 1.0)

    def collapse(self, wide: Tensor) -> tuple[Tensor, Tensor]:
        """The inverse, for any (batch, width): int64 codes of the largest entries, and scalars."""
        return self.argmax(wide[:, self.onehots]), wide[:, self.scalars]

    def softmax(self, logits: Tensor) -> Tensor:
        """Softmax within each span of (batch, sum of sizes), in the order of ``onehots``."""
        top = self._largest(logits.detach()).index_select(1, self.segments)
        powers = (logits - top).exp()
        sums = powers.new_zeros(len(logits), len(self.offsets)).index_add(1, self.segments, powers)
        return powers / sums.index_select(1, self.segments)

    def argmax(self, logits: Tensor) -> Tensor:
        """int64 (batch, spans): the code of the largest entry in each span, the first of equals."""
        total = len(self.segments)
        top = self._largest(logits).index_select(1, self.segments)
        places = torch.arange(total, device=logits.device)
        places = torch.where(logits == top, places, total)
        first = places.new_full((len(logits), len(self.offsets)), total)
        first.scatter_reduce_(1, self.segments.expand(len(logits), -1), places, "amin")
        return first - self.offsets

    def _largest(self, logits: Tensor) -> Tensor:
        start = logits.new_full((len(logits), len(self.offsets)), -torch.inf)
        return start.scatter_reduce(1, self.segments.expand(len(logits), -1), logits, "amax")
