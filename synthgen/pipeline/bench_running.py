"""The cells of a bench, one after the other here or several at a time on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import replace
from pathlib import Path

from synthgen import pipeline
from synthgen.benchmark.clusters import KilledError
from synthgen.errors import ConfigError, GateError, SynthgenError
from synthgen.pipeline import gates, spreading, stages
from synthgen.pipeline.bench_file import Cell
from synthgen.pipeline.events import Event, Notify
from synthgen.pipeline.kinds import kind_in
from synthgen.pipeline.machine import place
from synthgen.runs import Run, sha256

_ALONE = {"runner": "threads", "cluster": None, "workers": 1}
"""Where the jobs of a cell are done that is itself a job of a cluster: in its process."""


def run(todo: Sequence[Cell], out: Path, force: bool, notify: Notify) -> list[SynthgenError | None]:
    """Do what is left of each cell; the errors that they ended in, in the same order.

    Raises MachineError if a cluster is out of reach or its workers are not as this machine.
    """
    done: dict[str, SynthgenError | None] = {}

    def ended(cell: Cell, error: SynthgenError | None) -> None:
        done[cell.name] = error
        if error is not None:
            words = "a gate failed" if isinstance(error, GateError) else "failed"
            notify(Event("cells", notice=f"{cell.name} {words}: {error.cause}"))
        notify(Event("cells", len(done), len(todo)))

    notify(Event("cells", 0, len(todo)))
    if todo[0].config.runner == "threads":
        for cell in todo:
            ended(cell, _here(cell, force, _heard(cell, notify)))
    else:
        _on_cluster(todo, out, force, notify, ended)
    return [done[cell.name] for cell in todo]


def objection(cell: Cell) -> SynthgenError | None:
    """Why what is in the cell's folder cannot be its run; None where it can, or nothing is."""
    run, source = Run(cell.folder), Path(cell.config.data.source)
    try:
        if not run.begun:
            if cell.folder.exists() and not _ours(cell.folder):
                raise ConfigError(
                    f"{cell.folder} exists and is not a synthgen run",
                    "choose another folder with --out",
                )
            return None
        stages.check_split(run)
        stages.check_same(run, cell.config)
        if source.is_file() and sha256(source) != kind_in(run).form(run).sha256:
            raise ConfigError(
                f"{source} has changed since {cell.folder} was begun",
                "choose another folder with --out, or replace the run with --force",
            )
    except SynthgenError as error:
        return error
    return None


def _ours(folder: Path) -> bool:
    """Whether a start that was killed before its first commit left this."""
    return (folder / ".lock").is_file() or not any(folder.iterdir())


def _heard(cell: Cell, notify: Notify) -> Notify:
    """Hears the events of the cell."""

    def tell(event: Event) -> None:
        notice = None if event.notice is None else f"{cell.name}: {event.notice}"
        notify(Event(event.stage, event.done, event.total, notice))

    return tell


def _here(cell: Cell, force: bool, notify: Notify) -> SynthgenError | None:
    run = Run(cell.folder)
    try:
        if not _fits(cell):
            pipeline.augment(cell.config, cell.folder, force=force, notify=notify)
        elif _done(run):
            gates.check(run)
        else:
            stages.settle(run, cell.config)
            pipeline.resume(cell.folder, notify)
    except SynthgenError as error:
        return error
    return None


def _fits(cell: Cell) -> bool:
    """Whether what is in the cell's folder is its run, begun or done."""
    return Run(cell.folder).begun and objection(cell) is None


def _done(run: Run) -> bool:
    return run.finished and not run.changed("evaluate")


def _on_cluster(
    todo: Sequence[Cell],
    out: Path,
    force: bool,
    notify: Notify,
    ended: Callable[[Cell, SynthgenError | None], None],
) -> None:
    """The data are read and split here, so that workers need to see nothing but the run."""
    left = []
    for cell in todo:
        if _fits(cell) and _done(Run(cell.folder)):
            ended(cell, _here(cell, force, notify))
        else:
            left.append(cell)
    if not left:
        return
    first = left[0].config
    gpu = any(stages.device(cell.config).startswith("cuda") for cell in left)
    with spreading.engine(replace(place(first), gpu=gpu), out, first.device) as engine:
        running: dict[Future[tuple[SynthgenError | None, list[str]]], Cell] = {}
        for cell in left:
            run, alone = Run(cell.folder), cell.config.model_copy(update=_ALONE)
            try:
                if _fits(cell):
                    stages.settle(run, alone)
                else:
                    pipeline.start(alone, cell.folder, force=force, notify=_heard(cell, notify))
            except SynthgenError as error:
                ended(cell, error)
            else:
                running[engine.submit(finish, cell.folder.absolute())] = cell
        for future in as_completed(running):
            cell = running[future]
            notices: list[str] = []
            try:
                end, notices = future.result()
            except KilledError as killed:  # by this cell; the cluster is there
                end = killed
            for notice in notices:
                _heard(cell, notify)(Event("cells", notice=notice))
            ended(cell, end)


def finish(folder: Path) -> tuple[SynthgenError | None, list[str]]:
    """In a worker: go on with the run there to its end; the error that it ended in, and what it
    had to say."""
    notices: list[str] = []

    def hear(event: Event) -> None:
        if event.notice is not None:
            notices.append(event.notice)

    try:
        pipeline.resume(folder, hear)
    except SynthgenError as error:
        return error, notices
    return None, notices
