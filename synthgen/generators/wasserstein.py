"""The Wasserstein loss with a gradient penalty (Gulrajani et al. 2017, arXiv 1704.00028), its
gradients in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from synthgen.generators.ctgan_critic import Critic

LEAST = 1e-30
"""A gradient shorter than this has no direction."""


@torch.no_grad()
def critic_step(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    real_condition: Tensor | None,
    fake_condition: Tensor | None,
    mix: Tensor,
    masks: Sequence[Tensor],
    weight: float,
) -> tuple[Tensor, Tensor]:
    """Set the critic's gradients of ``distance + weight * penalty`` and return both: its estimate
    of minus the Wasserstein distance, and the gradient penalty (Gulrajani et al. 2017, equation 3).

    ``real`` and ``fake`` (batch, width); ``mix`` (packs, 1) in [0, 1] places each pack's
    interpolate; ``masks`` are dropout masks for real, fake and interpolated packs.
    """
    packs = len(mix)
    judged_packs = 2 * packs
    rows = torch.cat([real, fake])
    conditions = None
    if real_condition is not None and fake_condition is not None:
        conditions = torch.cat([real_condition, fake_condition])
    entered = critic.enter(rows, conditions)
    # The first layer is linear: what enters for the interpolates is interpolated itself.
    between = entered[packs:].lerp(entered[:packs], mix)
    judged = critic.judge(torch.cat([entered, between]), masks)
    distance = judged.values[packs:judged_packs].mean() - judged.values[:packs].mean()

    # Real, fake and interpolated packs go back together. For the first two the loss is the
    # distance; for the last it is the value itself, whose gradient by the input is penalised.
    by_value = rows.new_full((3 * packs,), 1 / packs)
    by_value[:packs] = -1 / packs
    by_value[judged_packs:] = 1.0
    entering = critic.backward(judged, by_value)
    steep = entering[0][judged_packs:]
    gradient = steep @ critic.first.T
    norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
    penalty = (norm - 1).square().mean()
    # Where dropout left nothing there is no gradient, and no direction to change it in.
    longer = 1 - 1 / norm.clamp_min(LEAST)
    by_gradient = gradient.mul_(longer * (2 * weight / packs))

    first = torch.mm(by_gradient.T, steep, out=critic.first.grad)
    shares = entering[0][:judged_packs]
    inputs = critic.pac * critic.width
    first[:inputs].addmm_(rows.view(judged_packs, inputs).T, shares)
    if conditions is not None:
        for places in critic.places(conditions).unbind(1):
            first.index_add_(0, places, shares)
    critic.first.grad = first
    critic.bias.grad = shares.sum(0)

    # The penalty's gradient runs forwards through the layers, by the same slopes.
    onward = by_gradient @ critic.first
    outward = [*entering[1:], by_value[:, None]]
    for layer, slope, hidden, out in zip(
        critic.inner, judged.slopes, judged.hidden, outward, strict=True
    ):
        onward = onward * slope[judged_packs:]
        layer.weight.grad = out.T @ torch.cat([hidden[:judged_packs], onward])
        layer.bias.grad = out[:judged_packs].sum(0)
        onward = onward @ layer.weight.T  # type: ignore[operator]
    return distance, penalty


@torch.no_grad()
def generator_step(
    critic: Critic, fake: Tensor, condition: Tensor | None, masks: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """The adversarial loss of fake rows (batch, width), and its gradient by them."""
    judged = critic.judge(critic.enter(fake, condition), masks)
    packs = len(judged.values)
    entering = critic.backward(judged, judged.values.new_full((packs,), -1 / packs))
    return -judged.values.mean(), critic.by_rows(entering[0])
