"""A batch of encoded rows as the wide matrix that networks see, and what is done span by span.

Only batches are expanded, never a table. Functions of logits want them with the codes first,
(codes, batch): then a span is one block of memory, and its softmax or maximum runs along the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor

from synthgen.encoding.layout import Span


@dataclass(frozen=True)
class Wide:
    """A wide row holds the scalars of all columns first, then one entry per code, span after
    span, so that either group is a slice. The order of inputs means nothing to a dense layer."""

    sizes: list[int]
    """Codes of each span."""
    scalars: int
    """Spans that own a scalar."""
    segments: Tensor
    """int64 (codes,): the span to which each code belongs."""
    offsets: Tensor
    """int64 (spans,): where each span begins among the codes."""
    members: Tensor
    """float32 (codes, spans): 1 where a code belongs to a span, else 0."""

    @classmethod
    def of(cls, spans: Sequence[Span], device: torch.device | str = "cpu") -> Self:
        sizes = torch.tensor([span.size for span in spans], dtype=torch.int64)
        offsets = sizes.cumsum(0) - sizes
        segments = torch.repeat_interleave(torch.arange(len(spans)), sizes)
        members = torch.zeros(len(segments), len(spans)).scatter_(1, segments[:, None], 1.0)
        tensors = (part.to(device) for part in (segments, offsets, members))
        return cls(sizes.tolist(), sum(span.scalar for span in spans), *tensors)

    @property
    def codes(self) -> int:
        return len(self.segments)

    @property
    def width(self) -> int:
        return self.scalars + self.codes

    def expand(self, codes: Tensor, scalars: Tensor) -> Tensor:
        """float32 (batch, width) from codes (batch, spans) and scalars (batch, scalars)."""
        wide = scalars.new_zeros(len(codes), self.width)
        wide[:, : self.scalars] = scalars
        return wide.scatter_(1, codes.long() + (self.offsets + self.scalars), 1.0)

    def softmax_(self, logits: Tensor) -> Tensor:
        """In place, the softmax within each span of (codes, batch)."""
        for part in torch.split(logits, self.sizes):
            torch.softmax(part, 0, out=part)
        return logits

    def largest(self, logits: Tensor) -> Tensor:
        """(codes, batch): 1 for the largest entry of each span and what equals it, else 0."""
        top = torch.stack([part.amax(0) for part in torch.split(logits, self.sizes)])
        hits = torch.empty_like(logits, memory_format=torch.contiguous_format)
        return torch.eq(logits, top.index_select(0, self.segments), out=hits)

    def draw_(self, logits: Tensor, random: torch.Generator) -> Tensor:
        """int64 (batch, spans): a code of each span, drawn with the probabilities that its logits
        stand for; never one whose logit is minus infinity. ``logits`` (codes, batch), contiguous,
        are overwritten.

        One number a span decides, by the inverse of the distribution function.
        """
        batch = logits.shape[1]
        shares = torch.rand(len(self.sizes), batch, generator=random, device=random.device)
        for part, share in zip(torch.split(logits, self.sizes), shares, strict=True):
            rows = torch.softmax(part, 0, out=part).unbind(0)
            # torch.cumsum down the columns takes six times as long.
            for before, row in pairwise(rows):
                row.add_(before)
            # 1 - share is never 0, so a code that adds nothing to the sum is never the first to
            # reach it.
            part.lt_((1 - share).mul_(rows[-1]))
        return (logits.T @ self.members).long()

    def logsumexp(self, logits: Tensor) -> Tensor:
        """(batch, spans) from (batch, codes): log of the sum of the exponentials of each span."""
        places = self.segments.expand(len(logits), -1)
        spans = len(self.offsets)
        top = logits.new_full((len(logits), spans), -torch.inf)
        top = top.scatter_reduce_(1, places, logits.detach(), "amax")
        powers = (logits - top.gather(1, places)).exp()
        return powers.new_zeros(len(logits), spans).scatter_add(1, places, powers).log() + top
