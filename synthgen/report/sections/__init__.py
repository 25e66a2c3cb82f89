"""The sections of the page in their order: a builder here, a template of the same name there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synthgen.report.sections import (
    data,
    fidelity,
    privacy,
    provenance,
    training,
    utility,
    verdict,
)
from synthgen.results import Report


@dataclass(frozen=True)
class Section:
    """``build`` gives what the template ``<name>.html`` draws; ``name`` is also the anchor."""

    name: str
    title: str
    build: Callable[[Report], object]


SECTIONS = (
    Section("verdict", "Verdict", verdict.build),
    Section("utility", "Utility", utility.build),
    Section("fidelity", "Fidelity", fidelity.build),
    Section("privacy", "Privacy", privacy.build),
    Section("training", "Training", training.build),
    Section("data", "Data", data.build),
    Section("provenance", "Provenance", provenance.build),
)
