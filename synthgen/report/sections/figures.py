"""What a figure on images was made with, and what its detail says. Figures of different extractors,
sizes or numbers of images do not compare, so that all of this stands beside each of them."""

from __future__ import annotations

from collections.abc import Sequence

from synthgen.report import numbers
from synthgen.results import Score

_EXTRACTORS = {
    "classifier": "classifier of the training images",
    "inception-v3-2015-12-05": "Inception-v3 of 2015-12-05",
    "small-cnn": "small CNN",
}
_SPLITS = {"train": "training images", "test": "test images"}
_APART = ("extractor", "version", "resize", "reference")
"""What tells two figures of one metric apart, first what a reader knows."""


def titles(scores: Sequence[Score]) -> list[str]:
    """Their titles; where a metric occurs more than once, with what tells its figures apart."""
    return [
        f"{score.title} ({apart})" if (apart := _apart(score, scores)) else score.title
        for score in scores
    ]


def _apart(score: Score, scores: Sequence[Score]) -> str:
    same = [_origin(other) for other in scores if other.metric == score.metric]
    if len(same) < 2:
        return ""
    for field in _APART:
        values = [origin.get(field) for origin in same]
        if len(set(values)) > 1:
            own = _origin(score).get(field, "")
            return _EXTRACTORS.get(own, own)
    return ""


def origin(score: Score) -> str:
    """The extractor with version and resizing, and how many images were compared with how many of
    which split; empty for a score that has no such origin."""
    known, images = _origin(score), score.detail.get("images")
    if not known or not isinstance(images, dict):
        return ""
    extractor = _EXTRACTORS.get(known["extractor"], known["extractor"])
    said = (
        f"{extractor[:1].upper()}{extractor[1:]} (version: {known['version']}; resize: "
        f"{known['resize']}); {numbers.counted(images['synthetic'], 'synthetic image')}"
    )
    if images["reference"]:
        split = _SPLITS.get(known["reference"], f"images of {known['reference']}")
        said += f" against {numbers.count(images['reference'])} {split}"
    unseen = score.detail.get("floor_images")
    if isinstance(unseen, int):
        said += f"; the reference is of {numbers.counted(unseen, 'unseen image')}"
    return said


def remark(score: Score) -> str:
    """What a reader has to know of this very figure; empty for most."""
    if score.metric == "frechet" and score.detail.get("singular"):
        return " With no more images than features, as here, it says little."
    return ""


def evidence(score: Score) -> list[tuple[str, str]]:
    """How many images a privacy figure counts. Which ones is nobody's business: the training image
    that was copied may show somebody."""
    images = score.detail.get("images")
    if not isinstance(images, dict):
        return []
    drawn = images["synthetic"]
    number = f"{numbers.count(score.value * drawn)} of {numbers.count(drawn)}"
    match score.metric:
        case "memorisation":
            return [("suspects", number)]
        case "image_copies":
            exact = score.detail.get("exact", 0.0)
            return [("copies", number), ("equal in every pixel", numbers.percent(exact))]
        case _:
            return []


def _origin(score: Score) -> dict[str, str]:
    known = score.detail.get("origin")
    return known if isinstance(known, dict) else {}
