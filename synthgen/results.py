"""What a run found out, as plain data: written as ``report.json``, rendered as ``report.html``.

Nothing here names a single row: shares of categories held by fewer than five rows are summed
under one entry, and histogram edges are protected bounds.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1

Pillar: TypeAlias = Literal["fidelity", "utility", "privacy"]
Goal: TypeAlias = Literal["min", "max", "target"]
Decision: TypeAlias = Literal["augment", "do-not-augment", "inconclusive"]


class _Data(BaseModel):
    # JSON has no NaN: as text it comes back as the same number, as null it would not load.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Reading(_Data):
    """What a metric returns: one value and, where useful, its parts (JSON-able)."""

    value: float
    detail: dict[str, Any] = {}


class Score(_Data):
    """A metric's value beside its reference: the same metric of real rows of the same number.

    ``goal`` says which direction is better; ``target`` means: as near the reference as possible.
    """

    metric: str
    title: str
    pillar: Pillar
    goal: Goal
    value: float
    reference: float | None
    detail: dict[str, Any] = {}


class Interval(_Data):
    low: float
    high: float


class Difference(_Data):
    """One arm against ``nothing`` on one metric: mean over resamples, corrected interval."""

    arm: str
    """Arm with its chosen ratios, for example ``ctgan``, ``smote``, ``class_weights``."""
    learner: str
    """A learner's name, or ``best``: chosen inside each resample."""
    metric: str
    baseline: float
    """Mean score of ``nothing``."""
    mean: float
    interval: Interval
    p_value: float
    resamples: int


class Verdict(_Data):
    """The answer. ``difference`` and ``interval`` are of ``arm`` against ``nothing``."""

    decision: Decision
    arm: str | None
    """The arm to use: a generator for ``augment``; the best cheap arm, or None, otherwise."""
    ratio: float | Literal["balanced"] | None
    """Synthetic rows per training row, for ``augment`` (or what the user fixed)."""
    metric: str
    difference: float
    interval: Interval
    confidence: float
    sentence: str
    """One sentence a manager understands."""
    reasons: list[str] = []
    alternatives: list[Difference] = []
    """All other arms, strongest first."""
    minimum_effect: float
    detectable_effect: float
    """The smallest true difference that this budget would have found with 80 % power."""
    resamples: int
    learners: list[str]

    def __repr__(self) -> str:
        return f"Verdict: {self.sentence}"


class Marginal(_Data):
    """One column, real beside synthetic: shares per category or per bin, summing to 1 each."""

    column: str
    kind: str
    score: float
    """Column shape: 1 - Kolmogorov-Smirnov distance, or 1 - total variation distance."""
    reference: float
    """The same score of held-out rows."""
    labels: list[str]
    """Category names, or for binned columns one label per bin."""
    edges: list[float] | None
    """Bin edges (one more than labels) of continuous columns, else None."""
    real: list[float]
    synthetic: list[float]


class PairTrends(_Data):
    """Square matrices in the order of ``columns``, values 0 to 1, None where undefined."""

    columns: list[str]
    score: list[list[float | None]]
    """Agreement of real and synthetic association per pair (1 is best)."""


class Curve(_Data):
    """A training curve: ``values`` per ``step``."""

    name: str
    steps: list[int]
    values: list[float]


class ColumnNote(_Data):
    """The schema as shown to the user."""

    name: str
    kind: str
    dtype: str
    note: str


class Provenance(_Data):
    source: str
    source_sha256: str | None
    rows: dict[str, int]
    """``train``, ``test``, ``synthetic``, ``augmented``."""
    target: str
    generator: str
    seed: int
    budget: str
    device: str
    versions: dict[str, str]
    config: dict[str, Any]
    command: str | None = None
    """The command line that gives this run again; None: put together from the fields above."""
    hashes: dict[str, str] = {}
    """SHA-256 of what the run wrote, by file name."""


class Report(_Data):
    schema_version: Literal[1] = 1
    title: str
    verdict: Verdict
    differences: list[Difference]
    """Every arm x learner (and ``best``) on the primary metric and the others."""
    scores: list[Score]
    marginals: list[Marginal]
    """Worst first."""
    pair_trends: PairTrends | None
    curves: list[Curve]
    columns: list[ColumnNote]
    notices: list[str]
    """What the user should know: columns left out, shortfalls, caps."""
    provenance: Provenance

    def __repr__(self) -> str:
        return f"Report on {self.title}: {self.verdict.decision}, {len(self.scores)} scores"
