"""The stack of one machine: up, used, down, and up again with everything still there."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT


class Stack:
    """The stack of a folder, driven as a user does."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def __call__(self, what: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flows.stack", what],
            cwd=self.folder,
            env={**os.environ, "SYNTHGEN_STACK_PORT": str(self.port), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def submitted(self, **job: Any) -> subprocess.CompletedProcess[str]:
        (self.folder / "job.yaml").write_text(json.dumps(job))
        environment = {
            **os.environ,
            "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
            "PYTHONPATH": str(ROOT),
        }
        return subprocess.run(
            [sys.executable, "-m", "flows.augment", "--config", "job.yaml", "--submit"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def ended(self, run: str, patience: float = 300) -> str:
        """The state in which the flow run ends."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            (found,) = self.asked("flow_runs/filter", flow_runs={"id": {"any_": [run]}})
            if found["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                return str(found["state_name"])
            time.sleep(1)
        raise AssertionError((self.folder / ".stack" / "worker-gpu.log").read_text())


def _free() -> int:
    """The first of two free ports."""
    with socket.socket() as first:
        first.bind(("127.0.0.1", 0))
        port: int = first.getsockname()[1]
    return port


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    for name in ("prefect.yaml", "prefect.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "flows").symlink_to(ROOT / "flows")
    found = Stack(tmp_path, _free())
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
    # A second time changes nothing.
    again = stack("up")
    assert again.returncode == 0
    assert again.stderr.count(" runs\n") == 4
    assert len(stack.asked("deployments/filter")) == 5

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
    assert stack("status").stdout.count("down") == 4
    assert stack("up").returncode == 0
    assert stack.ended(run, patience=30) == "Completed"


def test_parameters_are_refused_at_submission(tmp_path: Path) -> None:
    ended = Stack(tmp_path, 9).submitted(data={"source": "x.csv", "target": "y"}, budget="huge")
    assert ended.returncode == 2
    assert "budget" in ended.stderr


def test_a_port_that_something_else_uses_is_named(tmp_path: Path) -> None:
    """The folder's own server does not run, but one answers."""
    answer = (
        "import http.server, sys\n"
        "class Healthy(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.end_headers()\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Healthy).serve_forever()\n"
    )
    port = _free()
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
