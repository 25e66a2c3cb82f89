"""Whoever is killed, and whenever: the job ends by itself, with the same bytes.

python -m pytest -m chaos tests/chaos
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synthgen import config as configuration
from synthgen import pipeline
from synthgen.runs import Run
from tests.flows.stack import Stack, new_stack
from tests.pipeline.test_augment import files

JOB = {
    "data": {"source": "sklearn:breast_cancer", "target": "target"},
    "budget": "quick",
    "generator": {"name": "ctgan", "epochs": 100, "batch_size": 100},
    "decide": {"resamples": 3, "ratios": ["balanced"], "learners": ["logistic"]},
    "workers": 2,
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    found = new_stack(tmp_path_factory.mktemp("stack"))
    begun = found("up")
    assert begun.returncode == 0, begun.stderr
    try:
        yield found
    finally:
        found("down")


def flow(stack: Stack) -> None:
    """The worker sees it and reports a crash."""
    found = stack.flow_process()
    assert found is not None
    found.kill()


def worker(stack: Stack) -> None:
    """The flow's process goes on alone; a new worker must not begin it twice."""
    stack.process("worker-gpu").kill()
    assert stack("up").returncode == 0


def both(stack: Stack) -> None:
    """Nobody reports anything: the heartbeats stop."""
    found = stack.flow_process()
    assert found is not None
    stack.process("worker-gpu").kill()
    found.kill()
    assert stack("up").returncode == 0


def outage(stack: Stack) -> None:
    """The server is there and does not answer for 35 seconds."""
    found = stack.process("server")
    found.suspend()
    time.sleep(35)
    found.resume()


def worker_asked_to_end(stack: Stack) -> None:
    """SIGTERM, as a machine that is shut down sends it."""
    found = stack.process("worker-gpu")
    found.terminate()
    found.wait(60)
    assert stack("up").returncode == 0


def paused(stack: Stack) -> None:
    """The process stands still for a while, and comes back."""
    found = stack.flow_process()
    assert found is not None
    os.kill(found.pid, signal.SIGSTOP)
    time.sleep(20)
    os.kill(found.pid, signal.SIGCONT)


KILLS = [flow, worker, both, outage, worker_asked_to_end, paused]


@pytest.mark.chaos
@pytest.mark.skipif(
    os.environ.get("SYNTHGEN_CHAOS") != "1",
    reason="on demand (SYNTHGEN_CHAOS=1): a run whose worker dies before it begins hangs yet",
)
@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.__name__)
def test_the_job_ends_by_itself(
    stack: Stack, tmp_path: Path, kill: Callable[[Stack], None]
) -> None:
    number = KILLS.index(kill)
    job = JOB | {"seed": number}
    sent = stack.submitted(**job)
    assert sent.returncode == 0, sent.stderr
    run = sent.stdout.strip().rpartition("/")[2]
    end = time.monotonic() + 120
    while stack.flow_process() is None and time.monotonic() < end:
        time.sleep(0.2)
    # From the first import to the middle of the measurements.
    time.sleep(random.Random(number).uniform(3, 15))
    kill(stack)
    killed = time.monotonic()
    assert stack.ended(run, patience=900) == "Completed"
    print(f"{kill.__name__}: ended {time.monotonic() - killed:.0f} s after")
    found = [
        Run(path)
        for path in (stack.folder / "runs").iterdir()
        if path.is_dir() and f"seed: {number}\n" in (path / "config.yaml").read_text()
    ]
    assert len(found) == 1
    plain = pipeline.augment(configuration.build(job), tmp_path / "plain")
    assert files(found[0]) == files(plain)
