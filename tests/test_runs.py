"""The run directory: what is committed stays, what is not leaves no trace."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synthgen.errors import ConfigError, MachineError
from synthgen.runs import Run, fresh, runs_in, sha256, write_atomic


def _commit_split(run: Run, content: str = "a") -> bool:
    def work(folder: Path) -> None:
        (folder / "config.yaml").write_text(content)
        (folder / "split").mkdir()
        (folder / "split" / "train.txt").write_text(content)

    return run.stage("split", work)


def test_a_stage_runs_once(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert _commit_split(run)
    assert not _commit_split(run)
    assert (run / "split" / "train.txt").read_text() == "a"
    assert run.done_stages() == ["split"]


def test_a_failing_stage_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    run = Run(tmp_path)
    _commit_split(run)
    before = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())

    def work(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        run.stage("decide", work)
    assert before == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())


def test_a_damaged_file_makes_its_stage_run_again(tmp_path: Path) -> None:
    run = Run(tmp_path)
    _commit_split(run)
    (run / "split" / "train.txt").write_text("tampered")
    assert _commit_split(run)
    assert (run / "split" / "train.txt").read_text() == "a"


def test_a_changed_stage_makes_the_later_ones_run_again(tmp_path: Path) -> None:
    run = Run(tmp_path)
    _commit_split(run)

    def decide(folder: Path) -> None:
        (folder / "verdict.json").write_text((run / "split" / "train.txt").read_text())

    assert run.stage("decide", decide)
    assert not run.stage("decide", decide)
    run.undo("split")
    _commit_split(run, "b")
    assert run.stage("decide", decide)
    assert (run / "verdict.json").read_text() == "b"


def test_a_stage_before_its_predecessors_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="predecessors"):
        Run(tmp_path).stage("fit", lambda folder: None)


def test_the_manifest_lists_every_file_with_its_hash(tmp_path: Path) -> None:
    run = Run(tmp_path)
    _commit_split(run)
    run.scratch("decide")
    run.finish({"seed": 3})
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["seed"] == 3
    assert manifest["files"] == {
        name: sha256(run / name) for name in ("config.yaml", "split/train.txt")
    }
    assert set(manifest["seconds"]) == {"split"}
    assert run.finished
    assert not (run / ".scratch").exists()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from synthgen.runs import Run\n"
        "with Run(Path(sys.argv[1])).writing(): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(MachineError, match="another process"), Run(tmp_path).writing():
            pass
    finally:
        holder.kill()
        holder.communicate()
    with Run(tmp_path).writing():
        pass  # The lock died with its holder.


@pytest.mark.parametrize("force", [False, True])
def test_a_second_start_does_not_harm_the_first(tmp_path: Path, force: bool) -> None:
    target = tmp_path / "run"
    code = (
        "import sys; from pathlib import Path; from synthgen.runs import fresh\n"
        "with fresh(Path(sys.argv[1]), force=False) as run:\n"
        "    print('held', flush=True); sys.stdin.readline()\n"
        "    run.stage('split', lambda folder: (folder / 'config.yaml').write_text('first'))"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    # Before the first commit of the first one, nothing but the locks tells them apart.
    with pytest.raises(MachineError, match="another process"), fresh(target, force=force):
        pass
    first.communicate("go on\n")
    assert first.returncode == 0
    assert (target / "config.yaml").read_text() == "first"


def test_a_new_run_that_commits_nothing_vanishes(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with pytest.raises(RuntimeError), fresh(target, force=False):
        raise RuntimeError
    with pytest.raises(RuntimeError), fresh(tmp_path / "deep" / "down" / "run", force=False):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_an_existing_run_is_refused_then_replaced(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with fresh(target, force=False) as run:
        _commit_split(run)
    with pytest.raises(ConfigError, match="unfinished run"), fresh(target, force=False):
        pass
    with fresh(target, force=True) as run:
        _commit_split(run, "b")
    assert (target / "config.yaml").read_text() == "b"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_failed_replacement_brings_the_old_run_back(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with fresh(target, force=False) as run:
        _commit_split(run)
    with pytest.raises(RuntimeError), fresh(target, force=True):
        raise RuntimeError
    assert (target / "config.yaml").read_text() == "a"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_killed_replacement_brings_the_old_run_back(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with fresh(target, force=False) as run:
        _commit_split(run)
    target.rename(tmp_path / ".run.replaced")
    target.mkdir()  # What a kill between the rename and the first commit leaves.
    with pytest.raises(ConfigError, match="unfinished run"), fresh(target, force=False):
        pass
    assert (target / "config.yaml").read_text() == "a"


def test_a_start_killed_before_its_first_commit_is_in_nobodys_way(tmp_path: Path) -> None:
    target = tmp_path / "run"
    (target / ".staging" / "split").mkdir(parents=True)
    (target / ".lock").touch()
    (target / "config.yaml").write_text("moved, but its stage was not committed")
    with pytest.raises(ConfigError, match="not a run"):
        Run.open(target)
    with fresh(target, force=False) as run:
        _commit_split(run)
    assert (target / "config.yaml").read_text() == "a"


@pytest.mark.parametrize("force", [False, True])
def test_a_foreign_folder_is_never_touched(tmp_path: Path, force: bool) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="not a synthgen run"), fresh(tmp_path, force=force):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("x")
    with pytest.raises(ConfigError), fresh(tmp_path / "run", force=True):
        pass
    assert (tmp_path / "run").read_text() == "x"


def test_opening_something_else_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=str(tmp_path)):
        Run.open(tmp_path)


def test_runs_are_listed_oldest_first(tmp_path: Path) -> None:
    for name in ("b", "a"):
        with fresh(tmp_path / name, force=False) as run:
            _commit_split(run)
    (tmp_path / "other").mkdir()
    assert [run.path.name for run in runs_in(tmp_path)] == ["b", "a"]
    assert runs_in(tmp_path / "absent") == []


def test_a_failed_atomic_write_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_atomic(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "\ud800")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
