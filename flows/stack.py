"""A whole Prefect on one machine, offline: server, pools, deployments, workers, and the reports.

    python -m flows.stack up
    python -m flows.stack status
    python -m flows.stack down

``up`` starts what does not run yet and may be repeated; a server that runs and does not answer for
two minutes is started anew. ``down`` ends the processes and keeps everything else. Database, logs
and process numbers are in ``.stack`` of the working directory, the runs in its ``runs``, or at the
URL that ``SYNTHGEN_RUNS`` is. ``SYNTHGEN_STACK_PORT`` (4200) is the server's port, the reports' is
the next one; ``PREFECT_SERVER_DATABASE_CONNECTION_URL`` may name a PostgreSQL instead of the SQLite
file.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import httpx
import psutil

from synthgen.cli.console import guard, say
from synthgen.errors import MachineError

PORT = "SYNTHGEN_STACK_PORT"
NAMES = ("server", "reports", "crashes", "worker-gpu", "worker-cpu")
"""Of the processes, in the order in which they start."""
PATIENCE = 120.0
"""Seconds in which the server has to answer."""


@dataclass(frozen=True)
class Stack:
    """Of a working directory."""

    folder: Path
    port: int

    @classmethod
    def here(cls) -> Stack:
        return cls(Path.cwd() / ".stack", int(os.environ.get(PORT, "4200")))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self) -> Path:
        return self.folder.parent / "runs"

    def environment(self) -> dict[str, str]:
        """For every process of the stack."""
        return {
            **os.environ,
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": f"{self.url}/api",
            **self.store(),
        }

    def store(self) -> dict[str, str]:
        """Where runs are kept, and served: the folder of the stack, or a URL that is set."""
        runs, reports = "SYNTHGEN_RUNS", "SYNTHGEN_REPORTS_URL"
        if "://" in (given := os.environ.get(runs, "")):
            return {runs: given, reports: os.environ.get(reports, "")}
        return {runs: str(self.runs), reports: f"http://127.0.0.1:{self.port + 1}"}

    def commands(self) -> dict[str, list[str]]:
        """How each process is started."""
        prefect = [sys.executable, "-m", "prefect"]
        worker = [*prefect, "worker", "start", "--type", "process", "--pool"]
        served = ["--bind", "127.0.0.1", "--directory", str(self.runs)]
        return {
            "server": [*prefect, "server", "start", "--port", str(self.port)],
            "reports": [sys.executable, "-m", "http.server", str(self.port + 1), *served],
            "crashes": [sys.executable, "-m", "flows.crashes"],
            "worker-gpu": [*worker, "gpu", "--name", "gpu", "--limit", str(gpus())],
            "worker-cpu": [*worker, "cpu", "--name", "cpu"],
        }

    def process(self, name: str) -> psutil.Process | None:
        """The running process of that name, if it is ours: numbers are used again."""
        try:
            noted = json.loads((self.folder / f"{name}.json").read_text())
            found = psutil.Process(noted["pid"])
            alive = found.is_running() and found.status() != psutil.STATUS_ZOMBIE
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None
        return found if alive and found.create_time() == noted["started"] else None

    def start(self, name: str) -> None:
        """Start the process, with its output in a log. One of ours that runs is left alone."""
        if self.process(name) is not None:
            say(f"{name} runs")
            return
        with (self.folder / f"{name}.log").open("a") as log:
            # A session of its own: Ctrl-C of the shell does not reach it, and it obeys SIGTERM.
            begun = subprocess.Popen(
                self.commands()[name],
                env=self.environment(),
                cwd=self.folder.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        noted = {"pid": begun.pid, "started": psutil.Process(begun.pid).create_time()}
        (self.folder / f"{name}.json").write_text(json.dumps(noted))
        say(f"{name} started")

    def stop(self, name: str) -> None:
        """Ask the process to end, and wait for it; after half a minute it is killed."""
        found = self.process(name)
        if found is None:
            return
        found.send_signal(signal.SIGTERM)
        try:
            found.wait(30)
        except psutil.TimeoutExpired:
            found.kill()
        say(f"{name} ended")


def gpus() -> int:
    """How many trainings the pool ``gpu`` runs at once: one for each GPU, or one on the CPU."""
    import torch

    return max(1, torch.cuda.device_count())


def up(stack: Stack) -> None:
    """Start what does not run. Raises MachineError if a port is taken or the server does not
    answer."""
    for folder in (stack.folder, stack.runs):
        folder.mkdir(parents=True, exist_ok=True)
    if stack.process("server") is None and _answers(stack):
        raise MachineError(
            f"something else answers at {stack.url}", f"choose another port: {PORT}=4300 make stack"
        )
    serve(stack)
    _prefect(stack, "work-pool", "create", "gpu", "--type", "process", "--overwrite")
    _prefect(stack, "work-pool", "set-concurrency-limit", "gpu", str(gpus()))
    # For the tasks of flows that no pool of ours runs, too.
    _prefect(stack, "concurrency-limit", "create", "gpu", str(gpus()))
    _prefect(stack, "work-pool", "create", "cpu", "--type", "process", "--overwrite")
    _prefect(stack, "--no-prompt", "deploy", "--all")
    _python(stack, "flows.crashes", "--once")
    for name in NAMES[1:]:
        stack.start(name)
    print(f"Prefect  {stack.url}")
    print(f"reports  {stack.environment()['SYNTHGEN_REPORTS_URL']}")
    print("to submit and track jobs from a shell:")
    print(f"  export PREFECT_API_URL={stack.url}/api")
    print(f"  export SYNTHGEN_REPORTS_URL={stack.environment()['SYNTHGEN_REPORTS_URL']}")


def serve(stack: Stack) -> None:
    """The server runs and answers. Raises MachineError if it does not in :data:`PATIENCE`."""
    if stack.process("server") is not None and not _answers_in_time(stack):
        say("server does not answer")
        stack.stop("server")
    stack.start("server")
    if not _answers_in_time(stack):
        raise MachineError(
            "the Prefect server does not answer", f"see {stack.folder / 'server.log'}"
        )


def down(stack: Stack) -> None:
    """End the processes, the workers first; database, logs and runs stay."""
    for name in reversed(NAMES):
        stack.stop(name)


def status(stack: Stack) -> None:
    """What runs, and whether the server answers."""
    for name in NAMES:
        found = stack.process(name)
        silent = name == "server" and found is not None and not _answers(stack)
        state = "down" if found is None else f"process {found.pid}"
        print(f"{name:<11}  {state}{', does not answer' if silent else ''}")


def _answers(stack: Stack) -> bool:
    try:
        return httpx.get(f"{stack.url}/api/health", timeout=2).is_success
    except httpx.HTTPError:
        return False


def _answers_in_time(stack: Stack) -> bool:
    """Whether it does within :data:`PATIENCE`; False at once where its process ended."""
    end = time.monotonic() + PATIENCE
    while not _answers(stack):
        if stack.process("server") is None or time.monotonic() > end:
            return False
        time.sleep(0.3)
    return True


def _prefect(stack: Stack, *arguments: str) -> None:
    _python(stack, "prefect", *arguments)


def _python(stack: Stack, module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=stack.environment(),
        cwd=stack.folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        log = stack.folder / "setup.log"
        log.write_text(done.stdout + done.stderr)
        raise MachineError(f"{' '.join([module, *arguments[:3]])} failed", f"see {log}")


def main() -> NoReturn:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.stack",
        description=__doc__.replace("``", ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=["up", "down", "status"])
    given = parser.parse_args()
    guard(lambda: {"up": up, "down": down, "status": status}[given.what](Stack.here()))


if __name__ == "__main__":
    main()
