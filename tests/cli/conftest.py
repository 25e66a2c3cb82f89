"""The command line, called in this process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthgen.cli import app
from synthgen.cli.console import Ending, guard
from tests.cli.ended import Cli, Ended


@pytest.fixture
def cli(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cli]:
    """``cli("augment", "x.csv", ...)`` in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*words: str) -> Ended:
        Ending.run = Ending.named = Ending.unfinished = None
        Ending.repeat, Ending.verbosity = False, 0
        with pytest.raises(SystemExit) as ended:
            guard(lambda: app(list(words)))
        captured = capfd.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ended(code, captured.out, captured.err)

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)
