"""Adversarial losses: what a critic and a generator want of the critic's values for real and fake
images, (n,) each. ``LOSSES`` names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from torch import Tensor

from synthgen.generators.images.losses import (
    hinge,
    least_squares,
    minimax,
    non_saturating,
    relativistic,
    wasserstein,
)

LossName: TypeAlias = Literal[
    "minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "relativistic"
]


class Adversarial(NamedTuple):
    """Both take the values of real and of fake images and give a loss without dimensions."""

    critic: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    paired: bool = False
    """Whether the generator's loss needs the values of real images."""


LOSSES: Mapping[LossName, Adversarial] = {
    "minimax": Adversarial(minimax.critic, minimax.generator),
    "non-saturating": Adversarial(minimax.critic, non_saturating.generator),
    "least-squares": Adversarial(least_squares.critic, least_squares.generator),
    "hinge": Adversarial(hinge.critic, wasserstein.generator),
    "wasserstein": Adversarial(wasserstein.critic, wasserstein.generator),
    "relativistic": Adversarial(relativistic.critic, relativistic.generator, paired=True),
}
