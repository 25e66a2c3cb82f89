"""Commands on labelled images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthgen.data.images.read import read_images
from synthgen.metrics.images import scores
from tests.cli.ended import Cli
from tests.pipeline.images.pictures import CLASSES, shapes, written

FAST = tuple(
    word
    for setting in (
        *("generator.width=8", "generator.evaluations=0", "generator.steps=20"),
        *("decide.resamples=3", "decide.ratios=[1.0]", "decide.arms=[nothing]"),
        *("decide.learners=['tests.benchmark.images.worlds:perceptron']", "workers=1"),
        *("decide.classifier_steps=5", "decide.batch_size=8"),
    )
    for word in ("--set", setting)
)
GENERATOR = FAST[:6]


@pytest.fixture(autouse=True)
def quick_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "STEPS", 5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(shapes(), tmp_path)


def test_augment_train_sample_evaluate_resume(cli: Cli, folder: Path) -> None:
    ended = cli(
        "augment", str(folder), "--generator", "cgan", "--rows-per-class", "12", "--ratio", "1",
        "--out", "run", *FAST,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "run/augmented (36 of your images + 36 synthetic)" in ended.out
    assert "split.rows_per_class is 12" in ended.err
    assert " row" not in ended.out.replace("split.rows_per_class", "")
    shown = json.loads(cli("resume", "run", "--json").out)
    assert shown["augmented"] == "run/augmented"
    assert shown["rows"]["augmented"] == 72
    ended = cli("sample", "run", "-n", "9", "--where", "label=ring", "--out", "rings.zip")
    assert ended.code == 0, ended.err
    ended = cli("sample", "run", "-n", "9", "--out", "run/augmented", "--force")
    assert ended.code == 2
    assert "a part of a run" in ended.err
    rings = read_images("rings.zip").images
    assert [rings.classes[k] for k in rings.labels] == ["ring"] * 9
    ended = cli("evaluate", str(folder), "run/synthetic", "--json")
    assert ended.code == 0, ended.err
    found = {score["metric"] for score in json.loads(ended.out)}
    assert {"frechet", "classification_accuracy", "image_copies"} <= found
    assert "a fifth of REAL stands in" in ended.err
    # A second run beside the first.
    ended = cli("compare", "run", "run")
    assert ended.code == 0, ended.err
    assert "Same data, same split, same resamples." in ended.out
    # A training that begins with the run's model needs no generator to be named.
    ended = cli("train", str(folder), "--from", "run", "--out", "model", *GENERATOR[2:])
    assert ended.code == 0, ended.err
    assert json.loads(Path("model/generator.json").read_text())["generator"]["name"] == "cgan"
    ended = cli("sample", "model", "-n", "5", "--out", "drawn.parquet")
    assert ended.code == 0, ended.err
    assert len(read_images("drawn.parquet").images) == 5
    # A folder above is made; what is there is replaced if that is asked for and nothing is lost.
    words = ("sample", "model", "--out", "some/drawn")
    assert cli(*words, "-n", "5").code == 0
    ended = cli(*words, "-n", "7")
    assert ended.code == 2
    assert "--force" in ended.err
    assert cli(*words, "-n", "7", "--force").code == 0
    assert len(read_images("some/drawn").images) == 7
    Path("some/drawn/notes.txt").write_text("mine")
    ended = cli(*words, "-n", "3", "--force")
    assert ended.code == 2
    assert "notes.txt" in ended.err
    assert len(read_images("some/drawn").images) == 7
    assert [p.name for p in Path("some").iterdir()] == ["drawn"]
    # A file where a folder would have to be.
    ended = cli("sample", "model", "-n", "3", "--out", "some/drawn/notes.txt/new")
    assert ended.code == 4
    assert "cannot be written" in ended.err


def test_a_source_that_is_not_there_or_damaged_is_what_is_wrong(cli: Cli, tmp_path: Path) -> None:
    """And not the target of a table, which was not given."""
    Path("bad.zip").write_bytes(b"PK\x03\x04 and nothing more")
    Path("one.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    for source, words in (
        ("nowhere/", "no file or folder nowhere/"),
        ("nowhere.csv", "no file or folder nowhere.csv"),
        ("bad.zip", "bad.zip"),
        ("one.jpg", "one.jpg is a single image"),
    ):
        ended = cli("augment", source, "--out", "run")
        assert ended.code == 3, ended.err
        assert words in ended.err
        assert "target" not in ended.err


def test_a_dry_run_writes_nothing(cli: Cli, folder: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    words = ("augment", str(folder), "--generator", "cgan", *FAST, "--dry-run")
    ended = cli(*words)
    assert ended.code == 0, ended.err
    assert all(name in ended.out for name in CLASSES)
    assert "training images  48, sealed test images 12" in ended.out
    assert sorted(tmp_path.rglob("*")) == before
    record = json.loads(cli(*words, "--json").out)
    assert record["train_rows"] == 48
    assert record["seconds"] > 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--generator", "ctgan"), 2, "ctgan makes rows of a table"),
        (("--group", "patient"), 2, "unknown setting data.group"),
        (("--generator", "dcgan", "--from", "nowhere"), 2, "nowhere holds no model"),
        (("--set", "data.read.size=200"), 3, "200 pixels wide"),
        (("--test", "nowhere"), 3, "nowhere"),
    ],
)
def test_what_is_wrong_is_said_in_two_lines(
    words: tuple[str, ...], code: int, said: str, cli: Cli, folder: Path, tmp_path: Path
) -> None:
    ended = cli("augment", str(folder), "--out", "run", *words)
    assert ended.code == code, ended.err
    lines = ended.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("error: ")
    assert said in ended.err
    assert not (tmp_path / "run").exists()


def test_images_that_cannot_be_read_are_counted_and_too_many_are_refused(
    cli: Cli, tmp_path: Path
) -> None:
    folder = written(shapes((40, 40, 40)), tmp_path)
    (folder / "bar" / "broken.png").write_bytes(b"")
    words = ("augment", str(folder), "--generator", "cgan", "--out", "run", *FAST)
    ended = cli(*words)
    assert ended.code == 0, ended.err
    assert "1 of 121 images cannot be used" in ended.err
    for number in range(3):
        (folder / "bar" / f"broken-{number}.png").write_bytes(b"GIF89a")
    ended = cli(*words, "--force")
    assert ended.code == 3
    assert "bar/broken" in ended.err


def test_sampling_images_needs_a_place(cli: Cli, folder: Path) -> None:
    ended = cli("train", str(folder), "--generator", "cgan", "--out", "model", *GENERATOR)
    assert ended.code == 0, ended.err
    ended = cli("sample", "model", "-n", "3")
    assert ended.code == 2
    assert "--out" in ended.err
    ended = cli("sample", "model", "-n", "3", "--out", "x", "--shard-rows", "2")
    assert ended.code == 2
    assert "model of images" in ended.err
    ended = cli("sample", "model", "-n", "3", "--out", "x", "--where", "label=rung")
    assert ended.code == 2
    assert "ring" in ended.err
    assert not Path("x").exists()


def test_a_killed_training_goes_on(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from synthgen.training import loop

    words = ("train", str(folder), "--generator", "cgan", *GENERATOR[:4])
    steps = ("--set", "generator.steps=60")
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    assert cli(*words, *steps, "--out", "whole").code == 0

    def stop(record: dict[str, float]) -> None:
        if record["step"] >= 30:
            raise KeyboardInterrupt

    from synthgen.pipeline import trainlog

    plain = trainlog.TrainLog.__call__

    def stopping(self: trainlog.TrainLog, record: dict[str, float]) -> None:
        plain(self, record)
        stop(record)

    with monkeypatch.context() as patched:
        patched.setattr(trainlog.TrainLog, "__call__", stopping)
        assert cli(*words, *steps, "--out", "model").code == 130
    assert cli(*words, *steps, "--out", "model").code == 0
    same = Path("model/model.safetensors").read_bytes()
    assert same == Path("whole/model.safetensors").read_bytes()
