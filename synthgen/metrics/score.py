"""All metrics of a modality, each beside its reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from synthgen.metrics.base import Metric, NotComputable, Trio
from synthgen.metrics.reference import fidelity_pair, privacy_pair
from synthgen.results import Pillar, Score

_PAIRS: dict[Pillar, Callable[[Trio], tuple[Trio, Trio]]] = {
    "fidelity": fidelity_pair,
    "privacy": privacy_pair,
}


def score(metrics: Iterable[Metric], trio: Trio) -> tuple[list[Score], list[str]]:
    """Scores in the order of the metrics, and one notice per metric or reference that the data do
    not allow. ``detail["rows"]`` says how many rows stood on each side."""
    scores: list[Score] = []
    notices: list[str] = []
    for metric in metrics:
        try:
            scores.append(_score(metric, trio, notices))
        except NotComputable as reason:
            notices.append(f"{metric.title} left out: {reason}")
    return scores, notices


def _score(metric: Metric, trio: Trio, notices: list[str]) -> Score:
    """Raises NotComputable for the value; a missing reference is a notice."""
    own = metric.reference
    read, stand_in = (trio, trio) if own else _PAIRS[metric.pillar](trio)
    reading = metric(read)
    reference: float | None = None
    try:
        reference = own(trio) if own else metric(stand_in).value
    except NotComputable as reason:
        notices.append(f"{metric.title} has no reference: {reason}")
    rows = {
        "train": len(read.train),
        "synthetic": len(read.synthetic),
        "reference": len(trio.holdout if own else stand_in.synthetic),
    }
    return Score(
        metric=metric.name,
        title=metric.title,
        pillar=metric.pillar,
        goal=metric.goal,
        value=reading.value,
        reference=reference,
        detail=reading.detail | {"rows": rows},
    )
