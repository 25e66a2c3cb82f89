"""From a column of text cells to a typed series, losing nothing that has to be written back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgen.data import times
from synthgen.data.options import ReadOptions
from synthgen.data.schema import RARE

WORDS = frozenset(
    {"na", "n/a", "#n/a", "<na>", "nan", "-nan", "nat", "null", "none", "nil", "?", "-", "--", "."}
)
"""Missing in columns that are otherwise numbers, booleans or times; in text they are text."""
_BOOLEANS = (("False", "True"), ("false", "true"), ("FALSE", "TRUE"))
# A number as text, and a code that merely looks like one.
NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|-?inf(inity)?", re.IGNORECASE)
CODE = re.compile(r"-?(0\d+|\d{19,})")
_GROUPED = re.compile(r"-?\d+(,\d+)+(\.\d*)?|-?\d+(\.\d{3})*,\d*")


@dataclass(frozen=True)
class Cells:
    """``series`` has no name yet. ``missing``: how the file writes a missing cell here (empty if
    it has several ways). ``booleans``: how it writes false and true."""

    series: pd.Series[Any]
    missing: str = ""
    booleans: tuple[str, str] | None = None


class OffendingCellError(Exception):
    """A cell that does not fit its column: ``row`` counts from 0, ``cause`` lacks the place."""

    def __init__(self, row: int, cause: str, remedy: str) -> None:
        super().__init__(row, cause, remedy)
        self.row, self.cause, self.remedy = row, cause, remedy


def type_cells(name: str, cells: pa.ChunkedArray, options: ReadOptions) -> Cells:
    """Integers, reals, booleans or text, in this order of preference; exact in every case.

    Blank cells are missing, and so are ``options.missing``; :data:`WORDS` are where what remains
    is not text. Raises :class:`OffendingCellError` for words among numbers and for numbers with
    commas.
    """
    stripped = pc.utf8_trim_whitespace(cells)
    gone = pc.equal(stripped, "")
    if options.missing:
        known = pa.array([word.strip() for word in options.missing], pa.string())
        gone = pc.or_(gone, pc.is_in(stripped, value_set=known))
    values = _blanked(stripped, gone)
    if values.null_count == len(values):
        return Cells(_text(values), _token(cells, gone))
    if found := _typed(values, options.decimal):
        return Cells(found[0], _token(cells, gone), found[1])
    counts = _counts(values)
    words = [value for value in counts if value.casefold() in WORDS]
    if words and len(words) < len(counts):
        wordless = pc.or_(gone, pc.is_in(stripped, value_set=pa.array(words, pa.string())))
        rest = _blanked(stripped, wordless)
        if found := _typed(rest, options.decimal) or _dates(rest):
            return Cells(found[0], _token(cells, wordless), found[1])
    if name not in options.text:
        _refuse_mixture(name, values, counts, options.decimal)
    return Cells(_text(_blanked(cells, gone)), _token(cells, gone))


def _blanked(cells: pa.ChunkedArray, gone: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(gone, pa.scalar(None, cells.type), cells)


def _token(cells: pa.ChunkedArray, gone: pa.ChunkedArray) -> str:
    tokens = cells.filter(gone).unique().to_pylist()
    return str(tokens[0]) if len(tokens) == 1 else ""


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    return {
        pair["values"]: pair["counts"] for pair in values.drop_null().value_counts().to_pylist()
    }


def _typed(
    values: pa.ChunkedArray, decimal: str
) -> tuple[pd.Series[Any], tuple[str, str] | None] | None:
    numbers = _numbers(values, decimal)
    if numbers is not None:
        return _series(numbers), None
    distinct = values.drop_null().slice(0, 1000).unique().to_pylist()
    for pair in _BOOLEANS:
        if set(distinct) <= set(pair):
            listed = pa.array(pair, pa.string())
            codes = pc.index_in(values, value_set=listed)
            if codes.null_count == values.null_count:
                return _series(pc.cast(codes, pa.bool_())), pair
    return None


def _numbers(values: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray | None:
    """Integers exactly, or the nearest float64; None where a cell is neither, and for codes with
    leading zeros or a plus sign and integers beyond 64 bits."""
    if decimal == ",":
        if pc.any(pc.match_substring(values, ".")).as_py():
            return None
        values = pc.replace_substring(values, ",", ".")
    try:
        reals = pc.cast(values, pa.float64())
    except pa.ArrowInvalid:
        return None
    if pc.any(pc.starts_with(values, "+")).as_py() or pc.any(pc.is_nan(reals)).as_py():
        return None
    if not pc.all(pc.match_substring_regex(values, r"^-?\d+$")).as_py():
        return reals
    if pc.any(pc.match_substring_regex(values, r"^-?0\d")).as_py():
        return None
    for whole in (pa.int64(), pa.uint64()):
        try:
            return pc.cast(values, whole)
        except pa.ArrowInvalid:
            continue
    return None


def _dates(values: pa.ChunkedArray) -> tuple[pd.Series[Any], None] | None:
    distinct = pd.Series(values.drop_null().unique().to_pylist(), dtype=object)
    return (_text(values), None) if times.formats_of(distinct) else None


def _series(typed: pa.ChunkedArray) -> pd.Series[Any]:
    if typed.null_count == 0 or pa.types.is_floating(typed.type):
        return pd.Series(typed.to_pandas())
    names = {"int64": "Int64", "uint64": "UInt64", "bool": "boolean"}
    dtype: Any = pd.api.types.pandas_dtype(names[str(typed.type)])
    return pd.Series(dtype.__from_arrow__(typed))


def _text(cells: pa.ChunkedArray) -> pd.Series[Any]:
    return pd.Series(cells.to_pandas(), dtype=object)


def _refuse_mixture(
    name: str, values: pa.ChunkedArray, counts: dict[str, int], decimal: str
) -> None:
    numbers = {v for v in counts if NUMBER.fullmatch(v.replace(",", ".") if decimal == "," else v)}
    if len(numbers) == len(counts) or any(CODE.fullmatch(value) for value in numbers):
        return
    present = sum(counts.values())
    if decimal == ".":
        grouped = {v for v in counts if v not in numbers and _GROUPED.fullmatch(v)}
        if grouped and sum(counts[v] for v in grouped | numbers) > present / 2:
            raise OffendingCellError(
                _first(values, grouped),
                f"column {name!r} holds numbers with commas in {_cells(counts, grouped)}",
                "If they are decimal signs: --set 'data.read.decimal=\",\"'; remove them if they "
                f"separate thousands; for text: {_worded(name)}",
            )
    words = set(counts) - numbers
    if sum(counts[v] for v in numbers) > present / 2:
        common = max(words, key=lambda word: (counts[word], word))
        shown = f", mostly {common!r}" if counts[common] >= RARE else ""
        raise OffendingCellError(
            _first(values, words),
            f"column {name!r} mixes numbers with {_cells(counts, words)} of words{shown}",
            "If such a word means a missing cell: --set data.read.missing=[WORD]; "
            f"if the column holds codes: {_worded(name)}",
        )


def _worded(name: str) -> str:
    return f"--set 'data.columns.\"{name}\".kind=categorical'"


def _first(values: pa.ChunkedArray, offenders: set[str]) -> int:
    listed = pa.array(sorted(offenders), pa.string())
    return int(pc.index(pc.is_in(values, value_set=listed), True).as_py())


def _cells(counts: dict[str, int], chosen: set[str]) -> str:
    number = sum(counts[value] for value in chosen)
    return f"{number} cell{'s' if number > 1 else ''}"
