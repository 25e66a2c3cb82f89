"""The flow runs the same stages: the same bytes as the command line, on a real Prefect server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from synthgen import pipeline
from synthgen.runs import Run
from tests.conftest import ROOT
from tests.pipeline.images.pictures import shapes, written
from tests.pipeline.images.pictures import small as small_images
from tests.pipeline.tables import people, small
from tests.pipeline.test_augment import files


def _flow(folder: Path) -> subprocess.CompletedProcess[str]:
    """The flow of ``job.yaml``, with a Prefect of its own."""
    return subprocess.run(
        [sys.executable, "-m", "flows.augment", "--config", "job.yaml", "--out", "flowed"],
        cwd=folder,
        env={
            **os.environ,
            "PREFECT_HOME": str(folder / "prefect"),
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_flow_gives_the_same_bytes_without_a_server_set_up(tmp_path: Path) -> None:
    people().to_csv(tmp_path / "people.csv", index=False)
    source = {"data": {"target": "sick", "source": str(tmp_path / "people.csv")}, "workers": 2}
    config = small(**source)
    (tmp_path / "job.yaml").write_text(
        yaml.safe_dump(config.model_dump(mode="json", exclude_unset=True))
    )
    plain = pipeline.augment(config, tmp_path / "plain")
    ended = _flow(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "flowed/report.html"
    flowed = Run(tmp_path / "flowed")
    assert flowed.finished
    assert files(flowed) == files(plain)
    assert "decide r000-rows" in ended.stderr
    # A second call finds everything done.
    again = _flow(tmp_path)
    assert again.returncode == 0, again.stderr
    assert "decide r000-rows" not in again.stderr
    assert files(flowed) == files(plain)


def test_a_wrong_configuration_ends_before_any_server_starts(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("data: {target: y}\nbudgt: quick\n")
    ended = _flow(tmp_path)
    assert ended.returncode == 2
    assert "did you mean budget" in ended.stderr
    assert "server" not in ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_same_flow_runs_image_jobs(tmp_path: Path) -> None:
    source = written(shapes(), tmp_path)
    config = small_images(str(source), workers=2)
    plain = pipeline.augment(config, tmp_path / "plain")
    (tmp_path / "job.yaml").write_text(
        yaml.safe_dump(config.model_dump(mode="json", exclude_unset=True))
    )
    ended = _flow(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "decide r000-cgan" in ended.stderr
    assert files(Run(tmp_path / "flowed")) == files(plain)
