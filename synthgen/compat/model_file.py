"""A fitted synthesizer in one file: a zip archive of safetensors and JSON, without any code."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from synthgen.errors import DataError, MachineError
from synthgen.generators.base import Generator, Sampler
from synthgen.runs import dump, write_atomic

G = TypeVar("G", bound=Generator)
STATE = "synthesizer.json"
"""Beside what the sampler itself writes."""
FORMAT = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that zip knows, for every member: the same model is the same bytes."""


def write(path: Path, sampler: Sampler, state: Mapping[str, Any]) -> None:
    """Write or replace ``path`` at once: what is there is the old file or the whole new one.

    Raises :class:`~synthgen.errors.MachineError` where it cannot be written.
    """
    if not path.parent.is_dir():
        raise MachineError(
            f"the folder {path.parent} does not exist", "create it, or choose another"
        )
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(content, "w") as archive:
        sampler.save(Path(folder))
        for file in sorted(Path(folder).iterdir()):
            archive.writestr(zipfile.ZipInfo(file.name, _EPOCH), file.read_bytes())
        archive.writestr(zipfile.ZipInfo(STATE, _EPOCH), dump({"format": FORMAT, **state}))
    try:
        write_atomic(path, content.getvalue())
    except OSError as error:
        raise MachineError(
            f"{path} cannot be written: {error.strerror or error}",
            "choose a file in a folder that may be written to and has room",
        ) from error


def read(path: Path, kind: str, generator: Generator) -> tuple[Sampler, dict[str, Any]]:
    """What :func:`write` wrote of a synthesizer whose state says ``"class": kind``; its sampler is
    one of ``generator``'s. Nothing in the file is ever run.

    Raises :class:`~synthgen.errors.DataError` for any other file, a pickle among them.
    """
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            members = archive.namelist()
            if STATE not in members:
                raise _pickle(path) if _holds_pickle(members) else _damaged(path)
            state = json.loads(archive.read(STATE))
            if state["class"] != kind:
                raise DataError(
                    f"{path} holds a {state['class']}, not a {kind}",
                    f"load it with {state['class']}.load",
                )
            # By name alone: a path within an archive could lead out of the folder.
            for name in {*members} - {STATE}:
                (Path(folder) / Path(name).name).write_bytes(archive.read(name))
            return generator.load(Path(folder)), state
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", "give a file that save has written") from None
    except zipfile.BadZipFile:
        raise _pickle(path) if path.read_bytes()[:1] == b"\x80" else _damaged(path) from None
    except DataError as error:
        raise error if str(path) in error.cause else _damaged(path) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error


def _holds_pickle(members: list[str]) -> bool:
    """Whether a zip archive is one that ``torch.save`` writes."""
    return any(name.endswith(".pkl") for name in members)


def _pickle(path: Path) -> DataError:
    return DataError(
        f"{path} is a pickle, such as the ctgan package saves: loading it would run code from it",
        "fit again with synthgen.compat and save that, which takes the same arguments",
    )


def _damaged(path: Path) -> DataError:
    return DataError(
        f"{path} does not hold a whole model of synthgen.compat",
        "give a file that save has written",
    )
