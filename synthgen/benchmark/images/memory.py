"""A device whose memory is full is no property of what was tried on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from synthgen.errors import MachineError


@contextmanager
def within_memory(device: str, name: str) -> Iterator[None]:
    """Raises MachineError where the device's memory does not suffice for ``name``, a learner or a
    generator."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise MachineError(
            f"the memory of {device} does not suffice for {name}",
            "free some of it, or choose smaller batches or a smaller network",
        ) from error
