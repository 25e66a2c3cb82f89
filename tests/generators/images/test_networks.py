"""Shapes, what a network is told, and known architectures."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from synthgen.generators.images.networks.build import (
    NetworkName,
    build_critic,
    build_generator,
)
from synthgen.generators.images.networks.conditioning import Normalisation
from synthgen.generators.images.networks.normalisation import normalised
from synthgen.generators.images.networks.r3gan import Block
from synthgen.generators.images.networks.shape import ImageShape
from synthgen.training.randomness import initialisation

NETWORKS: list[NetworkName] = ["mlp", "dcgan", "resnet", "r3gan"]
SHAPES = [(1, 8, 8), (3, 32, 32), (1, 28, 28), (3, 9, 21), (1, 31, 16), (1, 5, 6)]
N, CLASSES, LATENT = 4, 3, 6


@pytest.fixture(autouse=True)
def _same_weights() -> object:
    with initialisation(0):
        yield


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return torch.randn(N, LATENT, generator=random), torch.tensor([0, 1, 2, 0])


def images(shape: tuple[int, int, int]) -> torch.Tensor:
    return torch.rand(N, *shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_stages_halve_down_to_four_to_seven_pixels() -> None:
    assert ImageShape(1, 28, 28).stages() == [(7, 7), (14, 14), (28, 28)]
    assert ImageShape(3, 64, 64).stages()[0] == (4, 4)
    assert ImageShape(1, 31, 16).stages() == [(8, 4), (16, 8), (31, 16)]
    assert ImageShape(1, 5, 6).stages() == [(5, 6)]
    for size in range(8, 129):
        stages = ImageShape(1, size, size).stages()
        assert 4 <= stages[0][0] <= 7
        assert all(-(-b[0] // 2) == a[0] for a, b in pairwise(stages))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_images_of_any_shape_are_made_and_judged(
    network: NetworkName, shape: tuple[int, int, int]
) -> None:
    z, labels = inputs()
    generator = build_generator(network, ImageShape(*shape), CLASSES, LATENT, 4, "concatenation")
    critic = build_critic(network, ImageShape(*shape), CLASSES, 4, "projection", "none")
    made = generator(z, labels)
    assert made.shape == (N, *shape)
    judged = critic(made, labels)
    assert judged.values.shape == (N,)
    assert judged.classes is None
    judged.values.sum().backward()
    for module in (generator, critic):
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize(
    ("network", "told"),
    [(n, t) for n in NETWORKS for t in ("none", "concatenation", "normalisation")
     if not (t == "normalisation" and n in ("mlp", "r3gan"))],
)  # fmt: skip
def test_a_generator_knows_the_class_if_it_is_told(network: NetworkName, told: str) -> None:
    z, labels = inputs()
    generator = build_generator(network, ImageShape(1, 16, 16), CLASSES, LATENT, 4, told)  # type: ignore[arg-type]
    for module in generator.modules():
        if isinstance(module, Normalisation) and module.scale is not None:
            nn.init.normal_(module.scale.weight)  # they begin alike
    generator.eval()
    one, other = generator(z, labels), generator(z, (labels + 1) % CLASSES)
    assert torch.equal(one, other) == (told == "none")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("told", ["none", "concatenation", "projection", "auxiliary"])
def test_a_critic_knows_the_class_if_it_is_told(network: NetworkName, told: str) -> None:
    _, labels = inputs()
    critic = build_critic(network, ImageShape(1, 16, 16), CLASSES, 4, told, "none")  # type: ignore[arg-type]
    seen = images((1, 16, 16))
    one, other = critic(seen, labels), critic(seen, (labels + 1) % CLASSES)
    assert torch.equal(one.values, other.values) == (told in ("none", "auxiliary"))
    if told == "auxiliary":
        assert one.classes is not None
        assert one.classes.shape == (N, CLASSES)
        assert torch.equal(one.classes, other.classes)
    else:
        assert one.classes is None


@pytest.mark.parametrize("network", ["dcgan", "resnet"])
@pytest.mark.parametrize("norm", ["none", "batch", "layer", "spectral"])
def test_only_batch_normalisation_makes_images_depend_on_each_other(
    network: NetworkName, norm: str
) -> None:
    critic = build_critic(network, ImageShape(1, 32, 32), CLASSES, 4, "none", norm)  # type: ignore[arg-type]
    seen, labels = images((1, 32, 32)), torch.zeros(N, dtype=torch.int64)
    critic(seen, labels)  # one step of the power iteration
    critic.eval()
    whole = critic(seen, labels).values
    alone = torch.cat([critic(x[None], labels[:1]).values for x in seen])
    torch.testing.assert_close(whole, alone, rtol=1e-4, atol=1e-5)
    critic.train()
    changed = torch.cat([seen[:2], -seen[2:]])
    depends = not torch.allclose(
        critic(seen, labels).values[:2], critic(changed, labels).values[:2], rtol=1e-3, atol=1e-4
    )
    assert depends == (norm == "batch")


def test_spectral_normalisation_leaves_a_largest_singular_value_of_one() -> None:
    layer = normalised(nn.Conv2d(3, 8, 3), 8, "spectral")
    for _ in range(100):
        layer(images((3, 9, 9)))
    assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=1e-4)


def test_dcgan_is_the_published_one_at_64_pixels() -> None:
    """The networks of PyTorch's ``examples/dcgan`` have 3,576,704 and 2,765,568 parameters; ours
    have biases beside the images and at the end."""
    shape = ImageShape(3, 64, 64)
    generator = build_generator("dcgan", shape, 1, 100, 64, "none")
    critic = build_critic("dcgan", shape, 1, 64, "none", "batch")
    assert sum(p.numel() for p in generator.parameters()) == 3_576_704 + 3
    assert sum(p.numel() for p in critic.parameters()) == 2_765_568 + 64 + 1
    weights = torch.cat([p.flatten() for n, p in generator.named_parameters() if p.dim() > 1])
    assert weights.std().item() == pytest.approx(0.02, rel=0.01)


def test_class_conditional_normalisation_is_batch_normalisation_class_by_class() -> None:
    norm = Normalisation(5, CLASSES)
    assert norm.scale is not None
    assert norm.shift is not None
    nn.init.normal_(norm.scale.weight)
    nn.init.normal_(norm.shift.weight)
    x, labels = torch.randn(N, 5, 3, 2), torch.tensor([0, 1, 2, 0])
    normal = (x - x.mean((0, 2, 3), keepdim=True)) / (
        x.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5
    ).sqrt()
    rows = [
        normal[k] * norm.scale.weight[c][:, None, None] + norm.shift.weight[c][:, None, None]
        for k, c in enumerate(labels)
    ]
    torch.testing.assert_close(norm(x, labels), torch.stack(rows))


def test_blocks_of_r3gan_begin_as_the_identity_and_keep_the_variance() -> None:
    block = Block(32, depth=8)
    x = torch.randn(2, 32, 8, 8)
    assert torch.equal(block(x), x)
    generator = build_generator("r3gan", ImageShape(3, 32, 32), 1, 64, 16, "none")
    made = generator(torch.randn(200, 64), torch.zeros(200, dtype=torch.int64))
    assert 0.3 < made.std().item() < 1.5
