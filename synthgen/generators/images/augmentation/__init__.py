"""Augmentations of what the critic sees, real and fake alike, so that a generator is not led to
augmented images. All are differentiable, work on a whole batch on its device, and draw from the
given stream."""

from __future__ import annotations

from typing import Literal, TypeAlias

AugmentationName: TypeAlias = Literal["none", "diffaugment", "ada"]
