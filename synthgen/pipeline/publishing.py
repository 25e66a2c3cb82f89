"""A finished run, copied to where others look for it: whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from synthgen.errors import ConfigError, DataError, MachineError
from synthgen.pipeline import gates
from synthgen.pipeline.assess import finished
from synthgen.remote.transfer import DRAFT, Store, StoreError
from synthgen.runs import MANIFEST, sha256


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
        store = Store(destination)
        report = f"{destination.rstrip('/')}/report.html"
        if not _vacant(store, files, text):
            return report
        store.put_all({name: run / name for name in files})
        store.put(run / MANIFEST, MANIFEST)
    except StoreError as error:
        raise MachineError(
            f"{destination} does not take the run: {error.cause}",
            f"nothing is published, for the manifest is not there; {error.remedy}",
        ) from None
    except OSError as error:
        raise MachineError(
            f"{destination} does not take the run: {error}",
            "nothing is published, for the manifest is not there; repeat the command",
        ) from None
    return report


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _vacant(store: Store, files: dict[str, str], manifest: bytes) -> bool:
    """Whether the run has to be copied there; False if it is there. Raises ConfigError if something
    else is."""
    known = store.read(MANIFEST)
    if known is not None:
        if known == manifest:
            return False
        raise ConfigError(
            f"another run is published at {store.root}",
            "choose another destination, or remove it first",
        )
    foreign = [name for name in store.files() if name.removesuffix(DRAFT) not in {*files, MANIFEST}]
    if foreign:
        raise ConfigError(
            f"{store.root} holds something else ({foreign[0]})",
            "choose an empty or a new destination",
        )
    return True
