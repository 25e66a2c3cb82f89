"""The relativistic losses against autograd on a plain critic of dense layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import leaky_relu, one_hot, softplus

from synthgen.generators.ctgan_critic import Critic
from synthgen.generators.relativistic import critic_step, generator_step
from synthgen.training.randomness import initialisation

WIDTH, CONDITIONS, BATCH = 7, 4, 12


def given(pac: int, conditions: int, hidden: tuple[int, ...]) -> tuple[Critic, dict[str, Any]]:
    with initialisation(1):
        critic = Critic(WIDTH, conditions, hidden, pac).double()
        # Sharp enough that pairs are judged apart.
        for parameter in critic.parameters():
            parameter.data.mul_(4)
    random = torch.Generator().manual_seed(2)
    drawn: dict[str, Any] = {
        name: torch.randn(BATCH, WIDTH, generator=random, dtype=torch.float64)
        for name in ("real", "fake")
    }
    for name in ("real_condition", "fake_condition"):
        known = torch.randint(conditions, (BATCH,), generator=random) if conditions else None
        drawn[name] = known
    return critic, drawn


def wide(rows: Tensor, condition: Tensor | None, critic: Critic) -> Tensor:
    """Packs as one vector each: all their rows, then all their one-hot conditions."""
    packs = rows.reshape(-1, critic.pac * WIDTH)
    if condition is None:
        return packs
    told = one_hot(condition, CONDITIONS).to(rows.dtype).reshape(len(packs), -1)
    return torch.cat([packs, told], 1)


def value(critic: Critic, inputs: Tensor) -> Tensor:
    out = inputs @ critic.first + critic.bias
    for layer in critic.inner:
        out = layer(leaky_relu(out, 0.2))
    return out.squeeze(1)


CASES = [(1, CONDITIONS, (9, 6)), (3, CONDITIONS, (9,)), (2, 0, (5, 6, 4))]


@pytest.mark.parametrize(("pac", "conditions", "hidden"), CASES)
@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_critic_gradients_are_autograds(
    pac: int, conditions: int, hidden: tuple[int, ...], weight: float
) -> None:
    critic, drawn = given(pac, conditions, hidden)
    sides = [
        wide(drawn[side], drawn[f"{side}_condition"], critic).requires_grad_()
        for side in ("real", "fake")
    ]
    values = [value(critic, side) for side in sides]
    plain_loss = softplus(values[1] - values[0]).mean()
    slopes = [
        torch.autograd.grad(v.sum(), side, create_graph=True)[0]
        for v, side in zip(values, sides, strict=True)
    ]
    plain_penalty = sum(slope.square().sum(1).mean() for slope in slopes)
    parameters = list(critic.parameters())
    expected = torch.autograd.grad(plain_loss + weight / 2 * plain_penalty, parameters)

    loss, penalty = critic_step(critic, **drawn, weight=weight)
    torch.testing.assert_close(loss, plain_loss)
    torch.testing.assert_close(penalty, plain_penalty)
    for parameter, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


@pytest.mark.parametrize(("pac", "conditions", "hidden"), CASES)
def test_generator_gradient_is_autograds(
    pac: int, conditions: int, hidden: tuple[int, ...]
) -> None:
    critic, drawn = given(pac, conditions, hidden)
    fake = drawn["fake"].clone().requires_grad_()
    real_value = value(critic, wide(drawn["real"], drawn["real_condition"], critic))
    fake_value = value(critic, wide(fake, drawn["fake_condition"], critic))
    plain = softplus(real_value - fake_value).mean()
    (expected,) = torch.autograd.grad(plain, fake)
    loss, gradient = generator_step(critic, **drawn)
    torch.testing.assert_close(loss, plain)
    torch.testing.assert_close(gradient, expected)
