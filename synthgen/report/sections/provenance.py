"""Where the numbers come from and how to get them again."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from synthgen.report import advice
from synthgen.report.wording import name
from synthgen.results import Provenance, Report


@dataclass(frozen=True)
class ProvenanceView:
    facts: list[tuple[str, str]]
    versions: list[tuple[str, str]]
    hashes: list[tuple[str, str]]
    command: str
    config: str


def build(report: Report) -> ProvenanceView:
    known = report.provenance
    hashes = dict(known.hashes)
    if known.source_sha256 is not None:
        hashes = {known.source: known.source_sha256} | hashes
    return ProvenanceView(
        facts=[
            ("Data", known.source),
            ("Target", known.target),
            ("Generator", _generator(known)),
            ("Seed", str(known.seed)),
            ("Budget", known.budget),
            ("Device", known.device),
        ],
        versions=sorted(known.versions.items()),
        hashes=list(hashes.items()),
        command=advice.command(known),
        config=yaml.safe_dump(known.config, sort_keys=False, allow_unicode=True),
    )


def _generator(known: Provenance) -> str:
    chosen = f", which chose {name(known.choice.chosen)}" if known.choice is not None else ""
    return name(known.generator) + chosen
