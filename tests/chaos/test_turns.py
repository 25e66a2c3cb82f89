"""Whoever trains, and whatever is killed meanwhile: one training at a time on a device."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from synthgen.devices import overlaps, records
from synthgen.runs import Run
from tests.chaos.test_kills import JOB, begun, outage, submitted
from tests.conftest import ROOT
from tests.flows.stack import new_stack

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("chaos")]


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_trainings_never_overlap(tmp_path: Path) -> None:
    """A deployment's run that is killed and goes on, a command, and a flow without a worker, while
    the server is silent for a while and is started again. The CPU stands for a GPU."""
    turns = {"SYNTHGEN_LOCK_CPU": "1", "SYNTHGEN_DEVICES": str(tmp_path / "devices")}
    stack = new_stack(tmp_path, **turns)
    assert stack("up").returncode == 0
    environment = {
        **os.environ,
        **turns,
        "PYTHONPATH": str(ROOT),
        "PREFECT_API_URL": f"http://127.0.0.1:{stack.port}/api",
    }

    def started(*words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", *words], cwd=tmp_path, env=environment)

    try:
        run = submitted(stack, JOB | {"seed": 1})
        begun(stack)
        source = ("sklearn:breast_cancer", "--target", "target", "--budget", "quick")
        plain = started("synthgen", "augment", *source, "--generator", "smote", "--out", "plain")
        settings = "job.yaml"
        (tmp_path / settings).write_text(
            "{data: {source: 'sklearn:breast_cancer', target: target}, budget: quick, seed: 2,"
            " generator: {name: smote}}"
        )
        flow = started("flows.augment", "--config", settings, "--out", "flowed")
        time.sleep(random.Random(0).uniform(8, 14))
        begun(stack).kill()
        outage(stack)
        stack.process("server").kill()
        assert stack("up").returncode == 0
        assert plain.wait(600) == 0
        assert flow.wait(600) == 0
        assert stack.ended(run, patience=900) == "Completed"
    finally:
        stack("down")
    found = records(tmp_path / "devices" / "cpu.jsonl")
    assert overlaps(found) == []
    held = {Path(record["run"]).name for record in found}
    assert {"plain", "flowed"} < held
    assert len(held) == 3
    assert Run(tmp_path / "plain").finished
    assert Run(tmp_path / "flowed").finished
    # They were at it at the same time: turns changed hands again and again.
    order = [Path(record["run"]).name for record in found if record["event"] == "begin"]
    assert sum(a != b for a, b in pairwise(order)) >= 3
