"""Which run of a series is current, and which of two is better."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from synthgen import pipeline
from synthgen.errors import ConfigError
from synthgen.pipeline.series import Series, compare, score_of
from tests.pipeline.images.pictures import shapes, written
from tests.pipeline.images.pictures import small as small_images
from tests.pipeline.tables import people, small


def test_a_series_counts_and_names_the_current_run(tmp_path: Path) -> None:
    series = Series(tmp_path, "people")
    assert (series.current, series.identity, series.count) == (None, None, 0)
    series.done("aa", tmp_path / "first")
    series.done("bb", tmp_path / "first")
    assert series.current == tmp_path / "first"
    assert (series.identity, series.count) == ("bb", 2)


def test_the_better_of_two_tables_is_kept(tmp_path: Path) -> None:
    config = small(data={"target": "sick"}, generator={"name": "resample"})
    good = pipeline.augment(config, tmp_path / "good", data=people())
    bad = pipeline.augment(config, tmp_path / "bad", data=people())
    rows = good / "synthetic.parquet"
    assert score_of(config) == "two_sample_auc"
    same = compare(good, bad, "two_sample_auc")
    assert same.new == same.old
    assert same.keep_new
    # The ages of the bad run's people have nothing to do with the rest.
    frame = pd.read_parquet(rows)
    frame["age"] = frame["age"].sample(frac=1, random_state=0).to_numpy()[::-1] // 2
    frame.to_parquet(bad / "synthetic.parquet")
    found = compare(good, bad, "two_sample_auc")
    assert found.keep_new
    assert found.old > found.new == same.new
    assert "the new one is kept" in found.sentence()
    turned = compare(bad, good, "two_sample_auc")
    assert not turned.keep_new
    assert "the old one is kept" in turned.sentence()
    assert not compare(bad, good, "column_shapes").keep_new
    with pytest.raises(ConfigError, match="do not allow the score rmse") as caught:
        compare(good, bad, "rmse")
    assert "two_sample_auc" in caught.value.remedy


def test_images_are_compared_by_what_they_teach(tmp_path: Path) -> None:
    config = small_images(str(written(shapes(), tmp_path)))
    run = pipeline.augment(config, tmp_path / "run")
    found = compare(run, run, score_of(config))
    assert found.metric == "classification_accuracy"
    assert found.keep_new
