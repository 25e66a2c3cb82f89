"""A run is published whole or not at all, and once."""

from __future__ import annotations

import json
from pathlib import Path

import fsspec
import pytest

from synthgen import pipeline
from synthgen.errors import ConfigError, DataError, GateError, MachineError
from synthgen.pipeline import publishing
from synthgen.remote.transfer import DRAFT, Store
from synthgen.runs import MANIFEST, Run, sha256
from tests.pipeline.tables import people, small


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return pipeline.augment(
        small(data={"target": "sick"}), tmp_path_factory.mktemp("runs") / "run", data=people()
    )


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    """A copy that a test may damage."""
    import shutil

    shutil.copytree(made.path, tmp_path / "run")
    return Run(tmp_path / "run")


def _files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_copy_is_the_run(run: Run, tmp_path: Path) -> None:
    there = tmp_path / "deep" / "there"
    assert publishing.publish(run.path, str(there)) == f"{there}/report.html"
    listed = json.loads((run / MANIFEST).read_text())["files"]
    assert _files(there) == listed | {MANIFEST: sha256(run / MANIFEST)}
    before = {path: path.stat().st_mtime_ns for path in there.rglob("*")}
    publishing.publish(run.path, str(there))
    assert {path: path.stat().st_mtime_ns for path in there.rglob("*")} == before


def test_a_copy_that_was_cut_off_is_made_whole(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, put, left = tmp_path / "there", Store.put, 3

    def full(*given: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            (there / f"card.md{DRAFT}").write_text("half")
            raise OSError(28, "No space left on device")
        put(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "put", full)
    with pytest.raises(MachineError, match="No space left") as caught:
        publishing.publish(run.path, str(there))
    assert "nothing is published" in caught.value.remedy
    assert not (there / MANIFEST).exists()
    monkeypatch.setattr(Store, "put", put)
    publishing.publish(run.path, str(there))
    assert not list(there.rglob(f"*{DRAFT}"))
    assert (there / MANIFEST).read_bytes() == (run / MANIFEST).read_bytes()


def test_any_file_system_takes_it(run: Run) -> None:
    publishing.publish(run.path, "memory://bucket/there")
    memory = fsspec.filesystem("memory")
    assert memory.cat_file("/bucket/there/manifest.json") == (run / MANIFEST).read_bytes()
    assert memory.cat_file("/bucket/there/report.html") == (run / "report.html").read_bytes()
    publishing.publish(run.path, "memory://bucket/there")
    memory.pipe_file("/bucket/other/theirs.txt", b"")
    with pytest.raises(ConfigError, match=r"holds something else \(theirs.txt\)"):
        publishing.publish(run.path, "memory://bucket/other")
    memory.rm("/bucket", recursive=True)


def test_what_is_there_is_not_touched(run: Run, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / MANIFEST).write_text("{}")
    with pytest.raises(ConfigError, match="another run is published"):
        publishing.publish(run.path, str(there))
    assert list(there.iterdir()) == [there / MANIFEST]


def test_a_run_that_is_not_what_it_was_is_refused(run: Run, tmp_path: Path) -> None:
    with (run / "augmented.parquet").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DataError, match=r"augmented\.parquet is not what the manifest says"):
        publishing.publish(run.path, str(tmp_path / "there"))
    assert not (tmp_path / "there").exists()
    (run / MANIFEST).unlink()
    with pytest.raises(ConfigError, match="is not finished"):
        publishing.publish(run.path, str(tmp_path / "there"))


def test_gates_come_first(tmp_path: Path) -> None:
    config = small(data={"target": "sick"}, gates={"column_shapes": {"min": 1.0}})
    with pytest.raises(GateError):
        pipeline.augment(config, tmp_path / "run", data=people())
    with pytest.raises(GateError):
        publishing.publish(tmp_path / "run", str(tmp_path / "there"))
    assert not (tmp_path / "there").exists()


def test_an_unknown_protocol_is_named(run: Run) -> None:
    with pytest.raises(MachineError, match="nowhere://bucket does not take the run"):
        publishing.publish(run.path, "nowhere://bucket")
