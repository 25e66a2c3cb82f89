"""The stack of one machine: up, used, down, and up again with everything still there."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

import flows.stack
from tests.flows.stack import Stack, free_port, new_stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    found = new_stack(tmp_path)
    try:
        yield found
    finally:
        found("down")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_up_used_down_and_up_again(stack: Stack) -> None:
    begun = stack("up")
    assert begun.returncode == 0, begun.stderr
    assert f"Prefect  http://127.0.0.1:{stack.port}" in begun.stdout
    deployed = {one["name"] for one in stack.asked("deployments/filter")}
    assert deployed == {
        "augment-on-demand",
        "benchmark",
        "publish",
        "refresh-image",
        "refresh-tabular",
    }
    pools = {one["name"]: one["concurrency_limit"] for one in stack.asked("work_pools/filter")}
    assert pools["gpu"] == 1
    assert "cpu" in pools
    (limit,) = stack.asked("concurrency_limits/filter")
    assert (limit["tag"], limit["concurrency_limit"]) == ("gpu", 1)
    # A second time changes nothing.
    again = stack("up")
    assert again.returncode == 0
    assert again.stderr.count(" runs\n") == 5
    assert len(stack.asked("deployments/filter")) == 5
    assert len(stack.asked("automations/filter")) == 4
    updates = {"event": {"name": ["prefect.automation.updated"]}}
    assert stack.asked("events/filter", filter=updates)["events"] == []

    sent = stack.submitted(
        data={"source": "sklearn:breast_cancer", "target": "target"},
        budget="quick",
        generator={"name": "smote"},
        decide={"resamples": 3, "ratios": ["balanced"], "learners": ["logistic"]},
    )
    assert sent.returncode == 0, sent.stderr
    address = sent.stdout.strip()
    assert address.startswith(f"http://127.0.0.1:{stack.port}/runs/flow-run/")
    run = address.rpartition("/")[2]
    assert stack.ended(run) == "Completed"
    # Its report is served, and the UI links to it.
    (link,) = [
        one["data"]
        for one in stack.asked("artifacts/filter")
        if (one["key"] or "").startswith("report-")
    ]
    url = link.partition("](")[2].rstrip(")")
    with urllib.request.urlopen(url, timeout=30) as page:
        assert b"<html" in page.read(1000)
    logged = stack.asked("logs/filter", logs={"flow_run_id": {"any_": [run]}})
    assert any(
        one["name"].startswith("synthgen") and one["message"].startswith("budget quick")
        for one in logged
    )
    # The server refuses wrong parameters too, whoever sends them.
    (job,) = [
        one["id"] for one in stack.asked("deployments/filter") if one["name"] == "augment-on-demand"
    ]
    for wrong in ({"budget": "huge"}, {"sourc": "x"}, {"seed": "one"}):
        with pytest.raises(urllib.error.HTTPError) as caught:
            stack.asked(
                f"deployments/{job}/create_flow_run",
                parameters={"job": {"source": "x.csv"} | wrong},
            )
        assert caught.value.code == 409
        assert next(iter(wrong)) in caught.value.read().decode()

    assert stack("down").returncode == 0
    assert stack("status").stdout.count("down") == 5
    assert stack("up").returncode == 0
    assert stack.ended(run, patience=30) == "Completed"


def test_parameters_are_refused_at_submission(tmp_path: Path) -> None:
    ended = Stack(tmp_path, 9).submitted(data={"source": "x.csv", "target": "y"}, budget="huge")
    assert ended.returncode == 2
    assert "budget" in ended.stderr


# What the stack starts outlives whoever started it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_hangs_is_told_and_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("flows.stack.PATIENCE", 5.0)
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "health").write_text("true")
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--directory", str(tmp_path)]

    class Fake(flows.stack.Stack):
        def commands(self) -> dict[str, list[str]]:
            return {"server": command}

    fake = Fake(tmp_path, port)
    try:
        flows.stack.serve(fake)
        first = fake.process("server")
        flows.stack.serve(fake)
        assert fake.process("server") == first
        assert first is not None
        flows.stack.status(fake)
        first.suspend()
        flows.stack.status(fake)
        answering, silent = capsys.readouterr().out.splitlines()[:: len(flows.stack.NAMES)]
        assert answering.endswith(f"process {first.pid}")
        assert silent.endswith(f"process {first.pid}, does not answer")
        Timer(10, first.resume).start()  # in time to obey
        flows.stack.serve(fake)
        second = fake.process("server")
        assert second is not None
        assert second != first
        assert not first.is_running()
    finally:
        fake.stop("server")


def test_a_port_that_something_else_uses_is_named(tmp_path: Path) -> None:
    """The folder's own server does not run, but one answers."""
    answer = (
        "import http.server, sys\n"
        "class Healthy(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.end_headers()\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Healthy).serve_forever()\n"
    )
    port = free_port()
    command = [sys.executable, "-c", answer, str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as other:
        try:
            time.sleep(1)
            ended = Stack(tmp_path, port)("up")
        finally:
            other.kill()
    assert ended.returncode == 4
    assert "something else answers" in ended.stderr
    assert "SYNTHGEN_STACK_PORT" in ended.stderr
