"""The codes of a categorical, ordered or boolean column."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from synthgen.data.schema import Discrete
from synthgen.data.values import MISSING, UNLISTED


class Categories(BaseModel):
    """Codes of the column's ``values``; then one code for missing cells, if any training row may
    lack the value; then one for all unlisted values together, if any training row holds one. What
    the unlisted values are is never kept.

    A value's code is its position, unless there are more values than ``codes``. Then the most
    frequent values take one half of the codes, by falling frequency, and the others share the rest:
    groups whose training rows differ by fewer than those of their most frequent member. Which
    member of its group a value is depends on nothing else that a row holds, as far as a model can
    tell; so decoding draws it by training frequency, and a row that has the group's code is a row
    of any member that is asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["categories"] = "categories"
    counts: tuple[int, ...]
    """Training rows of each listed value."""
    missing: bool
    rare: bool
    codes: int | None = Field(default=None, ge=2)
    """Codes of listed values at most; None: one for each."""

    @classmethod
    def fit(cls, codes: NDArray[np.int64], column: Discrete, most: int | None = None) -> Categories:
        """``codes`` (n,) as :meth:`synthgen.data.table.Table.codes` gives them; ``most``: codes of
        listed values at most."""
        listed = len(column.values)
        counts = np.bincount(codes[codes >= 0], minlength=listed)
        rare = bool((codes == UNLISTED).any()) or (listed == 0 and not column.missing)
        return cls(
            counts=tuple(counts.tolist()),
            missing=column.missing,
            rare=rare,
            codes=most if most is not None and listed > most else None,
        )

    @property
    def size(self) -> int:
        return self._listed + self.missing + self.rare

    def code_of(self, position: int) -> int:
        """The code of the value at this position."""
        return position if self.codes is None else int(self._shared[position])

    def encode(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Shape (n,), in [0, size). What training rows never showed (a missing cell where none
        was missing, an unlisted value where none was unlisted) becomes the most frequent value."""
        usual = self.code_of(int(np.argmax(self.counts))) if self.counts else 0
        known = codes if self.codes is None else self._shared[np.maximum(codes, 0)]
        encoded = np.where(codes == MISSING, self._listed if self.missing else usual, known)
        return np.where(codes == UNLISTED, self.size - 1 if self.rare else usual, encoded)

    def decode(
        self, codes: NDArray[Any], rng: np.random.Generator, wanted: int | None = None
    ) -> NDArray[np.int64]:
        """Shape (n,): positions in ``values`` or MISSING. Members of a group, and listed values in
        place of unlisted ones, are drawn by their training frequencies (of none at all: missing).

        Where a row's code is that of the position ``wanted``, it gets this very value, if any
        training row had it."""
        decoded = np.where(codes < self._listed, codes, MISSING).astype(np.int64)
        if self.codes is not None:
            listed = np.flatnonzero(decoded >= 0)
            decoded[listed] = self._drawn_members(decoded[listed], rng)
        if self.rare and self.counts:
            rare = np.flatnonzero(codes == self.size - 1)
            # A resample may hold none of the listed values; then any will do.
            weights = np.asarray(self.counts, dtype=np.float64) + (sum(self.counts) == 0)
            decoded[rare] = rng.choice(len(weights), size=len(rare), p=weights / weights.sum())
        if wanted is not None and self.counts[wanted]:
            decoded[codes == self.code_of(wanted)] = wanted
        return decoded

    @property
    def _listed(self) -> int:
        """Codes of listed values."""
        return len(self.counts) if self.codes is None else self.codes

    @cached_property
    def _shared(self) -> NDArray[np.int64]:
        """Shape (values,): the code of each value, where values share codes."""
        assert self.codes is not None
        groups = self.codes // 2
        own = self.codes - groups
        order = np.argsort(-np.asarray(self.counts), kind="stable")
        # Dealt out by falling frequency, forth and back, so that no group gets all the larger ones.
        turn, place = np.divmod(np.arange(len(order) - own), groups)
        dealt = np.where(turn % 2 == 0, place, groups - 1 - place)
        shared = np.empty(len(order), dtype=np.int64)
        shared[order] = np.concatenate([np.arange(own), own + dealt])
        return shared

    @cached_property
    def _members(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the values, code after code; how many training rows these and all before
        have; and of the codes (codes + 1,) how many all before them have."""
        order = np.argsort(self._shared, kind="stable")
        codes, rows = self._shared[order], np.asarray(self.counts, dtype=np.int64)[order]
        totals = np.zeros(self._listed, dtype=np.int64)
        np.add.at(totals, codes, rows)
        # A resample may hold no member of a group; then any will do.
        rows = rows + (totals[codes] == 0)
        ends = rows.cumsum()
        last = np.searchsorted(codes, np.arange(self._listed), side="right") - 1
        return order, ends, np.concatenate([[0], ends[last]])

    def _drawn_members(
        self, codes: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Shape (n,): for each code one of its values, by their training frequencies."""
        order, ends, bounds = self._members
        rows = bounds[codes + 1] - bounds[codes]
        drawn = bounds[codes] + (rng.random(len(codes)) * rows).astype(np.int64)
        return order[np.searchsorted(ends, drawn, side="right")]
