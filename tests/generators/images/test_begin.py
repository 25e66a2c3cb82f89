"""A training that begins with another one's weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from synthgen.data.images.images import Images
from synthgen.errors import ConfigError, DataError
from synthgen.generators.images.acgan import ACGAN
from synthgen.generators.images.cgan import CGAN
from synthgen.generators.images.dcgan import DCGAN
from synthgen.generators.images.image_gan import ImageGAN
from synthgen.generators.images.r3gan import R3GAN
from synthgen.generators.images.sngan import SNGAN
from synthgen.training.context import Context

SMALL: dict[str, Any] = {"width": 4, "batch_size": 8, "steps": 1, "evaluations": 0}
STILL: dict[str, Any] = {"generator_lr": 1e-12, "critic_lr": 1e-12, "ema": None}
KINDS: list[ImageGAN] = [
    CGAN(**SMALL),
    DCGAN(**SMALL, told_generator="concatenation", told_critic="concatenation"),
    ACGAN(**SMALL),
    SNGAN(**SMALL),
    R3GAN(**SMALL),
]
every = pytest.mark.parametrize("generator", KINDS, ids=lambda g: g.name)


def images(*classes: str, size: int = 8) -> Images:
    rng = np.random.default_rng(0)
    labels = np.arange(24) % len(classes)
    pixels = rng.integers(0, 256, (24, 1, size, size)).astype(np.uint8)
    return Images(pixels, labels.astype(np.int64), classes, tuple(map(str, range(24))))


def learned(state: Mapping[str, torch.Tensor]) -> list[str]:
    """Names of weights, not of statistics."""
    return [
        name
        for name, tensor in state.items()
        if tensor.is_floating_point() and "running" not in name and not name.endswith(("_u", "_v"))
    ]


@every
def test_the_same_classes_begin_with_the_same_weights(generator: ImageGAN, tmp_path: Path) -> None:
    first = generator.fit(images("a", "b"), Context(seed=1))
    first.save(tmp_path)
    second = generator.model_copy(update={"begin": str(tmp_path), **STILL})
    begun = second.fit(images("a", "b"), Context(seed=2))
    assert begun.critic is not None
    assert first.critic is not None
    pairs = [
        (first.critic, begun.critic),
        (first.network.state_dict(), begun.network.state_dict()),
    ]
    for old, new in pairs:
        for name in learned(old):
            torch.testing.assert_close(new[name], old[name], atol=1e-6, rtol=1e-5)


@every
def test_classes_go_by_their_names_and_new_ones_are_fresh(
    generator: ImageGAN, tmp_path: Path
) -> None:
    first = generator.fit(images("a", "b"), Context(seed=1))
    first.save(tmp_path)
    second = generator.model_copy(update={"begin": str(tmp_path), **STILL})
    begun = second.fit(images("0", "b", "c"), Context(seed=2))
    z = torch.randn(4, generator.latent_dim, generator=torch.Generator().manual_seed(0))
    as_b = torch.full((4,), 1)
    # Statistics of batch normalisation move on in the step that is taken.
    assert np.abs(begun.at(z, as_b).astype(int) - first.at(z, as_b)).mean() < 10
    if generator.told_generator == "concatenation":  # class-wise scales begin all alike
        for k in (0, 2):
            assert not np.array_equal(begun.at(z, torch.full((4,), k)), first.at(z, as_b * 0))


@every
def test_frozen_stages_stay_and_the_others_learn(generator: ImageGAN) -> None:
    lively = generator.model_copy(update={"steps": 3, "critic_lr": 0.01, "frozen": 1})
    plain = generator.model_copy(update={"steps": 3, "critic_lr": 0.01})
    start = generator.model_copy(update=STILL).fit(images("a", "b"), Context(seed=1))
    moved = [kind.fit(images("a", "b"), Context(seed=1)).critic for kind in (lively, plain)]
    apart = [
        {
            name
            for name in learned(critic)
            if not torch.allclose(critic[name], start.critic[name], atol=1e-4)
        }
        for critic in moved
        if critic is not None and start.critic is not None
    ]
    frozen = apart[1] - apart[0]
    assert frozen
    assert apart[0]
    first = ("input", "planes", "layers.0", "blocks.0", "begin", "bodies.0")
    assert all(name.startswith(first) for name in frozen)
    assert not any(name.startswith(first) for name in apart[0])


def test_a_model_of_other_networks_is_refused(tmp_path: Path) -> None:
    CGAN(**SMALL).fit(images("a", "b"), Context()).save(tmp_path)
    for changes in ({"width": 5}, {"latent_dim": 7}, {"told_critic": "projection"}):
        other = CGAN(**SMALL | {"begin": str(tmp_path)} | changes)
        with pytest.raises(ConfigError, match="other networks"):
            other.fit(images("a", "b"), Context())
    with pytest.raises(ConfigError, match="other networks"):
        CGAN(**SMALL, begin=str(tmp_path)).fit(images("a", "b", size=9), Context())
    with pytest.raises(DataError, match="'dcgan' model"):
        DCGAN(**SMALL, begin=str(tmp_path)).fit(images("a", "b"), Context())


def test_a_model_without_its_critic_is_refused(tmp_path: Path) -> None:
    CGAN(**SMALL).fit(images("a", "b"), Context()).save(tmp_path)
    (tmp_path / "critic.safetensors").unlink()
    assert len(CGAN().load(tmp_path).sample(3, seed=0)) == 3
    with pytest.raises(DataError, match="'cgan' model"):
        CGAN(**SMALL, begin=str(tmp_path)).fit(images("a", "b"), Context())


def test_more_frozen_stages_than_there_are() -> None:
    with pytest.raises(ConfigError, match="has 2 stages"):
        CGAN(**SMALL, frozen=3).fit(images("a", "b"), Context())
