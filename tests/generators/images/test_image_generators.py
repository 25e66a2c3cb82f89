"""What every image generator owes, whatever its parts; each by name on small images."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from synthgen.data.images.images import Images
from synthgen.errors import ConfigError, DataError, ShortfallWarning, TrainingError
from synthgen.generators.images.acgan import ACGAN
from synthgen.generators.images.batches import to_bytes
from synthgen.generators.images.cgan import CGAN
from synthgen.generators.images.dcgan import DCGAN
from synthgen.generators.images.gan import GAN
from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.r3gan import R3GAN
from synthgen.generators.images.sampler import CHUNK, ImageSampler
from synthgen.generators.images.sngan import SNGAN
from synthgen.generators.images.wgan import WGAN
from synthgen.generators.images.wgan_gp import WGANGP
from synthgen.training.context import Context

SMALL: dict[str, Any] = {"width": 4, "batch_size": 8, "steps": 6, "evaluations": 2}
ALL: list[ImageGAN] = [
    GAN(**SMALL),
    CGAN(**SMALL),
    DCGAN(**SMALL),
    DCGAN(**SMALL, told_generator="normalisation", told_critic="projection", augmentation="ada"),
    ACGAN(**SMALL),
    WGAN(**SMALL),
    WGANGP(**SMALL, augmentation="diffaugment"),
    SNGAN(**SMALL, parts=2, mirrored=True),
    R3GAN(**SMALL, penalty_every=2, augmentation="ada"),
]


def bars(n: int = 60, channels: int = 1, size: int = 8) -> Images:
    """Class "left" is bright on the left, "right" on the right; "none" has no image."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3 % 2 * 2  # two of three are "left"
    pixels = rng.integers(0, 60, (n, channels, size, size)).astype(np.uint8)
    half = size // 2
    pixels[labels == 0, :, :, :half] += 180
    pixels[labels == 2, :, :, half:] += 180
    names = tuple(f"{k}.png" for k in range(n))
    return Images(pixels, labels.astype(np.int64), ("left", "none", "right"), names)


def name_of(generator: ImageGAN) -> str:
    changed = generator.model_fields_set - SMALL.keys()
    return "-".join([generator.name, *sorted(changed)])  # type: ignore[attr-defined]


every = pytest.mark.parametrize("generator", ALL, ids=name_of)


@pytest.fixture(autouse=True)
def _short_labeller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.generators.images.image_gan.JUDGE_STEPS", 40)


def same(one: Images, other: Images) -> bool:
    return (
        np.array_equal(one.pixels, other.pixels)
        and np.array_equal(one.labels, other.labels)
        and (one.classes, one.names) == (other.classes, other.names)
    )


@every
def test_images_come_as_asked_and_as_the_seed_says(generator: ImageGAN, tmp_path: Path) -> None:
    train = bars()
    sampler = generator.fit(train, Context(seed=1))
    made = sampler.sample(300, seed=5)
    assert made.pixels.shape == (300, *train.pixels.shape[1:])
    assert made.pixels.dtype == np.uint8
    assert made.classes == train.classes
    assert same(made, sampler.sample(300, seed=5))
    assert not same(made, sampler.sample(300, seed=6))
    # Image i depends on the seed and on i alone.
    assert np.array_equal(sampler.sample(10, seed=5).pixels, made.pixels[:10])
    assert len(sampler.sample(0, seed=5)) == 0

    again = generator.fit(train, Context(seed=1))
    assert same(made, again.sample(300, seed=5))
    other = generator.fit(train, Context(seed=2))
    assert not np.array_equal(made.pixels, other.sample(300, seed=5).pixels)

    sampler.save(tmp_path)
    assert {file.suffix for file in tmp_path.iterdir()} == {".safetensors", ".json"}
    assert same(made, type(generator)(**SMALL).load(tmp_path).sample(300, seed=5))


@every
def test_a_killed_fit_goes_on_to_the_same_weights(
    generator: ImageGAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthgen.training.loop.SNAPSHOT_STEPS", 1)
    monkeypatch.setattr("synthgen.training.loop.CHECKPOINT_SECONDS", 0)
    train, undisturbed = bars(), generator.fit(bars(), Context(seed=3))

    def killer(record: dict[str, float]) -> None:
        if record["step"] == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generator.fit(train, Context(seed=3, checkpoints=tmp_path, log=killer, log_every=1))
    steps: list[float] = []
    resumed = generator.fit(
        train,
        Context(seed=3, checkpoints=tmp_path, log=lambda r: steps.append(r["step"]), log_every=1),
    )
    assert steps[0] > 1
    for a, b in zip(_tensors(undisturbed), _tensors(resumed), strict=True):
        assert torch.equal(a, b)


def _tensors(sampler: ImageSampler) -> list[torch.Tensor]:
    return [*sampler.network.state_dict().values()]


@pytest.mark.parametrize("generator", [g for g in ALL if g.conditional], ids=name_of)
def test_a_condition_gives_images_made_as_that_class(generator: ImageGAN) -> None:
    sampler = generator.fit(bars(), Context())
    made = sampler.sample(CHUNK + 5, seed=1, where={"label": "right"})
    assert len(made) == CHUNK + 5
    assert (made.labels == 2).all()
    z = torch.randn(3, generator.latent_dim, generator=torch.Generator().manual_seed(0))
    one, other = (sampler.network(z, torch.full((3,), k)) for k in (0, 2))
    assert not torch.equal(one, other)
    assert np.array_equal(sampler.at(z, torch.full((3,), 2)), to_bytes(other).detach().numpy())
    counts = np.bincount(sampler.sample(3000, seed=2).labels, minlength=3)
    assert counts[1] == 0
    assert counts[0] / 3000 == pytest.approx(2 / 3, abs=0.04)


def test_a_labeller_says_what_an_unconditional_generator_made() -> None:
    sampler = GAN(**SMALL).fit(bars(), Context())
    assert sampler.labeller is not None
    # The network draws the training images themselves.
    train = bars(CHUNK)
    fake = _Network(train.pixels)
    sampler = replace(sampler, network=fake)
    made = sampler.sample(CHUNK, seed=0)
    assert (made.labels == train.labels).mean() > 0.98
    right = sampler.sample(400, seed=0, where={"label": "right"})
    assert len(right) == 400
    assert (right.labels == 2).all()
    bright = right.pixels[:, 0, :, 4:].mean() - right.pixels[:, 0, :, :4].mean()
    assert bright > 150

    onesided = replace(sampler, network=_Network(np.repeat(train.pixels[:1], CHUNK, 0)))
    with pytest.warns(ShortfallWarning, match="0 images|0 rows"):
        assert len(onesided.sample(5, seed=0, where={"label": "right"})) == 0


class _Network(torch.nn.Module):
    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        super().__init__()
        self.images = torch.from_numpy(pixels).float() / 127.5 - 1

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.images[: len(z)]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"colour": "red"}, "'colour'"),
        ({"label": "rihgt"}, "right"),
        ({"label": "none"}, "no training image"),
    ],
)
def test_wrong_conditions(where: dict[str, str], message: str) -> None:
    sampler = CGAN(**SMALL).fit(bars(), Context())
    with pytest.raises(ConfigError) as caught:
        sampler.sample(5, seed=0, where=where)
    assert message in f"{caught.value.cause} {caught.value.remedy}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "generator",
    [
        DCGAN(width=8, batch_size=16, steps=400, told_generator="concatenation",
              told_critic="projection", generator_lr=1e-3, critic_lr=1e-3),
        CGAN(width=8, batch_size=32, steps=800),
        R3GAN(width=8, batch_size=16, steps=300),
    ],
    ids=name_of,
)  # fmt: skip
def test_classes_are_learned(generator: ImageGAN) -> None:
    """Images of a class look like it: bright on its side."""
    sampler = generator.fit(bars(200), Context(seed=0))
    for label, sign in (("left", 1), ("right", -1)):
        pixels = sampler.sample(100, seed=0, where={"label": label}).pixels[:, 0].astype(float)
        apart = sign * (pixels[:, :, :4].mean((1, 2)) - pixels[:, :, 4:].mean((1, 2)))
        assert apart.mean() > 60


@pytest.mark.parametrize(
    ("kind", "settings", "named"),
    [
        (CGAN, {"told_generator": "normalisation"}, "told_generator"),
        (R3GAN, {"critic_norm": "batch"}, "critic_norm"),
        (DCGAN, {"told_critic": "projection"}, "told_critic"),
        (DCGAN, {"penalty": "r1"}, "critic_norm batch"),
        (DCGAN, {"batch_size": 9, "parts": 2}, "batch_size"),
        (DCGAN, {"batch_size": 8, "parts": 8}, "batch_size"),
        (GAN, {"loss": "hing"}, "loss"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    kind: type[ImageGAN], settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        kind(**settings)


def test_one_image_is_not_enough() -> None:
    with pytest.raises(DataError, match="1 training images"):
        DCGAN(**SMALL).fit(bars().take(np.array([0])), Context())


def test_a_single_class_needs_no_labeller(tmp_path: Path) -> None:
    train = bars()
    one = Images(train.pixels, np.zeros(len(train), np.int64), ("only",), train.names)
    sampler = DCGAN(**SMALL).fit(one, Context())
    assert sampler.labeller is None
    sampler.save(tmp_path)
    made = DCGAN(**SMALL).load(tmp_path).sample(4, seed=0, where={"label": "only"})
    assert made.labels.tolist() == [0] * 4


def test_diverging_trainings_end_in_an_error() -> None:
    wild = WGAN(**SMALL | {"steps": 200}, penalty="none", critic_lr=1e30, critic_norm="none")
    with pytest.raises(TrainingError, match="not finite"):
        wild.fit(bars(), Context())


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / "model.safetensors").unlink(),
        lambda path: (path / "model.json").write_text("{}"),
        lambda path: _edit(path, "shape", [3, 8, 8]),
        lambda path: _edit(path, "classes", ["left"]),
    ],
)
def test_a_damaged_model_is_refused(damage: Callable[[Path], Any], tmp_path: Path) -> None:
    CGAN(**SMALL).fit(bars(), Context()).save(tmp_path)
    damage(tmp_path)
    with pytest.raises(DataError, match="'cgan' model"):
        CGAN().load(tmp_path)


def _edit(path: Path, key: str, value: Any) -> None:
    told = json.loads((path / "model.json").read_text())
    (path / "model.json").write_text(json.dumps({**told, key: value}))


def test_colour_images_of_an_odd_shape() -> None:
    train = bars(channels=3, size=9)
    wide = Images(train.pixels[:, :, :8], train.labels, train.classes, train.names)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = SNGAN(**SMALL).fit(wide, Context()).sample(3, seed=0)
    assert made.pixels.shape == (3, 3, 8, 9)


def test_the_default_settings_are_those_of_their_papers() -> None:
    assert DCGAN().betas == (0.5, 0.999)
    assert DCGAN().generator_lr == 2e-4
    assert (WGAN().penalty_weight, WGAN().critic_steps, WGAN().critic_lr) == (0.01, 5, 5e-5)
    assert (WGANGP().penalty_weight, WGANGP().betas, WGANGP().critic_lr) == (10, (0, 0.9), 1e-4)
    assert (SNGAN().loss, SNGAN().critic_norm, SNGAN().critic_steps) == ("hinge", "spectral", 5)
    assert (R3GAN().loss, R3GAN().penalty) == ("relativistic", "r1-r2")


@pytest.mark.gpu
@every
def test_a_gpu_trains_it(generator: ImageGAN) -> None:
    made = generator.fit(bars(), Context(device="cuda")).sample(4, seed=0)
    assert len(made) == 4


def test_every_algorithm_has_a_file_and_a_name_of_its_own() -> None:
    for generator in ALL:
        module = importlib.import_module(type(generator).__module__)
        assert module.__name__.endswith(generator.name.replace("-", "_"))  # type: ignore[attr-defined]
        assert module.__doc__
        assert "arXiv" in module.__doc__
