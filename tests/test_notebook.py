"""The main job in two lines of Python."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import synthgen
from synthgen.errors import ConfigError, DataError
from synthgen.generators.ctgan import CTGAN
from synthgen.generators.images.cgan import CGAN
from synthgen.metrics.images import scores
from tests.pipeline.images.pictures import shapes
from tests.pipeline.tables import people

FAST = {
    "decide": {"resamples": 3, "ratios": [0.5], "learners": ["logistic"]},
    "workers": 1,
}


def test_two_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = people()
    before = frame.copy(deep=True)
    run = synthgen.augment(
        frame,
        target="sick",
        out=tmp_path / "run",
        generator=CTGAN(epochs=2, batch_size=50),
        sample__ratio=0.5,
        **FAST,
    )
    pd.testing.assert_frame_equal(frame, before)
    assert run.verdict.decision in ("augment", "do-not-augment", "inconclusive")
    assert len(run.augmented) == 320 + 160
    assert list(run.augmented.dtypes) == list(frame.dtypes)
    assert run.report.provenance.target == "sick"
    assert len(run.test) == 80
    assert len(run.synthetic) == 320
    assert run.verdict.decision.replace("-", " ").upper() in repr(run)
    assert run._repr_html_().startswith("<iframe")
    assert "decide done" in capsys.readouterr().out


def test_errors_are_the_same_as_on_the_command_line() -> None:
    with pytest.raises(DataError, match="sick"):
        synthgen.augment(people(), target="sik")
    with pytest.raises(ConfigError, match="budget"):
        synthgen.augment(people(), target="sick", budgt="quick")


def test_read_is_public() -> None:
    assert len(synthgen.read("sklearn:wine")) == 178


def test_every_public_name_is_there() -> None:
    for name in synthgen.__all__:
        assert getattr(synthgen, name) is not None
    assert set(synthgen.__all__) <= set(dir(synthgen))
    with pytest.raises(AttributeError):
        _ = synthgen.absent


def test_images_as_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "STEPS", 5)
    made = shapes()
    labels = [made.classes[k] for k in made.labels]
    run = synthgen.augment(
        (made.pixels[:, 0], labels),
        out=tmp_path / "run",
        generator=CGAN(steps=20, width=8, evaluations=0),
        sample__ratio=0.5,
        workers=1,
        progress=False,
        decide={
            "resamples": 3,
            "arms": ["nothing"],
            "learners": ["tests.benchmark.images.worlds:perceptron"],
            "classifier_steps": 5,
        },
    )
    assert run.report.modality == "images"
    assert len(run.augmented) == 48 + 24
    assert run.augmented.classes == made.classes
    assert len(run.synthetic) == 48
    assert len(run.test) == 12
    assert run._repr_html_().startswith("<iframe")
