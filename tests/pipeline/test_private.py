"""A differentially private generator in the main job and alone: what leaves, and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthgen import pipeline
from synthgen.config import build
from synthgen.data.table import Table
from synthgen.errors import MachineError
from synthgen.pipeline import alone, machine, models
from synthgen.pipeline.events import Event
from synthgen.pipeline.tables import contents
from synthgen.report import load
from synthgen.runs import Run
from tests.pipeline.tables import people, small

pytest.importorskip("opacus")
GENERATOR: dict[str, Any] = {
    "name": "dp-ctgan",
    "epsilon": 50.0,
    "epochs": 2,
    "batch_size": 100,
    "generator_dim": [16],
    "discriminator_dim": [16],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run whose augmented set holds synthetic rows of every class."""
    config = small(generator=GENERATOR, sample={"ratio": "balanced"})
    return pipeline.augment(config, tmp_path_factory.mktemp("runs") / "people", data=people())


@pytest.fixture(scope="module")
def alone_trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """A model of a CSV file whose column of incomes writes gaps in its own way."""
    folder = tmp_path_factory.mktemp("alone")
    people(600).to_csv(folder / "people.csv", index=False, na_rep="n/a")
    source = {"source": str(folder / "people.csv"), "target": "sick"}
    heard: list[Event] = []
    config = build({"data": source, "generator": GENERATOR, "device": "cpu"})
    alone.train(config, folder / "model", force=False, notify=heard.append)
    return folder / "model", heard


def test_the_augmented_table_is_as_ever(run: Run) -> None:
    train = pd.read_parquet(run / "split" / "train.parquet")
    augmented = contents.augmented(run)
    pd.testing.assert_frame_equal(augmented.head(len(train)), train)
    assert len(augmented) > len(train)
    assert set(augmented["sick"]) == {"yes", "no"}


def test_the_report_says_what_is_private_and_what_is_not(run: Run) -> None:
    report = load(run / "report.json")
    assert report.privacy is not None
    assert report.privacy.rows == report.provenance.rows["train"]
    assert 49 < report.privacy.epsilon <= 50
    for file in ("report.html", "card.md"):
        text = (run / file).read_text("utf-8")
        assert "Experimental" in text
        assert "epsilon 50" in text
        assert "does not cover" in text
        assert "no formal privacy is claimed" not in text
    names = {curve.name for curve in report.curves}
    assert names == {"loss_generator", "loss_conditions"}


def test_a_class_is_coded_as_in_the_training_rows(run: Run) -> None:
    """The model lists values by noisy frequency; learners must see the training table's codes."""
    train = contents.training_rows(run)
    synthetic = Table.load(run / "synthetic.parquet", train.schema)
    assert synthetic.schema == train.schema
    for column in train.schema.discrete:
        assert (synthetic.codes(column.name) >= -1).all()


def test_drawing_more_from_a_run_looks_at_no_training_row(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Run) -> Table:
        raise AssertionError("training rows were looked at")

    monkeypatch.setattr("synthgen.pipeline.tables.alone.training_rows", refuse)
    alone.sample(
        run.path,
        50,
        tmp_path / "more.parquet",
        seed=1,
        where={},
        allow_copies=False,
        trust_pickle=False,
        force=False,
    )
    assert len(pd.read_parquet(tmp_path / "more.parquet")) == 50


def test_the_folder_of_a_model_holds_no_hash_of_the_rows(
    run: Run, alone_trained: tuple[Path, list[Event]]
) -> None:
    for folder in (run / "model", alone_trained[0]):
        origin = json.loads((folder / models.FILE).read_text("utf-8"))["origin"]
        assert origin["sha256"] is None
        sampler = models.load(folder).sampler
        gaps = {c.name for c in sampler.schema.columns if c.missing}  # type: ignore[attr-defined]
        assert set(origin["missing"]) <= gaps


def test_training_alone_says_the_guarantee_and_logs_no_real_loss(
    alone_trained: tuple[Path, list[Event]],
) -> None:
    folder, heard = alone_trained
    assert any("epsilon 50" in (event.notice or "") for event in heard)
    for line in (folder / "train.jsonl").read_text("utf-8").splitlines():
        assert set(json.loads(line)) == {
            "step",
            "steps",
            "epoch",
            "loss_generator",
            "loss_conditions",
        }
    assert not alone.unfinished(folder).exists()


def test_a_missing_package_is_told_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    with pytest.raises(MachineError, match="Opacus"):
        machine.check_packages(small(generator=GENERATOR))
