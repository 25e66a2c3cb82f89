"""Training rows as plain arrays that may be shared, for samplers that keep or pass on real rows.

Numbers are clipped to the schema's bounds, and a category that the schema does not list (held by
too few rows) is replaced by a listed one drawn by frequency, so that neither a model file nor a
synthetic row can show what DESIGN promise 3 protects.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from synthgen.data.assemble import assemble
from synthgen.data.schema import Schema
from synthgen.data.table import Columnar, Table
from synthgen.data.values import MISSING, UNLISTED, from_codes, from_numbers
from synthgen.errors import DataError
from synthgen.generators.base import Generator
from synthgen.generators.description import G, damaged, read_description, write_description

ARRAYS = "model.safetensors"
MOST_CELLS = 100_000_000
"""Cells that are held at most, 8 bytes each: what works on whole rows makes copies of them."""


@dataclass(frozen=True)
class Rows:
    """``continuous`` float64 of shape (n, continuous columns), NaN where missing; ``discrete``
    int64 of shape (n, discrete columns), MISSING where missing; both in the schema's order."""

    schema: Schema
    continuous: NDArray[np.float64]
    discrete: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.discrete)

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """The rows at these positions."""
        return Rows(self.schema, self.continuous[rows], self.discrete[rows])

    def codes(self, name: str) -> NDArray[np.int64]:
        """Shape (n,): positions in the column's ``values``; MISSING where missing."""
        place = [column.name for column in self.schema.discrete].index(name)
        return self.discrete[:, place]

    def table(self, seed: int) -> Table:
        """In the schema's columns and dtypes; ``seed`` fixes the fresh identifiers."""
        parts = {
            column.name: from_numbers(self.continuous[:, place], column)
            for place, column in enumerate(self.schema.continuous)
        } | {
            column.name: from_codes(self.discrete[:, place], column)
            for place, column in enumerate(self.schema.discrete)
        }
        return assemble(parts, self.schema, len(self), seed)

    def save(self, path: Path, generator: Generator, **extra: NDArray[Any]) -> None:
        """Write the arrays, and ``extra`` ones beside them, and what describes them into the
        existing directory ``path``."""
        arrays = {"continuous": self.continuous, "discrete": self.discrete, **extra}
        save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, path / ARRAYS)
        write_description(path, generator, self.schema)

    @classmethod
    def load(cls, path: Path, kind: type[G]) -> tuple[G, Rows, dict[str, NDArray[Any]]]:
        """What :meth:`save` wrote. Raises :class:`~synthgen.errors.DataError` where there is no
        whole model of this kind."""
        generator, schema = read_description(path, kind)
        try:
            arrays = load_file(path / ARRAYS)
            rows = cls(schema, arrays.pop("continuous"), arrays.pop("discrete"))
        except (OSError, KeyError, SafetensorError) as error:
            raise damaged(path, kind, error) from error
        return generator, rows, arrays


def protect(table: Columnar, seed: int) -> Rows:
    """The table's rows; those whose target is not listed are left out, as it names their class.

    ``seed`` fixes the categories drawn in place of unlisted ones. Raises
    :class:`~synthgen.errors.DataError` for more than :data:`MOST_CELLS` modelled cells.
    """
    schema = table.schema
    if len(table) * len(schema.modelled) > MOST_CELLS:
        raise DataError(
            f"{len(table)} rows of {len(schema.modelled)} columns are more than the "
            f"{MOST_CELLS} cells that a generator which works on whole rows takes",
            "use ctgan, tvae, arn or mixture, which read column by column, or fewer rows",
        )
    rng = np.random.default_rng(seed)
    numbers = np.empty((len(table), len(schema.continuous)))
    for place, continuous in enumerate(schema.continuous):
        numbers[:, place] = np.clip(table.numbers(continuous.name), continuous.low, continuous.high)
    codes = np.empty((len(table), len(schema.discrete)), dtype=np.int64)
    kept = np.ones(len(table), dtype=bool)
    for place, discrete in enumerate(schema.discrete):
        column = table.codes(discrete.name)
        if discrete.name == schema.target:
            kept = column != UNLISTED
        codes[:, place] = _listed(column, rng)
    return Rows(schema, numbers[kept], codes[kept])


def _listed(codes: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Unlisted codes replaced by draws among the listed ones; missing where there are none."""
    known = codes[codes >= 0]
    unlisted = codes == UNLISTED
    drawn = rng.choice(known, unlisted.sum()) if len(known) else MISSING
    codes = codes.copy()
    codes[unlisted] = drawn
    return codes
