"""The engine on a real Ray instance of its own."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from synthgen.benchmark import clusters
from synthgen.benchmark.executor import Engine, Place, in_flight
from synthgen.benchmark.on_ray import ray
from synthgen.errors import ConfigError, MachineError
from tests.benchmark import work
from tests.benchmark.clusters import wait_for
from tests.benchmark.test_on_dask import interrupted, nothing, object_to


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with ray(Place("ray", workers=2), nothing) as found:
        yield found


def test_workers_are_processes_of_one_thread(engine: Engine, tmp_path: Path) -> None:
    jobs = list(range(6))
    assert engine.slots() == 2
    assert sorted(in_flight(jobs, partial(work.linger, tmp_path), engine)) == jobs
    pids = {int(path.read_text()) for path in tmp_path.glob("*.txt")}
    assert os.getpid() not in pids
    list(in_flight([0, 1], partial(work.threads, tmp_path), engine))
    for path in tmp_path.glob("*.json"):
        assert set(path.read_text().strip("[]").split(", ")) == {"1"}


def test_an_instance_of_its_own_listens_on_this_machine_alone(engine: Engine) -> None:
    engine.submit(int, 0).result(60)
    below = psutil.Process().children(recursive=True)
    addresses = {
        connection.laddr.ip
        for process in below
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {"gcs_server", "raylet"} <= {process.name() for process in below}
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_an_error_for_the_user_arrives_whole(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        list(in_flight([0, 1], partial(work.refuse, tmp_path), engine))
    assert (caught.value.cause, caught.value.remedy) == ("the cause", "the remedy")
    assert "in refuse" in caught.value.__notes__[0]


def test_a_worker_that_fails_the_check_does_nothing(engine: Engine, tmp_path: Path) -> None:
    # The instance of the other tests is used, and goes on.
    with (
        pytest.raises(MachineError, match="not the same"),
        ray(Place("ray", workers=2), object_to) as other,
    ):
        list(in_flight([0], partial(work.note, tmp_path), other))
    assert list(tmp_path.iterdir()) == []
    engine.submit(partial(work.note, tmp_path), 0).result(60)


def test_what_is_queued_or_running_is_cancelled(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), ray(Place("ray", workers=2), nothing) as other:
        interrupted(other, tmp_path)
    list(in_flight([100, 101, 102], partial(work.linger, tmp_path), engine))
    assert len(list(tmp_path.glob("*.started"))) < 20


def test_a_gpu_is_asked_for(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "PATIENCE", 0.0)
    with (
        pytest.raises(MachineError, match="has no worker for such a job"),
        ray(Place("ray", workers=2, gpu=True), nothing) as other,
    ):
        list(in_flight([0], partial(work.note, tmp_path), other))
    assert list(tmp_path.iterdir()) == []


def test_a_killed_worker_is_made_up_for(engine: Engine, tmp_path: Path) -> None:
    future = engine.submit(partial(work.survive, tmp_path), 0)
    wait_for((tmp_path / "0.first").exists)
    os.kill(int((tmp_path / "0.first").read_text()), 9)
    future.result(60)
    assert (tmp_path / "0.txt").read_text() != (tmp_path / "0.first").read_text()


def test_a_job_that_ends_its_workers_is_given_up(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(clusters.KilledError, match="ended 4 workers"):
        list(in_flight([0], partial(work.die, tmp_path), engine))


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_no_cluster(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr("ray.is_initialized", lambda: False)
        with (
            pytest.raises(MachineError, match="no Ray answers at") as refused,
            ray(Place("ray", address), nothing),
        ):
            pass
    assert address in refused.value.cause


def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MachineError, match="not installed") as refused, ray(Place(), nothing):
        pass
    assert "-e '.[ray]'" in refused.value.remedy
