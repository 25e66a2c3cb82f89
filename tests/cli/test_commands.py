"""Every command does what its help says."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from filelock import FileLock

from synthgen.cli.console import set_verbosity
from synthgen.pipeline import alone, stages
from synthgen.pipeline.tables import alone as tables
from synthgen.runs import Run
from synthgen.training import loop
from tests.cli.ended import Cli
from tests.pipeline.tables import people

FAST = (
    "--set",
    "generator.epochs=3",
    "--set",
    "generator.batch_size=50",
    "--set",
    "decide.resamples=3",
    "--set",
    "decide.learners=[logistic]",
    "--set",
    "workers=1",
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    people().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, made by the program itself."""
    folder = tmp_path_factory.mktemp("finished")
    people().to_csv(folder / "people.csv", index=False)
    words = ("augment", "people.csv", "--target", "sick", "--out", "run", "--ratio", "balanced")
    subprocess.run(
        [sys.executable, "-m", "synthgen", *words, *FAST, "--set", "decide.ratios=[balanced]"],
        cwd=folder,
        check=True,
        text=True,
    )
    return folder / "run"


def test_augment_prints_the_verdict_and_where_things_are(cli: Cli, table: Path) -> None:
    ended = cli("augment", str(table), "--target", "sick", "--out", "run", *FAST)
    assert ended.code == 0, ended.err
    assert "run/augmented.csv" in ended.out
    assert "run/report.html" in ended.out
    decision = stages.verdict(Run(Path("run"))).decision
    assert ended.out.startswith(decision.replace("-", " ").upper())
    assert "decide" in ended.err
    assert "decide" not in ended.out.splitlines()[0]


def test_json_is_the_only_thing_on_standard_output(cli: Cli, table: Path) -> None:
    ended = cli(
        "augment",
        str(table),
        "--target",
        "sick",
        "--out",
        "run",
        "--json",
        "--progress",
        "json",
        *FAST,
    )
    result = json.loads(ended.out)
    assert result["verdict"]["decision"] in ("augment", "do-not-augment", "inconclusive")
    assert Path(result["augmented"]).is_file()
    events = [json.loads(line) for line in ended.err.splitlines()]
    assert {event["stage"] for event in events} >= {"split", "decide", "fit", "render"}


def test_quiet_says_nothing_on_the_way(cli: Cli, table: Path) -> None:
    ended = cli("augment", str(table), "--target", "sick", "--out", "run", "-q", *FAST)
    assert ended.code == 0
    assert ended.err == ""


def test_auto_says_what_it_chose_in_all_that_a_run_ends_with(cli: Cli, tmp_path: Path) -> None:
    words = ["augment", "sklearn:breast_cancer", "--target", "target", "--out", "run"]
    words += ["--generator", "auto", "--budget", "quick"]
    for setting in (
        *("generator.draws=2", "generator.candidates=[mixture, {name: arn, epochs: 3}]"),
        *("decide.resamples=3", "decide.learners=[logistic]", "decide.arms=[nothing]"),
        *("decide.ratios=[1.0]", "decide.filters=[]", "decide.weights=[]"),
        *("decide.mixed=false", "decide.curve=[]", "workers=1"),
    ):
        words += ["--set", setting]
    ended = cli(*words)
    assert ended.code == 0, ended.err
    run = tmp_path / "run"
    choice = json.loads((run / "report.json").read_text())["provenance"]["choice"]
    chosen = choice["chosen"]
    assert {one["name"] for one in choice["candidates"]} == {"mixture", "arn"}
    assert choice["held_out"] == 91
    assert sum(choice["resamples"].values()) == 3
    assert json.loads((run / "model" / "model.json").read_text())["generator"]["name"] == chosen
    assert f"auto chose {chosen}" in ended.err
    assert f"auto chose {chosen}" in ended.out
    assert f"auto, which chose {chosen}" in (run / "card.md").read_text()
    assert f"auto, which chose {chosen}" in (run / "report.html").read_text()
    assert "trial arn two_sample_auc" in (run / "train.jsonl").read_text()
    jobs = [json.loads(path.read_text()) for path in sorted((run / "decide").glob("*-auto.json"))]
    assert [job["choice"]["chosen"] in ("mixture", "arn") for job in jobs] == [True] * 3
    # Each choice rests on the inner training rows alone: 9 sixteenths of the training rows.
    assert all(
        job["choice"]["held_out"] == round(0.2 * job["sizes"]["inner_train"]) for job in jobs
    )
    assert len(pd.read_csv(StringIO(cli("sample", "run", "-n", "7").out))) == 7


@pytest.mark.parametrize("generator", ["auto", "mixture"])
def test_a_forecast_knows_what_a_generator_trains(generator: str, cli: Cli, table: Path) -> None:
    words = ("augment", str(table), "--target", "sick", "--dry-run", "--json")
    ended = cli(*words, "--generator", generator, "--budget", "quick", *FAST[6:])
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["seconds"] > 0


def test_dry_run_writes_nothing(cli: Cli, table: Path, tmp_path: Path) -> None:
    ended = cli("augment", str(table), "--target", "sick", "--dry-run", *FAST)
    assert ended.code == 0, ended.err
    for word in ("identifier", "town", "memory", "time", "15 jobs"):
        assert word in ended.out
    assert [p.name for p in tmp_path.iterdir()] == ["people.csv"]
    record = json.loads(
        cli("augment", str(table), "--target", "sick", "--dry-run", "--json", *FAST).out
    )
    assert record["train_rows"] == 320
    assert record["seconds"] > 0


def test_a_gate_that_fails_is_exit_6_after_the_result(cli: Cli, table: Path) -> None:
    ended = cli(
        "augment", str(table), "--target", "sick", "--out", "run", *FAST,
        "--set", "gates.column_shapes.min=1.1",
    )  # fmt: skip
    assert ended.code == 6
    assert "run/report.html" in ended.out
    assert "column_shapes" in ended.err


def test_resume_of_a_finished_run_shows_it(cli: Cli, finished: Path) -> None:
    ended = cli("resume", str(finished))
    assert ended.code == 0
    assert "report.html" in ended.out


def test_runs_ls_show_rm(cli: Cli, finished: Path, tmp_path: Path) -> None:
    ended = cli("runs", "ls", str(finished.parent))
    assert str(finished) in ended.out
    assert "finished" in ended.out
    assert (
        json.loads(cli("runs", "ls", str(finished.parent), "--json").out)[0]["state"] == "finished"
    )
    assert "report.html" in cli("runs", "show", str(finished)).out
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(finished), str(copy)], check=True)
    # As a kill in the middle of a stage leaves it.
    (copy / "report.json").unlink()
    (copy / ".stages" / "fit.json").unlink()
    scratch = copy / ".scratch"
    (scratch / "fit").mkdir(parents=True)
    (scratch / "fit" / "train.jsonl").write_text('{"step": 1200, "steps": 5000, "loss": 1}\n')
    assert "; fit: step 1,200 of 5,000" in cli("runs", "show", str(copy)).out
    (copy / ".stages" / "decide.json").unlink()
    (scratch / "decide").mkdir()
    for job in ("r000-rows", "r001-ctgan"):
        (scratch / "decide" / f"{job}.json").write_text("{}")
    assert "; decide: 2 jobs measured" in cli("runs", "show", str(copy)).out
    assert cli("runs", "rm", str(copy), "--yes").code == 0
    assert not copy.exists()
    (tmp_path / "thesis").mkdir()
    assert cli("runs", "rm", "thesis", "--yes").code == 2
    assert (tmp_path / "thesis").is_dir()


def test_removing_without_an_answer_removes_nothing(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    for answer in ("", "n\n"):
        ended = subprocess.run(
            [sys.executable, "-m", "synthgen", "runs", "rm", str(copy)],
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 2
        assert "was not removed" in ended.stderr
    assert Run(copy).finished


def test_train_then_sample_with_conditions(cli: Cli, table: Path) -> None:
    ended = cli("train", str(table), "--target", "sick", "--out", "model", *FAST[:6])
    assert ended.code == 0, ended.err
    assert Path("model/model.safetensors").is_file()
    assert not Path(".model.training").exists()
    ended = cli("sample", "model", "-n", "40", "--where", "sick=yes", "--out", "rows.csv")
    assert ended.code == 0, ended.err
    rows = pd.read_csv("rows.csv")
    assert len(rows) == 40
    assert set(rows["sick"]) == {"yes"}
    assert list(rows.columns) == list(people(5).columns)
    assert cli("sample", "model", "-n", "40", "--out", "rows.csv").code == 2
    again = cli("sample", "model", "-n", "5")
    assert again.out == cli("sample", "model", "-n", "5").out
    assert len(again.out.splitlines()) == 6


LATE = 100
"""A step that only a long training reaches."""
TRAIN = ("--target", "sick", "--out", "model", *FAST[:6])


def _steps(model: Path) -> list[int]:
    lines = (model / "train.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["step"] for line in lines]


@pytest.fixture
def killed(cli: Cli, table: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line, after a long training that a signal ended behind a checkpoint."""
    saved = loop.Checkpoints.save

    def save_then_stop(self: loop.Checkpoints, step: int, state: Any) -> None:
        saved(self, step, state)
        if step >= LATE:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
        patched.setattr(loop, "SNAPSHOT_STEPS", 5)
        patched.setattr(loop.Checkpoints, "save", save_then_stop)
        ended = cli("train", str(table), *TRAIN, "--set", "generator.epochs=40")
    assert ended.code == 128 + signal.SIGTERM
    assert ended.err.splitlines()[-2:] == [
        "error: interrupted",
        "       repeat the command: it goes on from the last checkpoint",
    ]
    assert not Path("model").exists()
    return cli


def test_a_killed_training_goes_on_when_repeated(killed: Cli, table: Path) -> None:
    words = ("train", str(table), *TRAIN, "--set", "generator.epochs=40", "--progress", "json")
    ended = killed(*words)
    assert ended.code == 0, ended.err
    begun = json.loads(ended.err.splitlines()[0])["done"]
    whole = killed(*words, "--out", "whole")
    assert whole.code == 0, whole.err
    assert begun > LATE > json.loads(whole.err.splitlines()[0])["done"]
    steps = _steps(Path("model"))
    assert steps == sorted(set(steps))
    weights = [Path(m, "model.safetensors").read_bytes() for m in ("model", "whole")]
    assert weights[0] == weights[1]
    assert list(Path().glob(".*")) == []


@pytest.mark.parametrize("change", ["configuration", "rows"])
def test_nothing_of_another_training_gets_into_a_model(
    change: str, killed: Cli, table: Path
) -> None:
    if change == "rows":
        people(100, seed=5).to_csv(table, index=False)
        epochs = "generator.epochs=40"
    else:
        epochs = "generator.epochs=3"
    assert killed("train", str(table), *TRAIN, "--set", epochs).code == 0
    assert killed("train", str(table), *TRAIN, "--set", epochs, "--out", "clean").code == 0
    assert _steps(Path("model")) == _steps(Path("clean"))
    assert max(_steps(Path("model"))) < LATE
    assert list(Path().glob(".*")) == []


def test_rows_without_a_file_tell_trainings_apart() -> None:
    frame = people(50)
    digest = tables._digest(frame)
    assert tables._digest(people(50)) == digest
    other = people(50)
    other.loc[3, "town"] = "Zürich" if other.loc[3, "town"] == "Bern" else "Bern"
    assert tables._digest(other) != digest
    assert tables._digest(frame.rename(columns={"town": "city"})) != digest


def test_two_trainings_of_one_model_are_refused(cli: Cli, table: Path) -> None:
    folder = alone.unfinished(Path("model"))
    folder.mkdir()
    with FileLock(folder / ".lock"):
        ended = cli("train", str(table), *TRAIN)
        assert ended.code == 4
        assert "another process is training model" in ended.err
        assert folder.is_dir()
    assert cli("train", str(table), *TRAIN).code == 0
    assert not folder.exists()


def test_a_replaced_model_is_never_lost(
    cli: Cli, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("train", str(table), *TRAIN).code == 0
    old = Path("model/model.safetensors").read_bytes()
    again = ("train", str(table), *TRAIN, "--seed", "1", "--force")
    rename = Path.rename

    def stopped(self: Path, target: Path) -> Path:
        if self.name == "model" and target.name == "model":
            os.kill(os.getpid(), signal.SIGTERM)
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", stopped)
        assert cli(*again).code == 128 + signal.SIGTERM
    assert Path("model/model.safetensors").read_bytes() == old
    # As a kill that nothing can catch leaves it.
    Path("model").rename(".model.former")
    assert cli("train", str(table), *TRAIN).code == 2
    assert Path("model/model.safetensors").read_bytes() == old
    assert cli(*again).code == 0
    assert Path("model/model.safetensors").read_bytes() != old
    assert list(Path().glob(".*")) == []


def test_verbose_shows_the_log(cli: Cli, table: Path) -> None:
    train = ("train", str(table), *TRAIN, "--force", "--progress", "none")
    assert cli(*train).err == ""
    lines = cli(*train, "-v").err.splitlines()
    assert lines
    assert all(line.startswith("INFO synthgen.") for line in lines)
    assert any("budget standard for 400 rows" in line for line in lines)
    # A later command in the same process does not inherit it, and no line comes twice.
    assert cli(*train).err == ""
    assert cli(*train, "-v").err.splitlines() == lines


def test_levels_of_verbosity(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["WARNING", "INFO", "DEBUG"]
    for level in range(3):
        set_verbosity(level)
        for number in (logging.WARNING, logging.INFO, logging.DEBUG):
            logging.getLogger("synthgen.some.module").log(number, "a message")
            logging.getLogger("elsewhere").info("not ours")
        shown = [line.split()[0] for line in capsys.readouterr().err.splitlines()]
        assert shown == names[: level + 1]
    set_verbosity(0)


def test_tracebacks_are_for_the_very_curious(cli: Cli) -> None:
    for words in (("runs", "show"), ("resume",), ("report",)):
        assert "Traceback" not in cli(*words, "nowhere", "-v").err
        assert "Traceback" in cli(*words, "nowhere", "-vv").err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--where", "sick=maybe"), ("sick", "yes")),
        (("--where", "sik=yes"), ("sik", "sick")),
        (("--where", "income=3"), ("income",)),
        (("--where", "sick"), ("COLUMN=VALUE",)),
    ],
)
def test_impossible_conditions(
    words: tuple[str, ...], expected: tuple[str, ...], cli: Cli, finished: Path
) -> None:
    ended = cli("sample", str(finished), "-n", "5", *words)
    assert ended.code == 2
    for word in expected:
        assert word in ended.err


def test_sampling_from_nothing(cli: Cli, tmp_path: Path) -> None:
    ended = cli("sample", str(tmp_path), "-n", "5")
    assert ended.code == 2
    assert "synthgen train" in ended.err


def test_evaluate_scores_rows_of_any_origin(cli: Cli, tmp_path: Path) -> None:
    for name, seed in (("real", 1), ("held", 2), ("made", 3)):
        people(300, seed).to_csv(tmp_path / f"{name}.csv", index=False)
    words = ("evaluate", "real.csv", "made.csv", "--holdout", "held.csv", "--target", "sick")
    ended = cli(*words, "--json")
    assert ended.code == 0, ended.err
    scores = {score["metric"]: score for score in json.loads(ended.out)}
    # The made rows come from the same process: they are as good as held-out ones.
    assert scores["column_shapes"]["value"] == pytest.approx(
        scores["column_shapes"]["reference"], abs=0.05
    )
    assert scores["exact_copies"]["value"] == 0
    assert "fidelity" in cli(*words).out
    ended = cli("evaluate", "real.csv", "made.csv")
    assert ended.code == 0, ended.err
    assert "no --holdout" in ended.err
    people(300, 4).drop(columns="town").to_csv(tmp_path / "short.csv", index=False)
    ended = cli("evaluate", "real.csv", "short.csv")
    assert ended.code == 3
    assert "'town'" in ended.err


def test_report_renders_again(cli: Cli, finished: Path) -> None:
    before = (finished / "report.html").read_text()
    (finished / "report.html").write_text("damaged")
    assert cli("report", str(finished)).code == 0
    assert (finished / "report.html").read_text() == before
    manifest = json.loads((finished / "manifest.json").read_text())
    assert "report.html" in manifest["files"]


def test_compare_puts_two_runs_side_by_side(cli: Cli, finished: Path) -> None:
    ended = cli("compare", str(finished), str(finished))
    assert ended.code == 0, ended.err
    found = json.loads(cli("compare", *[str(finished)] * 2, "--json").out)
    assert found["alike"]["resamples"] is True
    assert found["a"]["decision"] == found["b"]["decision"]


def test_config_commands(cli: Cli, tmp_path: Path) -> None:
    text = cli("config", "init", "--generator", "tvae").out
    assert yaml.safe_load(text)["generator"]["name"] == "tvae"
    assert json.loads(cli("config", "schema").out)["anyOf"][0]["properties"]["generator"]
    (tmp_path / "job.yaml").write_text(text)
    assert cli("config", "validate", "job.yaml").code == 0
    (tmp_path / "job.yaml").write_text("data: {target: y}\nbudgt: quick\n")
    ended = cli("config", "validate", "job.yaml")
    assert ended.code == 2
    assert "budget" in ended.err


def test_doctor_names_versions_device_disk_and_licences(cli: Cli) -> None:
    ended = cli("doctor")
    assert ended.code == 0
    for word in ("torch", "Business Source License", "free disk", "device"):
        assert word in ended.out
    assert json.loads(cli("doctor", "--json").out)["versions"]["torch"]


def _start(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "synthgen", *words],
        cwd=folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on(number: int, table: Path, tmp_path: Path) -> None:
    words = ("augment", str(table), "--target", "sick", "--out", "run", "--progress", "json")
    process = _start(tmp_path, *words, *FAST, "--set", "generator.epochs=200", "--set", "workers=2")
    assert process.stderr is not None
    for line in process.stderr:
        if '"decide"' in line:
            break
    # As a terminal does: the signal goes to the whole process group.
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert err.splitlines()[-2:] == ["error: interrupted", "       go on with: synthgen resume run"]
    assert Run(tmp_path / "run").begun


def test_no_worker_outlives_a_killed_run(table: Path, tmp_path: Path) -> None:
    words = ("augment", str(table), "--target", "sick", "--out", "run", "--progress", "json")
    process = _start(tmp_path, *words, *FAST, "--set", "generator.epochs=500", "--set", "workers=2")
    assert process.stderr is not None
    for line in process.stderr:
        if '"decide"' in line:
            break
    time.sleep(3)
    process.kill()
    process.communicate()
    import psutil

    def left() -> list[int]:
        return [
            p.pid
            for p in psutil.process_iter(["cwd", "status"])
            if p.info["cwd"] == str(tmp_path) and p.info["status"] != psutil.STATUS_ZOMBIE
        ]

    deadline = time.monotonic() + 20
    while left() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left() == []


def test_help_is_quick() -> None:
    """Heavy packages stay out of what every command imports; seconds are measured elsewhere."""
    code = (
        "import sys; from synthgen.cli import app\n"
        "heavy = ('torch', 'pandas', 'sklearn', 'pydantic', 'numpy', 'prefect', 'sdv')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_no_color_is_honoured(table: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "synthgen", "--help"],
        env={**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "", "TERM": "xterm-256color"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\x1b[" not in ended.stdout


def test_progress_bars_on_a_terminal(
    cli: Cli, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    ended = cli("augment", str(table), "--target", "sick", "--out", "run", *FAST)
    assert ended.code == 0, ended.err
    assert "decide" in ended.err


def test_sampling_keeps_integers_exact(cli: Cli, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"big": rng.integers(2**60, 2**60 + 10**6, 200), "y": rng.choice(["a", "b"], 200)}
    )
    frame.to_csv(tmp_path / "big.csv", index=False)
    ended = cli("augment", "big.csv", "--target", "y", "--out", "run", "--ratio", "1", *FAST)
    assert ended.code == 0, ended.err
    augmented = pd.read_csv("run/augmented.csv")
    assert augmented["big"].dtype == np.int64
    assert set(augmented["big"].head(160)) <= set(frame["big"])


def test_sample_in_shards(cli: Cli, finished: Path) -> None:
    words = ("sample", str(finished), "-n", "1_000", "--shard-rows", "400", "--out", "rows")
    ended = cli(*words, "--shards", "1:2", "--where", "sick=yes", "--progress", "json")
    assert ended.code == 0, ended.err
    assert ended.out == "rows\n"
    assert json.loads(ended.err.splitlines()[-1]) == {"stage": "sample", "done": 2, "total": 2}
    assert sorted(p.name for p in Path("rows").glob("*.parquet")) == [
        "part-00001.parquet",
        "part-00002.parquet",
    ]
    assert cli(*words, "--where", "sick=yes").code == 0
    assert [len(pd.read_parquet(p)) for p in sorted(Path("rows").glob("*.parquet"))] == [
        400,
        400,
        200,
    ]
    for more, told in (
        (("--where", "sick=no"), "another plan"),
        (("--shards", "1-2"), "FIRST:LAST"),
        (("--shards", "2:3"), "0:2"),
    ):
        ended = cli(*words, *more)
        assert ended.code == 2
        assert told in ended.err
    ended = cli("sample", str(finished), "-n", "10", "--workers", "2")
    assert ended.code == 2
    assert "--shard-rows" in ended.err
