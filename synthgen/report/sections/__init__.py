"""The sections of the page in their order: a builder here, a template of the same name there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synthgen.report.sections import (
    data,
    fidelity,
    pictures,
    privacy,
    provenance,
    training,
    utility,
    verdict,
)
from synthgen.results import Report


def _always(report: Report) -> bool:
    return True


@dataclass(frozen=True)
class Section:
    """``build`` gives what the template ``<name>.html`` draws; ``name`` is also the anchor.
    ``shown``: whether this report has the section."""

    name: str
    title: str
    build: Callable[[Report], object]
    shown: Callable[[Report], bool] = _always


SECTIONS = (
    Section("verdict", "Verdict", verdict.build),
    Section("utility", "Utility", utility.build),
    Section("fidelity", "Fidelity", fidelity.build),
    Section("pictures", "Pictures", pictures.build, pictures.shown),
    Section("privacy", "Privacy", privacy.build),
    Section("training", "Training", training.build),
    Section("data", "Data", data.build),
    Section("provenance", "Provenance", provenance.build),
)
