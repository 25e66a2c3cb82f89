from __future__ import annotations

import numpy as np
import torch
from torch import nn

from synthgen.training.randomness import derive, draw_seed, draw_stream, initialisation, stream


def test_the_step_number_fixes_the_numbers() -> None:
    assert torch.equal(torch.rand(5, generator=stream(3, 9)), torch.rand(5, generator=stream(3, 9)))
    numbers = {torch.rand(1, generator=stream(s, k)).item() for s in range(20) for k in range(200)}
    assert len(numbers) == 4000


def test_streams_of_neighbouring_steps_are_uncorrelated() -> None:
    rows = torch.stack([torch.randn(2000, generator=stream(1, k)) for k in range(60)])
    correlation = torch.corrcoef(rows) - torch.eye(60)
    # 1770 pairs with standard error 1/sqrt(2000): five of them are a chance of 1 in 1000.
    assert correlation.abs().max() < 5 / 2000**0.5


def test_draws_have_the_numbers_of_numpys_mersenne_twister() -> None:
    key = np.random.SeedSequence(2**100 + 1, spawn_key=(1, 7)).generate_state(624)
    twister = np.random.RandomState()
    twister.set_state(("MT19937", key, 624))
    expected = twister.randint(0, 2**32, 1500, dtype=np.uint32) & 0xFFFFFF
    drawn = torch.rand(1500, generator=draw_stream(2**100 + 1, 7)) * 2**24
    assert drawn.int().tolist() == expected.tolist()


def test_all_bits_of_a_draws_seed_and_number_count() -> None:
    seeds = [1, 1 + 2**32, 1 + 2**90]
    numbers = {
        torch.rand(1, generator=draw_stream(s, k)).item() for s in seeds for k in (0, 1, 2**32)
    }
    assert len(numbers) == 9
    drawn = {draw_seed(seed, attempt) for seed in seeds for attempt in range(100)}
    assert len(drawn) == 300
    assert max(drawn) > 2**120


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
