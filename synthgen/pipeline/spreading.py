"""Spreading the jobs of a run over processes or a cluster that must give the same bytes.

The workers of a cluster see the run's folder by a shared file system. Each makes sure once that it
does, and that it is the same program: what a wrong worker did could not be told from what is right.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from synthgen.benchmark import executor
from synthgen.benchmark.executor import Engine, Place
from synthgen.errors import MachineError
from synthgen.pipeline.facts import versions
from synthgen.pipeline.identity import code
from synthgen.pipeline.machine import named_device
from synthgen.runs import write_atomic

MARK = ".cluster"
"""A file in the folder that workers have to see."""


@dataclass(frozen=True)
class Here:
    """What a worker has to agree with: ``device`` is what was asked for, ``found`` what this
    machine takes for it."""

    folder: Path
    mark: str
    versions: tuple[tuple[str, str], ...]
    code: str
    device: str
    found: str


@contextmanager
def engine(place: Place, folder: Path, device: str) -> Iterator[Engine]:
    """Who does the jobs of the run, or of the runs, in this folder, for the time of the block.

    Raises MachineError if the place is out of reach, if a worker there has another program,
    another device or does not see the folder, or if workers die.
    """
    if place.runner == "threads":
        with executor.on_this_machine(place.workers) as found:
            yield found
        return
    folder = folder.absolute()
    with _marked(folder) as mark:
        here = Here(folder, mark, tuple(versions().items()), code(), device, named_device(device))
        if place.runner == "dask":
            from synthgen.benchmark.on_dask import dask as cluster
        else:
            from synthgen.benchmark.on_ray import ray as cluster
        with cluster(place, partial(check, here)) as found:
            yield found


@contextmanager
def _marked(folder: Path) -> Iterator[str]:
    mark = secrets.token_hex(8)
    write_atomic(folder / MARK, mark)
    try:
        yield mark
    finally:
        (folder / MARK).unlink(missing_ok=True)


@cache
def check(here: Here) -> None:
    """In a worker: raise MachineError unless a job gives the same here as there."""
    host = socket.gethostname()
    try:
        seen = (here.folder / MARK).read_text("utf-8")
    except OSError:
        seen = None
    if seen != here.mark:
        raise MachineError(
            f"the worker on {host} does not see {here.folder}",
            "put the run on a file system that all workers share, at the same path",
        )
    mine = versions()
    for name, version in here.versions:
        if mine.get(name) != version:
            raise MachineError(
                f"the worker on {host} has {name} {mine.get(name)}, not {version}",
                "install the same versions on every worker, by constraints.txt",
            )
    if code() != here.code:
        raise MachineError(
            f"the worker on {host} has another source of synthgen",
            "install the same one on every worker, and start them again",
        )
    found = named_device(here.device)
    if found != here.found:
        raise MachineError(
            f"the worker on {host} would train on {found}, this machine on {here.found}",
            f"use --device cpu, or workers with the device {here.found}",
        )
