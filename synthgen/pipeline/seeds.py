"""One seed for the run, an independent one for each purpose."""

from __future__ import annotations

import zlib

import numpy as np


def derive(seed: int, purpose: str) -> int:
    """A seed below 2**31 that depends on both, by NumPy's SeedSequence (O'Neill's seed_seq)."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])
    return int(sequence.generate_state(1)[0] >> 1)
