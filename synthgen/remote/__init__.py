"""Runs at a URL that fsspec opens (``s3://bucket/runs/adult``).

Stages know nothing of it: they work in a folder of this machine, the run's *working copy*, which is
pulled from the URL before and pushed to it meanwhile (:mod:`synthgen.remote.mirror`). Nothing here
imports fsspec before a URL is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from synthgen.errors import SynthgenError

Place = Path | str
"""Where a run or a store of runs is: a path of this machine, or a URL."""

Mode = Literal["old", "new", "replace", "any"]
"""What has to be at a URL that is worked at: a run, or none; ``replace``: a new run is made, over
one that is there; ``any``: one is gone on with, or made."""


def place(given: Place) -> Place:
    """A path of this machine as a Path, also of a ``file://`` URL; any other URL as a string."""
    text = str(given)
    if isinstance(given, Path) or "://" not in text:
        return Path(given)
    if text.startswith("file://"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        return Path(url2pathname(urlsplit(text).path))
    return text.rstrip("/")


def below(store: Place, name: str) -> Place:
    """The run ``name`` in a store of runs."""
    return store / name if isinstance(store, Path) else f"{store}/{name}"


def name_of(given: Place) -> str:
    """What a run is called: the last part of its place."""
    return given.name if isinstance(given, Path) else given.rpartition("/")[2]


def copy_of(given: Place) -> Path:
    """The folder that :func:`working` works in. Raises ConfigError and MachineError for a URL that
    cannot be one of a run."""
    if isinstance(given, Path):
        return given
    from synthgen.remote.mirror import Mirror

    return Mirror(given).path


@contextmanager
def called(given: Place, folder: Path) -> Iterator[None]:
    """Errors in the block speak of what the user named, not of the copy of it in ``folder``."""
    try:
        yield
    except SynthgenError as error:
        error.cause = error.cause.replace(str(folder), str(given))
        error.remedy = error.remedy.replace(str(folder), str(given))
        raise


@contextmanager
def working(
    given: Place,
    mode: Mode = "old",
    *,
    wait: bool = False,
    begun: Callable[[Path], None] | None = None,
) -> Iterator[Path]:
    """The folder to work in: the path itself, or the working copy of a URL, which is pulled before
    the block and pushed during and after it. ``begun`` is told the folder before the work.

    ``wait`` for another process that works at the URL instead of refusing. Raises what
    :meth:`synthgen.remote.mirror.Mirror.working` does; nothing for a path.
    """
    if isinstance(given, Path):
        if begun is not None:
            begun(given)
        yield given
        return
    from synthgen.remote.mirror import Mirror

    mirror = Mirror(given)
    with mirror.working(mode, wait=wait):
        if begun is not None:
            begun(mirror.path)
        yield mirror.path


def reading(given: Place, *, light: bool = False) -> Path:
    """A folder to read the run in: the path itself, or a copy of what is at the URL now.

    ``light``: without rows, images and weights. Raises ConfigError if there is no run at the URL,
    and MachineError if the URL cannot be read.
    """
    if isinstance(given, Path):
        return given
    from synthgen.remote.mirror import Mirror

    return Mirror(given).reading(light=light)
