"""Images from a trained generator."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from synthgen.data.images.images import Class, Images
from synthgen.errors import ConfigError
from synthgen.generators.base import Where
from synthgen.generators.conditions import warn_shortfall
from synthgen.generators.description import DESCRIPTION, FORMAT, damaged
from synthgen.generators.images.batches import to_bytes
from synthgen.generators.images.networks.shape import ImageShape
from synthgen.training.randomness import draw_stream, initialisation
from synthgen.vision.classifier import Classifier

if TYPE_CHECKING:
    from synthgen.generators.images.image_gan import ImageGAN

WEIGHTS = "model.safetensors"
CRITIC = "critic.safetensors"
CHUNK = 256
"""Images that pass the network at once."""
LABEL = "label"
"""What a condition calls the class."""
LISTED = 12
"""Classes that a message names all."""
TRIES = 50
"""Chunks at most for each one that is asked for, where the class is told afterwards."""
G = TypeVar("G", bound="ImageGAN")


@dataclass(frozen=True)
class ImageSampler:
    """A trained generator. It samples on the CPU, whatever device trained it.

    A generator that was told classes makes images of a class; of one that was not, a classifier of
    the training images (``labeller``) says afterwards what they are.
    """

    config: ImageGAN
    network: nn.Module
    shape: ImageShape
    classes: tuple[Class, ...]
    counts: tuple[int, ...]
    """Training images of each class."""
    labeller: Classifier | None
    critic: Mapping[str, Tensor] | None = None
    """The critic's weights, with which a further training may begin."""

    @classmethod
    def of(
        cls, config: ImageGAN, network: nn.Module, train: Images, judge: Classifier | None
    ) -> Self:
        """Of a generator trained on these images. ``judge``, a classifier of them, is the labeller
        where the generator knows no classes; None if they show one class only."""
        shape = ImageShape(*train.pixels.shape[1:])
        counts = tuple(train.counts().tolist())
        labeller = None if config.conditional else judge
        return cls(config, network, shape, train.classes, counts, labeller)

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Images:
        """``n`` images, with their classes as often as the training images have them, or all of the
        class ``where["label"]``. Raises :class:`~synthgen.errors.ConfigError` for another
        condition and an unknown class.

        If a labeller finds too few of a class in a bounded number of images, fewer come back, with
        a :class:`~synthgen.errors.ShortfallWarning`.
        """
        wanted = self._wanted(where)
        parts: list[tuple[NDArray[np.uint8], NDArray[np.int64]]] = []
        found, chunk = 0, 0
        limit = -(-n // CHUNK) * (1 if self.labeller is None or wanted is None else TRIES)
        while found < n and chunk < limit:
            pixels, labels = self._chunk(seed, chunk, wanted)
            if wanted is not None:
                kept = labels == wanted
                pixels, labels = pixels[kept], labels[kept]
            parts.append((pixels, labels))
            found += len(labels)
            chunk += 1
        if found < n:
            assert where is not None
            why = f"{chunk * CHUNK} images were drawn"
            warn_shortfall(found, n, where, why)
        return self._images(parts, min(found, n))

    def drawn(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """Pixels (n, channels, height, width) and the classes (n,) that they were asked for; a
        generator that knows no classes was asked for nothing."""
        parts = [self._made(seed, number, None) for number in range(-(-n // CHUNK))]
        pixels, labels = zip(*parts, strict=True)
        return torch.from_numpy(np.concatenate(pixels))[:n], torch.cat(labels)[:n]

    @torch.inference_mode()
    def at(self, z: Tensor, labels: Tensor) -> NDArray[np.uint8]:
        """Pixels (n, channels, height, width) of given noise (n, latent_dim) and classes (n,)."""
        made = [
            to_bytes(self.network(part, told))
            for part, told in zip(torch.split(z, CHUNK), torch.split(labels, CHUNK), strict=True)
        ]
        return torch.cat(made).contiguous().numpy()

    def save(self, path: Path) -> None:
        """Write ``model.safetensors``, ``critic.safetensors`` and ``model.json``, and the files of
        the labeller."""
        weights = {name: t.contiguous() for name, t in self.network.state_dict().items()}
        save_file(weights, path / WEIGHTS)
        if self.critic is not None:
            # Some tensors of a network in evaluation share memory, which the format does not allow.
            save_file({k: v.contiguous().clone() for k, v in self.critic.items()}, path / CRITIC)
        description = {
            "format": FORMAT,
            "generator": self.config.model_dump(mode="json"),
            "shape": [self.shape.channels, self.shape.height, self.shape.width],
            "classes": self.classes,
            "counts": self.counts,
        }
        text = json.dumps(description, indent=1)
        (path / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        if self.labeller is not None:
            self.labeller.save(path)

    @classmethod
    def load(
        cls, path: Path, kind: type[G], build: Callable[[G, ImageShape, int], nn.Module]
    ) -> ImageSampler:
        """What :meth:`save` wrote. Raises :class:`~synthgen.errors.DataError`."""
        try:
            told: dict[str, Any] = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
            config = kind.model_validate(told["generator"])
            shape = ImageShape(*map(int, told["shape"]))
            classes, counts = tuple(told["classes"]), tuple(map(int, told["counts"]))
            with initialisation(0):
                network = build(config, shape, len(classes))
            network.load_state_dict(load_file(path / WEIGHTS))
            critic = load_file(path / CRITIC) if (path / CRITIC).exists() else None
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise damaged(path, kind, error) from error
        known = config.conditional or sum(count > 0 for count in counts) < 2
        labeller = None if known else Classifier.load(path)
        return cls(config, network.eval(), shape, classes, counts, labeller, critic)

    def _chunk(
        self, seed: int, number: int, wanted: int | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        pixels, labels = self._made(seed, number, wanted)
        if self.labeller is not None:
            labels = self.labeller.probabilities(torch.from_numpy(pixels)).argmax(1)
        return pixels, labels.numpy()

    def _made(self, seed: int, number: int, wanted: int | None) -> tuple[NDArray[np.uint8], Tensor]:
        random = draw_stream(seed, number)
        z = torch.randn(CHUNK, self.config.latent_dim, generator=random)
        shares = torch.tensor(self.counts, dtype=torch.float64)
        labels = torch.multinomial(shares, CHUNK, replacement=True, generator=random)
        if wanted is not None and self.labeller is None:
            labels.fill_(wanted)
        return self.at(z, labels), labels

    def _images(self, parts: list[tuple[NDArray[np.uint8], NDArray[np.int64]]], n: int) -> Images:
        nothing = np.empty((0, self.shape.channels, self.shape.height, self.shape.width), np.uint8)
        return Images(
            pixels=np.concatenate([nothing, *(pixels for pixels, _ in parts)])[:n],
            labels=np.concatenate([np.empty(0, np.int64), *(labels for _, labels in parts)])[:n],
            classes=self.classes,
            names=tuple(f"synthetic-{number:07d}" for number in range(n)),
        )

    def _wanted(self, where: Where | None) -> int | None:
        """The position of the class that is asked for."""
        if not where:
            return None
        if set(where) != {LABEL}:
            other = next(name for name in where if name != LABEL)
            raise ConfigError(
                f"a condition on {other!r}, but images have a class only",
                f"write {LABEL}=CLASS",
            )
        asked = str(where[LABEL])
        for position, name in enumerate(self.classes):
            if str(name) == asked:
                if not self.counts[position]:
                    raise ConfigError(
                        f"class {name!r} has no training image", "ask for one that has"
                    )
                return position
        known = [str(name) for name in self.classes]
        if len(known) > LISTED:
            near = get_close_matches(asked, known, n=3, cutoff=0.0)
            raise ConfigError(f"there is no class {asked!r}", f"use one like {', '.join(near)}")
        raise ConfigError(f"there is no class {asked!r}", f"use one of {', '.join(known)}")
