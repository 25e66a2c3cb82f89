"""What the user says about a column, against what inference would guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from synthgen.data.dtypes import Family
from synthgen.data.schema import Value
from synthgen.errors import ConfigError

Kind: TypeAlias = Literal[
    "numeric",
    "categorical",
    "ordered",
    "boolean",
    "datetime",
    "timedelta",
    "identifier",
    "text",
    "constant",
]

_FIELDS: dict[str, tuple[Kind, ...]] = {
    "values": ("categorical", "ordered"),
    "low": ("numeric",),
    "high": ("numeric",),
    "decimals": ("numeric",),
    "spikes": ("numeric",),
    "format": ("datetime",),
    "zone": ("datetime",),
}
"""Which kinds a field means something for."""


_FAMILIES: dict[Kind, tuple[Family, ...]] = {
    "numeric": ("integer", "real", "boolean"),
    "categorical": ("text", "category", "integer", "real", "boolean", "datetime", "timedelta"),
    "ordered": ("text", "category", "integer", "real", "boolean", "datetime", "timedelta"),
    "boolean": ("boolean", "integer"),
    "datetime": ("datetime", "text"),
    "timedelta": ("timedelta",),
    "identifier": ("text", "category", "integer", "real", "datetime"),
    "text": ("text", "category", "datetime"),
    "constant": ("text", "category", "integer", "real", "boolean", "datetime", "timedelta"),
}
"""Which cells can be taken for which kind."""


class ColumnOverride(BaseModel):
    """Everything left out is inferred as ever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind | None = None
    values: tuple[Value, ...] | None = None
    """Categorical, ordered: all values that may occur; of ordered ones from lowest to highest."""
    low: int | float | None = None
    """Numeric: the smallest value that synthetic rows may hold."""
    high: int | float | None = None
    """Numeric: the largest one."""
    decimals: int | None = None
    """Numeric: decimal places to round to, 0 to 12."""
    spikes: tuple[int | float, ...] | None = None
    """Numeric: single values that are frequent for a reason of their own, such as zero."""
    format: str | None = None
    """Datetime: the ``strftime`` format of a column stored as text."""
    zone: str | None = None
    """Datetime: the time zone of a column whose cells do not name one, such as Europe/Berlin."""

    def given(self) -> tuple[str, ...]:
        """The kind-specific fields that were set."""
        return tuple(name for name in _FIELDS if getattr(self, name) is not None)


def check_overrides(overrides: Mapping[str, ColumnOverride], names: Iterable[str]) -> None:
    """Raise :class:`ConfigError` for a column that does not exist or a field without meaning."""
    known = [str(name) for name in names]
    for name, override in overrides.items():
        if name not in known:
            raise ConfigError(
                f"There is no column {name!r} to override.", did_you_mean(name, known)
            )
        if override.kind is not None:
            check_fields(name, override, override.kind)


def check_fields(name: str, override: ColumnOverride, kind: Kind) -> None:
    """Raise :class:`ConfigError` where a field does not belong to the column's kind."""
    for field in override.given():
        if kind not in _FIELDS[field]:
            raise ConfigError(
                f"Column {name!r} is {kind}: {field!r} means nothing for it.",
                f"Remove {field!r}, or set its kind to {' or '.join(_FIELDS[field])}.",
            )


def check_kind(name: str, kind: Kind, found: Family, target: bool) -> Kind:
    """The kind, if cells of this family can be taken for it; else raise :class:`ConfigError`."""
    if target and kind not in ("categorical", "ordered", "boolean", "numeric"):
        raise ConfigError(
            f"The target {name!r} cannot be {kind}: it has to be a class label or a quantity.",
            "Make it categorical, ordered or numeric, or choose another target.",
        )
    if found != "empty" and found not in _FAMILIES[kind]:
        raise ConfigError(
            f"Column {name!r} holds {found} values: it cannot be {kind}.",
            "Convert the column, or choose another kind.",
        )
    return kind


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy that names the columns most like this one, or the first few."""
    known = [str(k) for k in known]
    nearest = get_close_matches(name, known, n=3, cutoff=0.6)
    if not nearest:
        folded = {k.casefold(): k for k in known}
        nearest = [folded[m] for m in get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)]
    if nearest:
        return f"Did you mean {' or '.join(repr(k) for k in nearest)}?"
    shown = ", ".join(repr(k) for k in known[:8])
    return f"The columns are {shown}{f' and {len(known) - 8} more' if len(known) > 8 else ''}."
