"""Files and folders that are there as a whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthgen.data.quoting import shown
from synthgen.errors import ConfigError, MachineError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write a file or folder to, which is moved to ``path`` at the end
    of the block, and removed if that fails. A file at ``path`` is replaced; folders above it are
    made.

    Raises :class:`ConfigError` where a folder with something in it is in the way, and
    :class:`MachineError` where the disk does not take what is written.
    """
    name = shown(str(path))
    try:
        if path.is_dir() and any(path.iterdir()):
            raise ConfigError(f"{name} exists already.", "Give another name, or remove it.")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".synthgen-", dir=path.parent) as private:
            place = Path(private) / "written"
            yield place
            place.replace(path)
    except OSError as error:
        raise MachineError(
            f"{name} cannot be written: {error.strerror or error}.",
            "Check the disk's free space and the folder's permissions.",
        ) from None
