"""The configuration of runs on images, and how it is told from that of tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen import config as configuration
from synthgen.config import ImageConfig, TableConfig, build
from synthgen.config.budget import IMAGES
from synthgen.config.unions import KINDS, name_of
from synthgen.errors import ConfigError
from tests.pipeline.images.pictures import LAYOUTS, shapes, small, written


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_source_tells_what_it_holds(layout: str, tmp_path: Path) -> None:
    source = written(shapes((4, 4, 4)), tmp_path, layout)
    config = build({"data": {"source": str(source)}})
    assert isinstance(config, ImageConfig)
    assert config.data.target == "label"
    assert config.generator.name == "cdcgan"


def test_tables_stay_tables(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(9), "y": list("abc") * 3})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    (tmp_path / "folder").mkdir()
    frame.to_parquet(tmp_path / "folder" / "part.parquet")
    for name in ("a.csv", "a.parquet", "folder", "absent.csv", ""):
        source = str(tmp_path / name) if name else ""
        config = build({"data": {"source": source, "target": "y"}})
        assert isinstance(config, TableConfig), name


@pytest.mark.parametrize(
    ("settings", "modality"),
    [
        ({}, "images"),
        ({"data": {"target": "label"}}, "images"),
        ({"data": {"target": "target"}}, "table"),
        ({"data": {"target": "target"}, "generator": {"name": "dcgan"}}, "images"),
        ({"generator": {"name": "tvae"}, "data": {"target": "target"}}, "table"),
        ({"modality": "table", "data": {"target": "target"}}, "table"),
        ({"modality": "images", "data": {"target": "target"}}, "images"),
    ],
)
def test_digits_are_images_unless_something_speaks_of_a_table(
    settings: dict[str, Any], modality: str
) -> None:
    data = {"source": "sklearn:digits", **settings.get("data", {})}
    assert build({**settings, "data": data}).modality == modality


def test_a_generator_of_tables_for_images_is_refused_with_those_for_images(tmp_path: Path) -> None:
    source = written(shapes((4, 4, 4)), tmp_path)
    with pytest.raises(ConfigError, match="ctgan makes rows of a table") as caught:
        build({"data": {"source": str(source)}, "generator": {"name": "ctgan"}})
    assert "cdcgan, gan, cgan" in caught.value.remedy
    with pytest.raises(ConfigError, match="modality: there is no 'sound'"):
        build({"modality": "sound"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"generator": {"name": "dcgan", "stepps": 3}}, ("generator.stepps", "did you mean steps")),
        ({"generator": {"name": "dcgan", "epochs": 3}}, ("generator.epochs", "a setting of")),
        ({"generator": {"name": "dcgam"}}, ("there is no 'dcgam'", "did you mean dcgan")),
        ({"data": {"group": "patient"}}, ("unknown setting data.group",)),
        ({"decide": {"learners": ["forest"]}}, ("decide.learners", "small-cnn")),
        ({"decide": {"arms": ["nothing", "smote"]}}, ("decide.arms", "smote")),
        ({"data": {"read": {"size": 0}}}, ("data.read.size",)),
        ({"split": {"rows_per_class": 3}}, ("split.rows_per_class", "3")),
        ({"sample": {"ratio": 0.3}, "decide": {"ratios": [1.0]}}, ("sample.ratio is 0.3",)),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        build({"modality": "images", **change})
    assert len(str(caught.value).splitlines()) == 2
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("budget", IMAGES)
def test_the_budget_fills_what_was_not_set(budget: configuration.Budget, tmp_path: Path) -> None:
    images = shapes()
    decide = {"resamples": 7}
    config = build({"modality": "images", "budget": budget, "decide": decide})
    assert isinstance(config, ImageConfig)
    resolved = configuration.resolve_images(config, images)
    assert resolved.generator.steps == IMAGES[budget].steps
    assert resolved.decide.ratios == IMAGES[budget].ratios
    assert resolved.decide.resamples == 7
    assert resolved.data.read.size == (8, 8)
    assert resolved.data.read.channels == 1
    configuration.save(resolved, tmp_path / "config.yaml")
    again = configuration.read(tmp_path / "config.yaml")
    assert again == resolved
    assert isinstance(again, ImageConfig)
    assert configuration.resolve_images(again, images) == resolved


def test_the_standard_budget_has_five_seeds_or_more() -> None:
    """Each resample has a seed of its own for the generator and the classifiers."""
    assert IMAGES["standard"].resamples >= 5


def test_what_holds_for_classifiers_holds_for_the_generator() -> None:
    mirrored = small(decide={"mirrored": True}, generator={"name": "dcgan"})
    assert configuration.resolve_images(mirrored, shapes()).generator.mirrored
    kept = small(decide={"mirrored": True}, generator={"name": "dcgan", "mirrored": False})
    assert not configuration.resolve_images(kept, shapes()).generator.mirrored
    assert not configuration.resolve_images(small(), shapes()).generator.mirrored


def test_the_json_schema_knows_every_generator_of_images() -> None:
    schema = json.dumps(configuration.json_schema())
    assert all(f'"{name_of(kind)}"' in schema for kind in KINDS["images"])
