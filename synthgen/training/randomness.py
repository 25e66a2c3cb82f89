"""Random streams that a step number fixes, so that a resumed training needs no generator state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def stream(seed: int, number: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator on ``device`` for step (or chunk, or epoch) ``number`` >= 0 of this ``seed``.

    PyTorch's CPU generator uses 32 bits of its seed. Counting on from a hashed start keeps the
    numbers of one training apart; random 32-bit seeds would meet after some ten thousand steps.
    """
    start = int(np.random.SeedSequence(seed).generate_state(1)[0])
    return torch.Generator(device).manual_seed((start + number) % 2**32)


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
