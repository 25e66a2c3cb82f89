"""Conditional vectors and training-by-sampling (Xu et al. 2019, arXiv 1907.00503, section 4.3).

A condition is one category of one discrete column; its number counts the categories of all
discrete columns in order. Everything here is index arithmetic on the device, for a whole batch
and all columns at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from synthgen.encoding import Encoded, Span
from synthgen.encoding.onehot import Layout
from synthgen.generators.tabular_batches import Wide


@dataclass(frozen=True)
class Conditions:
    """What the numbers of conditions mean. All tensors are int64 unless said otherwise."""

    column: Tensor
    """(conditions,): which discrete column, counted from 0."""
    code: Tensor
    """(conditions,): the code within its span."""
    span: Tensor
    """(discrete columns,): the position among all spans."""
    first: Tensor
    """(discrete columns,): the number of the column's first condition."""
    window: Tensor
    """(discrete columns, largest size): places of the column's codes among all codes; the last
    is repeated where there are fewer."""
    padding: Tensor
    """float32, the same shape: 0 for codes, minus infinity for repetitions."""

    @classmethod
    def of(cls, spans: Sequence[Span], layout: Layout) -> Conditions | None:
        """None where no column is discrete."""
        span = torch.tensor([i for i, s in enumerate(spans) if s.discrete], dtype=torch.int64)
        if not len(span):
            return None
        device = layout.offsets.device
        sizes = torch.tensor([spans[i].size for i in span.tolist()], dtype=torch.int64)
        first = sizes.cumsum(0) - sizes
        column = torch.repeat_interleave(torch.arange(len(span)), sizes)
        steps = torch.arange(int(sizes.max()))
        window = layout.offsets.cpu()[span, None] + torch.minimum(steps, sizes[:, None] - 1)
        padding = torch.where(steps < sizes[:, None], 0.0, -torch.inf)
        parts = column, torch.arange(len(column)) - first[column], span, first, window, padding
        return cls(*(part.to(device) for part in parts))

    def __len__(self) -> int:
        return len(self.column)

    def logits(self, logits: Tensor, condition: Tensor) -> Tensor:
        """(batch, largest size): of all logits (batch, codes) those of the condition's column."""
        column = self.column[condition]
        return logits.gather(1, self.window[column]) + self.padding[column]

    def cross_entropy(self, logits: Tensor, condition: Tensor) -> Tensor:
        """(batch,): -log of the probability of the condition's category in its column."""
        own = self.logits(logits, condition)
        chosen = own.gather(1, self.code[condition, None]).squeeze(1)
        return own.logsumexp(1) - chosen

    def impose(self, codes: Tensor, logits: Tensor, condition: Tensor) -> None:
        """Write the condition's category into the drawn ``codes`` (batch, spans) of the rows that
        obey it: those whose logits make it the likeliest of its column. Other rows keep what they
        drew, so that a row never bears a label that its other columns were not made for."""
        obeyed = self.logits(logits, condition).argmax(1) == self.code[condition]
        rows, asked = obeyed.nonzero().squeeze(1), condition[obeyed]
        codes[rows, self.span[self.column[asked]]] = self.code[asked]


@dataclass(frozen=True)
class ConditionSampler:
    """Draws conditions: the column uniformly, the category by its weight in the column."""

    columns: int
    edges: Tensor
    """float64 (conditions,): column number + cumulative probability within the column."""

    @classmethod
    def of(cls, counts: Sequence[Tensor], *, log: bool) -> ConditionSampler:
        """``counts`` (size,) per discrete column: rows of each category, of which a column has at
        least one. ``log``: weights are ``log(1 + count)``, else the counts themselves."""
        edges = []
        for column, count in enumerate(counts):
            weights = count.double().log1p() if log else count.double()
            total = weights.cumsum(0)
            edges.append(column + total / total[-1])
        return cls(len(edges), torch.cat(edges))

    def draw(self, batch: int, generator: torch.Generator) -> Tensor:
        """(batch,) numbers of conditions; never one without rows."""
        device = self.edges.device
        column = torch.randint(self.columns, (batch,), generator=generator, device=device)
        # float32 numbers below 1 stay below it when added in float64: no column is left.
        share = torch.rand(batch, generator=generator, device=device)
        return torch.searchsorted(self.edges, column + share.double(), right=True)


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
        self, batch: int, conditions: Tensor | None, random: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Wide rows (batch, width) that meet the conditions in another order, and that order:
        were it the same, the packs of real and fake rows would share their conditions."""
        device = self.data.codes.device
        if conditions is None or self.rows is None:
            rows = torch.randint(len(self.data), (batch,), generator=random, device=device)
        else:
            conditions = conditions[torch.randperm(batch, generator=random, device=device)]
            rows = self.rows.draw(conditions, random)
        return self.wide.expand(self.data.codes[rows], self.data.scalars[rows]), conditions
