"""``synthgen bench`` as it is typed: what it prints, how it ends, and one whole run of it."""

from __future__ import annotations

import csv
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from synthgen import pipeline
from synthgen.pipeline.tables import splitting
from synthgen.report import load
from synthgen.report.bench import Bench
from synthgen.runs import sha256
from tests.cli.ended import Cli
from tests.pipeline.bench_cells import Cells, failing

WINE = {"source": "sklearn:wine", "target": "target"}
FILE: dict[str, Any] = {
    "datasets": {"wine": WINE, "iris": {"source": "sklearn:iris", "target": "target"}},
    "generators": ["ctgan", "tvae"],
    "settings": {"budget": "quick"},
}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Cells:
    found = Cells()
    monkeypatch.setattr(pipeline, "augment", found.augment)
    monkeypatch.setattr(pipeline, "resume", found.resume)
    monkeypatch.setattr(splitting, "giveaways", lambda *_: [])
    return found


def write(**changes: Any) -> None:
    Path("mine.yaml").write_text(yaml.safe_dump(FILE | changes, sort_keys=False))


def test_the_table_is_printed_and_the_files_are_named(cli: Cli, fake: Cells) -> None:
    write()
    ended = cli("bench", "mine.yaml")
    assert ended.code == 0, ended.err
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["class", "weights", "1.00", "2", "/", "0", "/", "0", "99.0*", "91.0*"] in lines
    assert ["doing", "nothing", "2.00", "98.0", "90.0"] in lines
    assert "ctgan: augment 0, do not augment 2, inconclusive 0, failed 0" in ended.out
    for name in ("bench.html", "bench.md", "bench.csv", "bench.json"):
        assert (Path("runs/mine") / name).is_file()
    assert "runs/mine/bench.html" in ended.out
    assert "cells     4/4" in ended.err


def test_json_is_the_bench(cli: Cli, fake: Cells) -> None:
    write()
    ended = cli("bench", "mine.yaml", "--out", "here", "--json", "--progress", "json")
    assert ended.code == 0, ended.err
    assert ended.out == Path("here/bench.json").read_text()
    assert Bench.model_validate_json(ended.out).title == "mine"
    events = [json.loads(line) for line in ended.err.splitlines()]
    assert events[-1] == {"stage": "cells", "done": 4, "total": 4}


def test_quiet_says_nothing_on_the_way(cli: Cli, fake: Cells) -> None:
    write()
    assert cli("bench", "mine.yaml", "-q").err == ""


def test_a_failed_run_decides_the_exit_code_after_the_result(cli: Cli, fake: Cells) -> None:
    write()
    fake.before = failing("iris/tvae")
    ended = cli("bench", "mine.yaml")
    assert ended.code == 5
    assert "4 cells, 1 of them failed" in ended.out
    assert "iris/tvae/seed-0: the losses stayed NaN" in ended.out
    assert "tvae: augment 0, do not augment 1, inconclusive 0, failed 1" in ended.out
    assert "error: 1 of 4 runs failed; the first: the losses stayed NaN" in ended.err
    assert "repeat the command" in ended.err
    fake.before = lambda path: None
    assert cli("bench", "mine.yaml").code == 0


def test_a_failed_gate_is_exit_6_after_the_result(cli: Cli, fake: Cells) -> None:
    write(settings={"gates": {"column_shapes": {"min": 0.5}}})
    cli("bench", "mine.yaml")
    # The made-up runs check no gate themselves, but on the second start they are checked.
    ended = cli("bench", "mine.yaml")
    assert ended.code == 6
    assert "4 runs failed a gate" in ended.err
    assert "(the run is complete)" in ended.out


def test_an_interrupt_says_to_repeat_the_command(cli: Cli, fake: Cells) -> None:
    def stop(path: Path) -> None:
        if "iris/ctgan" in str(path):
            os.kill(os.getpid(), signal.SIGTERM)

    write()
    fake.between = stop
    ended = cli("bench", "mine.yaml")
    assert ended.code == 128 + signal.SIGTERM
    assert "error: interrupted" in ended.err
    assert "repeat the command" in ended.err
    assert ended.out == ""
    fake.between = lambda path: None
    ended = cli("bench", "mine.yaml")
    assert ended.code == 0, ended.err
    assert fake.resumed == ["iris/ctgan/seed-0"]
    assert len(fake.made) == 4


def test_another_configuration_is_exit_2_unless_forced(cli: Cli, fake: Cells) -> None:
    write()
    cli("bench", "mine.yaml")
    write(settings={"budget": "thorough"})
    ended = cli("bench", "mine.yaml")
    assert ended.code == 2
    assert "another configuration" in ended.err
    assert "--force" in ended.err
    assert cli("bench", "mine.yaml", "--force").code == 0
    assert len(fake.made) == 8


def test_a_wrong_file_is_exit_2(cli: Cli, fake: Cells) -> None:
    assert cli("bench", "none.yaml").code == 2
    write(generator=["ctgan"])
    ended = cli("bench", "mine.yaml")
    assert ended.code == 2
    assert "unknown setting generator" in ended.err
    assert "did you mean generators?" in ended.err
    assert fake.made == []
    assert not Path("runs").exists()


def test_a_whole_bench(cli: Cli) -> None:
    quick = {
        "resamples": 3,
        "ratios": [1.0],
        "learners": ["logistic"],
        "arms": ["nothing", "class_weights"],
        "filters": [],
        "weights": [],
        "mixed": False,
        "curve": [],
    }
    write(
        datasets={"wine": WINE},
        generators=["smote"],
        seeds=[3],
        settings={"decide": quick, "workers": 1},
    )
    ended = cli("bench", "mine.yaml", "--out", "out")
    assert ended.code == 0, ended.err
    report = load(Path("out/wine/smote-generator/seed-3/report.json"))
    with Path("out/bench.csv").open(newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"nothing", "class_weights", "smote-generator"}
    (smote,) = [
        d
        for d in report.differences
        if (d.arm, d.learner, d.metric) == ("smote", "best", report.verdict.metric)
    ]
    assert float(rows["smote-generator"]["score"]) == smote.baseline + smote.mean
    assert float(rows["smote-generator"]["low"]) == smote.interval.low
    assert rows["nothing"]["decision"] == report.verdict.decision
    before = {p: sha256(p) for p in Path("out").rglob("*") if p.is_file()}
    assert cli("bench", "mine.yaml", "--out", "out").code == 0
    assert {p: sha256(p) for p in Path("out").rglob("*") if p.is_file()} == before
