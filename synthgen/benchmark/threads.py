"""One thread per job: jobs run side by side, and sums of floats depend on how they are split."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import threadpoolctl

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""What a process has to find in its environment to start with one thread."""

_lock = threading.Lock()
_inside = 0
_blas: Any = None
_torch_before = 0


@contextmanager
def single_thread() -> Iterator[None]:
    """Within, BLAS, OpenMP and (where it is loaded) torch use one thread.

    OpenMP keeps its limit per thread of ours, BLAS per process; so the first of several threads
    to enter limits BLAS and the last one to leave lifts that, and no job ever meets other limits
    than it began with.
    """
    global _inside, _blas, _torch_before
    torch = sys.modules.get("torch")
    with _lock:
        if _inside == 0:
            blas = threadpoolctl.ThreadpoolController().select(user_api="blas")
            _blas = blas.limit(limits=1)
        if torch is not None and _torch_before == 0:
            _torch_before = torch.get_num_threads()
        _inside += 1
    try:
        with threadpoolctl.ThreadpoolController().select(user_api="openmp").limit(limits=1):
            if torch is not None:
                torch.set_num_threads(1)
            yield
    finally:
        with _lock:
            if torch is not None:
                torch.set_num_threads(_torch_before)
            _inside -= 1
            if _inside == 0:
                _release_blas()
                _blas.restore_original_limits()
                _release_blas()
                _torch_before = 0


def _release_blas() -> None:
    """From version 3.8 on only the thread that set a limit may change it, or none if it is gone."""
    release: Callable[..., None] | None = getattr(
        threadpoolctl.OpenBLASController, "clear_controlling_thread", None
    )
    if release is not None:
        release(force=True)
