"""Keys of rows: telling them from values, describing their pattern, and writing fresh ones."""

from __future__ import annotations

import math
import re
import string
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data import times
from synthgen.data.dtypes import cast, family, parse_dtype
from synthgen.errors import DataError

Pattern: TypeAlias = tuple[tuple[str, int], ...]
"""Runs of (alphabet, length), position by position."""

FEWEST = 20
"""Fewer cells than this are too few to say that a column never repeats."""
UNIQUE = 0.95
"""Share of distinct values from which text is a key: a few rows may have been copied."""
FALLBACK: Pattern = ((string.hexdigits[:16], 16),)
"""For text that the user declares a key though it has no regular pattern."""
ROOM = 10_000
"""Keys that a pattern can form per key that is needed; below it the pattern is lengthened."""

CHUNK = 10_000
"""Keys that are looked at in one go."""

_ALPHABETS = (
    string.digits,
    string.ascii_lowercase,
    string.ascii_uppercase,
    string.digits + "abcdef",
    string.digits + "ABCDEF",
    string.digits + string.ascii_lowercase,
    string.digits + string.ascii_uppercase,
    string.ascii_letters,
    string.digits + string.ascii_letters,
)
_WORDS = {"id", "ids", "key", "uuid", "guid", "index", "idx", "rowid", "pk"}


def is_key(series: pd.Series[Any]) -> bool:
    """Whether a column is a key of the row.

    Integers: all different, and in order, without large gaps, or named like a key. Text: almost
    all different, without blanks, regular in pattern, and no times. Floats never are.
    """
    present = series.dropna()
    if len(present) < FEWEST:
        return False
    match family(series):
        case "integer":
            numbers = whole_numbers(present)
            if not pd.Index(numbers).is_unique:
                return False
            ordered = (numbers[1:] > numbers[:-1]).all() or (numbers[1:] < numbers[:-1]).all()
            dense = int(numbers.max()) - int(numbers.min()) < 2 * len(numbers)
            return bool(ordered or dense or named_like_key(str(series.name)))
        case "text":
            distinct = pd.Series(present.unique(), dtype=object)
            if len(distinct) < UNIQUE * len(present) or times.formats_of(distinct):
                return False
            return bool(pattern_of(distinct))
        case _:
            return False


def whole_numbers(present: pd.Series[Any]) -> NDArray[Any]:
    """Present integer cells as int64, or uint64 where they need it; exact."""
    # Converting uint64 to int64 would wrap around without complaint.
    unsigned = present.dtype.kind == "u" or bool((present > np.iinfo(np.int64).max).any())
    numbers: NDArray[Any] = present.to_numpy(dtype=np.uint64 if unsigned else np.int64)
    return numbers


def named_like_key(name: str) -> bool:
    """``ID``, ``customerID``, ``user_id``, ``Unnamed: 0``, the empty name: not ``paid``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = [word.lower() for word in re.split(r"[^0-9A-Za-z]+", spaced) if word]
    return not name.strip() or (
        bool(words) and (words[0] in _WORDS | {"unnamed"} or words[-1] in _WORDS)
    )


def pattern_of(values: pd.Series[Any]) -> Pattern:
    """The pattern that these distinct texts share, or an empty one where they share none.

    Either all have the same length, and every position holds letters or digits or always the
    same character; or all are the same sequence of runs, one of them digits. A pattern holds no
    character that is not common to all keys but whole alphabets.
    """
    texts = values.astype(str)
    if texts.str.contains(r"\s").any() or (texts == "").any():
        return ()
    lengths = texts.str.len()
    if lengths.max() > 128:
        return ()
    if lengths.min() == lengths.max():
        return _by_position(texts.to_list())
    return _by_run(texts)


def _by_position(texts: list[str]) -> Pattern:
    width = len(texts[0])
    found: list[set[str]] = [set() for _ in range(width)]
    for start in range(0, len(texts), CHUNK):
        # Fixed-width unicode viewed as one code point per cell: columns are positions.
        block = np.array(texts[start : start + CHUNK], dtype=f"U{width}")
        points = block.view(np.uint32).reshape(len(block), width)
        for place in range(width):
            found[place] |= {chr(point) for point in np.unique(points[:, place])}
        if not all(_alphabet(characters) for characters in found):
            return ()
    alphabets = [_alphabet(characters) for characters in found]
    # Of few hexadecimal keys some positions show digits only, or letters only: by chance.
    for wide in _ALPHABETS[3:5]:
        if wide in alphabets:
            alphabets = [
                wide if len(alphabet) > 1 and characters <= set(wide) else alphabet
                for alphabet, characters in zip(alphabets, found, strict=True)
            ]
    return _runs(alphabets)


def _by_run(texts: pd.Series[Any]) -> Pattern:
    runs = [re.findall(r"\d+|[^\W\d_]+|[\W_]", text) for text in texts]
    shape = [_run_kind(run) for run in runs[0]]
    if len(shape) > 8 or "digits" not in shape:
        return ()
    if any([_run_kind(run) for run in found] != shape for found in runs):
        return ()
    pattern: list[tuple[str, int]] = []
    for column in zip(*runs, strict=True):
        distinct = set(column)
        if len(distinct) == 1:
            pattern.extend((character, 1) for character in distinct.pop())
            continue
        alphabet = _alphabet(set("".join(distinct)))
        if not alphabet:
            return ()
        pattern.append((alphabet, max(map(len, distinct))))
    return tuple(pattern)


def _run_kind(run: str) -> str:
    return "digits" if run.isdigit() else "letters" if run.isalpha() else run


def _alphabet(characters: set[str]) -> str:
    if len(characters) == 1:
        return next(iter(characters))
    return next((a for a in _ALPHABETS if characters <= set(a)), "")


def _runs(alphabets: list[str]) -> Pattern:
    runs: list[tuple[str, int]] = []
    for alphabet in alphabets:
        if runs and runs[-1][0] == alphabet:
            runs[-1] = (alphabet, runs[-1][1] + 1)
        else:
            runs.append((alphabet, 1))
    return tuple(runs)


def fresh_keys(pattern: Pattern, dtype: str, n: int, rng: np.random.Generator) -> pd.Series[Any]:
    """``n`` different keys in this dtype.

    Text keys are drawn from the pattern; where it has room for fewer than :data:`ROOM` times as
    many keys, its last run is lengthened, so that fresh keys are unlikely to meet real ones.
    Integer keys are a sequence far above those in use: it starts in 10**15 to 9 * 10**15 where
    the dtype allows (exact in float64 too), in 10**9 to 2 * 10**9 for 32 bits, and below that
    ends at the dtype's maximum. Where in the range it starts depends on ``rng``, so that keys
    drawn with several seeds can stand in one table.
    Raises :class:`DataError` where a short integer type has no room for ``n`` keys.
    """
    if _is_textual(dtype):
        return cast(pd.Series(_draw_text(pattern or FALLBACK, n, rng), dtype=object), dtype)
    start = _first_number(dtype, n, rng)
    return cast(pd.Series(np.arange(start, start + n), dtype="Int64"), dtype)


def numbered_keys(
    pattern: Pattern, dtype: str, numbers: range, total: int, seed: np.random.SeedSequence
) -> pd.Series[Any]:
    """The keys of these ``numbers`` (a part of ``range(total)``, of step 1) among ``total`` that
    are all different: parts that do not overlap, made with one ``seed``, share no key.

    They look like :func:`fresh_keys`. Text keys spell their number, shuffled, at their end, and are
    random before that. Raises :class:`DataError` where a short integer type has no room for
    ``total`` keys.
    """
    common = np.random.default_rng(seed)
    if not _is_textual(dtype):
        start = _first_number(dtype, total, common)
        keys = np.arange(start + numbers.start, start + numbers.stop, dtype=np.int64)
        return cast(pd.Series(keys, dtype="Int64"), dtype)
    own = np.random.default_rng([*seed.generate_state(4).tolist(), numbers.start])
    texts = _numbered_texts(_roomy(pattern or FALLBACK, total), numbers, total, common, own)
    return cast(pd.Series(texts, dtype=object), dtype)


def _is_textual(dtype: str) -> bool:
    if dtype in ("object", "category"):
        return True
    return family(pd.Series([], dtype=parse_dtype(dtype))) == "text"


def _draw_text(pattern: Pattern, n: int, rng: np.random.Generator) -> NDArray[Any]:
    pattern = _roomy(pattern, n)
    keys: NDArray[Any] = pd.unique(_random_texts(pattern, n, rng))
    while len(keys) < n:
        more = _random_texts(pattern, n - len(keys), rng)
        keys = pd.unique(np.concatenate([keys, more]))
    return keys


def _roomy(pattern: Pattern, n: int) -> Pattern:
    room = 1
    for alphabet, length in pattern:
        room *= len(alphabet) ** length
    if room >= ROOM * n:
        return pattern
    place = max(i for i, (alphabet, _) in enumerate(pattern) if len(alphabet) > 1)
    alphabet, length = pattern[place]
    while room < ROOM * n:
        room *= len(alphabet)
        length += 1
    return (*pattern[:place], (alphabet, length), *pattern[place + 1 :])


def _random_texts(pattern: Pattern, n: int, rng: np.random.Generator) -> NDArray[Any]:
    width = sum(length for _, length in pattern)
    points = np.empty((n, width), dtype=np.uint32)
    start = 0
    for alphabet, length in pattern:
        letters = np.array([ord(character) for character in alphabet], dtype=np.uint32)
        points[:, start : start + length] = rng.choice(letters, size=(n, length))
        start += length
    return points.view(f"U{width}").ravel().astype(object)


def _numbered_texts(
    pattern: Pattern,
    numbers: range,
    total: int,
    common: np.random.Generator,
    own: np.random.Generator,
) -> NDArray[Any]:
    alphabets = [alphabet for alphabet, length in pattern for _ in range(length)]
    # The last places that can tell all keys apart.
    room, first = 1, len(alphabets)
    while room < total:
        first -= 1
        room *= len(alphabets[first])
    # A multiple that shares no factor with the room visits every place once; kept in 63 bits.
    factor = int(common.integers(1, max(2, min(room, 2**62 // total))))
    while math.gcd(factor, room) != 1:
        factor += 1
    shift = int(common.integers(room))
    rest = (np.arange(numbers.start, numbers.stop, dtype=np.int64) * factor + shift) % room
    points = np.empty((len(numbers), len(alphabets)), dtype=np.uint32)
    for place in reversed(range(len(alphabets))):
        letters = np.array([ord(character) for character in alphabets[place]], dtype=np.uint32)
        if place < first:
            points[:, place] = own.choice(letters, size=len(numbers))
        else:
            rest, digit = np.divmod(rest, len(letters))
            points[:, place] = letters[digit]
    return points.view(f"U{len(alphabets)}").ravel().astype(object)


def _first_number(dtype: str, n: int, rng: np.random.Generator) -> int:
    """Where a sequence of ``n`` integer keys begins."""
    lowest, highest = whole_limits(dtype)
    highest = min(highest, int(np.iinfo(np.int64).max))
    if highest - lowest + 1 < n:
        raise DataError(
            f"{n} fresh keys do not fit in {dtype}.",
            "Store the key column in a wider integer type.",
        )
    if highest >= 9 * 10**15:
        return 10**15 + int(rng.integers(8_000_000)) * 10**9
    if highest >= 2 * 10**9 + n:
        return 10**9 + int(rng.integers(1000)) * 10**6
    return highest - n + 1


def whole_limits(dtype: str) -> tuple[int, int]:
    """The smallest and largest integer that a dtype holds, within 64 bits."""
    name = dtype.removesuffix("[pyarrow]").lower()
    if re.fullmatch(r"u?int(8|16|32|64)", name):
        limits = np.iinfo(name)
        return int(limits.min), int(limits.max)
    return int(np.iinfo(np.int64).min), int(np.iinfo(np.uint64).max)
