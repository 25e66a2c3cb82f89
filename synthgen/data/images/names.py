"""Names of images: how they are shown, kept apart, and spelled for any disk."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

IGNORED = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
"""What file managers leave behind, in lower case; names that begin with a dot are ignored too."""
LONGEST = 200
"""Bytes of UTF-8 that a written name may have between two slashes; most disks take 255."""
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_UNFIT = re.compile(r'[<>:"|?*\\]')


def is_hidden(name: str) -> bool:
    """Whether any part of a relative name is hidden or was left behind by a file manager."""
    return any(part.startswith(".") or part.lower() in IGNORED for part in name.split("/"))


def clean(name: str) -> str:
    """A relative name without directory tricks, in valid Unicode; empty if nothing is left.

    Backslashes separate too; drives, roots, ``.`` and ``..`` go.
    """
    parts = re.sub(r"^([A-Za-z]:)+", "", valid(name)).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def valid(text: str) -> str:
    """U+FFFD for a zero and for bytes that are no UTF-8, which the system hands over as lone
    surrogates."""
    return re.sub("[\0\ud800-\udfff]", "\ufffd", text)


def points_outside(name: str) -> bool:
    """Whether a name in an archive or a list leaves its folder: absolute, with a drive, or
    with ``..``."""
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "" or ".." in parts or re.match(r"[A-Za-z]:", name) is not None


def unique(names: Iterable[str], *, fold: bool = False) -> tuple[str, ...]:
    """The names, later ones of equals with a number before the extension.

    ``fold``: names are equal as well if they differ in case or in the composition of letters only,
    as they are on the disks of Windows and macOS. Names that differ already stay as they are.
    """
    given = list(names)
    keys = [_folded(name) if fold else name for name in given]
    taken, seen, numbers = set(keys), set[str](), dict[str, int]()
    result = []
    for name, key in zip(given, keys, strict=True):
        fresh = name
        if key in seen:
            path = PurePosixPath(name)
            while True:
                numbers[key] = numbers.get(key, 1) + 1
                fresh = str(path.with_name(f"{path.stem}-{numbers[key]}{path.suffix}"))
                other = _folded(fresh) if fold else fresh
                if other not in taken:
                    break
            taken.add(other)
        seen.add(key)
        result.append(fresh)
    return tuple(result)


def written_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names under which PNG files are written: they end in ``.png``, any disk takes them, and
    they differ by more than case. Names that are so already stay as they are."""
    return unique(map(portable, names), fold=True)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def portable(name: str) -> str:
    """The name of a PNG file that any disk takes, nothing hidden; see :func:`written_names`."""
    *folders, file = clean(name).split("/")
    if not file.lower().endswith(".png"):
        file = str(PurePosixPath(file).with_suffix(".png")) if file else "image.png"
    # A directory must not have the name of another image.
    above = [f"{part}_" if part.lower().endswith(".png") else part for part in folders]
    return "/".join([*map(_portable_part, above), _portable_part(file[:-4]) + file[-4:]])


def _portable_part(part: str) -> str:
    part = _UNFIT.sub("_", "".join(c if c.isprintable() else "_" for c in part))
    part = part.encode()[:LONGEST].decode(errors="ignore").rstrip(" .")
    if not part or part.startswith(".") or part.lower() in IGNORED or _DEVICES.fullmatch(part):
        part = f"_{part.lstrip('.')}"
    return part
