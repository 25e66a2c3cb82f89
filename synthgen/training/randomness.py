"""Random streams that a step number fixes, so that a resumed training needs no generator state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_STATE = slice(24, 24 + 624 * 8)
"""Bytes of the state of PyTorch's CPU generator that are the Mersenne Twister's 624 words, each in
8 bytes; before them stand its seed and place."""


def stream(seed: int, number: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator on ``device`` for step (or chunk, or epoch) ``number`` >= 0 of this ``seed``.

    PyTorch's CPU generator uses 32 bits of its seed. Counting on from a hashed start keeps the
    numbers of one training apart; random 32-bit seeds would meet after some ten thousand steps.
    """
    start = int(np.random.SeedSequence(seed).generate_state(1)[0])
    return torch.Generator(device).manual_seed((start + number) % 2**32)


def draw_stream(seed: int, number: int) -> torch.Generator:
    """A generator on the CPU for chunk ``number`` >= 0 of the sample that ``seed`` fixes.

    All bits of both count, unlike in :func:`stream`: of a billion rows in shards of their own
    seeds, some chunks would otherwise begin with the same 32 bits and be the same. The Mersenne
    Twister's whole state is set, as NumPy seeds its own (PyTorch would fill it from 32 bits).
    """
    generator = torch.Generator().manual_seed(0)
    state = generator.get_state()
    words = state.numpy()[_STATE].view(np.uint64)
    words[:] = np.random.SeedSequence(seed, spawn_key=(1, number)).generate_state(len(words))
    return generator.set_state(state)


def draw_seed(seed: int, attempt: int) -> int:
    """The seed, of 128 bits, of the draw number ``attempt`` >= 0 for the sample of this seed."""
    words = np.random.SeedSequence(seed, spawn_key=(0, attempt)).generate_state(4)
    return int.from_bytes(words.tobytes(), "little")


def derive(seed: int, purpose: str) -> int:
    """A seed of its own for one purpose, so that two streams of a training share no numbers."""
    return int(np.random.SeedSequence([seed, *purpose.encode()]).generate_state(1)[0])


@contextmanager
def initialisation(seed: int) -> Iterator[None]:
    """Modules built inside get the initial weights that ``seed`` fixes; the global generator,
    which PyTorch's layers draw from, is afterwards as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
