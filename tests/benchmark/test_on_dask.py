"""The engine on a real cluster: a scheduler and workers in processes of their own."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from synthgen.benchmark import clusters, on_dask
from synthgen.benchmark.executor import Engine, Place, in_flight
from synthgen.benchmark.on_dask import dask
from synthgen.errors import ConfigError, MachineError
from tests.benchmark import work
from tests.benchmark.clusters import DaskCluster, dask_cluster, wait_for


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask")) as found:
        yield found


def nothing() -> None:
    """A check that passes."""


def interrupted(engine: Engine, folder: Path) -> None:
    """Twenty jobs, and Ctrl-C when the first ones are under way."""
    for job in range(20):
        engine.submit(partial(work.linger, folder), job)
    wait_for(lambda: list(folder.glob("*.started")))
    raise KeyboardInterrupt


def object_to() -> None:
    """A check that does not."""
    raise MachineError("not the same", "make it so")


def test_every_worker_works_and_none_is_this_process(cluster: DaskCluster, tmp_path: Path) -> None:
    jobs = list(range(8))
    with dask(Place("dask", cluster.address), nothing) as engine:
        assert engine.slots() == 2
        done = list(in_flight(jobs, partial(work.linger, tmp_path), engine))
    assert sorted(done) == jobs
    pids = {int(path.read_text()) for path in tmp_path.glob("*.txt")}
    assert pids == {process.pid for process in cluster.workers}


def test_the_address_may_stand_in_the_environment(
    cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(on_dask.ADDRESS, cluster.address)
    with dask(Place("dask"), nothing) as engine:
        engine.submit(partial(work.note, tmp_path), 0).result()
    assert int((tmp_path / "0.txt").read_text()) in {p.pid for p in cluster.workers}


def test_an_error_for_the_user_arrives_whole(cluster: DaskCluster, tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError) as caught,
        dask(Place("dask", cluster.address), nothing) as engine,
    ):
        list(in_flight([0, 1], partial(work.refuse, tmp_path), engine))
    assert (caught.value.cause, caught.value.remedy) == ("the cause", "the remedy")
    assert "in refuse" in caught.value.__notes__[0]


def test_a_worker_that_fails_the_check_does_nothing(cluster: DaskCluster, tmp_path: Path) -> None:
    with (
        pytest.raises(MachineError, match="not the same"),
        dask(Place("dask", cluster.address), object_to) as engine,
    ):
        list(in_flight([0], partial(work.note, tmp_path), engine))
    assert list(tmp_path.iterdir()) == []


def test_what_is_queued_is_cancelled_and_the_cluster_lives(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    place = Place("dask", cluster.address)
    with pytest.raises(KeyboardInterrupt), dask(place, nothing) as engine:
        interrupted(engine, tmp_path)
    with dask(place, nothing) as engine:
        list(in_flight([100, 101, 102], partial(work.linger, tmp_path), engine))
    assert len(list(tmp_path.glob("*.started"))) < 20


def test_no_future_outlives_the_block(cluster: DaskCluster, tmp_path: Path) -> None:
    with dask(Place("dask", cluster.address), nothing) as engine:
        futures = [engine.submit(partial(work.linger, tmp_path), job) for job in range(20)]
        futures[0].result(60)
    # A thread that waits for one would wait for ever.
    errors = [future.exception(timeout=0) for future in futures]
    assert errors[0] is None
    assert isinstance(errors[-1], MachineError)


def test_a_gpu_is_asked_for(
    cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "PATIENCE", 0.0)
    with (
        pytest.raises(MachineError, match="has no worker for such a job"),
        dask(Place("dask", cluster.address, gpu=True), nothing) as engine,
    ):
        list(in_flight([0], partial(work.note, tmp_path), engine))
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_of_its_own_has_what_it_needs(tmp_path: Path) -> None:
    with dask(Place("dask", workers=2, gpu=True), nothing) as engine:
        assert engine.slots() == 2
        list(in_flight([0, 1], partial(work.threads, tmp_path), engine))
        list(in_flight([0], partial(work.note, tmp_path), engine))
        worker = int((tmp_path / "0.txt").read_text())
        environment = Path(f"/proc/{worker}/environ").read_text()
        assert "OMP_NUM_THREADS=1\0" in environment
        assert "MALLOC_TRIM_THRESHOLD_" not in environment
    for path in tmp_path.glob("*.json"):
        assert set(path.read_text().strip("[]").split(", ")) == {"1"}
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), seconds=10)


def test_a_killed_worker_is_made_up_for(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    with (
        dask_cluster(tmp_path / "cluster") as found,
        dask(Place("dask", found.address), nothing) as engine,
    ):
        future = engine.submit(partial(work.survive, tmp_path), 0)
        wait_for((tmp_path / "0.first").exists)
        dead = int((tmp_path / "0.first").read_text())
        os.kill(dead, 9)
        future.result(60)
        assert int((tmp_path / "0.txt").read_text()) in {p.pid for p in found.workers} - {dead}


@pytest.mark.slow
def test_a_job_that_ends_its_workers_is_given_up(tmp_path: Path) -> None:
    with (
        pytest.raises(clusters.KilledError, match="ended 4 workers"),
        dask(Place("dask", workers=1), nothing) as engine,
    ):
        list(in_flight([0], partial(work.die, tmp_path), engine))


def test_workers_of_several_threads_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    with (
        dask_cluster(tmp_path / "cluster", workers=1, threads=2) as found,
        pytest.raises(MachineError, match="does 2 jobs in one process") as refused,
        dask(Place("dask", found.address), nothing) as engine,
    ):
        list(in_flight([0, 1], partial(work.note, tmp_path), engine))
    assert "--nthreads 1" in refused.value.remedy
    assert list(tmp_path.glob("*.txt")) == []


def test_a_cluster_that_is_lost_is_an_error_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "PATIENCE", 1.0)
    (tmp_path / "cluster").mkdir()
    with (
        dask_cluster(tmp_path / "cluster", workers=1) as found,
        pytest.raises(MachineError, match="has no worker"),
        dask(Place("dask", found.address), nothing) as engine,
    ):
        _left_alone(engine, tmp_path, found)


def _left_alone(engine: Engine, folder: Path, cluster: DaskCluster) -> None:
    future = engine.submit(partial(work.stay, folder), 0)
    wait_for((folder / "0.txt").exists)
    cluster.workers[0].kill()
    future.result(60)


@pytest.mark.parametrize("what", ["nobody", "a stranger", "no address"])
def test_no_scheduler(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_dask, "PATIENCE", 1.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if what == "a stranger":
            taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}" if what != "no address" else "here"
        with (
            pytest.raises(MachineError, match="no Dask scheduler answers at") as refused,
            dask(Place("dask", address), nothing),
        ):
            pass
    assert address in refused.value.cause


def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MachineError, match="not installed") as refused, dask(Place(), nothing):
        pass
    assert "-e '.[dask]'" in refused.value.remedy
