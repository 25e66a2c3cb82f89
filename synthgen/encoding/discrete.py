"""The codes of a categorical, ordered or boolean column."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from synthgen.data.schema import Discrete
from synthgen.data.values import MISSING, UNLISTED


class Categories(BaseModel):
    """Codes 0 to ``len(counts) - 1`` are positions in the column's ``values``; then one code for
    missing cells, if any training row may lack the value; then one for all unlisted values
    together, if any training row holds one. What the unlisted values are is never kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["categories"] = "categories"
    counts: tuple[int, ...]
    """Training rows of each listed value."""
    missing: bool
    rare: bool

    @classmethod
    def fit(cls, codes: NDArray[np.int64], column: Discrete) -> Categories:
        """``codes`` (n,) as :meth:`synthgen.data.table.Table.codes` gives them."""
        listed = len(column.values)
        counts = np.bincount(codes[codes >= 0], minlength=listed)
        rare = bool((codes == UNLISTED).any()) or (listed == 0 and not column.missing)
        return cls(counts=tuple(counts.tolist()), missing=column.missing, rare=rare)

    @property
    def size(self) -> int:
        return len(self.counts) + self.missing + self.rare

    def encode(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Shape (n,), in [0, size). What training rows never showed (a missing cell where none
        was missing, an unlisted value where none was unlisted) becomes the most frequent value."""
        listed = len(self.counts)
        usual = int(np.argmax(self.counts)) if listed else 0
        encoded = np.where(codes == MISSING, listed if self.missing else usual, codes)
        return np.where(codes == UNLISTED, self.size - 1 if self.rare else usual, encoded)

    def decode(self, codes: NDArray[Any], rng: np.random.Generator) -> NDArray[np.int64]:
        """Shape (n,): positions in ``values`` or MISSING. Unlisted values are replaced by listed
        ones, drawn by their training frequencies (by none at all: missing)."""
        listed = len(self.counts)
        decoded = np.where(codes < listed, codes, MISSING).astype(np.int64)
        if self.rare and listed:
            rare = np.flatnonzero(codes == self.size - 1)
            # A resample may hold none of the listed values; then any will do.
            weights = np.asarray(self.counts, dtype=np.float64) + (sum(self.counts) == 0)
            decoded[rare] = rng.choice(listed, size=len(rare), p=weights / weights.sum())
        return decoded
