"""All figures of how far synthetic images are from real ones."""

from __future__ import annotations

from collections.abc import Iterable

from synthgen.data.quoting import some
from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.base import Figure
from synthgen.metrics.images.density_coverage import density_coverage
from synthgen.metrics.images.frechet import frechet
from synthgen.metrics.images.frechet_per_class import frechet_per_class
from synthgen.metrics.images.inception_score import inception_score
from synthgen.metrics.images.kernel import kernel
from synthgen.metrics.images.precision_recall import precision_recall
from synthgen.metrics.images.sliced_wasserstein import pyramid_distance, sliced_wasserstein
from synthgen.metrics.images.three import Found, Seen, Three, see
from synthgen.vision.features import Extractor


def fidelity(three: Three, extractors: Iterable[Extractor]) -> Found:
    """Those of features by each extractor, then that of pixels."""
    found = Found()
    for extractor in extractors:
        _of_features(see(extractor, three), three, found)
    reference, holdout, synthetic = (side.pixels for side in three.sides)
    found.add(
        "Sliced Wasserstein distance of patches",
        lambda: [pyramid_distance(reference, holdout, synthetic, seed=three.seed)],
    )
    return found


def _of_features(seen: Seen, three: Three, found: Found) -> None:
    sides = seen.sides
    found.add("Fréchet distance", lambda: [frechet(sides)])
    found.add("Fréchet distance per class", lambda: [_per_class(seen, three, found)])
    found.add("Kernel distance", lambda: [kernel(sides)])
    found.add("Precision and recall", lambda: precision_recall(sides))
    found.add("Density and coverage", lambda: density_coverage(sides))
    found.add("Inception score", lambda: [_inception(seen)])
    found.add("Sliced Wasserstein distance", lambda: [sliced_wasserstein(sides)])


def _per_class(seen: Seen, three: Three, found: Found) -> Figure:
    reference, holdout, synthetic = (side.labels for side in three.sides)
    figure = frechet_per_class(seen.sides, reference, holdout, synthetic, three.classes)
    if names := figure.detail["left_out"]:
        found.notices.append(
            f"{figure.title} leaves out {some(names)}: too few images of the class on a side"
        )
    return figure


def _inception(seen: Seen) -> Figure:
    if seen.told is None:
        raise NotComputable(f"{seen.sides.origin.extractor} do not tell what an image shows")
    return inception_score(*seen.told, seen.sides.origin, seen.sides.seed)
