"""What the user sees while a command runs, and how a command ends.

Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from synthgen.cli.options import ProgressStyle
from synthgen.errors import SynthgenError, of_system
from synthgen.remote import Place
from synthgen.runs import Run

if TYPE_CHECKING:
    from synthgen.pipeline.events import Event, Notify

_PLAIN_SECONDS = 5.0
"""Plain progress prints a line per stage at most this often."""


class Interrupted(BaseException):
    """A signal asked the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Ending:
    """How the present command should end if it is interrupted or fails."""

    run: Path | None = None
    named: Place | None = None
    """What the user calls the run: its path, or the URL of which it is a copy."""
    unfinished: Path | None = None
    """Where a training keeps its checkpoints."""
    repeat = False
    """Whether the command goes on from what it finished when it is repeated."""
    verbosity = 0


def begin_at(named: Place, run: Path) -> None:
    """The command works on ``run``, which the user calls ``named``."""
    Ending.run, Ending.named = run, named


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


class _OnStandardError(logging.Handler):
    """Log records as lines; looks up the stream each time, since progress bars replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))


_handler = _OnStandardError()
_handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))


def set_verbosity(level: int) -> None:
    """What ``-v`` asks for: our log from INFO on (1), or from DEBUG on with tracebacks (2)."""
    Ending.verbosity = level
    logger = logging.getLogger("synthgen")
    logger.addHandler(_handler)  # Once: logging keeps no handler twice.
    logger.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(level, 2)])


def guard(command: Callable[[], None]) -> NoReturn:
    """Run a command and leave with the exit code that its end deserves."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        command()
    except SynthgenError as error:
        _leave(error.exit_code, error.cause, error.remedy)
    except (Interrupted, KeyboardInterrupt) as end:
        number = end.number if isinstance(end, Interrupted) else signal.SIGINT
        _leave(128 + number, "interrupted", _how_to_go_on())
    except BrokenPipeError:
        # The reader of our output has gone; nothing is wrong. Python must not flush into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except MemoryError:
        _leave(4, "the memory is not enough", "use fewer rows, or a machine with more memory")
    except OSError as error:
        refused = of_system(error, _how_to_go_on())
        if refused is not None:
            _leave(refused.exit_code, refused.cause, refused.remedy)
        _bug(error)
    except Exception as error:
        _bug(error)
    sys.exit(0)


def _leave(code: int, cause: str, remedy: str) -> NoReturn:
    # Causes are sentences in some places and phrases in others: on the screen they look alike.
    say(f"error: {cause.rstrip('.')}")
    say(f"       {remedy.rstrip('.')}")
    if Ending.verbosity >= 2:
        traceback.print_exc()
    sys.exit(code)


def _bug(error: BaseException) -> NoReturn:
    last = traceback.extract_tb(error.__traceback__)[-1]
    _leave(
        1,
        # The message may quote a cell of the data: type and place are enough to report it.
        f"a bug in synthgen: {type(error).__name__} at {Path(last.filename).name}:{last.lineno}",
        f"repeat with -vv for the traceback and report it; {_how_to_go_on()}",
    )


def _how_to_go_on() -> str:
    run = Ending.run
    if run is not None and Run(run).begun:
        return f"go on with: synthgen resume {Ending.named or run}"
    if Ending.unfinished is not None and any(Ending.unfinished.glob("*/checkpoints/*")):
        return "repeat the command: it goes on from the last checkpoint"
    if Ending.repeat:
        return "repeat the command to go on: what is finished is kept"
    return "nothing was written"


@contextmanager
def watching(style: ProgressStyle, *, quiet: bool) -> Iterator[Notify]:
    """A listener for pipeline events in the chosen style."""
    if quiet or style is ProgressStyle.none:
        yield lambda event: None
    elif style is ProgressStyle.json:
        yield _json_line
    elif style is ProgressStyle.plain or not sys.stderr.isatty():
        yield _Plain()
    else:
        with _bars() as notify:
            yield notify


def _json_line(event: Event) -> None:
    record = {"stage": event.stage, "done": event.done, "total": event.total}
    if event.notice is not None:
        record["notice"] = event.notice
    say(json.dumps(record, ensure_ascii=False))


class _Plain:
    """A line now and then: good for logs."""

    def __init__(self) -> None:
        self._stage = ""
        self._started = self._said = 0.0
        self._first = 0

    def __call__(self, event: Event) -> None:
        if event.notice is not None:
            say(f"note: {event.notice}")
            return
        now = time.monotonic()
        if event.stage != self._stage:
            self._stage, self._started, self._said, self._first = event.stage, now, 0.0, event.done
        if event.done < event.total and now - self._said < _PLAIN_SECONDS:
            return
        self._said = now
        rest = ""
        progressed = event.done - self._first
        if progressed > 0 and event.done < event.total:
            remaining = (now - self._started) / progressed * (event.total - event.done)
            rest = f", about {duration(remaining)} left"
        say(f"{event.stage:<9} {event.done}/{event.total}{rest}")


@contextmanager
def _bars() -> Iterator[Notify]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def notify(event: Event) -> None:
            if event.notice is not None:
                progress.console.print(f"note: {event.notice}", markup=False, highlight=False)
                return
            if event.stage not in tasks:
                tasks[event.stage] = progress.add_task(event.stage, total=event.total)
            progress.update(tasks[event.stage], completed=event.done, total=event.total)

        yield notify


def duration(seconds: float) -> str:
    """Seconds for people: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
