"""The stack of a folder of its own, for tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import ROOT

PATIENCE = 90
"""Seconds for an answer: a busy machine's server may be slow, and is not what is tested."""
NEVER = "0 0 29 2 *"
"""A schedule that does not fire while tests run, but for one night in four years."""


def asked(url: str, path: str, **body: Any) -> Any:
    """What the API of the server at ``url`` answers."""
    request = urllib.request.Request(
        f"{url}/api/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


class Stack:
    """The stack of a folder, driven as a user does."""

    def __init__(self, folder: Path, port: int, **more: str) -> None:
        self.folder, self.port, self.more = folder, port, more

    def __call__(self, what: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flows.stack", what],
            cwd=self.folder,
            env={
                **os.environ,
                "SYNTHGEN_STACK_PORT": str(self.port),
                "PYTHONPATH": str(ROOT),
                "PYTHONFAULTHANDLER": "1",
                **self.more,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self, path: str, **body: Any) -> Any:
        with self.answering():
            return asked(f"http://127.0.0.1:{self.port}", path, **body)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A server that hangs is ended, and the error says where it hung."""
        try:
            yield
        except TimeoutError:
            self.process("server").send_signal(signal.SIGABRT)
            time.sleep(2)
            raise AssertionError(
                (self.folder / ".stack" / "server.log").read_text()[-20000:]
            ) from None

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

    def process(self, name: str) -> psutil.Process:
        """The stack's server or one of its workers."""
        return psutil.Process(
            json.loads((self.folder / ".stack" / f"{name}.json").read_text())["pid"]
        )

    def flow_process(self) -> psutil.Process | None:
        """The process in which the worker ``gpu`` runs a flow."""
        try:
            below = self.process("worker-gpu").children()
        except psutil.NoSuchProcess:
            return None
        return below[0] if below else None

    def state(self, run: str) -> Any:
        """The flow run, as the server knows it."""
        (found,) = self.asked("flow_runs/filter", flow_runs={"id": {"any_": [run]}})
        return found

    def states(self, run: str) -> Any:
        """All states that it was in."""
        url = f"http://127.0.0.1:{self.port}/api/flow_run_states/?flow_run_id={run}"
        with self.answering(), urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)

    def ended(self, run: str, patience: float = 300) -> str:
        """The state in which the flow run ends. One that crashed goes on in a while."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            found = self.state(run)
            if found["state_type"] in ("COMPLETED", "FAILED", "CANCELLED"):
                return str(found["state_name"])
            time.sleep(1)
        logs = [self.folder / ".stack" / f"{name}.log" for name in ("worker-gpu", "server")]
        raise AssertionError("\n".join([str(found), *(log.read_text()[-5000:] for log in logs)]))


def free_port() -> int:
    """The first of two free ports."""
    with socket.socket() as first:
        first.bind(("127.0.0.1", 0))
        port: int = first.getsockname()[1]
    return port


def new_stack(folder: Path, *, schedule: str = NEVER, **more: str) -> Stack:
    """With the deployments and settings of this project, but another schedule of the refresh of
    a table, and further variables; nothing runs yet."""
    text = (ROOT / "prefect.yaml").read_text()
    for nightly in ("0 2 * * *", "0 3 * * 0"):
        assert f'cron: "{nightly}"' in text
    text = text.replace("0 2 * * *", schedule).replace("0 3 * * 0", NEVER)
    (folder / "prefect.yaml").write_text(text)
    shutil.copy(ROOT / "prefect.toml", folder)
    (folder / "flows").symlink_to(ROOT / "flows")
    return Stack(folder, free_port(), **more)
