"""The network by numbers known of it; published weights are not at hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from synthgen.errors import ConfigError, DataError, MachineError
from synthgen.vision import inception_features as module
from synthgen.vision.features import Telling
from synthgen.vision.inception import BlockE, InceptionV3, _average
from synthgen.vision.inception_features import (
    InceptionFeatures,
    download_weights,
    read_weights,
    resize,
)


@pytest.fixture(scope="module")
def network() -> InceptionV3:
    torch.manual_seed(0)
    return InceptionV3().eval()


def test_parameters_are_as_many_as_torchvisions(network: InceptionV3) -> None:
    # torchvision documents 27,161,264 for its inception_v3 with 1000 classes. Its auxiliary
    # classifier, two convolutions with their normalisation and a linear layer, is not here, and
    # eight classes more are.
    auxiliary = 768 * 128 + 2 * 128 + 128 * 768 * 25 + 2 * 768 + 768 * 1000 + 1000
    expected = 27_161_264 - auxiliary + 8 * 2049
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_names_are_those_of_the_published_file(network: InceptionV3) -> None:
    state = network.state_dict()
    # 94 convolutions, each with its normalisation's five tensors, and the linear layer.
    assert len(state) == 94 * 6 + 2
    assert state["Conv2d_1a_3x3.conv.weight"].shape == (32, 3, 3, 3)
    assert state["Mixed_5b.branch5x5_2.conv.weight"].shape == (64, 48, 5, 5)
    assert state["Mixed_6a.branch3x3.conv.weight"].shape == (384, 288, 3, 3)
    assert state["Mixed_6b.branch7x7dbl_4.conv.weight"].shape == (128, 128, 7, 1)
    assert state["Mixed_7a.branch7x7x3_2.conv.weight"].shape == (192, 192, 1, 7)
    assert state["Mixed_7c.branch3x3dbl_3b.bn.running_var"].shape == (384,)
    assert state["fc.weight"].shape == (1008, 2048)
    assert all(m.eps == 0.001 for m in network.modules() if isinstance(m, nn.BatchNorm2d))


def test_blocks_have_the_papers_sizes(network: InceptionV3) -> None:
    seen: dict[str, tuple[int, ...]] = {}
    for name, part in network.named_children():
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out.shape[1:]}))
    with torch.no_grad():
        features = network(torch.zeros(1, 3, 299, 299))
    assert features.shape == (1, 2048)
    assert seen["Conv2d_2b_3x3"] == (64, 147, 147)
    assert seen["Conv2d_4a_3x3"] == (192, 71, 71)
    assert [seen[f"Mixed_5{x}"] for x in "bcd"] == [(256, 35, 35), (288, 35, 35), (288, 35, 35)]
    assert all(seen[f"Mixed_6{x}"] == (768, 17, 17) for x in "abcde")
    assert [seen[f"Mixed_7{x}"] for x in "abc"] == [(1280, 8, 8), (2048, 8, 8), (2048, 8, 8)]


def test_averages_leave_padding_out_and_the_last_block_takes_the_maximum() -> None:
    assert torch.equal(_average(torch.ones(1, 1, 3, 3)), torch.ones(1, 1, 3, 3))
    blocks = [BlockE(1280, maximum=maximum).eval() for maximum in (False, True)]
    blocks[1].load_state_dict(blocks[0].state_dict())
    x = torch.randn(1, 1280, 4, 4)
    with torch.no_grad():
        average, largest = (block(x) for block in blocks)
    assert torch.equal(average[:, :-192], largest[:, :-192])
    assert not torch.equal(average[:, -192:], largest[:, -192:])


def test_resizing_is_tensorflow_1s() -> None:
    # tf.compat.v1.image.resize_bilinear(x, 6) of x = [0, 1, 2] in one direction.
    row = torch.arange(3.0)
    assert resize(row.expand(1, 1, 3, 3), 6)[0, 0, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2]
    image = torch.rand(2, 3, 9, 9, dtype=torch.float64)
    result = resize(image, 20)
    for axis_y, axis_x in ((0, 0), (7, 13), (19, 19)):
        y, x = axis_y * 9 / 20, axis_x * 9 / 20
        (top, left), (bottom, right) = (int(y), int(x)), (min(int(y) + 1, 8), min(int(x) + 1, 8))
        down, along = y - top, x - left
        by_hand = (1 - down) * (
            (1 - along) * image[:, :, top, left] + along * image[:, :, top, right]
        ) + down * ((1 - along) * image[:, :, bottom, left] + along * image[:, :, bottom, right])
        assert torch.allclose(result[:, :, axis_y, axis_x], by_hand)
    assert torch.equal(resize(image, 9), image)


def test_weights_of_either_form_give_the_same_features(
    network: InceptionV3, tmp_path: Path
) -> None:
    state = network.state_dict()
    save_file(state, tmp_path / "weights.safetensors")
    old = {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "weights.pth")
    pixels = torch.randint(0, 256, (2, 1, 16, 16), dtype=torch.uint8)
    results = []
    for file in ("weights.safetensors", "weights.pth"):
        extractor: Telling = InceptionFeatures(tmp_path / file)
        results.append(extractor(pixels))
        assert extractor.version == hashlib.sha256((tmp_path / file).read_bytes()).hexdigest()[:16]
    assert results[0].shape == (2, 2048)
    assert torch.equal(*results)
    scaled = (resize(pixels.float(), 299) - 128) / 128
    with torch.no_grad():
        assert torch.allclose(network(scaled.expand(2, 3, 299, 299)), results[0], atol=1e-5)
    features, probabilities = extractor.features_and_probabilities(pixels)
    assert torch.equal(features, results[0])
    assert torch.equal(probabilities, extractor.probabilities(pixels))
    assert probabilities.shape == (2, 1008)
    assert torch.allclose(probabilities.sum(1), torch.ones(2))


def test_missing_and_wrong_weights_are_told(network: InceptionV3, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not at") as told:
        InceptionFeatures(tmp_path / "none.pth")
    assert "download https" in told.value.remedy
    (tmp_path / "torn.safetensors").write_bytes(b"torn")
    (tmp_path / "torn.pth").write_bytes(b"torn")
    for name in ("torn.safetensors", "torn.pth"):
        with pytest.raises(DataError, match="does not hold"):
            read_weights(tmp_path / name)
    state = dict(network.state_dict())
    state["fc.bias"] = torch.zeros(1000)
    save_file(state, tmp_path / "shape.safetensors")
    del state["fc.bias"]
    save_file(state, tmp_path / "less.safetensors")
    for name in ("shape", "less"):
        with pytest.raises(DataError, match=r"does not hold"):
            InceptionFeatures(tmp_path / f"{name}.safetensors")


def test_downloads_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_bytes(np.random.default_rng(0).bytes(3_000_000))
    monkeypatch.setattr(module, "URL", source.as_uri())
    goal = tmp_path / "deep/folder/weights.pth"
    with pytest.raises(MachineError, match="SHA-256"):
        download_weights(goal)
    assert list(goal.parent.iterdir()) == []
    monkeypatch.setattr(module, "SHA256", hashlib.sha256(source.read_bytes()).hexdigest())
    download_weights(goal)
    assert goal.read_bytes() == source.read_bytes()
    source.unlink()
    download_weights(goal)  # there already
    goal.unlink()
    with pytest.raises(MachineError, match="cannot be downloaded"):
        download_weights(goal)
