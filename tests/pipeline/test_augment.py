"""The main job from end to end, and the promises that the product makes."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen import pipeline
from synthgen.errors import ConfigError, GateError
from synthgen.metrics.exact_copies import copies
from synthgen.pipeline import stages
from synthgen.pipeline.tables import contents
from synthgen.report import load
from synthgen.runs import Run, sha256
from tests.pipeline.tables import people, small

CONTRACT = {
    "config.yaml",
    "split/train.parquet",
    "split/test.parquet",
    "verdict.json",
    "model/model.safetensors",
    "model/model.json",
    "synthetic.parquet",
    "train.jsonl",
    "report.json",
    "report.html",
    "card.md",
    "manifest.json",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run whose augmented set holds synthetic rows."""
    config = small(sample={"ratio": "balanced"})
    return pipeline.augment(config, tmp_path_factory.mktemp("runs") / "people", data=people())


def files(run: Run) -> dict[str, str]:
    """Digest of every visible file but the manifest."""
    found = [p for p in run.path.rglob("*") if p.is_file()]
    names = {p.relative_to(run.path).as_posix(): p for p in found}
    return {
        name: sha256(path)
        for name, path in names.items()
        if name != "manifest.json" and not any(part.startswith(".") for part in name.split("/"))
    }


def test_the_run_directory_is_complete(run: Run) -> None:
    found = set(files(run)) | {"manifest.json"}
    assert found >= CONTRACT
    assert len([name for name in found if name.startswith("decide/")]) == 3 * 5
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["files"] == files(run)
    assert {"versions", "seed", "device", "seconds"} <= set(manifest)


def test_the_augmented_table_is_the_training_rows_then_synthetic_ones(run: Run) -> None:
    train = pd.read_parquet(run / "split" / "train.parquet")
    augmented = contents.augmented(run)
    pd.testing.assert_frame_equal(augmented.head(len(train)), train)
    assert list(augmented.dtypes) == list(train.dtypes)
    counts = augmented["sick"].value_counts()
    assert counts["yes"] == counts["no"]
    assert augmented["key"].is_unique


def test_no_training_row_is_copied(run: Run) -> None:
    from synthgen.data.table import Table

    train = contents.training_rows(run)
    synthetic = Table.load(run / "synthetic.parquet", train.schema)
    assert not copies(train, synthetic).any()


def test_the_report_says_what_it_was_made_from(run: Run) -> None:
    report = load(run / "report.json")
    assert report.verdict == stages.verdict(run)
    assert report.provenance.rows["train"] == 320
    assert report.provenance.rows["test"] == 80
    assert {score.pillar for score in report.scores} == {"fidelity", "utility", "privacy"}
    assert report.curves
    # The page's headline has the decision already.
    sentence = report.verdict.sentence.partition(": ")[2] or report.verdict.sentence
    page = re.sub("<[^>]+>", "", html.unescape((run / "report.html").read_text()))
    assert " ".join(sentence[1:].split()) in " ".join(page.split())


@pytest.mark.parametrize("dtype", ["text", "category"])
def test_rare_and_extreme_values_are_nowhere_but_in_real_rows(dtype: str, tmp_path: Path) -> None:
    frame = people()
    frame["town"] = frame["town"].cat.add_categories("Atlantis")
    if dtype == "text":
        frame["town"] = frame["town"].astype(object)
    frame.loc[[3, 50, 90], "town"] = "Atlantis"
    frame.loc[[7], "income"] = 98765432109.5
    run = pipeline.augment(small(), tmp_path / "run", data=frame)
    synthetic = pd.read_parquet(run / "synthetic.parquet")
    assert "Atlantis" not in set(synthetic["town"])
    assert synthetic["income"].max() < 1e9
    real = ("split/train.parquet", "split/test.parquet", "augmented.parquet")
    for name in files(run):
        if name not in real:
            content = (run / name).read_bytes()
            assert b"Atlantis" not in content, name
            assert b"98765432109" not in content, name


def test_same_seed_same_bytes_and_another_seed_others(run: Run, tmp_path: Path) -> None:
    config = small(sample={"ratio": "balanced"})
    again = pipeline.augment(config, tmp_path / "again", data=people())
    assert files(again) == files(run)
    other = pipeline.augment(
        config.model_copy(update={"seed": 1}), tmp_path / "other", data=people()
    )
    assert files(other)["synthetic.parquet"] != files(run)["synthetic.parquet"]


def test_processes_give_the_same_bytes(run: Run, tmp_path: Path) -> None:
    config = small(sample={"ratio": "balanced"}, workers=2)
    several = pipeline.augment(config, tmp_path / "several", data=people())
    same = {
        name for name in files(run) if name not in ("config.yaml", "report.json", "report.html")
    }
    assert {n: files(several)[n] for n in same} == {n: files(run)[n] for n in same}


def test_nothing_of_the_test_rows_reaches_what_is_learned_or_chosen(tmp_path: Path) -> None:
    """The canary: other test rows, same training rows; only scores of the test may differ."""
    frame = people()
    plain = pipeline.augment(small(), tmp_path / "plain", data=frame)
    held = pd.read_parquet(plain / "split" / "test.parquet")["key"]
    canary = frame.copy()
    rows = canary["key"].isin(held)
    canary["town"] = canary["town"].cat.add_categories("Canary Islands")
    canary.loc[rows, "town"] = "Canary Islands"
    canary.loc[rows, "income"] = 1e12 + np.arange(rows.sum())
    canary.loc[rows, "age"] = 17
    canary["town"] = canary["town"].astype(str)
    plain_text = frame.assign(town=frame["town"].astype(str))
    a = pipeline.augment(small(), tmp_path / "a", data=plain_text)
    b = pipeline.augment(small(), tmp_path / "b", data=canary)
    first, second = files(a), files(b)
    assert first["split/train.parquet"] == second["split/train.parquet"]
    assert first["split/test.parquet"] != second["split/test.parquet"]
    learned = [
        name
        for name in first
        if name
        not in ("split/test.parquet", "report.json", "report.html", "card.md", "origin.json")
    ]
    assert {name: first[name] for name in learned} == {name: second[name] for name in learned}
    assert "Canary" not in (b / "report.json").read_text()


def test_do_not_augment_returns_the_training_rows(tmp_path: Path) -> None:
    frame = people().assign(sick=lambda t: t["sick"].sample(frac=1, random_state=3).to_numpy())
    run = pipeline.augment(small(), tmp_path / "noise", data=frame)
    assert stages.verdict(run).decision != "augment"
    train = pd.read_parquet(run / "split" / "train.parquet")
    pd.testing.assert_frame_equal(contents.augmented(run), train)
    assert len(pd.read_parquet(run / "synthetic.parquet")) == len(train)


def test_a_fixed_ratio_is_obeyed_whatever_the_verdict(tmp_path: Path) -> None:
    run = pipeline.augment(small(sample={"ratio": 0.5}), tmp_path / "run", data=people())
    assert len(contents.augmented(run)) == 320 + 160


def test_a_failing_gate_leaves_a_complete_run(tmp_path: Path) -> None:
    config = small(gates={"column_shapes": {"min": 1.1}})
    with pytest.raises(GateError, match="column_shapes") as failed:
        pipeline.augment(config, tmp_path / "run", data=people())
    assert failed.value.exit_code == 6
    assert Run(tmp_path / "run").finished


def test_sdv_metadata_go_in_and_out(run: Run, tmp_path: Path) -> None:
    written = json.loads((run / "sdv-metadata.json").read_text())
    columns = written["tables"]["table"]["columns"]
    assert columns["key"]["sdtype"] == "id"
    columns["age"]["sdtype"] = "categorical"
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(written))
    config = small(data={"target": "sick", "sdv_metadata": str(path)})
    other = pipeline.augment(config, tmp_path / "run", data=people())
    path.unlink()  # From here on the run does not need it.
    pipeline.resume(other.path)
    assert contents.schema(other)["age"].kind == "categorical"
    assert contents.schema(run)["age"].kind == "numeric"
    path.write_text("{}")
    with pytest.raises(ConfigError, match="SDV metadata"):
        pipeline.augment(config, tmp_path / "third", data=people())
    path.unlink()
    with pytest.raises(ConfigError, match=r"metadata\.json"):
        pipeline.augment(config, tmp_path / "third", data=people())


def test_a_given_test_file_is_the_sealed_part(tmp_path: Path) -> None:
    people(seed=1).to_csv(tmp_path / "train.csv", index=False)
    people(200, seed=2).to_csv(tmp_path / "test.csv", index=False)
    config = small(
        data={
            "target": "sick",
            "source": str(tmp_path / "train.csv"),
            "test": str(tmp_path / "test.csv"),
        }
    )
    run = pipeline.augment(config, tmp_path / "run")
    assert len(contents.training_rows(run)) == 400
    assert len(contents.sealed_rows(run)) == 200
    assert (run / "augmented.csv").is_file()


def test_resuming_a_finished_run_changes_nothing(run: Run) -> None:
    before = files(run)
    pipeline.resume(run.path)
    assert files(run) == before


@pytest.mark.parametrize("generator", ["tvae", "smote", "sdv-gaussian-copula"])
def test_other_generators_go_the_same_way(generator: str, tmp_path: Path) -> None:
    settings = {"name": generator} | ({"epochs": 2} if generator == "tvae" else {})
    run = pipeline.augment(
        small(generator=settings, sample={"ratio": 1.0}), tmp_path / "run", data=people()
    )
    assert Run(run.path).finished
    assert len(contents.augmented(run)) == 640


def test_the_placebo_needs_leave_to_copy(tmp_path: Path) -> None:
    settings = {"ratio": 1.0, "copies": "allow"}
    run = pipeline.augment(
        small(generator={"name": "resample"}, sample=settings), tmp_path / "run", data=people()
    )
    report = load(run / "report.json")
    value = next(s.value for s in report.scores if s.metric == "exact_copies")
    assert value > 300  # All but the rows whose rare or extreme values are protected.
