"""Whoever is killed, and whenever: the job ends by itself, with the same bytes.

python -m pytest -s tests/chaos

With ``-s`` it prints which states a run was in after each kill, in seconds from it.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from synthgen import config as configuration
from synthgen import pipeline
from synthgen.runs import Run
from tests.flows.stack import Stack, new_stack
from tests.pipeline.test_augment import files

# One stack at a time: two on a small machine keep each other waiting.
pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("chaos")]
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
    # Tasks queue for slots as those with a GPU do, and who dies with a slot must not keep it.
    found.asked("concurrency_limits/", tag="cpu", concurrency_limit=2)
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


def server(stack: Stack) -> None:
    """It forgets what it heard of late, and hears nothing until it is started again."""
    stack.process("server").kill()
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


KILLS = [flow, worker, both, server, outage, worker_asked_to_end, paused]


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.__name__)
def test_the_job_ends_by_itself(
    stack: Stack, tmp_path: Path, kill: Callable[[Stack], None]
) -> None:
    number = KILLS.index(kill)
    job = JOB | {"seed": number}
    run = submitted(stack, job)
    begun(stack)
    # From the first import to the middle of the measurements.
    time.sleep(random.Random(number).uniform(3, 15))
    killed = datetime.now(UTC)
    kill(stack)
    assert stack.ended(run, patience=900) == "Completed"
    told = [
        f"{state['name']} {(datetime.fromisoformat(state['timestamp']) - killed).seconds} s"
        for state in sorted(stack.states(run), key=lambda state: str(state["timestamp"]))
        if datetime.fromisoformat(state["timestamp"]) > killed
    ]
    print(f"\n{kill.__name__}: {', '.join(told)}")
    same_as_undisturbed(stack, job, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_that_never_began_is_taken_up(stack: Stack, tmp_path: Path) -> None:
    """Its worker dies between taking it and its first line."""
    job = JOB | {"seed": 100}
    run = submitted(stack, job)
    end = time.monotonic() + 120
    while stack.state(run)["state_type"] == "SCHEDULED" and time.monotonic() < end:
        time.sleep(0.02)
    taker = stack.process("worker-gpu")
    below = taker.children(recursive=True)
    taker.kill()
    for process in below:
        process.kill()
    assert stack.state(run)["state_type"] == "PENDING"
    assert stack("up").returncode == 0
    assert stack.ended(run, patience=600) == "Completed"
    same_as_undisturbed(stack, job, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_crashes_every_time_is_given_up(stack: Stack) -> None:
    """Before its first line, so that it cannot count its attempts itself."""
    (deployment,) = [
        one["id"] for one in stack.asked("deployments/filter") if one["name"] == "augment-on-demand"
    ]
    made = stack.asked(
        f"deployments/{deployment}/create_flow_run",
        parameters={"job": {"source": "sklearn:breast_cancer", "target": "target"}},
        job_variables={"command": "false"},
        state={"type": "SCHEDULED"},
    )
    assert stack.ended(made["id"], patience=400) == "Failed"
    found = stack.state(made["id"])
    assert found["state"]["message"] == "More than 3 crashes."
    assert set(found["tags"]) == {"auto-resume", "synthgen"}
    crashes = [one for one in stack.states(made["id"]) if one["type"] == "CRASHED"]
    # A busy SQLite loses an event now and then; then it takes one more.
    assert 4 <= len(crashes) <= 6


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_is_cancelled_ends_and_goes_on_when_asked_again(stack: Stack, tmp_path: Path) -> None:
    job = JOB | {"seed": 200}
    run = submitted(stack, job)
    process = begun(stack)
    time.sleep(12)
    everything = [process, *process.children(recursive=True)]
    stack.asked(f"flow_runs/{run}/set_state", state={"type": "CANCELLING"})
    assert stack.ended(run, patience=120) == "Cancelled"
    _, alive = psutil.wait_procs(everything, timeout=60)
    assert not alive
    assert stack.ended(submitted(stack, job), patience=300) == "Completed"
    same_as_undisturbed(stack, job, tmp_path)


def submitted(stack: Stack, job: dict[str, Any]) -> str:
    """The flow run of the job."""
    sent = stack.submitted(**job)
    assert sent.returncode == 0, sent.stderr
    return sent.stdout.strip().rpartition("/")[2]


def begun(stack: Stack) -> psutil.Process:
    end = time.monotonic() + 120
    while (found := stack.flow_process()) is None and time.monotonic() < end:
        time.sleep(0.2)
    assert found is not None
    return found


def same_as_undisturbed(stack: Stack, job: dict[str, Any], folder: Path) -> None:
    seed = f"seed: {job['seed']}\n"
    found = [
        Run(path)
        for path in (stack.folder / "runs").iterdir()
        if path.is_dir() and seed in (path / "config.yaml").read_text()
    ]
    assert len(found) == 1
    plain = pipeline.augment(configuration.build(job), folder / "plain")
    assert files(found[0]) == files(plain)
