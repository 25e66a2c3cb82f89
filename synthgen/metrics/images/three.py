"""The images of three sides that figures are taken of, and what extractors say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from synthgen.data.images.images import Class, Images
from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.base import Figure, Origin, Sides, subsample
from synthgen.training.randomness import derive
from synthgen.vision.features import Extractor, Telling


@dataclass(frozen=True)
class Side:
    """Pixels uint8 (n, c, h, w), labels int64 (n,), and the places int64 (n,) that the images have
    among all of their side; ``count`` of these there are."""

    name: str
    pixels: Tensor
    labels: Tensor
    places: Tensor
    count: int


@dataclass(frozen=True)
class Three:
    """Labels are positions in ``classes``; ``seed`` fixes what a figure draws at random."""

    train: Side
    holdout: Side
    synthetic: Side
    classes: tuple[Class, ...]
    seed: int

    @property
    def sides(self) -> tuple[Side, Side, Side]:
        return self.train, self.holdout, self.synthetic

    def left_out(self) -> str | None:
        """In words, of which sides these are not all images."""
        parts = [
            f"{len(side.places):,} of {side.count:,} {side.name} images"
            for side in self.sides
            if len(side.places) < side.count
        ]
        return " and ".join(parts) or None

    def named(self, figure: Figure) -> Figure:
        """The figure, its ``suspects`` and ``copies`` with the images' places among all."""
        places = {"image": self.synthetic.places, "original": self.train.places}
        detail = {
            key: [
                entry | {side: int(among[entry[side]]) for side, among in places.items()}
                for entry in part
            ]
            if key in ("suspects", "copies")
            else part
            for key, part in figure.detail.items()
        }
        return replace(figure, detail=detail)


def side(name: str, images: Images, most: int, seed: int) -> Side:
    """All images, or ``most`` of them drawn at random."""
    count = len(images)
    places = subsample(torch.arange(count), most, derive(seed, f"{name} images"))
    pixels, labels = torch.from_numpy(images.pixels), torch.from_numpy(images.labels)
    if len(places) < count:
        pixels, labels = pixels[places], labels[places]
    return Side(name, pixels, labels, places, count)


@dataclass(frozen=True)
class Seen:
    """Features of all three sides by one extractor, and class probabilities of the held-out and the
    synthetic images, if it tells any."""

    sides: Sides
    told: tuple[Tensor, Tensor] | None


def see(extractor: Extractor, three: Three) -> Seen:
    """Each image passes the extractor once."""
    origin = Origin(extractor.name, extractor.version, extractor.resize)
    reference = extractor(three.train.pixels)
    if not isinstance(extractor, Telling):
        others = extractor(three.holdout.pixels), extractor(three.synthetic.pixels)
        return Seen(Sides(reference, *others, origin, three.seed), None)
    (holdout, real), (synthetic, drawn) = (
        extractor.features_and_probabilities(side.pixels)
        for side in (three.holdout, three.synthetic)
    )
    return Seen(Sides(reference, holdout, synthetic, origin, three.seed), (real, drawn))


@dataclass
class Found:
    """Figures, and a notice for each that there is none of."""

    figures: list[Figure] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def add(self, title: str, measure: Callable[[], Iterable[Figure]]) -> None:
        try:
            self.figures += measure()
        except NotComputable as reason:
            self.notices.append(f"{title} left out: {reason}")
