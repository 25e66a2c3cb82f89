"""Killed at any point, a run ends with the same bytes as an undisturbed one (promise 6)."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from synthgen.runs import Run, sha256

KILLS = 24
SETTINGS: dict[str, Any] = {
    "data": {"source": "sklearn:wine", "target": "target"},
    "generator": {"name": "ctgan", "epochs": 6, "batch_size": 50, "pac": 5},
    "decide": {"resamples": 3, "ratios": [1.0], "learners": ["logistic"]},
    "workers": 1,
}


def _go_on(path: str) -> None:
    """Start or resume the run, as a user would."""
    from synthgen import pipeline
    from synthgen.config import build

    folder = Path(path)
    if Run(folder).begun:
        pipeline.resume(folder)
    else:
        pipeline.augment(build(SETTINGS), folder)


def _digests(folder: Path) -> dict[str, str]:
    """Every file of the run but the manifest, which holds wall-clock times."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in folder.rglob("*")
        if path.is_file()
        and path.name != "manifest.json"
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sigkill_at_random_points(tmp_path: Path) -> None:
    # A server that has imported everything forks the runs: a kill hits work, not imports.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["synthgen.pipeline", "torch._dynamo"])

    def start(folder: Path) -> Any:
        process = context.Process(target=_go_on, args=(str(folder),))
        process.start()
        return process

    first = start(tmp_path / "warm-up")
    first.join()
    started = time.monotonic()
    undisturbed = start(tmp_path / "undisturbed")
    undisturbed.join()
    length = time.monotonic() - started
    assert undisturbed.exitcode == 0
    expected = _digests(tmp_path / "undisturbed")
    assert _digests(tmp_path / "warm-up") == expected

    chance = random.Random(20261123)
    kills = 0
    attempt = 0
    while kills < KILLS:
        folder = tmp_path / f"disturbed-{attempt}"
        attempt += 1
        while not Run(folder).finished:
            process = start(folder)
            process.join(chance.uniform(0, length / 2))
            if process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
                process.join()
                kills += 1
            else:
                assert process.exitcode == 0
        assert _digests(folder) == expected, folder.name
        leftovers = [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]
        assert leftovers == []
