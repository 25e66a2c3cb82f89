"""Columns as one code each: numbers are cut into bins, for models of discrete distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import torch
from torch import Tensor

from synthgen.encoding import Encoded, Encoder, Span


@dataclass(frozen=True)
class Factors:
    """Columns as one code each, in the order in which they are drawn.

    The code of a numeric column is the bin of its scalar where the encoding's own code is 0 (a
    regular value), and stands behind the bins for the other codes (missing, spikes).
    """

    order: tuple[int, ...]
    """Span numbers: the target first, then the others as they come."""
    bins: tuple[int, ...]
    """Bins per factor, 0 where the span has no scalar."""
    sizes: tuple[int, ...]
    """Codes per factor."""
    place: tuple[int, ...]
    """Where a factor's scalar stands among the scalars, -1 without one."""

    @classmethod
    def fitting(cls, encoder: Encoder, bins: int, rows_per_bin: int) -> Factors:
        """Bins as many as the training rows fill, ``bins`` at most; told from the encoder alone, so
        that a model file needs no more."""
        spans = encoder.spans
        filled = [
            max(1, min(bins, int(count[0]) // rows_per_bin)) if span.scalar else 0
            for span, count in zip(spans, encoder.counts, strict=True)
        ]
        return cls.of(spans, filled, target=encoder.schema.target)

    @classmethod
    def of(cls, spans: Sequence[Span], bins: Sequence[int], *, target: str | None) -> Factors:
        """``bins`` per span."""
        first = [i for i, span in enumerate(spans) if span.column == target]
        order = (*first, *(i for i in range(len(spans)) if i not in first))
        scalars = [sum(span.scalar for span in spans[:i]) for i in range(len(spans))]
        return cls(
            order=order,
            bins=tuple(bins[i] for i in order),
            sizes=tuple(spans[i].size + max(0, bins[i] - 1) for i in order),
            place=tuple(scalars[i] if spans[i].scalar else -1 for i in order),
        )

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each factor's codes stand among all codes."""
        return tuple(
            slice(end - size, end)
            for end, size in zip(accumulate(self.sizes), self.sizes, strict=True)
        )

    @property
    def width(self) -> int:
        """Codes of all factors together."""
        return sum(self.sizes)

    @property
    def scalars(self) -> int:
        """Spans with a scalar."""
        return sum(place >= 0 for place in self.place)

    def join(self, encoded: Encoded) -> Tensor:
        """int16 (n, factors), or int32 where a factor has too many codes for that."""
        kind = torch.int16 if max(self.sizes) <= torch.iinfo(torch.int16).max else torch.int32
        joined = torch.empty(len(encoded), len(self.order), dtype=kind)
        for k, (span, bins, place) in enumerate(
            zip(self.order, self.bins, self.place, strict=True)
        ):
            codes = encoded.codes[:, span].long()
            if bins:
                share = (encoded.scalars[:, place].double() + 1) / 2
                inside = (share * bins).long().clamp(0, bins - 1)
                codes = torch.where(codes == 0, inside, codes + bins - 1)
            joined[:, k] = codes
        return joined

    def part(self, codes: Tensor, places: Tensor) -> Encoded:
        """The inverse; ``places`` (n, scalars) in [0, 1) say where in its bin a value lies."""
        spans: list[Tensor] = [codes] * len(self.order)
        scalars = [codes] * self.scalars
        for k, (span, bins, place) in enumerate(
            zip(self.order, self.bins, self.place, strict=True)
        ):
            own = codes[:, k]
            if not bins:
                spans[span] = own
                continue
            regular = own < bins
            spans[span] = torch.where(regular, 0, own - bins + 1)
            position = 2 * (own.clamp(max=bins - 1) + places[:, place]) / bins - 1
            scalars[place] = torch.where(regular, position, 0.0)
        drawn = torch.stack(scalars, dim=1) if scalars else places
        return Encoded(torch.stack(spans, dim=1).int(), drawn.float())

    def spread(self, per_code: Tensor) -> Tensor:
        """Numbers per code of the spans (in their order) as numbers per code of the factors: a bin
        has that of the regular values."""
        sizes = [0] * len(self.order)
        for span, bins, size in zip(self.order, self.bins, self.sizes, strict=True):
            sizes[span] = size - max(0, bins - 1)
        own = torch.split(per_code, sizes)
        return torch.cat(
            [
                torch.cat([own[span][:1].expand(bins), own[span][1:]]) if bins else own[span]
                for span, bins in zip(self.order, self.bins, strict=True)
            ]
        )


def count_codes(factors: Factors, codes: Tensor) -> Tensor:
    """int64 (width,): rows of each code of ``codes`` (n, factors), factor after factor."""
    counted = [
        torch.bincount(codes[:, k].long(), minlength=size) for k, size in enumerate(factors.sizes)
    ]
    return torch.cat(counted)
