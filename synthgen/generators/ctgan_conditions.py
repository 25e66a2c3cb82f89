"""Conditional vectors and training-by-sampling (Xu et al. 2019, arXiv 1907.00503, section 4.3).

A condition is one category of one discrete column; its number counts the categories of all
columns that may be conditioned on, in order. Everything here is index arithmetic on the device,
for a whole batch and all columns at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from synthgen.encoding import Encoded, Span, Wide


@dataclass(frozen=True)
class Conditions:
    """What the numbers of conditions mean."""

    column: Tensor
    """int64 (conditions,): which of the columns, counted from 0."""
    code: Tensor
    """int64 (conditions,): the code within its span."""
    place: Tensor
    """int64 (conditions,): the place of that code among the codes of all spans."""
    span: Tensor
    """int64 (columns,): the position among all spans."""
    codes: slice
    """From the first to the last code of the columns, among those of all spans."""
    outside: Tensor
    """float32 (columns, those codes): 0 where a code is the column's, else minus infinity."""

    @classmethod
    def of(cls, spans: Sequence[Span], wide: Wide, told: Sequence[int]) -> Conditions | None:
        """Conditions on the spans at the positions ``told``; None without one."""
        if not told:
            return None
        device, segments = wide.segments.device, wide.segments.cpu()
        span = torch.tensor(told, dtype=torch.int64)
        sizes = torch.tensor([spans[i].size for i in span.tolist()], dtype=torch.int64)
        column = torch.repeat_interleave(torch.arange(len(span)), sizes)
        code = torch.arange(len(column)) - (sizes.cumsum(0) - sizes)[column]
        place = wide.offsets.cpu()[span][column] + code
        codes = slice(int(place[0]), int(place[-1]) + 1)
        outside = torch.zeros(len(span), codes.stop - codes.start)
        outside[segments[codes] != span[:, None]] = -torch.inf
        column, code, place, span = (part.to(device) for part in (column, code, place, span))
        return cls(column, code, place, span, codes, outside.to(device))

    def __len__(self) -> int:
        return len(self.column)

    def logits(self, logits: Tensor, condition: Tensor) -> Tensor:
        """(batch, those of :attr:`codes`): the logits (batch, codes) of the row's condition's
        column, minus infinity outside it."""
        return self.outside.index_select(0, self.column[condition]).add_(logits[:, self.codes])

    def cross_entropy(self, logits: Tensor, condition: Tensor, gradient: Tensor) -> Tensor:
        """The mean over the batch of -log of the probability of the condition's category in its
        column. Its gradient by the logits (batch, codes) is added to ``gradient``."""
        own = self.logits(logits, condition)
        place = self.place[condition, None] - self.codes.start
        shares = own.softmax(1)
        # The largest logit has the largest share, 1 / sum(exp(logits - largest)).
        sums = own.amax(1) - shares.amax(1).log_()
        loss = (sums - own.gather(1, place).squeeze(1)).mean()
        shares.scatter_add_(1, place, torch.full_like(place, -1, dtype=shares.dtype))
        gradient[:, self.codes].add_(shares, alpha=1 / len(condition))
        return loss

    def impose(self, codes: Tensor, condition: Tensor) -> None:
        """Write each row's condition into its drawn ``codes`` (batch, spans)."""
        codes.scatter_(1, self.span[self.column[condition, None]], self.code[condition, None])


@dataclass(frozen=True)
class ConditionSampler:
    """Draws conditions: the column uniformly, the category by its weight in the column."""

    columns: int
    edges: Tensor
    """float64 (conditions,): column number + cumulative probability within the column."""
    first: int
    """The number of the first condition."""

    @classmethod
    def of(cls, counts: Sequence[Tensor], *, log: bool, first: int = 0) -> ConditionSampler:
        """``counts`` (size,) per discrete column: rows of each category, of which a column has at
        least one. ``log``: weights are ``log(1 + count)``, else the counts themselves."""
        edges = []
        for column, count in enumerate(counts):
            weights = count.double().log1p() if log else count.double()
            total = weights.cumsum(0)
            edges.append(column + total / total[-1])
        return cls(len(edges), torch.cat(edges), first)

    def draw(self, batch: int, generator: torch.Generator) -> Tensor:
        """(batch,) numbers of conditions; never one without rows."""
        device = self.edges.device
        column = torch.randint(self.columns, (batch,), generator=generator, device=device)
        # float32 numbers below 1 stay below it when added in float64: no column is left.
        share = torch.rand(batch, generator=generator, device=device)
        return torch.searchsorted(self.edges, column + share.double(), right=True) + self.first


@dataclass(frozen=True)
class RowsByCondition:
    """The rows that meet each condition, sorted once: 4 bytes a row and discrete column."""

    rows: Tensor
    """int32 (discrete columns * n,): row positions in the order of their codes, per column."""
    begin: Tensor
    count: Tensor
    """int64 (conditions,): where a condition's rows begin in ``rows``, and how many they are."""

    @classmethod
    def of(cls, codes: Tensor, counts: Sequence[Tensor]) -> RowsByCondition:
        """``codes`` (n, discrete columns); ``counts`` as :meth:`ConditionSampler.of`."""
        n, columns = codes.shape
        rows = torch.empty(n * columns, dtype=torch.int32, device=codes.device)
        for k in range(columns):  # one at a time: positions of 8 bytes for one column only
            rows[k * n : (k + 1) * n] = codes[:, k].argsort(stable=True)
        count = torch.cat(list(counts))
        return cls(rows, count.cumsum(0) - count, count)

    def draw(self, condition: Tensor, generator: torch.Generator) -> Tensor:
        """int64 (batch,): for each condition one of its rows, each with the same chance."""
        count = self.count[condition]
        share = torch.rand(
            len(condition), generator=generator, device=count.device, dtype=torch.float64
        )
        place = torch.minimum((share * count).long(), count - 1)
        return self.rows[self.begin[condition] + place].long()


@dataclass(frozen=True)
class TrainingBatches:
    """Training-by-sampling: conditions for the generator, and real rows that meet them."""

    data: Encoded
    wide: Wide
    sampler: ConditionSampler | None
    rows: RowsByCondition | None
    """None both where no column is discrete."""

    @classmethod
    def of(cls, data: Encoded, wide: Wide, conditions: Conditions | None, *, log: bool) -> Self:
        if conditions is None:
            return cls(data, wide, None, None)
        codes = data.codes[:, conditions.span]
        sizes = conditions.column.bincount().tolist()
        counts = [codes[:, k].long().bincount(minlength=size) for k, size in enumerate(sizes)]
        return cls(
            data, wide, ConditionSampler.of(counts, log=log), RowsByCondition.of(codes, counts)
        )

    def conditions(self, batch: int, random: torch.Generator) -> Tensor | None:
        """(batch,) numbers of conditions."""
        return self.sampler.draw(batch, random) if self.sampler else None

    def real(
        self, batch: int, conditions: Tensor | None, random: torch.Generator, part: slice
    ) -> tuple[Tensor, Tensor | None]:
        """Wide rows (batch, width) that meet the conditions in another order, and that order:
        were it the same, the packs of real and fake rows would share their conditions. Of the
        whole batch only the ``part`` is returned."""
        device = self.data.codes.device
        if conditions is None or self.rows is None:
            rows = torch.randint(len(self.data), (batch,), generator=random, device=device)
        else:
            conditions = conditions[torch.randperm(batch, generator=random, device=device)]
            rows = self.rows.draw(conditions, random)
            conditions = conditions[part]
        rows = rows[part]
        return self.wide.expand(self.data.codes[rows], self.data.scalars[rows]), conditions
