"""Killed at any point, a run ends with the same bytes as an undisturbed one (promise 6)."""

from __future__ import annotations

import json
import multiprocessing
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthgen.runs import Run, sha256

KILLS = 20
MOMENTS = 4
EPOCHS = 60
SETTINGS: dict[str, Any] = {
    "data": {"source": "sklearn:wine", "target": "target"},
    "generator": {"name": "ctgan", "epochs": EPOCHS, "batch_size": 50},
    "decide": {"resamples": 3, "ratios": [1.0], "learners": ["logistic"]},
    "workers": 1,
}


def _go_on(path: str) -> None:
    """Start or resume the run, as a user would."""
    from synthgen import pipeline
    from synthgen.config import build
    from synthgen.training import loop

    # Fits of seconds get the checkpoints that fits of hours have.
    loop.CHECKPOINT_SECONDS = 0
    loop.SNAPSHOT_STEPS = 10
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


def _cut_short(folder: Path, steps: int) -> list[str]:
    """The fits that have a checkpoint to go on from, but not yet their end."""
    scratch = folder / ".scratch"
    jobs = {file.parent.name for file in scratch.glob("checkpoints/*/*.safetensors")}
    found = [job for job in jobs if not (scratch / "decide" / f"{job}.json").is_file()]
    last = max(
        (file.stem[-9:] for file in scratch.glob("fit/checkpoints/*.safetensors")), default=""
    )
    return [*found, "fit"] if last and int(last) < steps else found


def _finish(start: Callable[[Path], Any], folder: Path) -> None:
    process = start(folder)
    process.join()
    assert process.exitcode == 0


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

    records = (tmp_path / "undisturbed" / "train.jsonl").read_text().splitlines()
    steps = json.loads(records[-1])["steps"]
    assert steps > 100

    # Killed the moment there is something to go on from: resumed fits and jobs are met for sure.
    places = ("checkpoints/*/*.safetensors", "fit/checkpoints/*.safetensors")
    cut_short: list[str] = []
    for number in range(MOMENTS):
        folder = tmp_path / f"awaited-{number}"
        for place in places:
            process = start(folder)
            scratch = folder / ".scratch"
            while process.is_alive() and not any(scratch.glob(place)):
                time.sleep(0.001)
            process.kill()
            process.join()
            cut_short += _cut_short(folder, steps)
        _finish(start, folder)
        assert _digests(folder) == expected, folder.name
    assert "fit" in cut_short
    assert len(set(cut_short)) > 1, "no job of decide was cut short between checkpoints"

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
                process.kill()
                process.join()
                kills += 1
            else:
                assert process.exitcode == 0
        assert _digests(folder) == expected, folder.name
    leftovers = [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]
    assert leftovers == []
