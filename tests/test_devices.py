"""Trainings take turns on a device, whoever starts them, and whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from synthgen import devices, pipeline
from synthgen.errors import MachineError
from tests.conftest import ROOT
from tests.pipeline.tables import people, small
from tests.pipeline.test_augment import files

HOLDER = """
import sys, time
from pathlib import Path
from synthgen import devices
with devices.held("cpu", Path(sys.argv[1]), "fit", lambda told: print(told, flush=True)):
    started = time.monotonic()
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
    print(started, time.monotonic(), flush=True)
"""


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(devices.FOLDER, str(tmp_path / "devices"))
    monkeypatch.setenv(devices.CPU_TOO, "1")
    monkeypatch.setattr(devices, "PATIENCE", 0.01)
    return tmp_path / "devices" / "cpu.jsonl"


def holder(run: str, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, run, str(seconds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_processes_take_turns_by_their_own_clocks(record: Path) -> None:
    processes = [holder(f"run{k}", 0.3) for k in range(4)]
    spans = []
    for process in processes:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        start, end = map(float, out.splitlines()[-1].split())
        spans.append((start, end))
    spans.sort()
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    found = devices.records(record)
    assert [one["event"] for one in found] == ["begin", "end"] * 4
    assert {Path(one["run"]).name for one in found} == {f"run{k}" for k in range(4)}
    assert devices.overlaps(found) == []


def test_who_waits_says_for_whom(record: Path, tmp_path: Path) -> None:
    heard: list[str] = []
    with holder("night", 0.5) as other:
        assert told(other) == "held"
        with devices.held("cpu", tmp_path / "run", "fit", heard.append):
            pass
    (sentence,) = heard
    assert f"held by process {other.pid} for" in sentence
    assert sentence.endswith("night.")


@pytest.mark.parametrize("stopped", [False, True])
def test_a_killed_holder_gives_the_device_back(record: Path, tmp_path: Path, stopped: bool) -> None:
    with holder("night", 600) as other:
        assert told(other) == "held"
        if stopped:
            os.kill(other.pid, signal.SIGSTOP)
        other.kill()
    with devices.held("cpu", tmp_path / "run", "fit"):
        found = devices.records(record)
        assert [one["event"] for one in found] == ["begin", "lost", "begin"]
        assert [one["pid"] for one in found] == [other.pid, other.pid, os.getpid()]
    assert devices.overlaps(devices.records(record)) == []


def test_a_paused_holder_keeps_it(record: Path) -> None:
    with holder("night", 0.5) as first:
        assert told(first) == "held"
        os.kill(first.pid, signal.SIGSTOP)
        with holder("day", 0) as second:
            assert told(second).startswith("Waiting for cpu")
            with pytest.raises(subprocess.TimeoutExpired):
                second.wait(1.5)
            os.kill(first.pid, signal.SIGCONT)
            first.communicate(timeout=60)
            second.communicate(timeout=60)
    assert first.returncode == second.returncode == 0
    assert [Path(one["run"]).name for one in devices.records(record)] == ["night"] * 2 + ["day"] * 2


def test_an_error_in_the_block_ends_the_turn(record: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyError), devices.held("cpu", tmp_path, "fit"):
        raise KeyError
    assert [one["event"] for one in devices.records(record)] == ["begin", "end"]


def test_the_cpu_needs_no_turns_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(devices.CPU_TOO, raising=False)
    monkeypatch.setenv(devices.FOLDER, str(tmp_path / "devices"))
    with devices.held("cpu", tmp_path, "fit"):
        assert not (tmp_path / "devices").exists()


def test_a_folder_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(devices.FOLDER, str(tmp_path / "file" / "devices"))
    monkeypatch.setenv(devices.CPU_TOO, "1")
    with (
        pytest.raises(MachineError, match=r"the lock of cpu in .* cannot be written") as caught,
        devices.held("cpu", tmp_path, "fit"),
    ):
        raise AssertionError
    assert devices.FOLDER in caught.value.remedy


def test_a_line_cut_off_is_left_out(record: Path, tmp_path: Path) -> None:
    _turn(tmp_path)
    whole = devices.records(record)
    with record.open("a") as file:
        file.write('{"event": "beg\n')
    assert devices.records(record) == whole
    _turn(tmp_path)
    assert len(devices.records(record)) == 4


def _turn(path: Path) -> None:
    with devices.held("cpu", path, "fit"):
        pass


def test_overlaps_are_found() -> None:
    def line(event: str, pid: int) -> dict[str, object]:
        return {"event": event, "pid": pid}

    fine = [line("begin", 1), line("end", 1), line("begin", 2), line("lost", 2), line("begin", 3)]
    assert devices.overlaps(fine) == []
    both = [line("begin", 1), line("begin", 2), line("end", 2), line("end", 1)]
    assert devices.overlaps(both) == [
        "line 2: process 2 began while 1 held the device",
        "line 4: process 1 ended what it did not hold",
    ]


def test_a_run_takes_its_turns_and_is_the_same_to_the_byte(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people().to_csv(tmp_path / "people.csv", index=False)
    source = {"data": {"target": "sick", "source": str(tmp_path / "people.csv")}, "workers": 2}
    run = pipeline.augment(small(**source), tmp_path / "turns")
    found = devices.records(record)
    assert devices.overlaps(found) == []
    held = [one["what"] for one in found if one["event"] == "begin"]
    assert "r000-rows" in held
    assert held[-2:] == ["fit", "evaluate"]
    assert {one["run"] for one in found} == {str(tmp_path / "turns")}
    monkeypatch.delenv(devices.CPU_TOO)
    assert files(pipeline.augment(small(**source), tmp_path / "free")) == files(run)
