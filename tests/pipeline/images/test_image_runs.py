"""Whole runs on labelled images."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen import pipeline
from synthgen.data.images.images import Images
from synthgen.data.images.read import read_images
from synthgen.errors import ConfigError, DataError, GateError, MachineError
from synthgen.pipeline import models, stages
from synthgen.pipeline.images import contents
from synthgen.pipeline.images.delivering import deliver
from synthgen.pipeline.kinds import IMAGES
from synthgen.report import load
from synthgen.runs import Run
from tests.pipeline.images.pictures import CLASSES, LAYOUTS, shapes, small, written
from tests.pipeline.test_augment import files

ALWAYS = {
    *("config.yaml", "groups.json", "origin.json", "leaks.json", "notices.json", "verdict.json"),
    *("model/model.safetensors", "model/model.json", "model/generator.json", "train.jsonl"),
    *("report.json", "report.html", "card.md", "pictures/classes.png", "sample.json"),
}


def pixels(images: Images) -> set[bytes]:
    return {image.tobytes() for image in images.pixels}


def coloured() -> Images:
    grey = shapes(channels=3)
    pixels = grey.pixels.copy()
    pixels[:, 0] //= 2
    return Images(pixels, grey.labels, grey.classes, grey.names)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on a folder whose classes are of different size, filled up."""
    folder = tmp_path_factory.mktemp("images")
    source = written(shapes((30, 20, 12)), folder)
    return pipeline.augment(small(source, sample={"ratio": "balanced"}), folder / "run")


def test_the_run_directory_is_complete(run: Run) -> None:
    found = files(run)
    assert set(found) >= ALWAYS
    assert len([name for name in found if name.startswith("decide/")]) == 3 * 3
    assert json.loads((run / "manifest.json").read_text())["files"] == found
    for name in ("split/train", "split/test", "augmented", "synthetic"):
        assert {path.name for path in (run / name).iterdir()} == set(CLASSES)


def test_every_image_of_the_source_is_on_one_side(run: Run) -> None:
    train = contents.training_images(run)
    test = contents.sealed_images(run, train)
    assert pixels(train) | pixels(test) == pixels(shapes((30, 20, 12)))
    assert not pixels(train) & pixels(test)
    assert test.classes == train.classes == CLASSES
    assert (test.counts() > 0).all()


def test_the_augmented_set_is_balanced_and_holds_all_training_images(run: Run) -> None:
    train, augmented = contents.training_images(run), contents.augmented_images(run)
    assert pixels(augmented) > pixels(train)
    assert set(augmented.counts().tolist()) == {int(train.counts().max())}
    drawn = contents.synthetic_images(run, train)
    added = [name for name in augmented.names if "synthetic-" in name]
    assert len(added) == len(augmented) - len(train)
    record = json.loads((run / "sample.json").read_text())
    chosen = drawn.take(np.arange(*record["chosen"]))
    assert pixels(augmented) == pixels(train) | pixels(chosen)
    assert record["drawn"] == len(drawn) == record["unconditional"] + len(chosen)


def test_the_report_is_about_images(run: Run) -> None:
    report = load(run / "report.json")
    assert report.modality == "images"
    assert report.verdict == stages.verdict(run)
    assert {score.pillar for score in report.scores} == {"fidelity", "utility", "privacy"}
    # Every score can be a gate.
    assert {s.metric for s in report.scores} <= set(IMAGES.scores(contents.settings(run)))
    assert list(report.classes) == list(CLASSES)
    assert report.classes["wedge"]["augmented"] == report.classes["bar"]["train"]
    assert report.provenance.rows["train"] == sum(c["train"] for c in report.classes.values())
    for picture in report.pictures:
        assert (run / "pictures" / f"{picture.name}.png").is_file()
    page = (run / "report.html").read_text()
    assert page.count("data:image/png;base64,") == len(report.pictures)
    assert "images" in report.verdict.sentence
    # What other runs are compared by.
    assert {"split/train", "split/test"} <= set(report.provenance.hashes)


def test_same_seed_same_bytes_however_many_processes(run: Run, tmp_path: Path) -> None:
    source = written(shapes((30, 20, 12)), tmp_path)
    config = small(source, sample={"ratio": "balanced"}, workers=2)
    again = files(pipeline.augment(config, tmp_path / "again"))
    named = {"config.yaml", "report.json", "report.html", "card.md"}
    assert set(again) == set(files(run))
    for name in set(again) - named:
        assert again[name] == files(run)[name], name
    other = config.model_copy(update={"seed": 1})
    synthetic = contents.synthetic_images
    elsewhere = pipeline.augment(other, tmp_path / "other")
    train = contents.training_images(elsewhere)
    assert pixels(synthetic(elsewhere, train)) != pixels(
        synthetic(run, contents.training_images(run))
    )


@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"folders"}))
def test_what_comes_out_looks_like_what_went_in(layout: str, tmp_path: Path) -> None:
    source = written(coloured(), tmp_path, layout)
    run = pipeline.augment(small(source, sample={"ratio": 0.5}), tmp_path / "run")
    suffix = source.suffix
    for name in ("split/train", "split/test", "synthetic", "augmented"):
        assert (run / f"{name}{suffix}").exists()
    train = contents.training_images(run)
    augmented = read_images(run / f"augmented{suffix}").images
    assert augmented.classes == CLASSES
    assert augmented.pixels.shape[1:] == (3, 8, 8)
    assert len(augmented) == len(train) + round(0.5 * len(train))
    assert pixels(train) < pixels(augmented)


def test_without_help_the_augmented_set_is_the_training_images(tmp_path: Path) -> None:
    run = pipeline.augment(small(written(shapes(), tmp_path)), tmp_path / "run")
    assert stages.verdict(run).decision != "augment"
    train, augmented = contents.training_images(run), contents.augmented_images(run)
    assert augmented.names == train.names
    assert np.array_equal(augmented.pixels, train.pixels)
    notices = load(run / "report.json").notices
    assert any("holds no synthetic images" in notice for notice in notices)


@pytest.mark.parametrize("stage", ["decide", "fit", "sample", "evaluate"])
def test_a_run_that_was_stopped_ends_with_the_same_bytes(
    stage: str, run: Run, tmp_path: Path
) -> None:
    source = written(shapes((30, 20, 12)), tmp_path)

    def stop(event: pipeline.Event) -> None:
        if event.stage == stage:
            raise KeyboardInterrupt

    config = small(source, sample={"ratio": "balanced"})
    with pytest.raises(KeyboardInterrupt):
        pipeline.augment(config, tmp_path / "run", notify=stop)
    resumed = files(pipeline.resume(tmp_path / "run"))
    named = {"config.yaml", "report.json", "report.html", "card.md"}
    assert {n: d for n, d in resumed.items() if n not in named} == {
        n: d for n, d in files(run).items() if n not in named
    }


def test_few_of_many_images_are_trained_on(tmp_path: Path) -> None:
    source = written(shapes(), tmp_path)
    run = pipeline.start(small(source, split={"rows_per_class": 6}), tmp_path / "run")
    train = contents.training_images(run)
    assert train.counts().tolist() == [6, 6, 6]
    assert len(contents.sealed_images(run, train)) == 12


def test_near_duplicates_stay_on_one_side(tmp_path: Path) -> None:
    images = shapes()
    twins = images.take(np.arange(0, 60, 2))
    brighter = np.clip(twins.pixels.astype(int) + 6, 0, 255).astype(np.uint8)
    both = images.concat(
        Images(brighter, twins.labels, twins.classes, tuple(f"twin-{n}" for n in twins.names))
    )
    source = written(both, tmp_path)
    run = pipeline.start(small(source), tmp_path / "run")
    train = contents.training_images(run)
    test = contents.sealed_images(run, train)
    assert train.groups is not None
    pairs = {a.tobytes(): b.tobytes() for a, b in zip(twins.pixels, brighter, strict=True)}
    known, held = pixels(train), pixels(test)
    assert all((a in known) == (b in known) for a, b in pairs.items())
    assert any(a in held for a in pairs)
    groups = {image.tobytes(): g for image, g in zip(train.pixels, train.groups, strict=True)}
    assert all(groups[a] == groups[b] for a, b in pairs.items() if a in known)
    assert json.loads((run / "leaks.json").read_text()) == []
    ignored = pipeline.start(
        small(source, data={"source": str(source), "near_duplicates": "ignore"}), tmp_path / "both"
    )
    assert contents.training_images(ignored).groups is None
    (leak,) = json.loads((ignored / "leaks.json").read_text())
    assert "test images are nearly the same picture as a training image" in leak


def test_given_test_images_are_the_sealed_part(tmp_path: Path) -> None:
    source = written(shapes(), tmp_path)
    (tmp_path / "own").mkdir()
    held = shapes((6, 5, 0), seed=5)
    test = written(held, tmp_path / "own")
    data = {"source": str(source), "test": str(test)}
    run = pipeline.augment(small(source, data=data, budget="quick"), tmp_path / "run")
    train = contents.training_images(run)
    assert pixels(train) == pixels(shapes())
    sealed = contents.sealed_images(run, train)
    assert pixels(sealed) == pixels(held)
    assert sealed.counts().tolist() == [6, 5, 0]
    (first, *_) = load(run / "report.json").sealed
    assert first.seeds == 3


def test_test_images_that_are_training_images_are_told(tmp_path: Path) -> None:
    source = written(shapes(), tmp_path)
    (tmp_path / "own").mkdir()
    test = written(shapes().take(np.arange(0, 60, 10)), tmp_path / "own")
    data = {"source": str(source), "test": str(test)}
    run = pipeline.start(small(source, data=data), tmp_path / "run")
    (leak,) = json.loads((run / "leaks.json").read_text())
    assert leak.startswith("6 of 6 test images are nearly the same picture")


def test_a_failing_gate_leaves_a_complete_run(tmp_path: Path) -> None:
    source = written(shapes(), tmp_path)
    with pytest.raises(GateError, match="frechet"):
        pipeline.augment(small(source, gates={"frechet": {"max": -1.0}}), tmp_path / "run")
    assert Run(tmp_path / "run").finished


def test_a_run_goes_on_only_with_its_own_configuration(run: Run) -> None:
    source = load(run / "report.json").provenance.source
    stages.check_same(run, small(source, sample={"ratio": "balanced"}))
    with pytest.raises(ConfigError, match="another configuration"):
        stages.check_same(run, small(source))


def test_a_training_can_begin_with_the_model_of_a_run(run: Run, tmp_path: Path) -> None:
    made = shapes(seed=3)
    larger = made.pixels.repeat(2, axis=2).repeat(2, axis=3).repeat(3, axis=1)
    source = written(replace(made, pixels=larger), tmp_path)
    generator = {"name": "cgan", "steps": 1, "evaluations": 0, "begin": str(run.path)}
    begun = pipeline.augment(small(source, generator=generator), tmp_path / "run")
    settings = contents.settings(begun).generator
    assert settings.begin == str((run / "model").absolute())
    assert settings.width == contents.settings(run).generator.width
    # The images come to the size and the channels of the model's.
    assert contents.training_images(begun).pixels.shape[1:] == made.pixels.shape[1:]
    with pytest.raises(ConfigError, match="--generator cgan"):
        pipeline.start(
            small(source, generator={"name": "gan", "begin": str(run.path)}), tmp_path / "other"
        )
    with pytest.raises(ConfigError, match="holds no model"):
        pipeline.start(
            small(source, generator={"name": "cgan", "begin": str(tmp_path)}), tmp_path / "none"
        )


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (shapes((20, 0, 0)), "classes have no image"),
        (shapes((20, 20, 1)), "one image only: wedge"),
        (shapes((20, 20, 4)), "fewer than 4 training images: wedge"),
    ],
)
def test_classes_that_are_too_small_are_named(images: Images, words: str, tmp_path: Path) -> None:
    source = written(images, tmp_path)
    with pytest.raises(DataError, match=words) as caught:
        pipeline.augment(small(source), tmp_path / "run")
    assert caught.value.remedy
    assert not (tmp_path / "run").exists()


def test_images_that_are_no_squares_are_refused_with_the_way_out(tmp_path: Path) -> None:
    images = shapes()
    wide = Images(images.pixels[:, :, :, :6].repeat(2, 3), images.labels, CLASSES, images.names)
    source = written(wide, tmp_path)
    with pytest.raises(DataError, match="12 pixels wide and 8 high"):
        pipeline.start(small(source), tmp_path / "run")
    run = pipeline.start(
        small(source, data={"source": str(source), "read": {"size": 8}}), tmp_path / "run"
    )
    assert contents.training_images(run).pixels.shape[1:] == (1, 8, 8)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"decide": {"learners": ["nowhere:net"]}}, "nowhere:net"),
        ({"inception": "absent.pth"}, "absent.pth"),
        ({"gates": {"frechett": {"max": 1}}}, "did you mean frechet"),
        ({"device": "cuda:99"}, "cuda:99"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_written(
    settings: dict[str, object], words: str, tmp_path: Path
) -> None:
    source = written(shapes(), tmp_path)
    with pytest.raises((ConfigError, MachineError), match=words):
        pipeline.augment(small(source, **settings), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_changed_training_image_is_refused(tmp_path: Path) -> None:
    run = pipeline.start(small(written(shapes(), tmp_path)), tmp_path / "run")
    first = sorted((run / "split" / "train" / "bar").iterdir())[0]
    first.write_bytes(first.read_bytes() + b"\0")
    with pytest.raises(DataError, match=first.name):
        pipeline.resume(tmp_path / "run")


def test_weights_stand_by_the_images_names(tmp_path: Path) -> None:
    """By a verdict that weighs: written by hand, since chance decides what a small run finds."""
    source = written(shapes((16, 12, 8)), tmp_path)
    run = pipeline.start(small(source, sample={"ratio": 1.0}), tmp_path / "run")
    with run.writing():
        stages.decide(run, lambda event: None)
        stages.fit(run, lambda event: None)
    answer = stages.verdict(run)
    recipe = {"ratio": 1.0, "weight": 0.25}
    weighed = answer.model_copy(update={"decision": "augment"}).model_dump(mode="json")
    weighed["recipe"] = recipe
    (run / "verdict.json").write_text(json.dumps(weighed))
    folder = tmp_path / "delivered"
    folder.mkdir()
    deliver(run, models.load(run.path).sampler, stages.verdict(run), folder)
    weights = pd.read_csv(folder / "weights.csv").set_index("image")["sample_weight"]
    augmented = read_images(folder / "augmented").images
    assert set(weights.index) == set(augmented.names)
    of_synthetic = weights.index.str.contains("synthetic-")
    ratio = weights[of_synthetic].mean() / weights[~of_synthetic].mean()
    assert ratio == pytest.approx(0.25)
