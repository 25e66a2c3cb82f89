"""The commands, given URLs: they speak of the URL and never of the copy."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import synthgen
from synthgen import pipeline, remote
from synthgen.cli.console import Interrupted
from synthgen.config import Config
from synthgen.runs import MANIFEST, Run
from tests.cli.conftest import cli
from tests.cli.ended import Cli
from tests.cli.test_commands import FAST
from tests.pipeline.tables import people, small
from tests.pipeline.test_augment import files
from tests.s3 import S3

__all__ = ["cli"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in a folder, made by the program itself."""
    folder = tmp_path_factory.mktemp("finished")
    people().to_csv(folder / "people.csv", index=False)
    words = ("augment", "people.csv", "--target", "sick", "--out", "run", *FAST)
    subprocess.run([sys.executable, "-m", "synthgen", *words], cwd=folder, check=True, text=True)
    return folder / "run"


@pytest.fixture
def there(s3: S3, finished: Path) -> str:
    url = f"{s3.url}/runs/people"
    with remote.working(url, "new") as folder:
        shutil.copytree(finished, folder)
    return url


@pytest.mark.slow
def test_the_main_job_at_a_url(s3: S3, cli: Cli, finished: Path, tmp_path: Path) -> None:
    url = f"{s3.url}/runs/people"
    source = str(finished.parent / "people.csv")
    ended = cli("augment", source, "--target", "sick", "--out", url, *FAST)
    assert ended.code == 0, ended.err
    assert f"augmented set  {url}/augmented.csv" in ended.out
    assert f"report         {url}/report.html" in ended.out
    copy = Path(ended.out.partition("here to read   ")[2].strip())
    assert copy.read_bytes() == s3.read("runs/people/report.html")
    found = Run(remote.reading(url))
    # Only the source's name, as it was given, is not the same.
    made, expected = files(found), files(Run(finished))
    assert {n for n in expected if made.get(n) != expected[n]} <= {"config.yaml", "report.json"} | {
        "report.html",
        "card.md",
    }
    again = cli("augment", source, "--target", "sick", "--out", url, *FAST)
    assert again.code == 2
    assert f"{url} already holds a finished run" in again.err
    ended = cli("resume", url, "--json")
    assert ended.code == 0, ended.err
    result = json.loads(ended.out)
    assert result["run"] == url
    assert result["report"] == f"{url}/report.html"
    assert Path(result["copy"], "report.html").is_file()
    assert str(tmp_path) not in ended.err


def test_runs_are_listed_shown_compared_and_removed(s3: S3, cli: Cli, there: str) -> None:
    s3.write("runs/notes/todo.txt", b"")
    ended = cli("runs", "ls", f"{s3.url}/runs")
    assert ended.code == 0, ended.err
    assert ended.out.split()[:2] == [there, "finished"]
    assert len(ended.out.splitlines()) == 1
    assert "no runs in" in cli("runs", "ls", f"{s3.url}/none").err
    ended = cli("runs", "show", there)
    assert ended.code == 0, ended.err
    assert f"{there}/report.html" in ended.out
    ended = cli("compare", there, there)
    assert ended.code == 0, ended.err
    assert f"A  {there}: ctgan" in ended.out
    s3.write("runs/people/report.html", b"")
    ended = cli("report", there)
    assert (ended.code, ended.out) == (0, f"{there}/report.html\n")
    assert b"<html" in s3.read("runs/people/report.html")
    for name in (MANIFEST, ".stages/render.json"):
        s3.client.delete_object(Bucket=s3.name, Key=f"runs/people/{name}")
    ended = cli("compare", there, there)
    assert ended.code == 2
    assert f"{there} is not finished" in ended.err
    assert f"synthgen resume {there}" in ended.err
    s3.client.delete_object(Bucket=s3.name, Key="runs/people/.stages/evaluate.json")
    ended = cli("runs", "rm", there, "--yes")
    assert ended.code == 0, ended.err
    assert s3.objects("runs/people") == {}
    ended = cli("runs", "show", there)
    assert ended.code == 2
    assert f"{there} is not a run directory" in ended.err


def test_an_unfinished_run_is_shown(s3: S3, cli: Cli, there: str) -> None:
    for name in (MANIFEST, ".stages/render.json", "report.html", ".stages/evaluate.json"):
        s3.client.delete_object(Bucket=s3.name, Key=f"runs/people/{name}")
    ended = cli("runs", "show", there)
    assert ended.out.startswith(f"{there}: unfinished, done: split, decide, fit, sample")
    assert f"synthgen resume {there}" in ended.out
    assert "4 of 6" in cli("runs", "ls", f"{s3.url}/runs").out


def test_rows_are_drawn_and_scored_at_a_url(s3: S3, cli: Cli, there: str, finished: Path) -> None:
    ended = cli("sample", there, "-n", "20", "--seed", "3")
    assert ended.code == 0, ended.err
    assert ended.out == cli("sample", str(finished), "-n", "20", "--seed", "3").out
    parts = [f"{there}/{name}.parquet" for name in ("split/train", "synthetic", "split/test")]
    ended = cli("evaluate", *parts[:2], "--holdout", parts[2], "--target", "sick")
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    ("words", "code", "cause", "remedy"),
    [
        (("resume", "{bucket}/none"), 2, "is not a run directory", "runs ls {bucket}"),
        (("resume", "s3://no-such-bucket/run"), 2, "is not a run directory", "runs ls"),
        (("runs", "ls", "nowhere://x"), 4, "nowhere://x cannot be opened", "install"),
        (("runs", "show", "{bucket}"), 2, "names no folder for a run", "for example"),
    ],
)
def test_what_is_wrong_is_said(
    s3: S3, cli: Cli, words: tuple[str, ...], code: int, cause: str, remedy: str
) -> None:
    ended = cli(*(word.format(bucket=s3.url) for word in words))
    assert ended.code == code
    lines = ended.err.splitlines()
    assert len(lines) == 2
    assert cause in lines[0]
    assert remedy.format(bucket=s3.url) in lines[1]


def test_a_local_command_imports_nothing_of_it(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from synthgen.cli import app\n"
        "try:\n"
        "    app(['runs', 'ls', sys.argv[1]])\n"
        "except SystemExit:\n"
        "    pass\n"
        "assert not {'fsspec', 's3fs', 'synthgen.remote.mirror'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=True)


def test_the_notebook_takes_a_url(s3: S3) -> None:
    settings = small().model_dump(mode="json", exclude_unset=True)
    generator, decide = settings["generator"], settings["decide"]
    run = synthgen.augment(
        people(),
        "sick",
        out=f"{s3.url}/run",
        progress=False,
        generator=generator,
        decide=decide,
        workers=1,
    )
    assert MANIFEST in s3.objects("run")
    assert len(run.augmented) >= len(run.test)


def test_an_interrupted_command_says_how_to_go_on(
    s3: S3, cli: Cli, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, source = f"{s3.url}/run", str(finished.parent / "people.csv")

    def cut_short(config: Config, out: Path, **more: Any) -> None:
        pipeline.start(config, out)
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr(pipeline, "augment", cut_short)
    ended = cli("augment", source, "--target", "sick", "--out", url, *FAST)
    assert ended.code == 143
    assert f"go on with: synthgen resume {url}" in ended.err
    # What was done is there.
    assert Run(remote.reading(url)).done_stages() == ["split"]


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "--out", "s3://bucket/demo"),
        ("train", "x.csv", "--out", "s3://bucket/model"),
        ("sample", "model", "-n", "1", "--out", "s3://bucket/rows.csv"),
        ("bench", "x.yaml", "--out", "s3://bucket/bench"),
    ],
)
def test_folders_of_this_machine_are_no_urls(cli: Cli, words: tuple[str, ...]) -> None:
    ended = cli(*words)
    assert ended.code == 2
    assert f"{words[-1]} is a URL" in ended.err
