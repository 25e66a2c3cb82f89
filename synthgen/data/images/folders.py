"""A folder, or a ZIP archive, with one directory a class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from synthgen.data.images.collect import Entry, Skipped
from synthgen.data.images.decode import EXTENSIONS, BadImageError
from synthgen.data.images.files import Files
from synthgen.data.images.found import Found
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.names import clean, valid
from synthgen.data.quoting import shown, some
from synthgen.errors import DataError

LISTINGS = ("labels.csv", "metadata.csv")
"""Names of files that list images and labels, in the order in which they are looked for."""
_PARTS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}


def is_image(name: str) -> bool:
    """By the extension."""
    return PurePosixPath(name).suffix.lower() in EXTENSIONS


def prefix_of(files: Files) -> str:
    """The folders, each the only thing in the one above, that hold everything; with a slash.

    An archive of a folder has one such. It ends where there are images, a list of them, or several
    directories, or where directories end.
    """
    prefix = ""
    while True:
        inner = {_top(name, prefix) for name in files.folders if name.startswith(prefix)}
        direct = [name for name in files.names if name.startswith(prefix)]
        direct = [name for name in direct if "/" not in name[len(prefix) :]]
        listed = any(name == prefix + listing for name in direct for listing in LISTINGS)
        if listed or len(inner) != 1 or any(map(is_image, direct)):
            return prefix
        deeper = f"{prefix}{inner.pop()}/"
        further = any(name.startswith(deeper) for name in files.folders)
        if not further and not any(deeper + listing in files.names for listing in LISTINGS):
            return prefix
        prefix = deeper


def read_folders(files: Files, prefix: str, target: str) -> Found:
    """The class of an image is the first directory of its name below ``prefix``.

    Raises :class:`DataError` where there are no such directories, or these are the parts of a
    split.
    """
    tops = sorted({_top(name, prefix) for name in files.folders if name.startswith(prefix)})
    images = [name for name in files.names if name.startswith(prefix) and is_image(name)]
    labelled = [name for name in images if "/" in name[len(prefix) :]]
    _check_tops(tops, images, files.source)
    notices = _left_out(files, set(labelled))

    def entries() -> Iterator[Entry | Skipped]:
        for name in labelled:
            short = clean(name[len(prefix) :])
            try:
                yield Entry(short, valid(_top(name, prefix)), files.read(name))
            except BadImageError as error:
                yield Skipped(short, str(error))

    return Found(
        entries=entries(),
        count=len(labelled),
        layout=ImageLayout(format="folders", zipped=files.zipped, prefix=prefix, target=target),
        declared=tuple(map(valid, tops)),
        notices=notices,
    )


def _top(name: str, prefix: str) -> str:
    return name[len(prefix) :].split("/")[0]


def _check_tops(tops: list[str], images: list[str], source: str) -> None:
    if not tops:
        held = f"{len(images)} image{'s' if len(images) > 1 else ''}, but no labels: neither "
        held += f"a directory for each class nor {' or '.join(LISTINGS)}"
        raise DataError(
            f"{source} holds {held if images else 'no images'}.",
            "Give a folder or ZIP of PNG, JPEG, BMP, GIF, TIFF or WebP files in one directory a "
            "class, or with labels.csv beside them.",
        )
    parts = {top.lower() for top in tops}
    if len(parts) > 1 and parts <= _PARTS:
        raise DataError(
            f"{source}: the directories {some(tops)} are the parts of a split, not classes.",
            f"Give the directory of one part, such as {shown(max(tops, key=_is_training))}.",
        )


def _is_training(top: str) -> bool:
    return top.lower().startswith("train")


def _left_out(files: Files, used: set[str]) -> tuple[str, ...]:
    rest = [name for name in files.names if name not in used]
    if not rest:
        return ()
    return (f"{files.source}: left out as no images in a directory of a class: {some(rest)}.",)
