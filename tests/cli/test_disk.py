"""A full disk: exit code 4, the folder named, nothing torn, and the run goes on afterwards."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from synthgen.runs import Run
from tests.cli.test_commands import FAST
from tests.pipeline.tables import people


def _augment(out: Path, table: Path, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    def restrict() -> None:
        if limit is not None:
            # No file of ours may grow beyond this: the next write fails as on a full disk.
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    words = ["augment", str(table), "--target", "sick", "--out", str(out), "-q", *FAST]
    if Run(out).begun:
        words = ["resume", str(out), "-q"]
    return subprocess.run(
        [sys.executable, "-m", "synthgen", *words],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=restrict,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def _is_clean_refusal(ended: subprocess.CompletedProcess[str], out: Path) -> None:
    assert ended.returncode == 4, ended.stderr
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 2, ended.stderr
    assert lines[0].startswith("error: ")
    assert "disk" in ended.stderr
    leftovers = [p for p in out.rglob("*") if p.is_file() and ".staging" in p.parts]
    assert leftovers == []


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    people().to_csv(path, index=False)
    return path


@pytest.mark.parametrize("limit", [2_000, 100_000])
def test_a_write_that_fails_can_be_resumed(limit: int, table: Path, tmp_path: Path) -> None:
    """With the smaller limit not even the split fits; with the larger one the model does not."""
    out = tmp_path / "run"
    _is_clean_refusal(_augment(out, table, limit), out)
    assert out.exists() == (limit > 2_000)
    assert _augment(out, table).returncode == 0
    assert Run(out).finished


def test_a_full_file_system(table: Path, small_disk: Path) -> None:
    _is_clean_refusal(_augment(small_disk / "run", table), small_disk)
    ended = subprocess.run(["df", str(small_disk)], capture_output=True, text=True, check=True)
    assert "100%" not in ended.stdout  # What was half written was removed again.


def test_shards_are_whole_or_not_there(table: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "model", tmp_path / "out"
    synthgen = [sys.executable, "-m", "synthgen"]
    generator = ("--target", "sick", "--generator", "resample", "-q")
    subprocess.run([*synthgen, "train", str(table), "--out", str(model), *generator], check=True)
    words = [*synthgen, "sample", str(model), "-n", "5000", "--out", str(out), "-q"]

    def draw(limit: int | None, *more: str) -> subprocess.CompletedProcess[str]:
        def restrict() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.run(
            [*words, "--shard-rows", "2000", *more],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=restrict,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )

    for more in ((), ("--workers", "2")):
        ended = draw(10_000, *more)
        _is_clean_refusal(ended, out)
        assert [p.name for p in out.iterdir()] == ["_manifest.json"]
    assert draw(None).returncode == 0
    assert len(list(out.glob("part-*.parquet"))) == 3
