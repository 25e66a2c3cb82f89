"""What ``decide`` measures and how much of it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

Learner: TypeAlias = Literal["logistic", "forest", "boosting"]
CheapArm: TypeAlias = Literal["nothing", "class_weights", "oversample", "smote"]
Primary: TypeAlias = Literal["roc_auc", "average_precision", "balanced_accuracy", "macro_f1"]


def _sensible(ratio: float | Literal["balanced"]) -> float | Literal["balanced"]:
    if ratio != "balanced" and not 0 < ratio <= 100:  # NaN fails too
        raise ValueError(
            "a ratio is the number of synthetic rows per training row: "
            "above 0 and at most 100, or 'balanced'"
        )
    return ratio


Ratio: TypeAlias = Annotated[float | Literal["balanced"], AfterValidator(_sensible)]
"""Synthetic rows per training row; ``balanced`` fills every class up to the largest one."""


class DecideSettings(BaseModel):
    """The protocol's parameters; see ``docs/verdict.md`` for what each of them does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resamples: int = Field(
        10, ge=3, le=1000, description="Random splits of the training rows; 3 at least."
    )
    test_share: float = Field(
        0.25, ge=0.05, le=0.5, description="Share of a resample's rows that scores are taken on."
    )
    inner_share: float = Field(
        0.25,
        ge=0.05,
        le=0.5,
        description="Share of the other rows that ratio and learner are chosen on.",
    )
    learners: tuple[Learner, ...] = Field(
        ("logistic", "forest", "boosting"), min_length=1, description="Classifiers to try."
    )
    metric: Primary = Field(
        "roc_auc",
        description="What the verdict is about. ROC-AUC needs no threshold: metrics at a fixed "
        "threshold reward every change of the class balance, which moving the threshold gives "
        "for nothing.",
    )
    ratios: tuple[Ratio, ...] = Field(
        (0.25, 0.5, 1.0, "balanced"),
        min_length=1,
        description="Synthetic rows per training row that a generator is tried at.",
    )
    arms: tuple[CheapArm, ...] = Field(
        ("nothing", "class_weights", "oversample", "smote"),
        description="What a generator has to beat; 'nothing' is always among them.",
    )
    confidence: float = Field(0.95, ge=0.5, lt=1, description="Of intervals and tests.")
    minimum_effect: float = Field(
        0.005, ge=0, lt=1, description="Smallest gain that is worth having: 0.005 is half a point."
    )
    max_rows: int | None = Field(
        None, ge=50, description="Training rows used at most; null: all of them."
    )

    @field_validator("learners", "ratios", "arms")
    @classmethod
    def _no_entry_twice(cls, entries: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(entries)) < len(entries):
            raise ValueError("an entry stands twice in the list")
        return entries

    @field_validator("arms")
    @classmethod
    def _has_a_baseline(cls, arms: tuple[CheapArm, ...]) -> tuple[CheapArm, ...]:
        if "nothing" not in arms:
            raise ValueError("'nothing' is missing: it is what the others are compared with")
        return arms
