"""Training alone: Parquet that is read by column gives what a frame gives."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from synthgen.config import build
from synthgen.data.stored import ParquetColumns
from synthgen.errors import DataError
from synthgen.generators import rows
from synthgen.pipeline import alone, models
from tests.data.test_stored import shards
from tests.pipeline.tables import people

FAST = {"ctgan": {"epochs": 2, "batch_size": 50}, "tvae": {"epochs": 2}}
FAST |= {"arn": {"epochs": 2}, "mixture": {"epochs": 2}, "smote": {}}


def train(source: Path, out: Path, name: str, **more: object) -> dict[str, bytes]:
    generator = {"name": name, **FAST[name], **more}
    config = build({"data": {"source": str(source), "target": "sick"}, "generator": generator})
    alone.train(config, out, force=False, notify=lambda event: None)
    return {p.name: p.read_bytes() for p in out.iterdir() if p.name != "train.jsonl"}


@pytest.mark.parametrize("name", FAST)
def test_the_model_is_the_same_to_the_byte(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "people.parquet"
    people().to_parquet(source)
    by_column = train(source, tmp_path / "stored", name)
    monkeypatch.setattr(ParquetColumns, "find", lambda source: None)
    assert train(source, tmp_path / "frame", name) == by_column


def test_validation_holds_out_stored_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "people.parquet"
    people(1200).to_parquet(source)
    more = {"validation": {"every": 1, "share": 0.2}}
    by_column = train(source, tmp_path / "stored", "ctgan", **more)
    monkeypatch.setattr(ParquetColumns, "find", lambda source: None)
    assert train(source, tmp_path / "frame", "ctgan", **more) == by_column


def test_a_folder_of_shards_is_one_table(tmp_path: Path) -> None:
    frame = people()
    train(shards(frame, tmp_path / "people", 4), tmp_path / "model", "mixture")
    model = models.load(tmp_path / "model")
    drawn = model.sampler.sample(10, seed=0).frame
    assert list(drawn.columns) == list(frame.columns)
    pd.testing.assert_series_equal(drawn.dtypes, frame.dtypes)


def test_what_works_on_whole_rows_has_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people().to_parquet(tmp_path / "people.parquet")
    monkeypatch.setattr(rows, "MOST_CELLS", 1000)
    with pytest.raises(DataError, match="400 rows of 6 columns") as raised:
        train(tmp_path / "people.parquet", tmp_path / "model", "smote")
    assert "ctgan" in raised.value.remedy
