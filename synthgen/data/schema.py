"""What a column is. Inferred from training rows only; holds nothing that identifies a row.

Everything in a schema may be shared: category lists leave out values held by fewer than
:data:`RARE` rows, and bounds are order statistics at least ``RARE`` rows deep, never the true
extremes (DESIGN promise 3).
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

RARE = 5
"""A category, spike or bound is shared only if at least this many training rows hold it."""

Task: TypeAlias = Literal["classification", "regression"]
"""What learners do with the target: name a class of it, or estimate a quantity."""

Value: TypeAlias = bool | int | float | str
"""One cell of a categorical column, as JSON can hold it."""


class _Column(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    dtype: str
    """The dtype of the column as it came in, by :func:`synthgen.data.dtypes.dtype_name`; synthetic
    columns are cast to it. It is ``str(series.dtype)`` but for a few that this would confuse."""
    missing: bool = False
    """Whether any training row lacks the value; synthetic rows may lack it only then."""
    note: str = ""
    """What the user should know of how the column was read, beyond its kind."""


class Numeric(_Column):
    """A quantity. ``low < high`` are protected bounds: the ``RARE``-th smallest and largest
    training value, or two standard deviations around the mean of fewer than ``2 * RARE`` values.
    Integers are exact."""

    kind: Literal["numeric"] = "numeric"
    integer: bool
    low: int | float
    high: int | float
    decimals: int | None = None
    """Decimal places that all values share, 0 to 12; None where values have full precision."""
    spikes: tuple[int | float, ...] = ()
    """Single values that hold an uncommon share of the rows (zero in ``capital-gain``)."""


class Categorical(_Column):
    """A code without order. ``values`` in order of falling frequency, rare ones left out, but for
    the target: its classes are all listed, since learners have to name them."""

    kind: Literal["categorical"] = "categorical"
    values: tuple[Value, ...]


class Ordered(_Column):
    """A code with an order. ``values`` from lowest to highest, rare ones left out."""

    kind: Literal["ordered"] = "ordered"
    values: tuple[Value, ...]


class Boolean(_Column):
    kind: Literal["boolean"] = "boolean"

    @property
    def values(self) -> tuple[Value, ...]:
        return (False, True)


class Datetime(_Column):
    """A point in time. ``low`` and ``high`` are seconds since 1970-01-01 UTC."""

    kind: Literal["datetime"] = "datetime"
    low: float
    high: float
    resolution: float
    """Seconds of which every value is a multiple (86400 for dates, by the zone's own clock); at
    least 1e-6."""
    zone: str | None = None
    """The zone of the column's dtype, or the one that cells without a zone are meant in."""
    format: str | None = None
    """``strftime`` format where the column is stored as text, else None."""


class Timedelta(_Column):
    """A duration. ``low``, ``high`` and ``resolution`` in seconds."""

    kind: Literal["timedelta"] = "timedelta"
    low: float
    high: float
    resolution: float


class Identifier(_Column):
    """A key of the row: kept out of training, generated afresh in the output.

    ``pattern`` describes text keys position by position as runs of ``(alphabet, length)``;
    it is empty for integer keys, which are a fresh sequence
    (:func:`synthgen.data.keys.fresh_keys`).
    """

    kind: Literal["identifier"] = "identifier"
    pattern: tuple[tuple[str, int], ...] = ()


class Text(_Column):
    """Free text: kept out of training; missing in synthetic rows, since real text would leak."""

    kind: Literal["text"] = "text"


class Constant(_Column):
    """One value in all training rows. ``value`` is None where all lack it, or where fewer than
    ``RARE`` rows hold one; times are ISO text."""

    kind: Literal["constant"] = "constant"
    value: Value | None


Column: TypeAlias = Annotated[
    Numeric | Categorical | Ordered | Boolean | Datetime | Timedelta | Identifier | Text | Constant,
    Field(discriminator="kind"),
]
Continuous: TypeAlias = Numeric | Datetime | Timedelta
Discrete: TypeAlias = Categorical | Ordered | Boolean


class Schema(BaseModel):
    """The columns of a table in their order, and which of them is the target: a discrete column
    (its classes) or a numeric one (a quantity)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[Column, ...]
    target: str | None = None

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def task(self) -> Task:
        """Regression where the target is numeric. Raises ``ValueError`` without a target."""
        if self.target is None:
            raise ValueError("the schema has no target column")
        return "regression" if isinstance(self[self.target], Numeric) else "classification"

    @property
    def continuous(self) -> tuple[Continuous, ...]:
        """The columns that :func:`synthgen.data.values.to_numbers` reads."""
        return tuple(c for c in self.columns if isinstance(c, Numeric | Datetime | Timedelta))

    @property
    def discrete(self) -> tuple[Discrete, ...]:
        """The columns that :func:`synthgen.data.values.to_codes` reads."""
        return tuple(c for c in self.columns if isinstance(c, Categorical | Ordered | Boolean))

    @property
    def modelled(self) -> tuple[Continuous | Discrete, ...]:
        """The columns that generators, metrics and learners see, in table order."""
        return tuple(
            c
            for c in self.columns
            if isinstance(c, Numeric | Datetime | Timedelta | Categorical | Ordered | Boolean)
        )
