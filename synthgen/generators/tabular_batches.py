"""Encoded rows as the batches that the tabular networks read and write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from synthgen.data.table import Columnar
from synthgen.encoding import Encoded, Span
from synthgen.encoding.onehot import Layout
from synthgen.errors import DataError
from synthgen.training.randomness import stream


@dataclass(frozen=True)
class Wide:
    """A wide row holds the scalars of all columns first, then one entry per code, span after
    span, so that either group is a slice. The order of inputs means nothing to a dense layer."""

    layout: Layout
    scalars: int
    codes: int

    @classmethod
    def of(cls, spans: Sequence[Span], device: torch.device | str = "cpu") -> Wide:
        layout = Layout.of(spans, device)
        return cls(layout, len(layout.scalars), len(layout.segments))

    @property
    def width(self) -> int:
        return self.scalars + self.codes

    def expand(self, codes: Tensor, scalars: Tensor) -> Tensor:
        """float32 (batch, width) from codes (batch, spans) and scalars (batch, scalars)."""
        wide = scalars.new_zeros(len(codes), self.width)
        wide[:, : self.scalars] = scalars
        return wide.scatter_(1, codes.long() + (self.layout.offsets + self.scalars), 1.0)

    def activate(self, raw: Tensor, gumbel: Tensor, temperature: float) -> Tensor:
        """A network's raw output (batch, width) as a soft row: tanh of the scalars, and in each
        span Gumbel-softmax (Jang et al. 2017) with the given noise (batch, codes)."""
        scalars, logits = raw[:, : self.scalars], raw[:, self.scalars :]
        soft = self.layout.softmax((logits + gumbel) / temperature)
        return torch.cat([scalars.tanh(), soft], dim=1)

    def logsumexp(self, logits: Tensor) -> Tensor:
        """(batch, spans): log of the sum of the exponentials of each span's logits."""
        places = self.layout.segments.expand(len(logits), -1)
        spans = len(self.layout.offsets)
        top = logits.new_full((len(logits), spans), -torch.inf)
        top = top.scatter_reduce_(1, places, logits.detach(), "amax")
        powers = (logits - top.gather(1, places)).exp()
        return powers.new_zeros(len(logits), spans).scatter_add(1, places, powers).log() + top


class Epochs:
    """Every row once an epoch, in an order that the number of the epoch fixes."""

    def __init__(self, n: int, batch_size: int, seed: int, device: str) -> None:
        self.n, self.batch_size, self.seed, self.device = n, batch_size, seed, device
        self.steps = -(-n // batch_size)
        self._epoch = -1
        self._order = torch.empty(0)

    def rows(self, number: int) -> Tensor:
        """The row positions of step ``number``, which counts from 1."""
        epoch, place = divmod(number - 1, self.steps)
        if epoch != self._epoch:
            random = stream(self.seed, epoch, self.device)
            self._order = torch.randperm(self.n, generator=random, device=self.device)
            self._epoch = epoch
        return self._order[place * self.batch_size : (place + 1) * self.batch_size]


def gumbel_noise(rows: int, width: int, generator: torch.Generator) -> Tensor:
    """Standard Gumbel noise (rows, width) on the generator's device; always finite."""
    uniform = torch.rand(rows, width, generator=generator, device=generator.device)
    return uniform.clamp_(min=2.0**-25).log_().neg_().log_().neg_()


def unseen_codes(counts: Sequence[Tensor]) -> Tensor:
    """(codes,) to add to logits: minus infinity for codes that no training row has, so that they
    are never drawn, else 0. A schema may list values of which a resample has no row."""
    return torch.where(torch.cat(list(counts)) > 0, 0.0, -torch.inf)


def check_rows(train: Columnar) -> None:
    """Raises :class:`~synthgen.errors.DataError` where there is nothing to learn from."""
    if not len(train) or not train.schema.modelled:
        raise DataError(
            "the training rows hold nothing that a generator could model",
            "check that there are rows, and the kinds of the columns in the schema",
        )


def to_device(encoded: Encoded, device: str) -> Encoded:
    """The rows where the training happens; there they stay."""
    return Encoded(encoded.codes.to(device), encoded.scalars.to(device))
