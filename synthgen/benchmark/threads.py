"""One thread per job: jobs run side by side, and sums of floats depend on how they are split."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""What a process has to find in its environment to start with one thread."""


@contextmanager
def single_thread() -> Iterator[None]:
    """Within, BLAS, OpenMP and (where it is loaded) torch use one thread in this process."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    with threadpool_limits(1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)
