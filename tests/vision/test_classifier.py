"""Training, use and files of the classifier."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from synthgen.errors import ConfigError, DataError, TrainingError
from synthgen.vision import pixels as pixels_module
from synthgen.vision.classifier import DESCRIPTION, WEIGHTS, Classifier
from synthgen.vision.pixels import channel_statistics, check_images, in_blocks
from synthgen.vision.train import Augmentation, train_classifier
from tests.vision.pictures import pictures, toy


@pytest.fixture(scope="module")
def trained() -> Classifier:
    return train_classifier(*toy(60), 3, steps=40, batch_size=32)


def accuracy(classifier: Classifier, pixels: torch.Tensor, labels: torch.Tensor) -> float:
    return float((classifier.probabilities(pixels).argmax(1) == labels).double().mean())


def test_it_learns_and_its_probabilities_are_such(trained: Classifier) -> None:
    pixels, labels = toy(300, seed=1)
    assert accuracy(trained, pixels, labels) == 1
    probabilities = trained.probabilities(pixels)
    assert probabilities.shape == (300, 3)
    assert torch.allclose(probabilities.sum(1), torch.ones(300))


def test_features_are_what_the_last_layer_is_given(trained: Classifier) -> None:
    pixels, _ = toy(300, seed=2)
    features = trained.features(pixels)
    assert features.shape == (300, 128)
    assert features.dtype == torch.float32
    again = trained.network.head(features).softmax(1)
    assert torch.allclose(again, trained.probabilities(pixels), atol=1e-6)
    both = trained.features_and_probabilities(pixels)
    assert torch.equal(both[0], features)
    assert torch.equal(both[1], trained.probabilities(pixels))


def test_the_seed_fixes_the_weights_whatever_was_drawn_before() -> None:
    pixels, labels = toy(30)
    augmentation = Augmentation(flip=True, padding=2, operations=2, mixup=0.2)

    def weights(seed: int) -> torch.Tensor:
        torch.rand(seed + 1)
        trained = train_classifier(
            pixels, labels, 3, steps=4, seed=seed, batch_size=16, augmentation=augmentation, ema=0.9
        )
        return torch.cat([tensor.flatten() for tensor in trained.network.state_dict().values()])

    state = torch.random.get_rng_state()
    first = weights(0)
    torch.random.set_rng_state(state)
    assert torch.equal(first, weights(0))
    assert not torch.equal(first, weights(1))


def test_mnist_from_twenty_images_per_class(shared_data: Path) -> None:
    pixels, labels = pictures(shared_data, "mnist-train", 1000)
    some = torch.cat([(labels == label).nonzero()[:20, 0] for label in range(10)])
    trained = train_classifier(
        pixels[some],
        labels[some],
        10,
        steps=150,
        batch_size=64,
        augmentation=Augmentation(padding=2),
    )
    assert accuracy(trained, *pictures(shared_data, "mnist-test", 2000)) > 0.9


def test_more_steps_than_images_and_one_image() -> None:
    pixels, labels = toy(1, classes=1)
    trained = train_classifier(pixels, labels, 1, steps=3, batch_size=4)
    assert trained.probabilities(pixels).item() == pytest.approx(1)


def test_weights_of_samples_and_classes_count() -> None:
    # Every image stands there with both labels; the weights decide.
    pixels, labels = toy(40, classes=2)
    both, names = torch.cat([pixels, pixels]), torch.cat([labels, 1 - labels])
    chosen = torch.cat([torch.ones(40), torch.zeros(40)])
    for weights, expected in ((chosen, 1.0), (1 - chosen, 0.0)):
        trained = train_classifier(both, names, 2, steps=40, batch_size=32, sample_weights=weights)
        assert accuracy(trained, pixels, labels) == expected
    trained = train_classifier(
        both, names, 2, steps=40, batch_size=32, class_weights=torch.tensor([0.0, 7.0])
    )
    assert (trained.probabilities(pixels).argmax(1) == 1).all()


def test_weights_scaled_as_a_whole_change_nothing() -> None:
    pixels, labels = toy(30)
    results = [
        train_classifier(
            pixels, labels, 3, steps=3, batch_size=8, sample_weights=torch.full((30,), scale)
        ).probabilities(pixels)
        for scale in (1.0, 64.0)
    ]
    assert torch.allclose(*results, atol=1e-6)


def test_files_bring_the_same_classifier_back(trained: Classifier, tmp_path: Path) -> None:
    trained.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {WEIGHTS, DESCRIPTION}
    again = Classifier.load(tmp_path)
    pixels, _ = toy(50, seed=3)
    assert torch.equal(again.probabilities(pixels), trained.probabilities(pixels))
    assert torch.equal(again.features(pixels), trained.features(pixels))


def test_damaged_files_are_told(trained: Classifier, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="whole classifier"):
        Classifier.load(tmp_path)
    trained.save(tmp_path)
    told = json.loads((tmp_path / DESCRIPTION).read_text())
    for wrong in ({"classes": 4}, {"size": "x"}, {"channels": 3}):
        (tmp_path / DESCRIPTION).write_text(json.dumps(told | wrong))
        with pytest.raises(DataError, match="whole classifier"):
            Classifier.load(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(b"nothing")
    with pytest.raises(DataError, match="whole classifier"):
        Classifier.load(tmp_path)


def test_a_network_of_ones_own_is_trained_saved_and_never_loaded_unasked(tmp_path: Path) -> None:
    path = "tests.vision.test_networks:linear"
    pixels, labels = toy(60)
    trained = train_classifier(pixels, labels, 3, steps=40, batch_size=32, network=path)
    assert accuracy(trained, pixels, labels) > 0.9
    assert trained.features(pixels).shape == (60, 256)
    trained.save(tmp_path)
    with pytest.raises(ConfigError, match="made with network"):
        Classifier.load(tmp_path)
    again = Classifier.load(tmp_path, network=path)
    assert torch.equal(again.probabilities(pixels), trained.probabilities(pixels))


def test_a_network_without_a_linear_layer_has_no_features() -> None:
    pixels, labels = toy(10)
    trained = train_classifier(
        pixels, labels, 3, steps=1, batch_size=4, network="tests.vision.test_networks:pooled"
    )
    with pytest.raises(ConfigError, match="no linear layer"):
        trained.features(pixels)


def test_wrong_images_labels_and_weights_are_told(trained: Classifier) -> None:
    pixels, labels = toy(10)
    for images, words in (
        (pixels.float(), "float32"),
        (pixels[0], "3 dimensions"),
        (pixels[:0], "no image"),
        (pixels.expand(-1, 2, -1, -1), "2 channels"),
        (pixels[..., :7, :7], "7 pixels"),
        (pixels[..., :10], "10 pixels wide"),
        (torch.zeros(1, 1, 129, 129, dtype=torch.uint8), "129"),
    ):
        with pytest.raises(DataError, match=words):
            train_classifier(images, labels, 3, steps=1)
    for names, words in (
        (labels.int(), "int32"),
        (labels[:5], "shape"),
        (labels + 1, "from 1 to 3"),
    ):
        with pytest.raises(DataError, match=words):
            train_classifier(pixels, names, 3, steps=1)
    for weights in (torch.ones(9), -torch.ones(10), torch.full((10,), torch.nan)):
        with pytest.raises(DataError, match="sample weights must be 10"):
            train_classifier(pixels, labels, 3, steps=1, sample_weights=weights)
    with pytest.raises(DataError, match="all images are 0"):
        train_classifier(pixels, labels, 3, steps=1, class_weights=torch.zeros(3))
    with pytest.raises(DataError, match="classifier of"):
        trained.probabilities(toy(3, side=15)[0])
    with pytest.raises(ConfigError, match="padding 16"):
        train_classifier(pixels, labels, 3, steps=1, augmentation=Augmentation(padding=16))
    for settings in ({"steps": 0}, {"steps": 1, "batch_size": 1}):
        with pytest.raises(ConfigError, match="steps with batches"):
            train_classifier(pixels, labels, 3, **settings)
    with pytest.raises(ConfigError, match="magnitude 31"):
        Augmentation(magnitude=31)
    with pytest.raises(ConfigError, match="negative"):
        Augmentation(mixup=-1)


def test_weights_that_blow_up_are_told() -> None:
    pixels, labels = toy(10)
    with pytest.raises(TrainingError, match="not finite"):
        train_classifier(pixels, labels, 3, steps=3, batch_size=8, learning_rate=1e38)


def test_statistics_are_those_of_all_pixels() -> None:
    pixels = torch.randint(0, 256, (7, 3, 9, 9), dtype=torch.uint8)
    pixels[:, 2] = 5
    mean, deviation = channel_statistics(pixels)
    values = pixels.double()
    assert torch.allclose(mean.flatten().double(), values.mean((0, 2, 3)))
    expected = values.std((0, 2, 3), correction=0)
    expected[2] = 1
    assert torch.allclose(deviation.flatten().double(), expected)
    check_images(pixels)


def test_blocks_give_what_all_images_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels_module, "_VALUES", 4 * 81)
    images = torch.randint(0, 256, (11, 1, 9, 9), dtype=torch.uint8)
    sizes: list[int] = []

    def work(block: torch.Tensor) -> torch.Tensor:
        sizes.append(len(block))
        return block.double().mean((2, 3))

    assert torch.equal(in_blocks(images, work), images.double().mean((2, 3)))
    assert sizes == [4, 4, 3]
    monkeypatch.setattr(pixels_module, "_VALUES", 1)
    assert torch.equal(in_blocks(images, work), images.double().mean((2, 3)))
