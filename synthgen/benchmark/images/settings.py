"""What ``decide`` measures for images, and how much of it.

These settings are those of tables with other defaults and a few fields more, since the schedule,
the comparison, the verdict and the report read the same ones of both. They are a model of their
own, not a part of the tables', so that neither configuration has a field which nothing reads.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self, TypeAlias

from pydantic import Field, field_validator

from synthgen.benchmark.settings import DecideSettings
from synthgen.data.schema import Task

ImageArm: TypeAlias = Literal[
    "nothing", "class_weights", "flips_crops", "randaugment", "mixup", "oversample", "placebo"
]
ImagePrimary: TypeAlias = Literal[
    "roc_auc", "average_precision", "balanced_accuracy", "macro_f1", "recall_at_precision"
]
SMALL_CNN = "small-cnn"
FEW, FEWEST_STEPS, GROWTH = 200, 200, 1 / 3
"""So many images are few, and classifiers of them are trained for so many steps; for k times as
many images, k to this power times the steps."""


class ImageSettings(DecideSettings):
    """The protocol's parameters; see ``docs/verdict.md`` for what each of them does."""

    unit: ClassVar[str] = "image"
    copying: ClassVar[str] = "copy"

    learners: tuple[str, ...] = Field(
        (SMALL_CNN,),
        min_length=1,
        description="Classifiers to try: small-cnn, or the import path module:attribute of what "
        "makes a torch module of channels, size and classes.",
    )
    metric: ImagePrimary = Field(
        "balanced_accuracy",
        description="What the verdict is about. Balanced accuracy is the accuracy where classes "
        "are equally large; ROC-AUC and average precision are nearly perfect while one image in "
        "ten is misclassified.",
    )
    filters: tuple[Literal["teacher"], ...] = Field(
        ("teacher",),
        description="Ways to select synthetic images that are tried. Empty: no filtered arm.",
    )
    arms: tuple[ImageArm, ...] = Field(
        (
            "nothing",
            "class_weights",
            "flips_crops",
            "randaugment",
            "mixup",
            "oversample",
            "placebo",
        ),
        description="What a generator has to beat; 'nothing' is always among them.",
    )
    mirrored: bool = Field(
        False,
        description="Whether a mirrored image is as good as the image: not for digits, letters, "
        "or whatever has a left and a right.",
    )
    classifier_steps: int | None = Field(
        None,
        ge=1,
        description="Optimiser steps of every classifier, whatever it is trained on; null: by the "
        "number of images, 200 up to 200 and 1,200 for 50,000.",
    )
    batch_size: int = Field(64, ge=2, le=4096, description="Images in a step of a classifier.")

    @field_validator("learners")
    @classmethod
    def _networks(cls, learners: tuple[str, ...]) -> tuple[str, ...]:
        for learner in learners:
            module, _, attribute = learner.partition(":")
            if learner != SMALL_CNN and not (module and attribute):
                raise ValueError(f"{learner!r} is neither {SMALL_CNN} nor module:attribute")
        return learners

    def for_task(self, task: Task) -> Self:
        """These settings: images have classes, and the defaults here are for them."""
        if task != "classification":
            raise ValueError("images have classes")
        return self

    def steps(self, images: int) -> int:
        """Optimiser steps of every classifier, where so many images are used.

        By default so many that more hardly help the small CNN, and in proportion to a power of the
        number of images, so that work grows far slower than they do.
        """
        if self.classifier_steps is not None:
            return self.classifier_steps
        growth: float = max(1.0, images / FEW) ** GROWTH
        return round(FEWEST_STEPS * growth)
