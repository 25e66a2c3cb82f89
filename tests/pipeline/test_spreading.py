"""Runs and benches on clusters: the same bytes as on one machine, whatever happens to workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synthgen import pipeline
from synthgen.benchmark.executor import Place
from synthgen.benchmark.records import Job
from synthgen.config import Config
from synthgen.errors import ConfigError, DataError, MachineError
from synthgen.pipeline import bench_file, spreading, stages
from synthgen.pipeline.bench import bench
from synthgen.pipeline.contents import settled
from synthgen.pipeline.events import Event
from synthgen.pipeline.facts import versions
from synthgen.pipeline.identity import code, identity
from synthgen.pipeline.spreading import Here, check
from synthgen.runs import Run
from tests.benchmark.clusters import DaskCluster, dask_cluster
from tests.pipeline.tables import people, small
from tests.pipeline.test_augment import files


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask")) as found:
        yield found


def job(**place: Any) -> Config:
    return small(
        generator={"name": "ctgan", "epochs": 1, "batch_size": 50},
        sample={"ratio": "balanced"},
        **place,
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """In one process."""
    return pipeline.augment(job(), tmp_path_factory.mktemp("plain") / "run", data=people())


# ---- runs -------------------------------------------------------------------------------------


def test_processes_give_the_same_bytes(plain: Run, tmp_path: Path) -> None:
    run = pipeline.augment(job(workers=2), tmp_path / "run", data=people())
    assert files(run) == files(plain)


def test_dask_gives_the_same_bytes(cluster: DaskCluster, plain: Run, tmp_path: Path) -> None:
    config = job(runner="dask", cluster=cluster.address)
    run = pipeline.augment(config, tmp_path / "run", data=people())
    assert files(run) == files(plain)
    assert not (run / spreading.MARK).exists()
    for name in files(run):
        assert cluster.address.encode() not in (run / name).read_bytes()


@pytest.mark.slow
def test_ray_gives_the_same_bytes(plain: Run, tmp_path: Path) -> None:
    run = pipeline.augment(job(runner="ray", workers=2), tmp_path / "run", data=people())
    assert files(run) == files(plain)


@pytest.mark.slow
def test_a_killed_worker_changes_nothing(plain: Run, tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    with dask_cluster(tmp_path / "cluster") as found:
        (dead, alive) = found.workers

        def kill(event: Event) -> None:
            if event.stage == "decide" and event.done == 2:
                dead.kill()

        config = job(runner="dask", cluster=found.address)
        run = pipeline.augment(config, tmp_path / "run", data=people(), notify=kill)
        assert dead.wait() == -9
        assert alive.poll() is None
    assert files(run) == files(plain)


def test_a_run_goes_on_elsewhere(cluster: DaskCluster, plain: Run, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if event.stage == "decide" and event.done == 1:
            raise KeyboardInterrupt

    path = tmp_path / "run"
    config = job(runner="dask", cluster=cluster.address)
    with pytest.raises(KeyboardInterrupt):
        pipeline.augment(config, path, data=people(), notify=interrupt)
    # A worker may still be at a job of it: the other waits for that, and takes its result.
    assert settled(Run(path)).runner == "dask"
    pipeline.resume(path, place={"runner": "threads", "workers": 2})
    assert (settled(Run(path)).cluster, settled(Run(path)).workers) == (None, 2)
    assert files(Run(path)) == files(plain)


@pytest.mark.parametrize(
    ("place", "cause"),
    [
        ({"seed": 1}, "seed cannot change"),
        ({"runner": "slurm"}, "runner: "),
        ({"cluster": "tcp://127.0.0.1:9"}, "the runner is threads"),
        ({"workers": 0}, "workers: "),
    ],
)
def test_a_wrong_place_to_go_on(plain: Run, place: dict[str, Any], cause: str) -> None:
    with pytest.raises(ConfigError, match=cause):
        pipeline.resume(plain.path, place=place)


def test_an_error_of_a_job_is_that_of_the_run(cluster: DaskCluster, tmp_path: Path) -> None:
    config = job(runner="dask", cluster=cluster.address)
    run = pipeline.start(config, tmp_path / "run", data=people())
    with stages.engine(run) as engine, pytest.raises(DataError) as refused:
        engine.submit(_refuse, stages.pending(run)[0]).result()
    assert (refused.value.cause, refused.value.remedy) == ("r000-rows cannot be read", "repair it")


def _refuse(one: Job) -> None:
    raise DataError(f"{one.name} cannot be read", "repair it")


# ---- what a worker has to agree with ----------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path) -> Here:
    (tmp_path / spreading.MARK).write_text("mark")
    return Here(tmp_path, "mark", tuple(versions().items()), code(), "auto", "cpu")


def test_a_worker_like_this_process_passes(here: Here) -> None:
    check(here)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"folder": Path("/nowhere")}, "does not see /nowhere"),
        ({"mark": "of another folder"}, "does not see"),
        ({"versions": (("numpy", "0.1"),)}, r"has numpy \d.*, not 0\.1"),
        ({"code": "other"}, "another source of synthgen"),
        ({"found": "cuda"}, "would train on cpu, this machine on cuda"),
    ],
)
def test_an_unlike_worker_does_not(here: Here, change: dict[str, Any], cause: str) -> None:
    with pytest.raises(MachineError, match=cause):
        check(replace(here, **change))


def test_a_worker_with_another_version_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.metadata as m\n"
        "real = m.version\n"
        "m.version = lambda name: '0.1' if name == 'torch' else real(name)\n"
    )
    with dask_cluster(tmp_path / "cluster", workers=1, path=tmp_path) as found:
        config = job(runner="dask", cluster=found.address)
        with pytest.raises(MachineError, match=r"has torch 0\.1, not"):
            pipeline.augment(config, tmp_path / "run", data=people())
    run = Run(tmp_path / "run")
    assert run.begun
    assert list(run.scratch("decide").glob("*.json")) == []


# ---- the settings -----------------------------------------------------------------------------


def test_the_place_is_no_part_of_a_job(tmp_path: Path) -> None:
    people(120).to_csv(tmp_path / "people.csv", index=False)
    data = {"target": "sick", "source": str(tmp_path / "people.csv")}
    there = small(data=data, runner="dask", cluster="tcp://10.0.0.1:8786", workers=7)
    assert identity(there) == identity(small(data=data))


def test_a_place_of_its_own_for_each_kind_of_work() -> None:
    from synthgen.pipeline.machine import place

    config = small(runner="ray", cluster="10.0.0.1:6379", device="cpu", workers=3)
    assert place(config) == Place("ray", "10.0.0.1:6379", 3, gpu=False)


# ---- a bench ----------------------------------------------------------------------------------

BENCH: dict[str, Any] = {
    "datasets": {
        "wine": {"source": "sklearn:wine", "target": "target"},
        "gone": {"source": "/nowhere.csv", "target": "y"},
    },
    "generators": ["smote", {"name": "mixture", "label": "mixture"}],
    "seeds": [3],
}
QUICK: dict[str, Any] = {
    "decide": {
        "resamples": 3,
        "ratios": [1.0],
        "learners": ["logistic"],
        "arms": ["nothing"],
        "filters": [],
        "weights": [],
        "mixed": False,
        "curve": [],
    },
    "workers": 1,
}


def test_a_bench_gives_the_same_table(
    cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Event] = []
    # Relative, as from the command line: workers are started elsewhere.
    monkeypatch.chdir(tmp_path)
    there = QUICK | {"runner": "dask", "cluster": cluster.address}
    here = bench(bench_file.build(BENCH | {"settings": QUICK}), Path("here"))
    spread = bench_file.build(BENCH | {"settings": there})
    found = bench(spread, Path("there"), title="bench", notify=heard.append)
    assert _timeless(found) == _timeless(here)
    assert [cell.failure is None for cell in found.cells] == [True, True, False, False]
    for cell in here.cells:
        if cell.failure is None:
            assert files(Run(Path("here") / cell.run)) == files(Run(Path("there") / cell.run))
    assert {e.done for e in heard if e.stage == "cells"} >= {0, 4}
    # What is done is not repeated, and what failed is tried again.
    before = {p: p.stat().st_mtime_ns for p in Path("there").rglob("report.json")}
    again = bench(spread, Path("there"), title="bench")
    assert _timeless(again) == _timeless(here)
    assert {p: p.stat().st_mtime_ns for p in Path("there").rglob("report.json")} == before


def _timeless(result: Any) -> dict[str, Any]:
    told: dict[str, Any] = result.model_dump(mode="json")
    for cell in told["cells"]:
        cell["seconds"] = None
    return told


def test_all_data_sets_have_one_place(tmp_path: Path) -> None:
    data = {"wine": BENCH["datasets"]["wine"] | {"settings": {"runner": "dask"}}}
    with pytest.raises(ConfigError, match=r"wine\.settings\.runner"):
        bench(bench_file.build(BENCH | {"datasets": data}), tmp_path)
