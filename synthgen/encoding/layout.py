"""The shape of an encoded table: one code per column, and one scalar where the column has one.

Both numeric encodings give the same layout. A column is a choice among ``size`` codes (categories;
Gaussian modes; regular value, missing, spike one, spike two, ...) and, if ``scalar``, a number in
[-1, 1] that places the value within the code. The matrix is never expanded to one-hot here.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Span:
    """One modelled column. ``size`` >= 1 codes; ``scalar``: whether it owns a scalar too.

    ``discrete`` columns (categorical, ordered, boolean) can be conditioned on; the codes of
    continuous columns are an artefact of the encoding.
    """

    column: str
    size: int
    scalar: bool
    discrete: bool


@dataclass(frozen=True)
class Encoded:
    """``codes`` int16 or int32 of shape (n, spans); ``scalars`` float32 of shape (n, scalar spans),
    in the order of the spans."""

    codes: Tensor
    scalars: Tensor

    def __len__(self) -> int:
        return len(self.codes)
