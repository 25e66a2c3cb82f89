"""One seed for the run, an independent one for each purpose."""

from __future__ import annotations

import zlib

import numpy as np


def derive(seed: int, purpose: str) -> int:
    """A seed below 2**31 that depends on both, by NumPy's SeedSequence (O'Neill's seed_seq)."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])
    return int(sequence.generate_state(1)[0] >> 1)


def numbered(seed: int, purpose: str, number: int) -> int:
    """A seed below 2**53 (what JSON holds everywhere) for one of very many of a kind."""
    sequence = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(purpose.encode()), number))
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(11))
