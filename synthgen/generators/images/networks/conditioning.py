"""How a network is told the class of an image.

The generator: by *concatenation* of a vector of the class to the noise (Mirza & Osindero 2014,
arXiv 1411.1784), or by batch normalisation whose scale and shift are the class's own (de Vries et
al. 2017, arXiv 1707.00683). The critic: by concatenation of one plane per class to the image, by
the *projection* of its features on a vector of the class (Miyato & Koyama 2018, arXiv 1802.05637),
or not at all, but it has to tell the class as an *auxiliary* classifier (Odena et al. 2017, arXiv
1610.09585).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from synthgen.generators.images.networks.normalisation import CriticNorm, spectral

ToldGenerator: TypeAlias = Literal["none", "concatenation", "normalisation"]
ToldCritic: TypeAlias = Literal["none", "concatenation", "projection", "auxiliary"]


CLASS_SHARE = 8
"""The vector that stands for a class beside noise has one entry for so many of noise, and four at
least. With as many as the noise has, the generator makes one image of each class
(docs/log.md)."""


class Judged(NamedTuple):
    """What a critic says of images."""

    values: Tensor
    """(n,): the higher the realer."""
    classes: Tensor | None
    """(n, classes): logits of an auxiliary classifier."""


class Beside(nn.Module):
    """Vectors (n, inputs) with a vector of the class beside them, where the network is told by
    concatenation. It is learned, and its entries begin as large as those of noise: the single one
    of a one-hot vector would hardly count at first."""

    def __init__(self, inputs: int, classes: int, *, told: bool) -> None:
        super().__init__()
        entries = max(4, inputs // CLASS_SHARE) if told else 0
        self.vectors = nn.Embedding(classes, entries) if told else None
        self.size = inputs + entries

    def forward(self, vectors: Tensor, labels: Tensor) -> Tensor:
        if self.vectors is None:
            return vectors
        return torch.cat([vectors, self.vectors(labels)], 1)


class Planes(nn.Module):
    """Images (n, channels, height, width) with one plane more for each class, 1 for the image's own
    class and 0 for the others, where the critic is told by concatenation."""

    def __init__(self, channels: int, classes: int, told: ToldCritic) -> None:
        super().__init__()
        self.classes = classes if told == "concatenation" else 0
        self.channels = channels + self.classes

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        if not self.classes:
            return images
        planes = one_hot(labels, self.classes).to(images.dtype)[:, :, None, None]
        return torch.cat([images, planes.expand(-1, -1, *images.shape[2:])], 1)


class Normalisation(nn.Module):
    """Batch normalisation of (n, features, height, width); with ``classes`` each class has a scale
    and a shift of its own."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(features, affine=not classes)
        self.scale = nn.Embedding(classes, features) if classes else None
        self.shift = nn.Embedding(classes, features) if classes else None
        if self.scale is not None and self.shift is not None:
            nn.init.ones_(self.scale.weight)
            nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        normal: Tensor = self.norm(x)
        if self.scale is None or self.shift is None:
            return normal
        scale, shift = self.scale(labels), self.shift(labels)
        return torch.addcmul(shift[:, :, None, None], normal, scale[:, :, None, None])


class Head(nn.Module):
    """Features (n, size) and classes (n,) to the critic's answer."""

    def __init__(
        self, size: int, classes: int, told: ToldCritic, norm: CriticNorm = "none"
    ) -> None:
        super().__init__()
        self.value = spectral(nn.Linear(size, 1), norm)
        self.vectors = spectral(nn.Embedding(classes, size), norm) if told == "projection" else None
        self.classifier = nn.Linear(size, classes) if told == "auxiliary" else None

    def forward(self, features: Tensor, labels: Tensor) -> Judged:
        values = self.value(features).squeeze(1)
        if self.vectors is not None:
            values = values + (self.vectors(labels) * features).sum(1)
        classes = self.classifier(features) if self.classifier is not None else None
        return Judged(values, classes)
