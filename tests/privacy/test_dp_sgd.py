"""Clipping and noise of the critic's steps, against Opacus' own and against the definition."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from synthgen.generators.dp_ctgan import critic_of
from synthgen.privacy.noise import SeededNoise

pytest.importorskip("opacus")

from synthgen.privacy.dp_sgd import PrivateCritic, clipped_gradients

LIMIT = 0.7


def critic(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return critic_of(6, (5, 4))


def rows(n: int, seed: int = 1) -> Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed)) * 3


def flat(network: nn.Sequential) -> Tensor:
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


@pytest.fixture(autouse=True)
def _the_global_generator_is_left_alone() -> object:
    with torch.random.fork_rng(devices=[]):
        yield


@pytest.mark.filterwarnings("ignore:Full backward hook")
def test_the_clipped_sum_is_that_of_opacus() -> None:
    from opacus import GradSampleModule
    from opacus.optimizers import DPOptimizer

    ours, theirs = critic(), critic()
    signs = torch.where(torch.arange(40) < 15, -1.0, 1.0)
    clipped_gradients(ours, rows(40), signs, LIMIT)
    wrapped = GradSampleModule(theirs, loss_reduction="sum")
    sgd = torch.optim.SGD(theirs.parameters(), lr=1.0)
    optimizer = DPOptimizer(sgd, noise_multiplier=0, max_grad_norm=LIMIT, expected_batch_size=1)
    functional.softplus(signs * wrapped(rows(40)).squeeze(1)).sum().backward()
    optimizer.clip_and_accumulate()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.summed_grad.view_as(p), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_one_row_moves_the_sum_by_the_limit_at_most(seed: int) -> None:
    network, batch = critic(seed), rows(30, seed)
    batch[0] *= 1000  # a row that would move it far
    signs = torch.where(torch.arange(30) < 20, -1.0, 1.0)
    signs[0] = network(batch[:1]).sign().item()  # and that the critic is wrong about
    clipped_gradients(network, batch, signs, LIMIT)
    with_row = flat(network)
    clipped_gradients(network, batch[1:], signs[1:], LIMIT)
    moved = (with_row - flat(network)).norm().item()
    assert moved <= LIMIT * (1 + 1e-4)
    assert moved > 0.5 * LIMIT


def test_small_gradients_are_not_scaled() -> None:
    network, batch, signs = critic(), rows(8), torch.ones(8)
    clipped_gradients(network, batch, signs, 1e6)
    ours = flat(network)
    network.zero_grad()
    functional.softplus(network(batch).squeeze(1)).sum().backward()
    torch.testing.assert_close(ours, flat(network), rtol=1e-4, atol=1e-6)


def stepped(multiplier: float, real: Tensor, seed: int = 3) -> Tensor:
    """The gradient that one step of PrivateCritic used, by plain SGD."""
    network = critic()
    before = [p.detach().clone() for p in network.parameters()]
    private = PrivateCritic(
        network,
        torch.optim.SGD(network.parameters(), lr=1.0),
        multiplier=multiplier,
        max_grad_norm=LIMIT,
        batch=10,
    )
    private.learn(real, rows(10, 5), SeededNoise(seed))
    after = network.parameters()
    return torch.cat([(b - p.detach()).flatten() for b, p in zip(before, after, strict=True)])


def test_the_noise_has_the_stated_deviation() -> None:
    exact = stepped(1e-9, rows(12))
    noise = torch.stack([stepped(2.0, rows(12), seed) - exact for seed in range(300)])
    wanted = 2.0 * LIMIT / 10
    assert noise.std().item() == pytest.approx(wanted, rel=0.02)
    assert noise.mean().item() == pytest.approx(0, abs=4 * wanted / np.sqrt(noise.numel()))
    # Every number of the gradient gets noise of its own.
    assert noise.std(0).min().item() > 0.8 * wanted


def test_an_empty_sample_is_a_step_like_any_other() -> None:
    assert stepped(1.0, rows(0)).isfinite().all()


def test_neighbouring_tables_give_steps_that_differ_by_the_limit_at_most() -> None:
    real = rows(12)
    moved = (stepped(1.0, real) - stepped(1.0, real[1:])).norm().item()
    assert 0 < moved <= LIMIT / 10 * (1 + 1e-4)


def test_judging_leaves_no_gradient_of_rows_behind() -> None:
    network = critic()
    frozen = deepcopy(network.state_dict())
    private = PrivateCritic(
        network,
        torch.optim.SGD(network.parameters(), lr=1.0),
        multiplier=1.0,
        max_grad_norm=LIMIT,
        batch=10,
    )
    fake = rows(10).requires_grad_()
    (gradient,) = torch.autograd.grad(private.judge(fake), fake)
    assert gradient.abs().sum() > 0
    assert all(torch.equal(v, frozen[k]) for k, v in network.state_dict().items())
