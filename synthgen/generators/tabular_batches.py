"""Encoded rows as the batches that the tabular networks read and write."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from synthgen.data.table import Columnar
from synthgen.encoding import Encoded
from synthgen.errors import DataError
from synthgen.training.randomness import stream


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
