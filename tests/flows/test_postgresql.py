"""The stack on PostgreSQL, as a team runs it: a schedule fires there, and its run ends well."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.stack import free_port, new_stack

BIN = Path("/usr/lib/postgresql/15/bin")
"""Where Debian puts it."""


@pytest.fixture
def database() -> Iterator[str]:
    """The address of an empty database on a PostgreSQL of its own."""
    if not BIN.is_dir():
        pytest.skip("PostgreSQL 15 is not installed (Debian's package postgresql-15)")
    # It refuses to run as root, so its folder must be where another user can go.
    folder = Path(tempfile.mkdtemp(prefix="synthgen-postgres-"))
    user = None
    if os.geteuid() == 0:
        user = "postgres"
        shutil.chown(folder, user)
    port = free_port()
    made = [BIN / "initdb", "-D", folder, "-U", "prefect", "-A", "trust", "--no-sync"]
    subprocess.run(made, user=user, check=True, capture_output=True, cwd=folder)
    only_here = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    command = [BIN / "postgres", "-D", folder, "-p", str(port), *only_here, "-c", "fsync=off"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, user=user, cwd=folder, stdout=log, stderr=log) as process,
    ):
        try:
            ready = [BIN / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
            end = time.monotonic() + 60
            while subprocess.run(ready, capture_output=True, check=False).returncode:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.2)
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_schedule_fires(database: str, tmp_path: Path) -> None:
    every_minute = "* * * * *"
    stack = new_stack(
        tmp_path, schedule=every_minute, PREFECT_SERVER_DATABASE_CONNECTION_URL=database
    )
    deployments = tmp_path / "prefect.yaml"
    text = deployments.read_text()
    assert "generator: arn" in text
    deployments.write_text(text.replace("generator: arn", "generator: smote"))
    try:
        begun = stack("up")
        assert begun.returncode == 0, begun.stderr
        assert not list((tmp_path / ".stack").rglob("prefect.db"))
        scheduled = {
            "flow_runs": {
                "tags": {"all_": ["auto-scheduled"]},
                "state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}},
            }
        }
        end = time.monotonic() + 600
        while not (ended := stack.asked("flow_runs/filter", **scheduled)):
            assert time.monotonic() < end
            time.sleep(1)
        assert {one["state_type"] for one in ended} == {"COMPLETED"}
        kept = json.loads((tmp_path / "runs" / "breast-cancer.current.json").read_text())
        assert kept["count"] == 1
        # What the database holds is there after a stop.
        assert stack("down").returncode == 0
        assert stack("up").returncode == 0
        assert stack.state(ended[0]["id"])["state_type"] == "COMPLETED"
    finally:
        stack("down")
