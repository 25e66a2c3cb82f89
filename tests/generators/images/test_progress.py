"""Pictures of a training's progress: the right images at the right steps, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from synthgen.data.images.images import Images
from synthgen.errors import MachineError
from synthgen.generators.images import looks
from synthgen.generators.images.cgan import CGAN
from synthgen.generators.images.dcgan import DCGAN
from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.progress import kept_progress, moments, rows
from synthgen.generators.images.sampler import ImageSampler
from synthgen.training.context import Context
from synthgen.training.randomness import derive

SMALL: dict[str, Any] = {"width": 4, "batch_size": 8, "steps": 9, "evaluations": 0}
KINDS: list[ImageGAN] = [
    CGAN(**SMALL),
    DCGAN(**SMALL, ema=None),
    DCGAN(**SMALL | {"evaluations": 3}, told_generator="normalisation"),
]
every = pytest.mark.parametrize("generator", KINDS, ids=["cgan", "dcgan-no-ema", "dcgan-watched"])


@pytest.fixture(autouse=True)
def _short_labeller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.generators.images.image_gan.JUDGE_STEPS", 2)


def images(*classes: str, channels: int = 1) -> Images:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (24, channels, 8, 8)).astype(np.uint8)
    labels = np.arange(24) % len(classes)
    return Images(pixels, labels.astype(np.int64), classes, tuple(map(str, range(24))))


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def tensors(sampler: ImageSampler) -> list[torch.Tensor]:
    assert sampler.critic is not None
    return [*sampler.network.state_dict().values(), *sampler.critic.values()]


def test_moments_follow_from_the_number_of_steps() -> None:
    assert moments(64_000) == (1000, 2000, 4000, 8000, 16_000, 32_000, 64_000)
    assert moments(100) == (2, 3, 6, 12, 25, 50, 100)
    assert moments(9) == (1, 2, 4, 9)
    assert moments(1) == (1,)


def test_rows_share_the_classes_that_have_images() -> None:
    def of(*counts: int) -> list[int]:
        sampler = CGAN(**SMALL | {"steps": 1}).fit(images("a"), Context())
        return rows(ImageSampler(**{**sampler.__dict__, "counts": counts}))

    assert of(5) == [0] * 10
    assert of(5, 0, 5) == [0] * 5 + [2] * 5
    assert of(1, 1, 1) == [0] * 3 + [1] * 3 + [2] * 3
    assert of(*[1] * 12) == list(range(10))


@every
def test_pictures_change_no_weight_and_come_at_their_steps(
    generator: ImageGAN, tmp_path: Path
) -> None:
    train = images("a", "b")
    plain = generator.fit(train, Context(seed=4))
    pictured = generator.fit(train, Context(seed=4, progress=tmp_path / "deep" / "progress"))
    for one, other in zip(tensors(plain), tensors(pictured), strict=True):
        assert torch.equal(one, other)
    assert [*files(tmp_path / "deep" / "progress")] == [
        f"step-{step:07d}.png" for step in (1, 2, 4, 9)
    ]


@pytest.mark.parametrize("channels", [1, 3])
def test_they_show_what_the_averaged_generator_makes(channels: int, tmp_path: Path) -> None:
    train = images("a", "b", channels=channels)
    sampler = CGAN(**SMALL).fit(train, Context(seed=4, progress=tmp_path))
    z = looks.noise(sampler, 10, derive(4, "progress"))
    made = sampler.at(z, torch.tensor([0] * 5 + [1] * 5))
    with Image.open(tmp_path / "step-0000009.png") as image:
        assert image.mode == ("L" if channels == 1 else "RGB")
        shown = np.asarray(image).reshape(91, 10, channels)
    assert np.array_equal(shown, looks.tiled(made[:, None]))
    found = kept_progress(tmp_path, sampler)
    assert [*found] == [1, 2, 4, 9]
    assert np.array_equal(found[9], made)
    assert not np.array_equal(found[1], made)
    # The first ones come of the same training, cut short.
    short = CGAN(**SMALL | {"steps": 4}).fit(train, Context(seed=4))
    assert np.array_equal(found[4], short.at(z, torch.tensor([0] * 5 + [1] * 5)))


@every
def test_a_killed_training_leaves_the_same_pictures(
    generator: ImageGAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthgen.training.loop.SNAPSHOT_STEPS", 1)
    monkeypatch.setattr("synthgen.training.loop.CHECKPOINT_SECONDS", 0)
    train = images("a", "b")
    generator.fit(train, Context(seed=3, progress=tmp_path / "whole"))

    def killer(record: dict[str, float]) -> None:
        if record["step"] == 5:
            raise KeyboardInterrupt

    resumable = {"seed": 3, "checkpoints": tmp_path / "kept", "progress": tmp_path / "killed"}
    with pytest.raises(KeyboardInterrupt):
        generator.fit(train, Context(**resumable, log=killer, log_every=1))  # type: ignore[arg-type]
    assert [*files(tmp_path / "killed")] == [f"step-{step:07d}.png" for step in (1, 2, 4)]
    (tmp_path / "killed" / "step-0000001.png").unlink()
    steps: list[float] = []
    generator.fit(
        train,
        Context(**resumable, log=lambda record: steps.append(record["step"]), log_every=1),  # type: ignore[arg-type]
    )
    assert steps[0] == 5
    whole = files(tmp_path / "whole")
    del whole["step-0000001.png"]  # it was not gone back to
    assert files(tmp_path / "killed") == whole


def test_what_is_missing_or_damaged_or_of_another_training_is_left_out(tmp_path: Path) -> None:
    sampler = CGAN(**SMALL).fit(images("a", "b"), Context(progress=tmp_path))
    assert kept_progress(tmp_path / "nowhere", sampler) == {}
    whole = (tmp_path / "step-0000009.png").read_bytes()
    (tmp_path / "step-0000001.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "step-0000003.png").write_bytes(whole)  # no step of this training
    other = io.BytesIO()
    Image.new("L", (10, 82)).save(other, "PNG")  # a row less
    (tmp_path / "step-0000002.png").write_bytes(other.getvalue())
    assert [*kept_progress(tmp_path, sampler)] == [4, 9]
    other = io.BytesIO()
    Image.new("RGB", (10, 91)).save(other, "PNG")
    (tmp_path / "step-0000004.png").write_bytes(other.getvalue())
    assert [*kept_progress(tmp_path, sampler)] == [9]


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="no picture can be written"):
        CGAN(**SMALL).fit(images("a", "b"), Context(progress=tmp_path / "file"))
