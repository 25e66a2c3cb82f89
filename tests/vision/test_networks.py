from __future__ import annotations

import pytest
import torch
from torch import nn

from synthgen.errors import ConfigError
from synthgen.vision.networks import build
from synthgen.vision.small_cnn import SmallCnn


def linear(channels: int, size: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, classes))


def too_many(channels: int, size: int, classes: int) -> nn.Module:
    return linear(channels, size, classes + 1)


def no_module(channels: int, size: int, classes: int) -> int:
    return 3


def pooled(channels: int, size: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, classes, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


@pytest.mark.parametrize("size", [8, 9, 15, 16, 28, 32, 33, 63, 64, 100, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_default_network_takes_every_size(size: int, channels: int) -> None:
    network = build(None, channels, size, 5)
    assert isinstance(network, SmallCnn)
    network(torch.randn(2, channels, size, size)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert 200_000 < sum(parameter.numel() for parameter in network.parameters()) < 300_000


def test_any_module_by_its_import_path() -> None:
    assert isinstance(build("tests.vision.test_networks:linear", 3, 8, 4), nn.Sequential)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("linear", "not an import path"),
        ("tests.vision.test_networks:", "not an import path"),
        ("no_such_module_here:linear", "cannot be imported"),
        ("tests.vision.test_networks:nothing", "cannot be imported"),
        ("tests.vision.test_networks:no_module", "makes a int"),
        ("tests.vision.test_networks:too_many", r"returns \(2, 5\)"),
        ("torch.nn:Linear", "fails with 3 channels"),
    ],
)
def test_wrong_paths_and_wrong_networks_are_told(path: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build(path, 3, 8, 4)
