"""What users get wrong: exit code, one line of cause, one of remedy, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.ended import Cli


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
    "header only": (_bytes("table.csv", b"age,city,y\n"), 3, ("table.csv", "row")),
    "one row": (_csv(good().head(1)), 3, ("row",)),
    "one class": (_csv(good().assign(y="no")), 3, ("'y'", "class")),
    "a class with one member": (_csv(_with("y", 3, "maybe")), 3, ("'y'", "one")),
    "target with missing values": (_csv(_with("y", [1, 2], None)), 3, ("'y'", "2")),
    "infinities": (_csv(_with("age", [3, 4], np.inf)), 3, ("'age'", "inf")),
    "mixed types": (_csv(_with("age", [7], "unknown")), 3, ("'age'", "line 9")),
    "duplicate column names": (_bytes("table.csv", b"a,b,a,y\n1,2,3,x\n"), 3, ("'a'",)),
    "ragged rows": (_bytes("table.csv", b"a,y\n1,x\n2,y,3\n4,x\n"), 3, ("line 3",)),
    "truncated Parquet": (_truncated_parquet, 3, ("table.parquet",)),
    "not a Parquet": (_bytes("table.parquet", b"hello"), 3, ("table.parquet",)),
    "broken encoding": (
        _bytes("table.csv", b"a,y\n" + b"\x81\x8d\x8f\x90\x9d,x\n\xff\xfe\x00,y\n" * 9),
        3,
        ("table.csv", "encoding"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_table(name: str, cli: Cli, tmp_path: Path) -> None:
    write, code, words = CASES[name]
    path = write(tmp_path)
    before = sorted(p.name for p in tmp_path.iterdir())
    ended = cli("augment", str(path), "--target", "y", "--out", "run")
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
    ("words", "expected"),
    [
        (("--generator", "ctgn"), ("ctgn", "ctgan")),
        (("--ratio", "lots"), ("lots",)),
        (("--ratio", "-1"), ("ratio",)),
        (("--ratio", "1e9"), ("ratio",)),
        (("--set", "generator.epoch=5"), ("generator.epoch", "epochs")),
        (("--set", "generator.epochs=0"), ("generator.epochs",)),
        (("--set", "generator.epochs"), ("a.b=value",)),
        (("--set", "budgt=quick"), ("budgt", "budget")),
        (("--set", "data.columns.age.kind=numerical"), ("data.columns.age", "numeric")),
        (("--set", "data.columns.agee.kind=numeric"), ("agee", "age")),
        (("--config", "absent.yaml"), ("absent.yaml",)),
        (("--seed", "-3"), ("seed",)),
        (("--group", "patient"), ("patient",)),
        (("--set", "gates.colum_shapes.min=1"), ("gates.colum_shapes", "column_shapes")),
    ],
)
def test_bad_setting(
    words: tuple[str, ...], expected: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    path = _csv(good())(tmp_path)
    ended = cli("augment", str(path), "--target", "y", "--out", "run", *words)
    assert ended.code in (2, 3), ended.err
    _is_cause_and_remedy(ended.err, expected)
    assert not (tmp_path / "run").exists()


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
    _is_cause_and_remedy(ended.err, ("blocked",))
