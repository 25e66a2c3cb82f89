"""What a verdict rests on, between the rule that finds it and the words that tell it."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.benchmark.statistics import Estimate
from synthgen.results import Decision, Harm, RealEquivalents, Recipe

PLACEBO = "placebo"
FEWEST_OF_CLASS = 5
"""Test rows of the rarest class per resample, on average, below which no interval is trusted: the
scores jump by large steps then, and the differences are far from normal."""


@dataclass(frozen=True)
class Contender:
    """An arm that enough resamples measured against ``nothing``."""

    arm: str
    gain: Estimate
    p_value: float
    """Holm-adjusted within the arm's family; 1 for an arm that was dropped."""
    helps: bool
    """Shown to help: a useful mean, and a p-value at most 1 - confidence."""


@dataclass(frozen=True)
class Finding:
    """What the decision rests on."""

    decision: Decision
    generators: tuple[str, ...]
    """The generators in question."""
    measured: list[Contender]
    """Their arms with enough resamples."""
    lead: Contender | None
    """The strongest measured candidate, or the strongest that the verdict is for."""
    cheap: Contender | None
    """The strongest cheap arm; None if that is ``nothing``."""
    ahead: Estimate | None
    """``lead`` against ``cheap``."""
    arm: str | None
    """What to use."""
    recipe: Recipe | None
    harmed: list[Harm]
    """Subgroups that ``lead`` is shown to harm."""
    untested: list[str]
    dropped: dict[str, int]
    equivalents: RealEquivalents | None
    detectable: float
    rows_needed: int | None
    resamples: int
    scarce: bool
    """Too few test rows of the rarest class."""
    room: Estimate | None
    """What is left to gain over ``nothing``."""

    @property
    def shown(self) -> Contender | None:
        """Whose difference is reported."""
        return self.cheap if self.cheap is not None and self.arm == self.cheap.arm else self.lead


def excluded(gain: Estimate, useful: float) -> bool:
    """Whether a useful gain is ruled out."""
    return gain.high < useful or gain.high <= 0


def full(room: Estimate | None, useful: float) -> bool:
    """Whether ``nothing`` seems too good for a useful gain to be possible."""
    return room is not None and room.mean < useful


def exhausted(room: Estimate | None, useful: float) -> bool:
    """Whether it is shown to be so."""
    return room is not None and room.high < useful


def likely(gain: Estimate, useful: float) -> bool:
    """Whether a gain is useful on average and above its standard error."""
    return gain.mean > 0 and gain.mean >= useful and gain.mean >= gain.error
