"""What users get wrong: exit code, one line of cause, one of remedy, nothing left behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen.pipeline import stages
from synthgen.pipeline.tables import contents
from synthgen.runs import Run
from tests.cli.ended import Cli
from tests.cli.test_commands import FAST


def good(rows: int = 120) -> pd.DataFrame:
    """A small table that works."""
    rng = np.random.default_rng(0)
    y = rng.random(rows) < 0.4
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows) + 5 * y,
            "city": rng.choice(["Bern", "Oslo", "Rome"], rows),
            "y": np.where(y, "yes", "no"),
        }
    )


def _csv(frame: pd.DataFrame) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "table.csv"
        frame.to_csv(path, index=False)
        return path

    return write


def _bytes(name: str, content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return write


def _truncated_parquet(folder: Path) -> Path:
    path = folder / "table.parquet"
    good().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])
    return path


def _with(column: str, rows: object, values: object) -> pd.DataFrame:
    frame = good().astype({column: object})
    frame.loc[rows, column] = values  # type: ignore[index]
    return frame


# name, table, exit code, what the cause and the remedy must say
CASES: dict[str, tuple[Callable[[Path], Path], int, tuple[str, ...]]] = {
    "empty file": (_bytes("table.csv", b""), 3, ("table.csv", "empty")),
    "header only": (_bytes("table.csv", b"age,city,y\n"), 3, ("table.csv", "no rows")),
    "one row": (_csv(good().head(1)), 3, ("1 row",)),
    "one class": (_csv(good().assign(y="no")), 3, ("'y'", "1 class", "at least two")),
    "a class with one member": (_csv(_with("y", 3, "maybe")), 3, ("'y'", "1 of 3 classes")),
    "target with missing values": (
        _csv(_with("y", [1, 2], None)),
        3,
        ("'y'", "missing in 2 rows of 120"),
    ),
    "target all missing": (_csv(_with("y", slice(None), None)), 3, ("'y'", "120 rows of 120")),
    "infinities": (_csv(_with("age", [3, 4], np.inf)), 3, ("'age'", "infinity in 2 rows")),
    "mixed types": (_csv(_with("age", [7], "unknown")), 3, ("'age'", "line 9")),
    "duplicate column names": (
        _bytes("table.csv", b"a,b,a,y\n1,2,3,x\n"),
        3,
        ("'a'", "more than once"),
    ),
    "ragged rows": (_bytes("table.csv", b"a,y\n1,x\n2,y,3\n4,x\n"), 3, ("table.csv", "line 3")),
    "truncated Parquet": (_truncated_parquet, 3, ("table.parquet", "Parquet")),
    "not a Parquet": (_bytes("table.parquet", b"hello"), 3, ("table.parquet", "Parquet")),
    "bytes that are no text": (
        _bytes("table.csv", b"a,y\n" + b"\x81\x8d\x8f\x90\x9d,x\n\xff\xfe\x00,y\n" * 9),
        3,
        ("table.csv", "not text", "byte 14"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_table(name: str, cli: Cli, tmp_path: Path) -> None:
    write, code, words = CASES[name]
    path = write(tmp_path)
    before = sorted(p.name for p in tmp_path.iterdir())
    # The bare name: the folder's would hold words of the test's own.
    ended = cli("augment", path.name, "--target", "y", "--out", "run")
    assert ended.code == code, ended.err
    _is_cause_and_remedy(ended.err, words)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def _is_cause_and_remedy(err: str, words: tuple[str, ...]) -> None:
    lines = err.strip().splitlines()
    assert len(lines) == 2, err
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in err


def test_missing_file(cli: Cli) -> None:
    ended = cli("augment", "nowhere.csv", "--target", "y")
    assert ended.code == 3
    _is_cause_and_remedy(ended.err, ("nowhere.csv",))


def test_misspelt_target_names_the_nearest(cli: Cli, tmp_path: Path) -> None:
    path = _csv(good().rename(columns={"y": "income"}))(tmp_path)
    ended = cli("augment", str(path), "--target", "incme")
    assert ended.code == 3
    _is_cause_and_remedy(ended.err, ("incme", "income"))


def test_missing_target_option(cli: Cli, tmp_path: Path) -> None:
    ended = cli("augment", str(_csv(good())(tmp_path)))
    assert ended.code == 2
    _is_cause_and_remedy(ended.err, ("--target",))


def test_no_data(cli: Cli) -> None:
    ended = cli("augment", "--target", "y")
    assert ended.code == 2
    _is_cause_and_remedy(ended.err, ("no data",))


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("--generator", "ctgn"), 2, ("ctgn", "did you mean ctgan")),
        (("--ratio", "lots"), 2, ("--ratio", "lots")),
        (("--ratio", "-1"), 2, ("ratio", "above 0")),
        (("--ratio", "1e9"), 2, ("ratio", "at most")),
        (("--set", "generator.epoch=5"), 2, ("generator.epoch", "did you mean epochs")),
        (("--set", "generator.epochs=0"), 2, ("generator.epochs", "greater than")),
        (("--set", "generator.epochs"), 2, ("generator.epochs", "a.b=value")),
        (("--set", "budgt=quick"), 2, ("budgt", "did you mean budget")),
        (("--set", "data.columns.age.kind=numerical"), 2, ("data.columns.age", "numeric")),
        (("--set", "data.columns.agee.kind=numeric"), 2, ("'agee'", "'age'")),
        (("--config", "absent.yaml"), 2, ("absent.yaml", "does not exist")),
        (("--seed", "-3"), 2, ("seed", "greater than")),
        (("--group", "patient"), 3, ("'patient'", "group", "'age', 'city', 'y'")),
        (("--time", "when"), 3, ("'when'", "time")),
        (("--set", "gates.colum_shapes.min=1"), 2, ("gates.colum_shapes", "column_shapes")),
        (("--set", "data.read.encoding=utf-9"), 2, ("'utf-9'", "utf-8")),
        (("--device", "foo"), 2, ("device", "'foo'", "cpu")),
        (("--test", "nowhere.csv"), 3, ("nowhere.csv", "path")),
        (("--test", "nowhere.csv", "--dry-run"), 3, ("nowhere.csv", "path")),
    ],
)
def test_bad_setting(
    words: tuple[str, ...], code: int, expected: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    path = _csv(good())(tmp_path)
    ended = cli("augment", str(path), "--target", "y", "--out", "run", *words)
    assert ended.code == code, ended.err
    _is_cause_and_remedy(ended.err, expected)
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_an_encoding_that_does_not_fit(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes("a,y\né,x\nb,z\n".encode("latin-1"))
    ended = cli("augment", "table.csv", "--target", "y", "--set", "data.read.encoding=utf-8")
    assert ended.code == 3
    _is_cause_and_remedy(ended.err, ("table.csv", "not utf-8", "line 2", "data.read.encoding"))


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_a_device_that_is_not_there(words: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    import torch

    if torch.cuda.device_count() > 7:
        pytest.skip("this machine has cuda:7")
    path = _csv(good())(tmp_path)
    ended = cli("augment", str(path), "--target", "y", "--out", "run", "--device", "cuda:7", *words)
    assert ended.code == 4, ended.err
    _is_cause_and_remedy(ended.err, ("device", "cuda:7", "--device cpu"))
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_unknown_option_is_usage(cli: Cli) -> None:
    ended = cli("augment", "x.csv", "--targt", "y")
    assert ended.code == 2
    assert "--target" in ended.err


def test_broken_yaml_names_the_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("data:\n  target: y\n  source: [a\nseed: 3\n")
    ended = cli("augment", "--config", "job.yaml")
    assert ended.code == 2
    _is_cause_and_remedy(ended.err, ("job.yaml", "line"))


def test_existing_folder(cli: Cli, tmp_path: Path) -> None:
    path = _csv(good())(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    for words in ((), ("--force",)):
        ended = cli("augment", str(path), "--target", "y", "--out", "run", *words)
        assert ended.code == 2
        _is_cause_and_remedy(ended.err, ("run", "--out"))
    assert (tmp_path / "run" / "thesis.txt").read_text() == "years of work"


def test_resuming_nothing(cli: Cli) -> None:
    ended = cli("resume", "nowhere")
    assert ended.code == 2
    _is_cause_and_remedy(ended.err, ("nowhere", "runs ls"))


def test_an_unwritable_place(cli: Cli, tmp_path: Path) -> None:
    path = _csv(good())(tmp_path)
    (tmp_path / "blocked").write_text("a file, not a folder")
    ended = cli("augment", str(path), "--target", "y", "--out", "blocked/run")
    assert ended.code == 4
    _is_cause_and_remedy(ended.err, ("blocked", "--out"))


@pytest.mark.parametrize(
    ("column", "cells"),
    [("gone", None), ("same", "always"), ("zero", 0), ("half", 0.5)],
)
def test_columns_that_say_nothing_are_constants(
    column: str, cells: object, cli: Cli, tmp_path: Path
) -> None:
    frame = good().assign(**{column: cells})
    ended = cli(
        "augment", str(_csv(frame)(tmp_path)), "--target", "y", "--out", "run", "--ratio", "1",
        *FAST,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    schema = contents.schema(Run(tmp_path / "run"))
    assert schema[column].kind == "constant"
    augmented = pd.read_csv(tmp_path / "run" / "augmented.csv")[column]
    assert len(augmented) == 2 * 96
    if cells is None:
        assert augmented.isna().all()
    else:
        assert augmented.unique().tolist() == [cells]


def test_very_many_categories_are_kept_out_quickly(cli: Cli, tmp_path: Path) -> None:
    rows = 50_000
    rng = np.random.default_rng(0)
    names = np.array([f"word {number:x} of them" for number in range(rows)], dtype=object)
    y = rng.random(rows) < 0.4
    frame = pd.DataFrame({"x": rng.normal(size=rows) + y, "word": names, "y": y.astype(int)})
    started = time.monotonic()
    ended = cli(
        "augment", str(_csv(frame)(tmp_path)), "--target", "y", "--out", "run", *FAST,
        "--set", "decide.max_rows=500", "--set", "generator.epochs=1",
        "--set", "generator.batch_size=5000",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert time.monotonic() - started < 90
    assert "word: kept out of training" in ended.err
    assert contents.schema(Run(tmp_path / "run"))["word"].kind == "text"
    synthetic = pd.read_parquet(tmp_path / "run" / "synthetic.parquet")
    assert synthetic["word"].isna().all()


def test_a_training_that_fails_is_exit_5_and_keeps_what_was_done(cli: Cli, tmp_path: Path) -> None:
    path = _csv(good())(tmp_path)
    ended = cli(
        "augment", str(path), "--target", "y", "--out", "run", "-q", *FAST,
        "--set", "generator.generator_lr=1e30", "--set", "generator.discriminator_lr=1e30",
    )  # fmt: skip
    assert ended.code == 5, ended.err
    _is_cause_and_remedy(ended.err, ("not finite", "learning rate"))
    run = Run(tmp_path / "run")
    assert run.done("decide")
    assert not run.done("fit")


@pytest.mark.parametrize("stage", ["split", "decide", "fit"])
def test_a_bug_is_named_without_a_cell_of_the_data(
    stage: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ValueError("secret")

    monkeypatch.setattr(stages, stage, fail)
    path = _csv(good())(tmp_path)
    ended = cli("augment", str(path), "--target", "y", "--out", "run", "-q", *FAST)
    assert ended.code == 1
    place = f"ValueError at {Path(__file__).name}:{fail.__code__.co_firstlineno + 1}"
    _is_cause_and_remedy(ended.err, ("a bug in synthgen", place, "-vv"))
    assert "secret" not in ended.out + ended.err
    begun = stage != "split"
    assert ("synthgen resume run" if begun else "nothing was written") in ended.err
    assert (tmp_path / "run").exists() == begun
