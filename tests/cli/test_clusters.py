"""The command line and clusters: errors as everywhere, and an end that leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from synthgen.runs import Run
from tests.benchmark.clusters import wait_for
from tests.pipeline.tables import people

QUICK = (
    *("decide.resamples=3", "decide.learners=[logistic]", "decide.ratios=[1.0]"),
    *("generator.name=ctgan", "generator.epochs=300", "workers=2"),
)


def _started(folder: Path, *settings: str) -> subprocess.Popen[str]:
    people().to_csv(folder / "people.csv", index=False)
    words = [word for setting in (*QUICK, *settings) for word in ("--set", setting)]
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "synthgen", "augment", "people.csv", "--target", "sick"),
            *("--out", "run", "--progress", "json", *words),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        (("runner=dask", "cluster=tcp://127.0.0.1:9"), "no Dask scheduler answers at tcp://127.0"),
        (("runner=ray", "cluster=127.0.0.1:9"), "no Ray answers at 127.0.0.1:9"),
    ],
)
def test_a_cluster_out_of_reach(tmp_path: Path, settings: tuple[str, ...], cause: str) -> None:
    with _started(tmp_path, *settings) as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 4
    *before, first, second = err.splitlines()
    assert first.startswith(f"error: {cause}")
    assert "--set cluster=" in second
    assert all(line.startswith("{") for line in before)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("runner", ["dask", "ray"])
def test_a_cluster_of_its_own_ends_with_the_run(runner: str, number: int, tmp_path: Path) -> None:
    with _started(tmp_path, f"runner={runner}") as process:
        assert process.stderr is not None
        told = []
        for line in process.stderr:
            told.append(line)
            if '"decide", "done": 1' in line:
                break
        # Ray's agents, which do no job, look about themselves once a minute.
        found = psutil.Process(process.pid).children(recursive=True)
        below = [one for one in found if not one.name().endswith("Agent")]
        assert len(below) >= 3, told
        if number == signal.SIGKILL:
            process.kill()
        else:
            process.send_signal(number)
        begun = time.monotonic()
        _, err = process.communicate(timeout=60)
        assert time.monotonic() - begun < 30
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert err.splitlines()[-2:] == [
            "error: interrupted",
            "       go on with: synthgen resume run",
        ]
    assert Run(tmp_path / "run").begun
    wait_for(lambda: not any(_alive(one) for one in below), seconds=20)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
