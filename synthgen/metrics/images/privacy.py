"""All figures of whether synthetic images repeat training images."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from synthgen.metrics.images.base import Figure, Sides
from synthgen.metrics.images.copies import image_copies
from synthgen.metrics.images.memorisation import memorisation
from synthgen.metrics.images.three import Found, Three, see
from synthgen.vision.features import Extractor


def privacy(three: Three, extractors: Iterable[Extractor]) -> Found:
    """Memorisation by each extractor, then copies; both name images by their places among all."""
    found = Found()
    for extractor in extractors:
        found.add(
            "Images closer to training images than unseen ones",
            partial(_memorisation, see(extractor, three).sides),
        )
    train, holdout, synthetic = (side.pixels for side in three.sides)
    found.figures.append(image_copies(train, holdout, synthetic))
    found.figures = [three.named(figure) for figure in found.figures]
    return found


def _memorisation(sides: Sides) -> list[Figure]:
    return [memorisation(sides)]
