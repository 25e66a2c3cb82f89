from __future__ import annotations

import torch
from torch import nn

from synthgen.training.randomness import derive, initialisation, stream


def test_the_step_number_fixes_the_numbers() -> None:
    assert torch.equal(torch.rand(5, generator=stream(3, 9)), torch.rand(5, generator=stream(3, 9)))
    numbers = {torch.rand(1, generator=stream(s, k)).item() for s in range(20) for k in range(200)}
    assert len(numbers) == 4000


def test_streams_of_neighbouring_steps_are_uncorrelated() -> None:
    rows = torch.stack([torch.randn(2000, generator=stream(1, k)) for k in range(60)])
    correlation = torch.corrcoef(rows) - torch.eye(60)
    # 1770 pairs with standard error 1/sqrt(2000): five of them are a chance of 1 in 1000.
    assert correlation.abs().max() < 5 / 2000**0.5


def test_purposes_have_their_own_seeds() -> None:
    seeds = {derive(seed, purpose) for seed in range(50) for purpose in ("weights", "steps", "")}
    assert len(seeds) == 150
    assert derive(7, "weights") == derive(7, "weights")


def test_initialisation_is_fixed_and_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    with initialisation(4):
        one = nn.Linear(3, 3)
    with initialisation(4):
        other = nn.Linear(3, 3)
    assert torch.equal(one.weight, other.weight)
    assert torch.equal(before, torch.get_rng_state())
