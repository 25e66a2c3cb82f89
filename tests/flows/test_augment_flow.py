"""The flow runs the same stages: the same bytes as the command line, on a real Prefect server."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from flows.job import STORE
from synthgen import pipeline
from synthgen.config import Config
from synthgen.runs import Run
from tests.benchmark.clusters import dask_cluster
from tests.conftest import ROOT
from tests.flows.conftest import Server
from tests.flows.stack import asked
from tests.pipeline.images.pictures import shapes, written
from tests.pipeline.images.pictures import small as small_images
from tests.pipeline.tables import people, small
from tests.pipeline.test_augment import files


def _table(folder: Path) -> Config:
    """A small job, also as ``job.yaml``."""
    people().to_csv(folder / "people.csv", index=False)
    source = {"target": "sick", "source": str(folder / "people.csv")}
    return _written(small(data=source, workers=2), folder)


def _written(config: Config, folder: Path) -> Config:
    text = yaml.safe_dump(config.model_dump(mode="json", exclude_unset=True))
    (folder / "job.yaml").write_text(text)
    return config


def _alone(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The flow of ``job.yaml``, with a Prefect of its own and no server set up."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_API")}
    environment |= {"PREFECT_HOME": str(folder / "prefect"), "PYTHONPATH": str(ROOT), **more}
    return subprocess.run(
        [sys.executable, "-m", "flows.augment", "--config", "job.yaml", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def _flow(server: Server, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The flow of ``job.yaml`` on the server, its store in the folder."""
    store = {STORE: str(folder / "store")}
    given = ("-m", "flows.augment", "--config", "job.yaml", *arguments)
    with server.python(*given, cwd=folder, **store) as process:
        yield process


def _ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, error = process.communicate(timeout=500)
    assert process.returncode == 0, error
    return out, error


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_flow_gives_the_same_bytes_without_a_server_set_up(tmp_path: Path) -> None:
    plain = pipeline.augment(_table(tmp_path), tmp_path / "plain")
    ended = _alone(tmp_path, "--out", "flowed")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "flowed/report.html"
    flowed = Run(tmp_path / "flowed")
    assert flowed.finished
    assert files(flowed) == files(plain)
    assert "decide r000-rows" in ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_flow_gives_the_same_bytes_on_a_dask_cluster(server: Server, tmp_path: Path) -> None:
    plain = pipeline.augment(_table(tmp_path), tmp_path / "plain")
    (tmp_path / "cluster").mkdir()
    with dask_cluster(tmp_path / "cluster") as cluster:
        job = yaml.safe_load((tmp_path / "job.yaml").read_text())
        job |= {"runner": "dask", "cluster": cluster.address}
        (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
        with _flow(server, tmp_path, "--out", "flowed") as process:
            _, error = _ended(process)
        assert "decide r000-rows" in error
        log = (tmp_path / "cluster" / "log").read_text()
    assert files(Run(tmp_path / "flowed")) == files(plain)
    assert "Receive client connection" in log


def test_a_wrong_configuration_ends_before_any_server_starts(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("data: {target: y}\nbudgt: quick\n")
    ended = _alone(tmp_path)
    assert ended.returncode == 2
    assert "did you mean budget" in ended.stderr
    assert "server" not in ended.stderr


@pytest.mark.parametrize(
    ("variables", "cause", "remedy"),
    [
        ({}, "no Prefect server is configured", "make stack"),
        ({"PREFECT_API_URL": "http://127.0.0.1:9/api"}, "does not answer", "make stack"),
    ],
)
def test_submission_without_a_server(
    tmp_path: Path, variables: dict[str, str], cause: str, remedy: str
) -> None:
    _table(tmp_path)
    ended = _alone(tmp_path, "--submit", **variables)
    assert ended.returncode == 4
    assert cause in ended.stderr
    assert remedy in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_submission_without_a_deployment_a_worker_and_a_pool(
    server: Server, tmp_path: Path
) -> None:
    _table(tmp_path)

    def submitted() -> tuple[int, str, str]:
        with _flow(server, tmp_path, "--submit") as process:
            out, error = process.communicate(timeout=300)
        return process.returncode, out, error

    code, _, error = submitted()
    assert code == 4
    assert "no deployment augment/augment-on-demand" in error
    for words in (
        ("work-pool", "create", "gpu", "--type", "process"),
        ("--no-prompt", "deploy", "--name", "augment-on-demand"),
    ):
        with server.python("-m", "prefect", *words, cwd=ROOT) as process:
            assert process.wait(120) == 0
    code, out, error = submitted()
    assert code == 0
    assert "/runs/flow-run/" in out
    assert "No worker of the pool gpu is there" in error
    removal = ("--no-prompt", "work-pool", "delete", "gpu")
    with server.python("-m", "prefect", *removal, cwd=ROOT) as process:
        assert process.wait(120) == 0
    code, _, error = submitted()
    assert code == 4
    assert "work pool of the deployment augment/augment-on-demand is gone" in error
    assert "Traceback" not in error


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_same_flow_runs_image_jobs(server: Server, tmp_path: Path) -> None:
    config = _written(small_images(str(written(shapes(), tmp_path)), workers=2), tmp_path)
    plain = pipeline.augment(config, tmp_path / "plain")
    with _flow(server, tmp_path, "--out", "flowed") as process:
        _, error = _ended(process)
    assert "decide r000-cgan" in error
    assert files(Run(tmp_path / "flowed")) == files(plain)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_job_asked_for_several_times_is_done_once(server: Server, tmp_path: Path) -> None:
    plain = pipeline.augment(_table(tmp_path), tmp_path / "plain")
    with (
        _flow(server, tmp_path) as first,
        _flow(server, tmp_path) as second,
        _flow(server, tmp_path) as third,
    ):
        ended = [_ended(process) for process in (first, second, third)]
    (report,) = {out.splitlines()[-1] for out, _ in ended}
    run = Run(Path(report).parent)
    assert run.path.parent == tmp_path / "store"
    assert files(run) == files(plain)
    # One of them did the work.
    assert sorted("decide r000-rows" in error for _, error in ended) == [False, False, True]
    name = run.path.name
    for kind in ("report", "scorecard", "scores"):
        made = asked(
            server.url, "artifacts/filter", artifacts={"key": {"any_": [f"{kind}-{name}"]}}
        )
        assert len(made) == 1, kind
    (board,) = asked(
        server.url, "artifacts/filter", artifacts={"key": {"any_": [f"scorecard-{name}"]}}
    )
    assert board["data"].startswith("# ")
    assert "against doing nothing (the bar)" in board["data"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_flow_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    plain = pipeline.augment(_table(tmp_path), tmp_path / "plain")
    random_ = random.Random(0)
    for _ in range(3):
        with _flow(server, tmp_path, "--out", "killed") as process:
            begun = time.monotonic()
            while not (tmp_path / "killed").exists() and time.monotonic() - begun < 120:
                time.sleep(0.05)
            time.sleep(random_.uniform(0, 5))
            process.kill()
            process.communicate()
    with _flow(server, tmp_path, "--out", "killed") as process:
        _ended(process)
    assert files(Run(tmp_path / "killed")) == files(plain)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_full_disk_fails_the_run_and_says_so(
    server: Server, small_disk: Path, tmp_path: Path
) -> None:
    people().to_csv(tmp_path / "people.csv", index=False)
    source = {"target": "sick", "source": str(tmp_path / "people.csv")}
    _written(small(data=source, generator={"name": "resample"}, workers=1), tmp_path)
    (small_disk / "other").write_bytes(bytes(400_000))
    with _flow(server, tmp_path, "--out", str(small_disk / "run")) as process:
        _, error = process.communicate(timeout=500)
    assert process.returncode == 4
    cause, remedy = error.strip().splitlines()[-2:]
    assert cause.startswith("error: the disk is full")
    assert remedy.strip() == "free some space; run it again: it goes on where it was"
    failed = asked(
        server.url,
        "flow_runs/filter",
        flow_runs={
            "state": {"type": {"any_": ["FAILED"]}},
            "name": {"any_": [str(tmp_path / "people.csv")]},
        },
    )
    assert len(failed) == 1
    assert "the disk is full" in failed[0]["state"]["message"]
    assert not (small_disk / "run" / "manifest.json").exists()
