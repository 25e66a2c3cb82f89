"""The relativistic pairing loss (Jolicoeur-Martineau 2018, arXiv 1807.00734) with zero-centred
gradient penalties on real and on fake rows, as R3GAN has it (Huang et al. 2024, arXiv 2501.05441),
its gradients in closed form.

A real row is to be judged above the fake row it is paired with, and the critic is kept flat where
real rows (R1) and fake rows (R2) lie. That game converges where Wasserstein's circles.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from synthgen.generators.ctgan_critic import Critic


@torch.no_grad()
def critic_step(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    real_condition: Tensor | None,
    fake_condition: Tensor | None,
    weight: float,
) -> tuple[Tensor, Tensor]:
    """Set the critic's gradients of ``loss + weight / 2 * penalty`` and return both.

    The loss is the mean of ``softplus(D(fake) - D(real))`` over pairs of packs, the penalty the
    mean squared length of D's gradient by the rows and their conditions, of real packs plus that
    of fake ones. ``real`` and ``fake`` are (batch, width).
    """
    rows = torch.cat([real, fake])
    conditions = None
    if real_condition is not None and fake_condition is not None:
        conditions = torch.cat([real_condition, fake_condition])
    judged = critic.judge(critic.enter(rows, conditions), None)
    packs = len(judged.values) // 2
    behind = judged.values[packs:] - judged.values[:packs]
    loss = softplus(behind).mean()
    share = behind.sigmoid().div_(packs)
    by_value = torch.cat([-share, share])[:, None]

    steep = critic.backward(judged, torch.ones_like(judged.values))
    gradient = steep[0] @ critic.first.T
    penalty = gradient.square().sum() / packs
    by_gradient = gradient.mul_(weight / packs)

    # The penalty's gradient runs forwards through the layers, by the same slopes.
    onward = by_gradient @ critic.first
    outward = [*steep[1:], torch.ones_like(by_value)]
    for layer, slope, hidden, out in zip(
        critic.inner, judged.slopes, judged.hidden, outward, strict=True
    ):
        onward = onward * slope
        layer.weight.grad = out.T @ torch.addcmul(onward, hidden, by_value)
        layer.bias.grad = (out * by_value).sum(0)
        onward = onward @ layer.weight.T  # type: ignore[operator]

    inputs = critic.pac * critic.width
    by_gradient[:, :inputs].addcmul_(rows.view(2 * packs, inputs), by_value)
    first = torch.mm(by_gradient.T, steep[0], out=critic.first.grad)
    entering = steep[0] * by_value
    if conditions is not None:
        for places in critic.places(conditions).unbind(1):
            first.index_add_(0, places, entering)
    critic.first.grad = first
    critic.bias.grad = entering.sum(0)
    return loss, penalty


@torch.no_grad()
def generator_step(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    real_condition: Tensor | None,
    fake_condition: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """The generator's loss, the mean of ``softplus(D(real) - D(fake))``, and its gradient by the
    fake rows (batch, width)."""
    ahead = critic.judge(critic.enter(real, real_condition), None).values
    judged = critic.judge(critic.enter(fake, fake_condition), None)
    ahead = ahead - judged.values
    entering = critic.backward(judged, ahead.sigmoid().div_(-len(ahead)))
    return softplus(ahead).mean(), critic.by_rows(entering[0])
