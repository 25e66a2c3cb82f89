"""What the numeric encodings have in common."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from synthgen.data.schema import Continuous, Numeric


class NumericEncoding(Protocol):
    """A fitted encoding of one numeric, datetime or timedelta column.

    Numbers are those of :meth:`synthgen.data.table.Table.numbers`, already clipped to the
    schema's protected bounds, with NaN for missing cells.
    """

    @property
    def size(self) -> int:
        """How many codes there are, at least 1."""
        ...

    def encode(
        self, numbers: NDArray[np.float64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Codes in [0, size) and scalars in [-1, 1], both of shape (n,). A missing cell in a
        column that had none in training becomes the middle of the usual values."""
        ...

    def decode(self, codes: NDArray[Any], scalars: NDArray[Any]) -> NDArray[np.float64]:
        """Shape (n,): numbers, NaN for missing. Scalars outside [-1, 1] are clipped."""
        ...


def clip(numbers: NDArray[np.float64], column: Continuous) -> NDArray[np.float64]:
    """Into the protected bounds, so that no extreme value reaches an encoding or a model."""
    return np.clip(numbers, float(column.low), float(column.high))


def step_of(column: Continuous) -> float:
    """The distance between neighbouring values on the column's grid; 0 for full precision."""
    if not isinstance(column, Numeric):
        return column.resolution
    if column.integer:
        return 1.0
    return 0.0 if column.decimals is None else float(10.0**-column.decimals)
