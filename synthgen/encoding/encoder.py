"""A table as codes and scalars, and back; fitted on training rows only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter
from torch import Tensor

from synthgen.data.assemble import assemble
from synthgen.data.schema import Continuous, Discrete, Schema, Value
from synthgen.data.table import Columnar, Table
from synthgen.data.values import from_codes, from_numbers
from synthgen.encoding.continuous import NumericEncoding, clip
from synthgen.encoding.discrete import Categories
from synthgen.encoding.layout import Encoded, Span
from synthgen.encoding.lookup import listed_position
from synthgen.encoding.modes import Modes
from synthgen.encoding.quantiles import Quantiles

Encoding: TypeAlias = Annotated[Categories | Modes | Quantiles, Field(discriminator="kind")]
MAX_CODES = 1000
"""Codes of a discrete column at most: what a network is wide, and a batch is expanded to."""
_ENCODINGS: TypeAdapter[tuple[Encoding, ...]] = TypeAdapter(tuple[Encoding, ...])


@dataclass(frozen=True)
class Encoder:
    """One encoding per modelled column, in the schema's order.

    An encoded row takes 2 bytes a column (4, if the target has more than 32,767 classes) and
    4 bytes more a numeric column: 50 bytes for the 15 columns of Adult, of which 5 are numeric.

    An encoder may be shared: it holds counts, protected bounds and what the encodings say of
    themselves, but no rare category and no extreme value.
    """

    schema: Schema
    encodings: tuple[Encoding, ...]
    tallies: tuple[tuple[int, ...], ...]
    """Training rows of each code of each column."""
    seed: int
    """Fixes the draws of :meth:`encode` (modes; positions of values that many rows share)."""

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        return tuple(
            Span(
                column=column.name,
                size=encoding.size,
                scalar=not isinstance(encoding, Categories),
                discrete=isinstance(encoding, Categories),
            )
            for column, encoding in zip(self.schema.modelled, self.encodings, strict=True)
        )

    @cached_property
    def discrete_spans(self) -> tuple[int, ...]:
        """Positions of the spans of discrete columns."""
        return tuple(k for k, span in enumerate(self.spans) if span.discrete)

    @cached_property
    def target_span(self) -> tuple[int, ...]:
        """The position of the target's span; empty where it is no discrete column."""
        return tuple(k for k in self.discrete_spans if self.spans[k].column == self.schema.target)

    @cached_property
    def counts(self) -> tuple[Tensor, ...]:
        """Per span an int64 tensor (size,): how many training rows have each code."""
        return tuple(torch.tensor(tally, dtype=torch.int64) for tally in self.tallies)

    def encode(self, table: Columnar) -> Encoded:
        """The table in tensors on the CPU. The same table gives the same tensors.

        Values beyond the protected bounds count as the bounds. The table may hold what training
        rows did not; such cells become the usual value of the column.
        """
        spans = self.spans
        widest = max((span.size for span in spans), default=1)
        dtype = np.int16 if widest <= np.iinfo(np.int16).max else np.int32
        codes = np.empty((len(table), len(spans)), dtype=dtype)
        scalars = np.empty((len(table), sum(span.scalar for span in spans)), dtype=np.float32)
        k = 0
        for i, (span, encoding) in enumerate(zip(spans, self.encodings, strict=True)):
            if isinstance(encoding, Categories):
                codes[:, i] = encoding.encode(table.codes(span.column))
            else:
                numbers = clip(table.numbers(span.column), self._continuous(span.column))
                codes[:, i], scalars[:, k] = _draw(encoding, numbers, self.seed, i)
                k += 1
        return Encoded(torch.from_numpy(codes), torch.from_numpy(scalars))

    def decode(
        self, encoded: Encoded, *, seed: int, where: Mapping[str, Value] | None = None
    ) -> Table:
        """The rows that the tensors (on any device) mean. Scalars outside [-1, 1] are clipped.

        ``seed`` fixes what stands in for unlisted values, which of the values that share a code is
        meant, and the columns that are not modelled. ``where``: values of discrete columns, as the
        schema lists them; a row with the code of such a value gets the value itself. Since nothing
        else in a row depends on which of a code's values it is, the rows that have it then are
        exactly distributed as those that meet the condition.
        """
        where = where or {}
        codes, scalars = encoded.codes.cpu().numpy(), encoded.scalars.detach().cpu().numpy()
        parts: dict[str, pd.Series[Any]] = {}
        k = 0
        for i, (column, encoding) in enumerate(
            zip(self.schema.modelled, self.encodings, strict=True)
        ):
            if isinstance(encoding, Categories):
                wanted = None
                if column.name in where:
                    wanted = listed_position(self.schema, column.name, where[column.name])
                positions = encoding.decode(codes[:, i], _rng(seed, i), wanted)
                parts[column.name] = from_codes(positions, self._discrete(column.name))
            else:
                numbers = encoding.decode(codes[:, i], scalars[:, k])
                parts[column.name] = from_numbers(numbers, self._continuous(column.name))
                k += 1
        return assemble(parts, self.schema, len(encoded), seed)

    def code_of(self, column: str, value: Value) -> int:
        """The code of a listed value of a discrete column, which other values may share. The value
        may have another type (``"1"`` for 1) where that leaves no doubt.

        Raises :class:`~synthgen.errors.ConfigError`, which names what comes nearest.
        """
        position = listed_position(self.schema, column, value)
        place = [span.column for span in self.spans].index(column)
        encoding = self.encodings[place]
        assert isinstance(encoding, Categories)
        return encoding.code_of(position)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, without loss."""
        return {
            "schema": self.schema.model_dump(mode="json"),
            "encodings": _ENCODINGS.dump_python(self.encodings, mode="json"),
            "counts": [list(tally) for tally in self.tallies],
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Encoder:
        """The inverse of :meth:`to_json`. Raises pydantic's ``ValidationError``."""
        return cls(
            schema=Schema.model_validate(data["schema"]),
            encodings=_ENCODINGS.validate_python(data["encodings"]),
            tallies=tuple(tuple(int(count) for count in tally) for tally in data["counts"]),
            seed=int(data["seed"]),
        )

    def _continuous(self, name: str) -> Continuous:
        return self.schema[name]  # type: ignore[return-value]

    def _discrete(self, name: str) -> Discrete:
        return self.schema[name]  # type: ignore[return-value]


def fit_encoder(
    table: Columnar,
    *,
    numeric: Literal["modes", "quantiles"],
    seed: int,
    max_codes: int = MAX_CODES,
) -> Encoder:
    """Fit one encoding per modelled column to training rows; ``numeric`` names that of the
    numeric, datetime and timedelta columns. The seed is a non-negative integer.

    Of a discrete column with more than ``max_codes`` (>= 2) values the less frequent ones share
    codes; the target's classes never do, as learners have to tell them apart."""
    encodings: list[Encoding] = []
    tallies: list[tuple[int, ...]] = []
    for i, column in enumerate(table.schema.modelled):
        encoding: Encoding
        if isinstance(column, Discrete):
            raw = table.codes(column.name)
            target = column.name == table.schema.target
            encoding = Categories.fit(raw, column, None if target else max_codes)
            codes = encoding.encode(raw)
        else:
            numbers = clip(table.numbers(column.name), column)
            if numeric == "modes":
                encoding = Modes.fit(numbers, missing=column.missing, seed=_child(seed, i))
            else:
                encoding = Quantiles.fit(numbers, column)
            codes, _ = _draw(encoding, numbers, seed, i)
        encodings.append(encoding)
        tallies.append(tuple(np.bincount(codes, minlength=encoding.size).tolist()))
    return Encoder(table.schema, tuple(encodings), tuple(tallies), seed)


def _draw(
    encoding: NumericEncoding, numbers: NDArray[np.float64], seed: int, column: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Codes and scalars, the same for the same rows: the counts are those of the encoded table."""
    return encoding.encode(numbers, _rng(seed, column))


def _rng(seed: int, column: int) -> np.random.Generator:
    return np.random.default_rng([seed, column])


def _child(seed: int, column: int) -> int:
    """A seed of 32 bits, as scikit-learn wants it."""
    return int(np.random.SeedSequence([seed, column]).generate_state(1)[0])
