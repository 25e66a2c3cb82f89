"""What ``decide`` measures and how much of it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from synthgen.data.schema import Task
from synthgen.errors import ConfigError
from synthgen.results import Filter

CheapArm: TypeAlias = Literal[
    "nothing",
    "class_weights",
    "density_weights",
    "threshold",
    "flips_crops",
    "randaugment",
    "mixup",
    "oversample",
    "smote",
    "placebo",
]
Primary: TypeAlias = Literal[
    "roc_auc", "average_precision", "balanced_accuracy", "macro_f1", "recall_at_precision", "r2"
]

FOR_CLASSES = ("class_weights", "threshold", "oversample")
"""Arms that need classes."""
FOR_NUMBERS = ("density_weights",)
"""Arms that need a numeric target."""
FOR_IMAGES = ("flips_crops", "randaugment", "mixup")
"""Arms that need images."""


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

    unit: ClassVar[str] = "row"
    """What the data hold, as the verdict's sentences call it; the plural takes an s."""
    copying: ClassVar[str] = "equal"
    """What a synthetic one does to a training one that it repeats."""

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
        description="Share of the other rows that recipes and learners are chosen on.",
    )
    learners: tuple[str, ...] = Field(
        ("logistic", "forest", "boosting"),
        min_length=1,
        description="Classifiers to try: logistic (for a numeric target ridge), forest, boosting, "
        "xgboost, lightgbm, catboost, or the import path of a scikit-learn estimator.",
    )
    metric: Primary = Field(
        "roc_auc",
        description="What the verdict is about; r2 for a numeric target. ROC-AUC needs no "
        "threshold: metrics at a fixed threshold reward every change of the class balance, which "
        "moving the threshold gives for nothing.",
    )
    precision: float = Field(
        0.9, gt=0, le=1, description="The precision at which recall_at_precision is measured."
    )
    ratios: tuple[Ratio, ...] = Field(
        (0.25, 0.5, 1.0, "balanced"),
        min_length=1,
        description="Synthetic rows per training row that a generator is tried at.",
    )
    filters: tuple[Filter, ...] = Field(
        ("density_ratio", "teacher", "boundary"),
        description="Ways to select synthetic rows that are tried. Empty: no filtered arm.",
    )
    weights: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.3,),
        description="Sample weights of synthetic rows that are tried. Empty: no weighted arm.",
    )
    mixed: bool = Field(
        True,
        description="Whether synthetic rows are tried together with class weights and a tuned "
        "threshold.",
    )
    every_ratio: bool = Field(
        False,
        description="Whether filters and weights are tried at every ratio instead of at the one "
        "that was best without them.",
    )
    arms: tuple[CheapArm, ...] = Field(
        ("nothing", "class_weights", "threshold", "oversample", "smote", "placebo"),
        description="What a generator has to beat; 'nothing' is always among them.",
    )
    curve: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.25, 0.5),
        description="Shares of the rows at which the learning curve is measured, beside all.",
    )
    confidence: float = Field(0.95, ge=0.5, lt=1, description="Of intervals and tests.")
    minimum_effect: float = Field(
        0.005, ge=0, lt=1, description="Smallest gain that is worth having: 0.005 is half a point."
    )
    drop_losers: bool = Field(
        True, description="Whether arms that clearly lose are not measured to the end."
    )
    max_rows: int | None = Field(
        None, ge=50, description="Training rows used at most; null: all of them."
    )
    time_limit: float | None = Field(
        None,
        gt=0,
        description="Seconds after which no further measurement begins. What was measured by then "
        "concludes, with a wider interval, and no longer gives the same bytes on every machine.",
    )

    @field_validator("learners", "ratios", "arms", "filters", "weights", "curve")
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

    def for_task(self, task: Task) -> Self:
        """These settings with what a task needs in place of defaults that were not set.

        Raises :class:`ConfigError` for a setting that was made and does not fit the task.
        """
        fitting = _FITTING[task]
        chosen = self.model_fields_set
        filled: dict[str, Any] = {k: v for k, v in fitting.items() if k not in chosen}
        settings = type(self).model_validate(self.model_dump(include=chosen) | filled)
        what = "a numeric target" if task == "regression" else "a target of classes"
        wrong: list[tuple[str, str, str]] = []
        if (settings.metric == "r2") != (task == "regression"):
            wrong.append(("metric", settings.metric, str(fitting["metric"])))
        foreign = FOR_IMAGES + (FOR_CLASSES if task == "regression" else FOR_NUMBERS)
        wrong += [
            ("arms", arm, ", ".join(fitting["arms"])) for arm in settings.arms if arm in foreign
        ]
        if task == "regression":
            if "balanced" in settings.ratios:
                wrong.append(("ratios", "balanced", "numbers, such as 0.5"))
            if "boundary" in settings.filters:
                wrong.append(("filters", "boundary", "density_ratio, teacher"))
        if wrong:
            field, value, instead = wrong[0]
            raise ConfigError(
                f"decide.{field}: {value!r} is not for {what}", f"leave it out, or use: {instead}"
            )
        return settings


_FITTING: dict[Task, dict[str, Any]] = {
    "classification": {
        "metric": "roc_auc",
        "learners": ("logistic", "forest", "boosting"),
        "arms": ("nothing", "class_weights", "threshold", "oversample", "smote", "placebo"),
    },
    "regression": {
        "metric": "r2",
        "learners": ("ridge", "forest", "boosting"),
        "arms": ("nothing", "density_weights", "smote", "placebo"),
        "ratios": (0.25, 0.5, 1.0),
        "filters": ("density_ratio", "teacher"),
    },
}
