from __future__ import annotations

from pathlib import Path

import pytest
import torch

from synthgen.errors import DataError, MachineError
from synthgen.vision import features as module
from synthgen.vision.features import Extractor, Telling, trained_features
from synthgen.vision.pixel_features import PixelFeatures
from tests.vision.pictures import toy


def test_the_default_extractor_is_trained_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, labels = toy(30)
    first: Extractor = trained_features(pixels, labels, 3, folder=tmp_path, steps=5)
    values = first(pixels)
    assert values.shape == (30, first.dimension)
    assert values.dtype == torch.float32
    with monkeypatch.context() as patch:
        patch.setattr(module, "train_classifier", None)
        again = trained_features(pixels, labels, 3, folder=tmp_path, steps=5)
    assert torch.equal(again(pixels), values)
    assert (again.name, again.version) == (first.name, first.version)

    changed = pixels.clone()
    changed[0, 0, 0, 0] += 1
    others = [
        trained_features(changed, labels, 3, folder=tmp_path, steps=5),
        trained_features(pixels, labels.flip(0), 3, folder=tmp_path, steps=5),
        trained_features(pixels, labels, 3, folder=tmp_path, steps=6),
        trained_features(pixels, labels, 3, folder=tmp_path, steps=5, seed=1),
    ]
    assert len({first.version, *(other.version for other in others)}) == 5
    assert len(list(tmp_path.iterdir())) == 5


def test_a_damaged_one_is_trained_anew(tmp_path: Path) -> None:
    pixels, labels = toy(30)
    first = trained_features(pixels, labels, 3, folder=tmp_path, steps=5)
    (tmp_path / first.version / "classifier.safetensors").write_bytes(b"torn")
    again = trained_features(pixels, labels, 3, folder=tmp_path, steps=5)
    assert torch.equal(again(pixels), first(pixels))
    kept = trained_features(pixels, labels, 3, folder=tmp_path, steps=5)
    assert torch.equal(kept(pixels), first(pixels))


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="no extractor can be kept"):
        trained_features(*toy(30), 3, folder=tmp_path / "file", steps=1)


def test_pixels_are_averaged_to_sixteen() -> None:
    pixels, _ = toy(5, side=32, channels=3)
    extractor: Extractor = PixelFeatures(3, 32)
    values = extractor(pixels)
    assert values.shape == (5, 768) == (5, extractor.dimension)
    squares = pixels.float().view(5, 3, 16, 2, 16, 2).mean((3, 5)) / 255
    assert torch.allclose(values, squares.flatten(1))
    assert PixelFeatures(1, 12).dimension == 144


def test_pixels_need_no_square() -> None:
    pixels = torch.randint(0, 256, (4, 3, 9, 32), dtype=torch.uint8)
    extractor = PixelFeatures(3, 9, 32)
    pairs = pixels.float().view(4, 3, 9, 16, 2).mean(4) / 255
    assert torch.allclose(extractor(pixels), pairs.flatten(1))
    assert (extractor.dimension, extractor.resize) == (3 * 9 * 16, "averaged to 16 x 9")
    assert PixelFeatures(1, 16, 8).resize == "none"
    with pytest.raises(DataError, match="20 pixels wide and 7 high"):
        PixelFeatures(1, 7, 20)(torch.zeros(1, 1, 7, 20, dtype=torch.uint8))


def test_what_images_show_is_told_with_their_features(tmp_path: Path) -> None:
    pixels, labels = toy(30)
    extractor: Telling = trained_features(pixels, labels, 3, folder=tmp_path, steps=5)
    features, probabilities = extractor.features_and_probabilities(pixels)
    assert torch.equal(features, extractor(pixels))
    assert probabilities.shape == (30, 3)
    assert torch.allclose(probabilities.sum(1), torch.ones(30))
    assert isinstance(extractor, Telling)
    assert not isinstance(PixelFeatures(1, 16), Telling)
