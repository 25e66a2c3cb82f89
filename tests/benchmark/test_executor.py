from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from synthgen.benchmark.arms import ladder
from synthgen.benchmark.executor import processes, run_all
from synthgen.benchmark.schedule import due
from synthgen.errors import ConfigError, MachineError
from tests.benchmark import work
from tests.benchmark.worlds import QUICK

ROOT = Path(__file__).parents[2]


def test_one_worker_is_this_process_and_keeps_the_order(tmp_path: Path) -> None:
    assert list(run_all([3, 1, 2], partial(work.note, tmp_path), workers=1)) == [3, 1, 2]
    assert {path.read_text() for path in tmp_path.iterdir()} == {str(os.getpid())}


def test_nothing_to_do(tmp_path: Path) -> None:
    assert list(run_all([], partial(work.note, tmp_path), workers=4)) == []


def test_the_same_bytes_with_any_number_of_workers(tmp_path: Path) -> None:
    jobs = due(QUICK, ladder(QUICK, ["memoriser"]), 5, [])
    contents = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        assert set(run_all(jobs, partial(work.measure, folder), workers)) == set(jobs)
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(contents[0]) == len(jobs)
    assert contents[0] == contents[1]


def test_workers_have_one_thread_and_leave_the_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    list(run_all([0, 1], partial(work.threads, tmp_path), workers=2))
    for path in tmp_path.iterdir():
        assert set(path.read_text().strip("[]").split(", ")) == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert "MKL_NUM_THREADS" not in os.environ


def test_processes_outlive_the_thread_that_submits(tmp_path: Path) -> None:
    futures: list[Future[None]] = []
    with processes(2) as engine:

        def hand_over(job: int) -> None:
            futures.append(engine.submit(partial(work.linger, tmp_path), job))
            _wait_for((tmp_path / f"{job}.started").exists)

        for job in (0, 1):
            thread = threading.Thread(target=hand_over, args=(job,))
            thread.start()
            thread.join()
        for future in futures:
            future.result()
    assert len(list(tmp_path.glob("*.txt"))) == 2
    _all_end(tmp_path)


def test_a_failing_job_ends_all_and_brings_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="the cause of it") as caught:
        list(run_all([0, 1, 2], partial(work.stumble, tmp_path), workers=2))
    assert "in stumble" in "".join(traceback.format_exception(caught.value))
    _all_end(tmp_path)


def test_an_error_for_the_user_arrives_whole(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        list(run_all([0, 1], partial(work.refuse, tmp_path), workers=2))
    assert (caught.value.cause, caught.value.remedy) == ("the cause", "the remedy")


def test_a_dead_worker_is_an_error_of_the_machine(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="a worker process died"):
        list(run_all([0, 1], partial(work.die, tmp_path), workers=2))


# No guard: the workers must not run this script again.
SCRIPT = """
import sys
from functools import partial
from pathlib import Path
from synthgen.benchmark.executor import processes, run_all
from tests.benchmark import work
folder = Path(sys.argv[1])
(folder / "started.log").open("a").write("once ")
list(run_all([0, 1, 2, 3], partial(getattr(work, sys.argv[2]), folder), workers=2))
"""


def _script(tmp_path: Path, function: str) -> subprocess.Popen[bytes]:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, script, tmp_path, function],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A suite that a script put into the background has Ctrl-C ignored; a user's shell has not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    process = _script(tmp_path, "note")
    assert process.communicate(timeout=60)[1] == b""
    assert process.returncode == 0
    assert (tmp_path / "started.log").read_text() == "once "
    assert len(list(tmp_path.glob("*.txt"))) == 4


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_workers_do_not_outlive_the_parent(tmp_path: Path, kill: signal.Signals) -> None:
    process = _script(tmp_path, "stay")
    _wait_for(lambda: len(list(tmp_path.glob("*.txt"))) == 2)
    process.send_signal(kill)
    process.communicate(timeout=10)
    assert process.returncode == -kill
    _all_end(tmp_path)


def _all_end(folder: Path) -> None:
    pids = [int(path.read_text()) for path in folder.glob("*.txt")]
    assert pids
    _wait_for(lambda: not any(_alive(pid) for pid in pids), seconds=5)


def _alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _wait_for(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
