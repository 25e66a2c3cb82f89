"""A finished run, copied to where others look for it: whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import fsspec

from synthgen.errors import ConfigError, DataError, MachineError
from synthgen.pipeline import gates
from synthgen.pipeline.assess import finished
from synthgen.runs import MANIFEST, sha256

DRAFT = ".part"
"""Ends the names of files that are not whole yet."""


def publish(path: Path, destination: str) -> str:
    """Copy the finished run at ``path`` to ``destination``, a folder or any URL of one that fsspec
    opens, once its gates hold. Returns the address of its report there.

    The manifest comes last: whoever reads the copy waits for it, and what it names is there and has
    the hash that it says. A copy of the same run that is there already is left as it is; one that
    was cut off is made whole.

    Raises GateError; ConfigError for an unfinished run, and where something else is at the
    destination; DataError if a file of the run is not what it was; MachineError if the destination
    does not take it.
    """
    run = finished(path)
    gates.check(run)
    text = (run / MANIFEST).read_bytes()
    files: dict[str, str] = json.loads(text)["files"]
    changed = [name for name, digest in files.items() if not _is(run / name, digest)]
    if changed:
        raise DataError(
            f"{path}: {changed[0]} is not what the manifest says",
            f"make it again with: synthgen resume {path}",
        )
    try:
        system, root = fsspec.core.url_to_fs(destination)
        report = f"{destination.rstrip('/')}/report.html"
        if not _vacant(system, root, files, text):
            return report
        for name in files:
            _put(system, run / name, f"{root}/{name}")
        _put(system, run / MANIFEST, f"{root}/{MANIFEST}")
    except (OSError, ImportError, ValueError) as error:
        raise MachineError(
            f"{destination} does not take the run: {error}",
            "nothing is published, for the manifest is not there; repeat the command",
        ) from None
    return report


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _vacant(system: Any, root: str, files: dict[str, str], manifest: bytes) -> bool:
    """Whether the run has to be copied there; False if it is there. Raises ConfigError if something
    else is."""
    if not system.exists(root):
        return True
    known = f"{root}/{MANIFEST}"
    if system.exists(known):
        if system.cat_file(known) == manifest:
            return False
        raise ConfigError(
            f"another run is published at {root}", "choose another destination, or remove it first"
        )
    base = root.rstrip("/") + "/"
    names = [str(found).removeprefix(base) for found in system.find(root)]
    foreign = [name for name in names if name.removesuffix(DRAFT) not in {*files, MANIFEST}]
    if foreign:
        raise ConfigError(
            f"{root} holds something else ({foreign[0]})", "choose an empty or a new destination"
        )
    return True


def _put(system: Any, source: Path, target: str) -> None:
    """One file, which is there whole or not at all."""
    parent = target.rpartition("/")[0]
    system.makedirs(parent, exist_ok=True)
    if "file" in _protocols(system):
        # An object store shows a file when it is complete; a disk shows it from its first byte.
        draft = Path(f"{target}{DRAFT}")
        shutil.copyfile(source, draft)
        draft.replace(target)
        return
    system.put_file(str(source), target)


def _protocols(system: Any) -> tuple[str, ...]:
    given = system.protocol
    return (given,) if isinstance(given, str) else tuple(given)
