"""What Prefect costs beside the same job as plain functions, and how long a submitted job waits.

    python benchmarks/flow_overhead.py --rounds 3

Starts the stack of ``make stack`` in a folder of its own, at free ports. In turn runs one job as
``synthgen augment``, as ``python -m flows.augment`` tracked on that server, and submitted with
``--submit`` to the worker of that stack. Prints the seconds of each, process start and imports
included, as medians; of the submitted one also from the submission to its first line and to its
end. The results are compared by the digests in the manifests.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
JOB: dict[str, Any] = {
    "data": {"source": "sklearn:breast_cancer", "target": "target"},
    "budget": "quick",
    "generator": {"name": "smote"},
    "workers": 2,
}


class Bench:
    """A stack, and the ways to run a job beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        for name in ("prefect.yaml", "prefect.toml", "flows"):
            (folder / name).symlink_to(ROOT / name)
        self.environment = {
            **os.environ,
            "SYNTHGEN_STACK_PORT": str(port),
            "PYTHONPATH": str(ROOT),
        }

    def python(self, *arguments: str, **more: str) -> str:
        """The last line that it prints."""
        ended = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise SystemExit(ended.stderr)
        return ended.stdout.strip().rpartition("\n")[2]

    def job(self, seed: int) -> str:
        path = self.folder / "job.yaml"
        path.write_text(json.dumps(JOB | {"seed": seed}))
        return str(path)

    def state(self, run: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/api/flow_runs/{run}") as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def submitted(self, seed: int) -> dict[str, Any]:
        """The flow run, when it is over."""
        address = self.python(
            "flows.augment",
            "--config",
            self.job(seed),
            "--submit",
            PREFECT_API_URL=f"{self.url}/api",
        )
        while (found := self.state(address.rpartition("/")[2]))["end_time"] is None:
            time.sleep(0.5)
        assert found["state_type"] == "COMPLETED", found["state"]
        return found


def timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def since(run: dict[str, Any], event: str) -> float:
    created, then = (datetime.fromisoformat(run[name]) for name in ("created", event))
    return (then - created).total_seconds()


def digests(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((path / "manifest.json").read_text())["files"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        up = timed(lambda: bench.python("flows.stack", "up"))
        again = timed(lambda: bench.python("flows.stack", "up"))
        try:
            rounds = [measured(bench, seed) for seed in range(given.rounds)]
        finally:
            bench.python("flows.stack", "down")
    print("| what | seconds |\n| --- | ---: |")
    print(f"| `make stack`, first time | {up:.1f} |")
    print(f"| `make stack`, when it runs | {again:.1f} |")
    for name in rounds[0]:
        print(f"| {name} | {statistics.median(one[name] for one in rounds):.1f} |")


def measured(bench: Bench, seed: int) -> dict[str, float]:
    """Seconds of one round."""
    config = bench.job(seed)
    plain, flowed = bench.folder / f"plain-{seed}", bench.folder / f"flow-{seed}"
    command = ("synthgen", "augment", "--config", config, "--out", str(plain), "-q")
    found = {"`synthgen augment`": timed(lambda: bench.python(*command))}
    tracked = ("flows.augment", "--config", config, "--out", str(flowed))
    server = f"{bench.url}/api"
    found["`python -m flows.augment`"] = timed(
        lambda: bench.python(*tracked, PREFECT_API_URL=server)
    )
    assert digests(plain) == digests(flowed)
    run = bench.submitted(seed)
    found["submitted: to its first line"] = since(run, "start_time")
    found["submitted: to its end"] = since(run, "end_time")
    return found


if __name__ == "__main__":
    main()
