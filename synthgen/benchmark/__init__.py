"""Does it help? Arms, learners, resampling, statistics, verdict.

>>> from synthgen.benchmark import compare
>>> compare(X, y, arms=["class_weights", "smote", "ctgan"])  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthgen.benchmark.library import compare

__all__ = ["compare"]


def __getattr__(name: str) -> Any:
    # Reading the configuration must not import torch and scikit-learn.
    if name != "compare":
        raise AttributeError(f"module 'synthgen.benchmark' has no attribute {name!r}")
    return import_module("synthgen.benchmark.library").compare
