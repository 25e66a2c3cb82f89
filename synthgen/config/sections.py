"""The sections that runs of every modality have."""

from __future__ import annotations

from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from synthgen.benchmark.settings import DecideSettings
from synthgen.generators.base import Generator
from synthgen.results import Modality

Budget: TypeAlias = Literal["quick", "standard", "thorough"]
Ratio: TypeAlias = Literal["auto", "balanced"] | float


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Section):
    """Where the data are."""

    source: str = Field("", description="What is read.")
    target: str = Field(description="What the classifier predicts.")
    test: str | None = Field(None, description="A source of test data of its own.")


class SplitConfig(Section):
    """The sealed test part."""

    test_share: float = Field(
        0.2, gt=0, lt=1, description="Share of the rows that is set aside and never trained on."
    )
    rows_per_class: int | None = Field(
        None,
        ge=2,
        description="Training rows of each class at most, drawn at random once the test rows are "
        "set aside: what would few of them do? null: all of them.",
    )


class SampleConfig(Section):
    """What is drawn from the final model."""

    ratio: Ratio = Field(
        "auto",
        description="Synthetic rows per training row in the augmented set: a number, 'balanced' "
        "(fill every class up to the largest), or 'auto' (what the verdict chose, maybe none).",
    )
    copies: Literal["drop", "allow"] = Field(
        "drop", description="What happens to synthetic rows that equal a training row."
    )

    @field_validator("ratio")
    @classmethod
    def _ratio_is_sensible(cls, ratio: Ratio) -> Ratio:
        if isinstance(ratio, float) and not 0 < ratio <= 100:
            raise ValueError("a ratio lies above 0 and at most at 100")
        return ratio


class Gate(Section):
    """Bounds of one score; outside them the run ends with exit code 6."""

    min: float | None = Field(None, description="Smallest value that passes.")
    max: float | None = Field(None, description="Largest value that passes.")


class Config(Section):
    """A run, completely described: what tables and images have in common."""

    modality: Modality = Field(description="table or images; told from the source if left out.")
    data: Source
    generator: Generator = Field(description="The generator and its hyper-parameters.")
    budget: Budget = Field(
        "standard", description="How much computing the answer is worth; fills unset fields."
    )
    split: SplitConfig = SplitConfig()
    decide: DecideSettings = DecideSettings()
    sample: SampleConfig = SampleConfig()
    gates: dict[str, Gate] = Field(
        {}, description="Quality and privacy gates: metric name -> {min: ..., max: ...}."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Fixes every random choice.")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N.")
    workers: int | None = Field(None, ge=1, description="Parallel decide jobs; None: one per core.")

    @model_validator(mode="after")
    def _the_fixed_ratio_is_measured(self) -> Self:
        ratio, decide = self.sample.ratio, self.decide
        chosen = "ratios" in decide.model_fields_set
        if ratio != "auto" and chosen and ratio not in decide.ratios:
            raise PydanticCustomError(
                "unmeasured_ratio",
                "sample.ratio is {ratio}, but decide.ratios does not hold it: "
                "the verdict would be about another ratio",
                {"ratio": ratio},
            )
        return self
