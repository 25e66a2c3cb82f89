"""The sections that runs of every modality have."""

from __future__ import annotations

from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from synthgen.benchmark.executor import Runner
from synthgen.benchmark.settings import DecideSettings
from synthgen.generators.base import Generator
from synthgen.results import Modality

Budget: TypeAlias = Literal["quick", "standard", "thorough"]
Ratio: TypeAlias = Literal["auto", "balanced"] | float
PLACE = ("runner", "cluster", "workers")
"""Settings about where the jobs are done. No file that a run makes depends on them or holds them,
and a run may go on elsewhere."""


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
    runner: Runner = Field(
        "threads",
        exclude=True,
        description="What does the jobs of decide and the runs of a bench: threads (processes of "
        "this machine with one thread each), dask or ray. The result is the same.",
    )
    cluster: str | None = Field(
        None,
        exclude=True,
        description="Address of the Dask scheduler (tcp://host:8786) or of Ray (host:6379). null: "
        "what DASK_SCHEDULER_ADDRESS or RAY_ADDRESS says; without, one on this machine for the "
        "time of the run.",
    )
    workers: int | None = Field(
        None,
        ge=1,
        exclude=True,
        description="Parallel decide jobs on this machine; null: one per core.",
    )

    @model_validator(mode="after")
    def _a_cluster_has_a_runner(self) -> Self:
        if self.cluster is not None and self.runner == "threads":
            raise PydanticCustomError(
                "cluster_without_runner",
                "cluster is given, but the runner is threads, not dask or ray",
            )
        return self

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
