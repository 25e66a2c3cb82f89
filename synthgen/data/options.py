"""How a source is to be read, where its content does not say so."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ReadOptions(BaseModel):
    """For delimited text; other sources need none. What is None is found out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    separator: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="Character between cells; None: found out.",
    )
    encoding: str | None = Field(
        default=None, description="Encoding of the text, such as cp1252; None: found out."
    )
    decimal: Literal[".", ","] = Field(default=".", description="Decimal sign of numbers.")
    missing: tuple[str, ...] = Field(
        default=(), description="Words that stand for a missing cell in any column, such as '?'."
    )
    text: tuple[str, ...] = Field(
        default=(), description="Columns in which words among the numbers are meant: read as text."
    )
